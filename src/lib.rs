//! Lapidary: a native desktop workbench for datasets.
//!
//! The map. A module uses only what stands to its right:
//! `main → {app, cli} → ui → action → session → passes → operate → {checks, transform, eye, train, monitor, collect} → derive → io → edit → data → learn → {pixels, writing} → {job, chance}`.
//! The last five are the kernel, those from `session` to `data` the engine: packages of their own, so that a change rebuilds what stands
//! above it and nothing else.

pub use lapidary_engine::{
    chance, checks, collect, data, derive, edit, eye, io, job, learn, monitor, operate, passes, pixels, render, session, tokens,
    train, trainers, transform, writing,
};

pub mod action;
pub mod app;
pub mod cli;
pub mod ui;
