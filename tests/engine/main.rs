//! Everything without a window: whole stories by the program itself, and the engine's promises. One program: each links the world.

#![allow(clippy::pedantic, clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod asking;
mod cleaning;
mod cli;
mod cold;
mod columns;
mod databases;
#[path = "../support/databases.rs"]
mod databases_at;
mod durability;
mod field;
mod filters;
mod frozen;
mod hostile;
mod images;
mod labels;
mod layouts;
mod making;
mod monitoring;
mod pages;
mod parts;
mod passes;
mod preferences;
mod prompting;
#[path = "../support/questions.rs"]
mod questions;
mod recipes;
#[path = "../support/server.rs"]
mod server;
mod sheets;
mod sources;
#[path = "../support/mod.rs"]
mod support;
mod train;
mod trainers;
mod tuning;
mod versions;
mod watching;
