//! The parts that views are made of.

pub mod bars;
pub mod class_bars;
pub mod class_colour;
pub mod controls;
pub mod diff;
pub mod gallery;
pub mod guideline;
pub mod limit_chart;
pub mod picture;
pub mod portrait;
pub mod roles;
pub mod rows;
pub mod table;
pub mod text;
pub mod tokens;
