//! The kernels of Lapidary: what computes, and knows nothing of datasets, disks or screens.
//!
//! A module uses only what stands to its right: `learn → {pixels, writing} → {job, chance}`, and `trainers → {render, tokens}`.

pub mod chance;
pub mod job;
pub mod learn;
pub mod pixels;
pub mod render;
pub mod tokens;
pub mod trainers;
pub mod writing;
