//! The registry of commands without a window: a file each. Arguments, help and the overview are read from it.

mod augment;
mod balance;
mod carry;
mod check;
mod collect;
mod column;
mod consensus;
mod contamination;
mod contents;
mod diff;
mod dryrun;
mod export;
mod fix;
mod history;
mod instruct;
mod marks;
mod merge;
mod monitor;
mod monitor_said;
mod predict;
mod recipe;
mod recover;
mod relabel;
mod relevance;
mod run;
mod split;
mod task;
mod train;
mod undo;
mod unique;

use std::io::Write;

use super::Failure;
use super::arguments::Arguments;
use super::options::OptionLine;

/// What a command does: data go to the first, words to the second. Says whether something was found, as checks do.
pub type VerbRun = fn(&Arguments, &mut dyn Write, &mut dyn Write) -> Result<bool, Failure>;

/// A command.
pub struct Verb {
    pub name: &'static str,
    /// What it does, in one line.
    pub summary: &'static str,
    /// How it is called, after its name.
    pub usage: &'static str,
    pub example: &'static str,
    /// The options it takes, `--json` and `-o` among them.
    pub options: &'static [&'static [OptionLine]],
    /// Those that a list elsewhere names, behind the others.
    pub also: Option<fn() -> Vec<OptionLine>>,
    /// The paths that it takes, by what they are, the dataset's last.
    pub paths: &'static [&'static str],
    /// More help, where there is any.
    pub more: Option<fn() -> String>,
    pub run: VerbRun,
}

/// Every command, in the order of the overview.
pub static VERBS: [Verb; 33] = [
    contents::VERB,
    collect::VERB,
    check::VERB,
    fix::VERB,
    column::VERB,
    unique::VERB,
    consensus::VERB,
    relevance::VERB,
    marks::EXCLUDE,
    marks::KEEP,
    augment::VERB,
    balance::VERB,
    split::VERB,
    train::TRAIN,
    train::RUNS,
    predict::VERB,
    monitor::VERB,
    instruct::VERB,
    dryrun::VERB,
    contamination::CONTAMINATION,
    contamination::FINGERPRINT,
    relabel::VERB,
    undo::UNDO,
    undo::REDO,
    export::VERB,
    history::VERB,
    recipe::VERB,
    run::VERB,
    diff::VERB,
    merge::VERB,
    carry::VERB,
    recover::VERB,
    task::VERB,
];

impl Verb {
    /// The command with this name.
    pub fn from_name(name: &str) -> Option<&'static Self> {
        VERBS.iter().find(|verb| verb.name == name)
    }

    /// The options it takes.
    pub fn options(&self) -> Vec<OptionLine> {
        let own = self.options.iter().copied().flatten().copied();
        own.chain(self.also.map(|list| list()).into_iter().flatten()).collect()
    }

    /// The whole help, with an example.
    pub fn help(&self) -> String {
        let mut text = format!("lapidary {} {}\n\n{}.\n\n", self.name, self.usage, capital(self.summary));
        for (name, value, what) in self.options() {
            let left = value.map_or_else(|| name.to_owned(), |value| format!("{name} {value}"));
            text.push_str(&format!("  {left:<22} {what}\n"));
        }
        if let Some(more) = self.more {
            text.push_str(&more());
        }
        text.push_str(&format!("\nExample: {}\n", self.example));
        text
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
