//! The registry of commands: menu, palette, shortcuts, cheat sheet and tooltips are read from it.

use egui::{Key, KeyboardShortcut, Modifiers};

use super::view::View;

/// What a user can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Command {
    Open,
    OpenFolder,
    Close,
    Palette,
    Search,
    Next,
    Previous,
    SelectAll,
    ClearSelection,
    PickClass,
    Accept,
    Review,
    Exclude,
    FindSimilar,
    Tag,
    RenameClass,
    Copy,
    Replace,
    EditCell,
    Note,
    Swap,
    Undo,
    Redo,
    /// Go to a stage.
    Show(View),
    ToggleInspector,
    ToggleGallery,
    RowHeight,
    ToggleTheme,
    ZoomIn,
    ZoomOut,
    ZoomReset,
    CheatSheet,
    Quit,
}

const NONE: Modifiers = Modifiers::NONE;
const CTRL: Modifiers = Modifiers::COMMAND;
const CTRL_SHIFT: Modifiers = Modifiers { shift: true, ..Modifiers::COMMAND };

impl Command {
    /// Every command, in the order of the cheat sheet.
    pub fn all() -> Vec<Self> {
        let before = [
            Self::Next,
            Self::Previous,
            Self::PickClass,
            Self::Accept,
            Self::Review,
            Self::Exclude,
            Self::FindSimilar,
            Self::Tag,
            Self::EditCell,
            Self::Note,
            Self::Swap,
            Self::RenameClass,
            Self::SelectAll,
            Self::ClearSelection,
            Self::Copy,
            Self::Replace,
            Self::Undo,
            Self::Redo,
            Self::Palette,
            Self::Search,
            Self::Open,
            Self::OpenFolder,
            Self::Close,
        ];
        let after = [
            Self::ToggleInspector,
            Self::ToggleGallery,
            Self::RowHeight,
            Self::ToggleTheme,
            Self::ZoomIn,
            Self::ZoomOut,
            Self::ZoomReset,
            Self::CheatSheet,
            Self::Quit,
        ];
        before.into_iter().chain(View::all().map(Self::Show)).chain(after).collect()
    }

