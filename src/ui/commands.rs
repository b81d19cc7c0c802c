//! The registry of commands: menu, palette, shortcuts, cheat sheet and tooltips are read from it.

use std::cell::RefCell;
use std::collections::BTreeMap;

use egui::{Key, KeyboardShortcut, Modifiers};

use super::view::View;

thread_local! {
    /// The keys that somebody chose, by command. A window has one thread.
    static OWN: RefCell<BTreeMap<String, KeyboardShortcut>> = const { RefCell::new(BTreeMap::new()) };
}

/// Takes in the keys that somebody chose: commands by name, and their keys. What is neither is passed over.
pub fn set_own_keys(list: &BTreeMap<String, String>) {
    let known: Vec<String> = Command::all().into_iter().map(Command::name).collect();
    let own = list.iter().filter(|(name, _)| known.contains(name));
    OWN.set(own.filter_map(|(name, keys)| Some((name.clone(), key_of(keys)?))).collect());
}

/// What a command is about: the parts of the cheat sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    Samples,
    Classes,
    Filters,
    Files,
    Stages,
    Looks,
}

impl Group {
    /// Every part, in order.
    pub const ALL: [Self; 6] = [Self::Samples, Self::Classes, Self::Filters, Self::Files, Self::Stages, Self::Looks];

    /// Its name on screen.
    pub fn title(self) -> &'static str {
        match self {
            Self::Samples => "Samples",
            Self::Classes => "Classes and labels",
            Self::Filters => "Finding and filtering",
            Self::Files => "Files",
            Self::Stages => "Stages",
            Self::Looks => "The window",
        }
    }
}

