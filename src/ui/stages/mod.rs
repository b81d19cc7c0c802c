//! The stages: what one does to a dataset, one after the other. A stage is a file or a folder here, its name in [`View`], and its line in
//! [`STAGES`]; the rail, keys, what is worked out for it and which samples plain keys act on follow.

pub mod augment;
mod balance;
pub mod clean;
pub mod collect;
pub mod explore;
pub mod export;
mod history;
pub mod label;
pub mod map;
pub mod monitor;
pub mod split;
pub mod train;

use egui::Ui;

use super::Bundle;
use super::commands::Command;
use super::state::UiState;
use super::view::View;
use crate::action::Action;
use crate::data::SampleId;
use crate::session::{Need, Session, Workspace};

/// Draws a stage, and says what it asks for.
pub type DrawStage = fn(&mut Ui, &mut UiState, &Bundle<'_>, &Workspace, &mut Vec<Action>, &mut Vec<Command>);

/// A stage.
pub struct Stage {
    /// What is worked out for it.
    pub needs: &'static [Need],
    /// The samples that plain keys act on: those that are drawn, and no others. `Err` says what to do where none are.
    pub acts_on: fn(&UiState, &Session) -> Result<Vec<SampleId>, String>,
    /// How much waits there.
    pub waiting: fn(&Session, &Workspace) -> usize,
    /// Whether the inspector stands beside it.
    pub inspector: bool,
    pub draw: DrawStage,
}

/// Every stage, in the order of the rail: the order in which a dataset becomes good.
pub static STAGES: [(View, Stage); 12] = [
    (View::Collect, collect::STAGE),
    (View::Explore, explore::STAGE),
    (View::Map, map::STAGE),
    (View::Clean, clean::STAGE),
    (View::Label, label::STAGE),
    (View::Split, split::STAGE),
    (View::Balance, balance::STAGE),
    (View::Augment, augment::STAGE),
    (View::Train, train::STAGE),
    (View::Monitor, monitor::STAGE),
    (View::Export, export::STAGE),
    (View::History, history::STAGE),
];

/// The entry of a stage.
pub fn stage(view: View) -> &'static Stage {
    let entry = STAGES.iter().find(|(known, _)| *known == view);
    // A test holds that every name has its line.
    &entry.unwrap_or(&STAGES[0]).1
}

/// Where no samples are shown, none are changed.
fn no_samples(_: &UiState, _: &Session) -> Result<Vec<SampleId>, String> {
    Err("No samples are shown here: go to Explore, Clean or Label first".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_its_line() {
        assert!(STAGES.iter().map(|(view, _)| *view).eq(View::all()));
    }
}
