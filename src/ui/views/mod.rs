//! One file per screen.

pub mod augment;
pub mod balance;
pub mod clean;
pub mod collect;
pub mod explore;
pub mod export;
pub mod history;
pub mod label;
pub mod noise;
mod pipeline;
pub mod split;
pub mod start;
