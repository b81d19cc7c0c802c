//! The stages by name: what they are called, and which keys lead there.

use egui::{Key, Modifiers};

/// One stage by name: what it is and does stands in `ui/stages`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum View {
    Collect,
    Explore,
    Map,
    Clean,
    Label,
    Split,
    Balance,
    Augment,
    Train,
    Monitor,
    Export,
    History,
}

/// What a stage is called.
struct Named {
    view: View,
    /// Its name on the rail.
    title: &'static str,
    /// What the command is called that leads there.
    go_to: &'static str,
    /// What one does there.
    help: &'static str,
    /// The key that leads there.
    key: Option<(Modifiers, Key)>,
    /// Whether a group of the rail begins with it.
    begins_group: bool,
}

const CTRL: Modifiers = Modifiers::COMMAND;

/// Every stage, in the order of the rail: the order in which a dataset becomes good.
static NAMES: [Named; 12] = [
    Named {
        view: View::Collect,
        title: "Collect",
        go_to: "Go to Collect",
        help: "How the file was read, and what its columns mean",
        key: None,
        begins_group: false,
    },
    Named {
        view: View::Explore,
        title: "Explore",
        go_to: "Go to Explore",
        help: "See the samples and their classes, relabel",
        key: None,
        begins_group: true,
    },
    Named {
        view: View::Map,
        title: "Map",
        go_to: "Go to the map",
        help: "Every sample a point, near to what it is like",
        key: Some((Modifiers::NONE, Key::M)),
        begins_group: false,
    },
    Named {
        view: View::Clean,
        title: "Clean",
        go_to: "Go to Clean",
        help: "What looks wrong, worst first",
        key: None,
        begins_group: false,
    },
    Named {
        view: View::Label,
        title: "Label",
        go_to: "Go to Label",
        help: "Labels that are probably wrong, one key each",
        key: Some((CTRL, Key::L)),
        begins_group: false,
    },
    Named {
        view: View::Split,
        title: "Split",
        go_to: "Go to Split",
        help: "Train, validation and test without leaks",
        key: None,
        begins_group: true,
    },
    Named {
        view: View::Balance,
        title: "Balance",
        go_to: "Go to Balance",
        help: "How many samples each class has, and is to have",
        key: Some((CTRL, Key::B)),
        begins_group: false,
    },
    Named {
        view: View::Augment,
        title: "Augment",
        go_to: "Go to Augment",
        help: "More samples of those there are, seen before they are made",
        key: Some((CTRL, Key::M)),
        begins_group: false,
    },
    Named {
        view: View::Train,
        title: "Train",
        go_to: "Go to Train",
        help: "Teach models from it, and see how good they are",
        key: Some((CTRL, Key::T)),
        begins_group: false,
    },
    Named {
        view: View::Monitor,
        title: "Monitor",
        go_to: "Go to Monitor",
        help: "New data against the old, and what it teaches",
        key: None,
        begins_group: false,
    },
    Named {
        view: View::Export,
        title: "Export",
        go_to: "Go to Export",
        help: "Save to a new file",
        key: Some((CTRL, Key::E)),
        begins_group: true,
    },
    Named {
        view: View::History,
        title: "History",
        go_to: "Go to History",
        help: "Every edit, and back to any of them",
        key: Some((CTRL, Key::H)),
        begins_group: false,
    },
];

impl View {
    /// Every stage, in the order of the rail.
    pub fn all() -> impl Iterator<Item = Self> {
        NAMES.iter().map(|named| named.view)
    }

    fn named(self) -> &'static Named {
        // A test holds that every name has its line.
        NAMES.iter().find(|named| named.view == self).unwrap_or(&NAMES[0])
    }

    /// Its name on the rail.
    pub fn title(self) -> &'static str {
        self.named().title
    }

    /// What the command is called that leads there.
    pub fn go_to(self) -> &'static str {
        self.named().go_to
    }

    /// What one does there.
    pub fn help(self) -> &'static str {
        self.named().help
    }

    /// The key that leads there.
    pub fn key(self) -> Option<(Modifiers, Key)> {
        self.named().key
    }

    /// Whether a group of the rail begins with it.
    pub fn begins_group(self) -> bool {
        self.named().begins_group
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_is_named() {
        let all = [
            View::Collect,
            View::Explore,
            View::Map,
            View::Clean,
            View::Label,
            View::Split,
            View::Balance,
            View::Augment,
            View::Train,
            View::Monitor,
            View::Export,
            View::History,
        ];
        assert!(View::all().eq(all));
        assert!(all.into_iter().all(|view| format!("{view:?}") == view.title()));
    }
}