    /// Its name on screen.
    pub fn title(self) -> &'static str {
        match self {
            Self::Open => "Open file…",
            Self::OpenFolder => "Open folder of images…",
            Self::Close => "Close dataset",
            Self::Palette => "Search or run a command",
            Self::Search => "Filter by text",
            Self::Next => "Next sample",
            Self::Previous => "Previous sample",
            Self::SelectAll => "Select all that the filter leaves",
            Self::ClearSelection => "Clear selection, then filter",
            Self::PickClass => "Give a class…",
            Self::Accept => "Open the sample; in Label, accept the suggested label",
            Self::FindSimilar => "Find similar samples",
            Self::Review => "Keep as it is (reviewed)",
            Self::Exclude => "Exclude or restore",
            Self::Tag => "Tag…",
            Self::RenameClass => "Rename or merge a class…",
            Self::EditCell => "Edit the sample",
            Self::Copy => "Copy the chosen rows as CSV",
            Self::Replace => "Find and replace…",
            Self::Note => "Write a note",
            Self::Swap => "Change chosen and rejected about",
            Self::Undo => "Undo",
            Self::Redo => "Redo",
            Self::Show(view) => view.go_to(),
            Self::ToggleInspector => "Show or hide the inspector",
            Self::ToggleGallery => "Gallery or table",
            Self::RowHeight => "Taller rows, larger images; in Augment, a new draw",
            Self::ToggleTheme => "Dark or light",
            Self::ZoomIn => "Larger",
            Self::ZoomOut => "Smaller",
            Self::ZoomReset => "Usual size",
            Self::CheatSheet => "Keys",
            Self::Quit => "Quit",
        }
    }

    /// Its keys; the first is shown.
    pub fn keys(self) -> Vec<KeyboardShortcut> {
        let one = |modifiers, key| vec![KeyboardShortcut::new(modifiers, key)];
        let two =
            |a: (Modifiers, Key), b: (Modifiers, Key)| vec![KeyboardShortcut::new(a.0, a.1), KeyboardShortcut::new(b.0, b.1)];
        match self {
            Self::Open => one(CTRL, Key::O),
            Self::OpenFolder => one(CTRL_SHIFT, Key::O),
            Self::Close => one(CTRL, Key::W),
            Self::Palette => one(CTRL, Key::K),
            Self::Search => one(CTRL, Key::F),
            Self::Next => two((NONE, Key::J), (NONE, Key::ArrowDown)),
            Self::Previous => two((NONE, Key::K), (NONE, Key::ArrowUp)),
            Self::SelectAll => one(CTRL, Key::A),
            Self::ClearSelection => one(NONE, Key::Escape),
            Self::PickClass => one(NONE, Key::L),
            Self::Accept => one(NONE, Key::Enter),
            Self::FindSimilar => one(NONE, Key::F),
            Self::Review => one(NONE, Key::Space),
            Self::Exclude => one(NONE, Key::X),
            Self::Tag => one(NONE, Key::T),
            Self::RenameClass => one(NONE, Key::F2),
            Self::EditCell => one(NONE, Key::E),
            Self::Copy => one(CTRL, Key::C),
            Self::Replace => one(CTRL, Key::R),
            Self::Note => one(NONE, Key::N),
            Self::Swap => one(NONE, Key::S),
            Self::Undo => two((NONE, Key::U), (CTRL, Key::Z)),
            Self::Redo => one(CTRL_SHIFT, Key::Z),
            Self::ToggleInspector => one(CTRL, Key::I),
            Self::ToggleGallery => one(NONE, Key::G),
            Self::RowHeight => one(NONE, Key::R),
            Self::ZoomIn => two((CTRL, Key::Plus), (CTRL, Key::Equals)),
            Self::ZoomOut => one(CTRL, Key::Minus),
            Self::ZoomReset => one(CTRL, Key::Num0),
            Self::CheatSheet => one(NONE, Key::F1),
            Self::Quit => one(CTRL, Key::Q),
            Self::Show(view) => view.key().map(|(modifiers, key)| KeyboardShortcut::new(modifiers, key)).into_iter().collect(),
            Self::ToggleTheme => Vec::new(),
        }
    }

    /// The first of its keys as it is written on a control; empty where it has none.
    pub fn key_text(self) -> String {
        self.keys().first().map(key_text).unwrap_or_default()
    }

    /// Whether it asks for a dataset.
    pub fn needs_dataset(self) -> bool {
        !matches!(
            self,
            Self::Open
                | Self::OpenFolder
                | Self::Palette
                | Self::ToggleTheme
                | Self::ZoomIn
                | Self::ZoomOut
                | Self::ZoomReset
                | Self::CheatSheet
                | Self::Quit
        )
    }
}

/// A shortcut as it is written on a control: `Ctrl K`.
pub fn key_text(shortcut: &KeyboardShortcut) -> String {
    let mut parts = Vec::new();
    if shortcut.modifiers.command {
        parts.push("Ctrl");
    }
    if shortcut.modifiers.shift {
        parts.push("Shift");
    }
    let key = match shortcut.logical_key {
        Key::Escape => "Esc",
        Key::Plus => "+",
        Key::Minus => "−",
        key => key.name(),
    };
    parts.push(key);
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_does_two_things() {
        let mut seen: Vec<(KeyboardShortcut, Command)> = Vec::new();
        for command in Command::all() {
            for key in command.keys() {
                if let Some((_, other)) = seen.iter().find(|(known, _)| *known == key) {
                    panic!("{} belongs to {other:?} and {command:?}", key_text(&key));
                }
                seen.push((key, command));
            }
        }
    }
}
