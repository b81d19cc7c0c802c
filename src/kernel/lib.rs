//! The kernels of Lapidary: what computes, and knows nothing of datasets, disks or screens.
//!
//! A module uses only what stands to its right: `learn → {pixels, writing} → {job, chance}`.

pub mod chance;
pub mod job;
pub mod learn;
pub mod pixels;
pub mod writing;
