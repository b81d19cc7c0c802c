//! Reading: from bytes to columns.

pub mod budget;
pub mod class_names;
pub mod columns;
pub mod database;
pub mod delimited;
pub mod dialect;
pub mod duckdb;
pub mod faults;
pub mod hub_folder;
pub mod json;
pub mod json_columns;
pub mod json_read;
pub mod json_rows;
pub mod json_walk;
pub mod narrower;
pub mod preamble;
pub mod shards;
pub mod sheets;
pub mod sniff;
pub mod source;
pub mod text;
pub mod typed;
pub mod typed_schema;
