//! The parts that views are made of.

pub mod bars;
pub mod controls;
pub mod table;
pub mod text;
