//! Lapidary without a screen: everything that is done to a dataset.
//!
//! A module uses only what stands to its right:
//! `session → passes → operate → {checks, transform, eye, train, monitor, collect} → derive → io → edit → data`, and the kernel.

pub use lapidary_kernel::{chance, job, learn, pixels, render, tokens, trainers, writing};

pub mod checks;
pub mod collect;
pub mod data;
pub mod derive;
pub mod edit;
pub mod eye;
pub mod io;
pub mod monitor;
pub mod operate;
pub mod passes;
pub mod session;
pub mod train;
pub mod transform;