/// What a user can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Command {
    Open,
    OpenFolder,
    Close,
    Palette,
    Search,
    KeepFilter,
    FilterBack,
    FilterForward,
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
    Classes,
    Facets,
    Copy,
    Replace,
    NewColumn,
    AddDatabase,
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
const ALT: Modifiers = Modifiers::ALT;
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
            Self::Classes,
            Self::Facets,
            Self::SelectAll,
            Self::ClearSelection,
            Self::Copy,
            Self::Replace,
            Self::NewColumn,
            Self::Undo,
            Self::Redo,
            Self::Palette,
            Self::Search,
            Self::KeepFilter,
            Self::FilterBack,
            Self::FilterForward,
            Self::Open,
            Self::AddDatabase,
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
            Self::Search => "Filter…",
            Self::KeepFilter => "Keep the filter under a name…",
            Self::FilterBack => "The filter before",
            Self::FilterForward => "The filter after",
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
            Self::Classes => "Classes: names, keys, colours, guidelines",
            Self::Facets => "Facets: values and ranges of every column",
            Self::EditCell => "Edit the sample",
            Self::Copy => "Copy the chosen rows as CSV",
            Self::Replace => "Find and replace…",
            Self::NewColumn => "Make a column…",
            Self::AddDatabase => "Add a database…",
            Self::Note => "Write a note",
            Self::Swap => "Change chosen and rejected about",
            Self::Undo => "Undo",
            Self::Redo => "Redo",
            Self::Show(view) => view.go_to(),
            Self::ToggleInspector => "Show or hide the inspector",
            Self::ToggleGallery => "Gallery or table",
            Self::RowHeight => "Taller rows, larger images; in Augment, a new draw; in Clean, the remedy",
            Self::ToggleTheme => "Dark or light",
            Self::ZoomIn => "Larger",
            Self::ZoomOut => "Smaller",
            Self::ZoomReset => "Usual size",
            Self::CheatSheet => "Keys",
            Self::Quit => "Quit",
        }
    }

    /// Its name in settings.
    pub fn name(self) -> String {
        format!("{self:?}")
    }

    /// What it is about.
    pub fn group(self) -> Group {
        match self {
            Self::Next | Self::Previous | Self::Review | Self::Exclude | Self::Tag | Self::EditCell | Self::Note | Self::Swap => {
                Group::Samples
            }
            Self::SelectAll | Self::Copy | Self::Undo | Self::Redo | Self::FindSimilar => Group::Samples,
            Self::PickClass | Self::Accept | Self::RenameClass | Self::Classes => Group::Classes,
            Self::Search
            | Self::KeepFilter
            | Self::FilterBack
            | Self::FilterForward
            | Self::ClearSelection
            | Self::Facets
            | Self::Replace
            | Self::NewColumn
            | Self::Palette => Group::Filters,
            Self::Open | Self::AddDatabase | Self::OpenFolder | Self::Close | Self::Quit => Group::Files,
            Self::Show(_) => Group::Stages,
            Self::ToggleInspector
            | Self::ToggleGallery
            | Self::RowHeight
            | Self::ToggleTheme
            | Self::ZoomIn
            | Self::ZoomOut
            | Self::ZoomReset
            | Self::CheatSheet => Group::Looks,
        }
    }

    /// Whether somebody chose its key.
    pub fn is_changed(self) -> bool {
        OWN.with_borrow(|own| !own.is_empty() && own.contains_key(&self.name()))
    }

    /// Its keys, those that somebody chose where somebody did; the first is shown.
    pub fn keys(self) -> Vec<KeyboardShortcut> {
        let own = OWN.with_borrow(|own| if own.is_empty() { None } else { own.get(&self.name()).copied() });
        own.map_or_else(|| self.usual_keys(), |key| vec![key])
    }

    /// Its keys where nobody chose others.
    fn usual_keys(self) -> Vec<KeyboardShortcut> {
        let one = |modifiers, key| vec![KeyboardShortcut::new(modifiers, key)];
        let two =
            |a: (Modifiers, Key), b: (Modifiers, Key)| vec![KeyboardShortcut::new(a.0, a.1), KeyboardShortcut::new(b.0, b.1)];
        match self {
            Self::Open => one(CTRL, Key::O),
            Self::OpenFolder => one(CTRL_SHIFT, Key::O),
            Self::Close => one(CTRL, Key::W),
            Self::Palette => one(CTRL, Key::K),
            Self::Search => one(CTRL, Key::F),
            Self::KeepFilter => one(CTRL_SHIFT, Key::F),
            Self::FilterBack => one(ALT, Key::ArrowLeft),
            Self::FilterForward => one(ALT, Key::ArrowRight),
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
            Self::Classes => one(CTRL_SHIFT, Key::L),
            Self::Facets => one(NONE, Key::V),
            Self::EditCell => one(NONE, Key::E),
            Self::Copy => one(CTRL, Key::C),
            Self::Replace => one(CTRL, Key::R),
            Self::NewColumn => one(CTRL_SHIFT, Key::N),
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
            Self::ToggleTheme | Self::AddDatabase => Vec::new(),
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
                | Self::AddDatabase
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

/// A shortcut as it is kept: its modifiers and the name of its key, with blanks between them.
pub fn kept_key(shortcut: &KeyboardShortcut) -> String {
    let Modifiers { alt, shift, command, .. } = shortcut.modifiers;
    let held = [(command, "Ctrl "), (alt, "Alt "), (shift, "Shift ")];
    let held: String = held.into_iter().filter(|(on, _)| *on).map(|(_, name)| name).collect();
    held + shortcut.logical_key.name()
}

/// The shortcut that is kept so.
fn key_of(text: &str) -> Option<KeyboardShortcut> {
    let (held, key) = text.rsplit_once(' ').unwrap_or(("", text));
    let mut modifiers = Modifiers::NONE;
    for word in held.split_whitespace() {
        match word {
            "Ctrl" => modifiers.command = true,
            "Alt" => modifiers.alt = true,
            "Shift" => modifiers.shift = true,
            _ => return None,
        }
    }
    Key::from_name(key).map(|key| KeyboardShortcut::new(modifiers, key))
}

/// A shortcut as it is written on a control: `Ctrl K`.
pub fn key_text(shortcut: &KeyboardShortcut) -> String {
    let mut parts = Vec::new();
    if shortcut.modifiers.command {
        parts.push("Ctrl");
    }
    if shortcut.modifiers.alt {
        parts.push("Alt");
    }
    if shortcut.modifiers.shift {
        parts.push("Shift");
    }
    let key = match shortcut.logical_key {
        Key::Escape => "Esc",
        Key::Plus => "+",
        Key::Minus => "−",
        Key::ArrowLeft => "←",
        Key::ArrowRight => "→",
        key => key.name(),
    };
    parts.push(key);
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_ones_own_is_kept_as_text_and_nonsense_is_passed_over() {
        let next = Command::Next.keys();
        let keep = |name: String, keys: &str| (name, keys.to_owned());
        set_own_keys(&BTreeMap::from([
            keep(Command::Next.name(), "Ctrl Shift N"),
            keep(Command::Show(View::Label).name(), "Alt ArrowUp"),
            keep("Nothing".to_owned(), "Ctrl N"),
            keep(Command::Undo.name(), "Hyper Q"),
        ]));
        assert_eq!((Command::Next.key_text().as_str(), Command::Next.is_changed()), ("Ctrl Shift N", true));
        assert_eq!(kept_key(&Command::Show(View::Label).keys()[0]), "Alt Up");
        assert!(!Command::Undo.is_changed() && Command::Undo.key_text() == "U");
        set_own_keys(&BTreeMap::new());
        assert_eq!(Command::Next.keys(), next);
        for command in Command::all() {
            for key in command.keys() {
                assert_eq!(key_of(&kept_key(&key)), Some(key), "{command:?}");
            }
        }
    }

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
