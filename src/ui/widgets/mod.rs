//! The parts that views are made of.

pub mod bars;
pub mod class_bars;
pub mod class_colour;
pub mod controls;
pub mod diff;
pub mod gallery;
pub mod guideline;
pub mod picture;
pub mod portrait;
pub mod roles;
pub mod table;
pub mod text;
