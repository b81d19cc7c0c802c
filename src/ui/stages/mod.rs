//! The stages: what one does to a dataset, one after the other. A stage is a file or a folder here, its name in [`View`], and its line in
//! [`STAGES`]; the rail, its keys, what it needs worked out and which samples plain keys act on follow from its entry.

pub mod augment;
mod balance;
mod clean;
mod collect;
pub mod explore;
pub mod export;
mod history;
pub mod label;
pub mod split;

use egui::{Key, Modifiers, Ui};

use super::Bundle;
use super::commands::Command;
use super::state::UiState;
use crate::action::Action;
use crate::data::SampleId;
use crate::session::{Need, Session, Workspace};

/// Draws a stage, and says what it asks for.
pub type Draw = fn(&mut Ui, &mut UiState, &Bundle<'_>, &Workspace, &mut Vec<Action>, &mut Vec<Command>);

/// A stage.
pub struct Stage {
    /// Its name on the rail.
    pub title: &'static str,
    /// What the command is called that leads there.
    pub go_to: &'static str,
    /// What one does there.
    pub help: &'static str,
    /// Whether a group of the rail begins with it.
    pub begins_group: bool,
    /// The key that leads there.
    pub key: Option<(Modifiers, Key)>,
    /// What is worked out for it.
    pub needs: &'static [Need],
    /// The samples that plain keys act on: those that are drawn, and no others. `Err` says what to do where none are.
    pub acts_on: fn(&UiState, &Session) -> Result<Vec<SampleId>, String>,
    /// How much waits there.
    pub waiting: fn(&Session, &Workspace) -> usize,
    /// Whether the inspector stands beside it.
    pub inspector: bool,
    pub draw: Draw,
}

/// The modifier of keys that lead somewhere.
const CTRL: Modifiers = Modifiers::COMMAND;

/// One stage by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum View {
    Collect,
    Explore,
    Clean,
    Label,
    Split,
    Balance,
    Augment,
    Export,
    History,
}

/// Every stage, in the order of the rail: the order in which a dataset becomes good.
pub static STAGES: [(View, Stage); 9] = [
    (View::Collect, collect::STAGE),
    (View::Explore, explore::STAGE),
    (View::Clean, clean::STAGE),
    (View::Label, label::STAGE),
    (View::Split, split::STAGE),
    (View::Balance, balance::STAGE),
    (View::Augment, augment::STAGE),
    (View::Export, export::STAGE),
    (View::History, history::STAGE),
];

impl View {
    /// Every stage by name, in the order of the rail.
    pub fn all() -> impl Iterator<Item = Self> {
        STAGES.iter().map(|(view, _)| *view)
    }

    /// Its entry.
    pub fn stage(self) -> &'static Stage {
        let entry = STAGES.iter().find(|(view, _)| *view == self);
        // A test holds that every name has its line.
        &entry.unwrap_or(&STAGES[0]).1
    }

    /// Its name on the rail.
    pub fn title(self) -> &'static str {
        self.stage().title
    }
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
        let names = [
            View::Collect,
            View::Explore,
            View::Clean,
            View::Label,
            View::Split,
            View::Balance,
            View::Augment,
            View::Export,
            View::History,
        ];
        assert!(View::all().eq(names));
        for (view, stage) in &STAGES {
            assert_eq!(view.stage().title, stage.title);
            assert_eq!(format!("{view:?}"), stage.title);
        }
    }
}
