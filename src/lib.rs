//! Lapidary: a native desktop workbench for datasets.
//!
//! The map. A module uses only what stands to its right:
//! `main → {app, cli} → ui → action → session → operate → {checks, transform} → derive → io → learn → edit → data → pixels → job → chance`.

pub mod action;
pub mod app;
pub mod chance;
pub mod checks;
pub mod cli;
pub mod data;
pub mod derive;
pub mod edit;
pub mod io;
pub mod job;
pub mod learn;
pub mod operate;
pub mod pixels;
pub mod session;
pub mod transform;
pub mod ui;
