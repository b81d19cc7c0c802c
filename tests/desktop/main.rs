//! The window: stories by role, label and key, its promises, every size, and a picture of every stage.

#![allow(clippy::pedantic, clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

#[path = "../support/databases.rs"]
mod databases_at;
mod gathering;
mod hands;
mod keyboard;
mod making;
mod pictures;
mod problems;
#[path = "../support/questions.rs"]
mod questions;
#[path = "../support/server.rs"]
mod server;
mod sizes;
mod stories;
#[path = "../support/window.rs"]
mod support;
mod teaching;
mod trust;
mod watching;
