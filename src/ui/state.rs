//! What is open, filtered and selected on screen: never truth. Views change it directly; data they change by actions.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::commands::Command;
use super::database_form::DatabaseForm;
use super::filter_trail::FilterTrail;
use super::new_column_form::ColumnForm;
use super::replace_form::ReplaceForm;
use super::sample::box_hand::BoxHand;
use super::sample::state::SamplePane;
use super::stages::clean::state::CleanState;
use super::stages::collect::compare_form::CompareForm;
use super::stages::explore::class_book_state::ClassBook;
use super::stages::export::state::ExportForm;
use super::stages::label::state::{Offered, Review};
use super::stages::map::state::MapState;
use super::stages::monitor::state::MonitorForm;
use super::stages::split::state::SplitForm;
use super::stages::train::state::TrainForm;
use super::text_model_form::TextModelForm;
use super::view::View;
use crate::action::Action;
use crate::checks::Options;
use crate::data::{Clause, Filter, Marks, Measure, Rule, SampleId, SampleSet};
use crate::edit::EditId;
use crate::session::{AugmentForm, BalanceForm, Findings, Visible};

/// Which samples are chosen.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// The one that the inspector shows.
    pub cursor: Option<SampleId>,
    /// Where it stands among the visible ones.
    pub place: usize,
    /// Where a range began.
    pub anchor: usize,
    /// More than one: all that are chosen.
    pub chosen: SampleSet,
}

impl Selection {
    /// The samples that a key acts on: the chosen ones, or the one under the cursor.
    pub fn samples(&self) -> Vec<SampleId> {
        if self.chosen.is_empty() { self.cursor.into_iter().collect() } else { self.chosen.iter().collect() }
    }

    /// How many samples a key acts on.
    pub fn len(&self) -> usize {
        if self.chosen.is_empty() { usize::from(self.cursor.is_some()) } else { self.chosen.len() }
    }

    /// Whether nothing is chosen.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether `id` is among those a key acts on.
    pub fn contains(&self, id: SampleId) -> bool {
        if self.chosen.is_empty() { self.cursor == Some(id) } else { self.chosen.contains(id) }
    }

    /// Moves to one sample and chooses it alone.
    pub fn go(&mut self, visible: &Visible, place: usize) {
        let place = place.min(visible.len().saturating_sub(1));
        self.cursor = visible.get(place);
        (self.place, self.anchor) = (place, place);
        self.chosen = SampleSet::default();
    }

    /// Chooses everything from where the range began to `place`.
    pub fn extend(&mut self, visible: &Visible, place: usize) {
        let place = place.min(visible.len().saturating_sub(1));
        let (from, to) = (self.anchor.min(place), self.anchor.max(place));
        self.chosen = (from..=to).filter_map(|at| visible.get(at)).collect();
        self.cursor = visible.get(place);
        self.place = place;
    }

    /// Adds a sample to those chosen, or takes it out.
    pub fn toggle(&mut self, visible: &Visible, place: usize) {
        let Some(id) = visible.get(place) else { return };
        if let Some(cursor) = self.cursor.filter(|_| self.chosen.is_empty()) {
            self.chosen.set(cursor, true);
        }
        let on = !self.chosen.contains(id);
        self.chosen.set(id, on);
        self.cursor = Some(id);
        (self.place, self.anchor) = (place, place);
    }
}

/// How one column of the table is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableColumn {
    /// The dataset's column.
    pub name: String,
    /// Its width in points.
    pub width: f32,
    /// Whether it is hidden.
    pub hidden: bool,
    /// Whether it stays where it is when the others are scrolled sideways.
    #[serde(default)]
    pub pinned: bool,
}

/// A cell that is being edited where it stands in the table.
#[derive(Debug, Clone, PartialEq)]
pub struct CellEdit {
    pub sample: SampleId,
    pub column: String,
    pub text: String,
    /// What stood there.
    pub before: String,
    /// Why what was typed last was not taken.
    pub fault: Option<String>,
}

/// How the table is shown.
#[derive(Debug, Clone, Default)]
pub struct TableState {
    /// The first row shown, and how far it is scrolled out, as rows: whole numbers keep exact at any length.
    pub first: usize,
    /// The part of the first row that is scrolled out, 0 to 1.
    pub part: f32,
    /// How far the columns are scrolled to the left, in points.
    pub shift: f32,
    /// The width that columns were laid out for, and whether the user has arranged them: then they stay as they are.
    pub fitted: f32,
    pub arranged: bool,
    /// The columns in the order shown.
    pub columns: Vec<TableColumn>,
    /// Lines of text a row shows.
    pub lines: usize,
    /// The columns sorted by, the first that counts most, and whether downwards.
    pub sort: Vec<(String, bool)>,
    /// The cell that is being edited where it stands.
    pub editing: Option<CellEdit>,
    /// Scroll so that the cursor is seen, at the next frame.
    pub follow: bool,
}

/// How the gallery is shown.
#[derive(Debug, Clone)]
pub struct GalleryState {
    /// In place of the table.
    pub on: bool,
    /// The side of a picture in points.
    pub side: f32,
    /// The first row of pictures shown, and the part of it that is scrolled out.
    pub first: usize,
    pub part: f32,
    /// Pictures in a row, as it was drawn last.
    pub columns: usize,
}

impl Default for GalleryState {
    fn default() -> Self {
        Self { on: false, side: 148.0, first: 0, part: 0.0, columns: 1 }
    }
}

/// How the inspector shows a picture.
#[derive(Debug, Clone, Default)]
pub struct Viewer {
    /// The picture that the rest is of.
    pub of: Option<SampleId>,
    /// 1 fits the picture to its place.
    pub zoom: f32,
    /// How far it is moved, in points.
    pub offset: egui::Vec2,
}

/// What the chart in Explore shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// The column; empty for the first label.
    pub column: String,
    /// What of it, where it holds no classes.
    pub measure: Measure,
    /// By count rather than by name.
    pub by_count: bool,
    /// Counts on a logarithmic axis.
    pub log: bool,
    /// Shares rather than counts.
    pub share: bool,
    /// Only its head is shown.
    pub folded: bool,
    /// What the list of classes is searched for.
    pub search: String,
}

/// What lies over the window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Popup {
    /// The command palette.
    Palette,
    /// Pick or type a class.
    Class,
    /// Type a tag.
    Tag,
    /// Type another name for a class.
    Rename { column: String, from: String },
    /// Type a filter.
    Filter,
    /// Type another in the place of a clause.
    ChangeClause(usize),
    /// Type a name for the filter.
    KeepFilter,
    /// Type the name that a column has in what is saved.
    ExportName(String),
    /// The keys.
    Keys,
    /// Type a path to open (where the desktop offers no dialog).
    OpenPath,
    /// Type a path to save to, likewise; the flag says a folder is meant.
    SavePath { folder: bool },
    /// Type the path of a model's folder, likewise.
    ModelPath,
    /// What a key would do to very many samples: said, and done with Enter.
    Confirm,
    /// Find and replace.
    Replace,
    /// A column made out of others.
    Column,
    /// Name a text model.
    TextModel,
    /// Name a database, or allow those of a list.
    Database,
}

/// The state of the screen.
pub struct UiState {
    pub view: View,
    pub filter: Filter,
    /// What the filter looks for in texts, and the filter that it is of.
    pub marks: (Filter, Arc<Marks>),
    pub trail: FilterTrail,
    pub selection: Selection,
    pub table: TableState,
    pub gallery: GalleryState,
    /// How the map is shown.
    pub map: MapState,
    pub viewer: Viewer,
    /// What is done with boxes on a picture by hand.
    pub hand: BoxHand,
    pub chart: Chart,
    pub popup: Option<Popup>,
    /// Whether a class is to be merged, and not to be given a name.
    pub merges: bool,
    /// What a path is typed for, where it is no dataset to open.
    pub asks_for: Option<&'static str>,
    /// What is being typed in a popup, and which line of its list is marked.
    pub typed: String,
    pub marked: usize,
    pub dark: bool,
    pub inspector: bool,
    /// Whether the window is too narrow for the inspector to be there unasked, and whether it was asked for.
    pub narrow: bool,
    pub inspector_narrow: bool,
    /// Its width in points; 0 before it was first shown.
    pub inspector_width: f32,
    /// What was moved of the checks' options.
    pub options: Options,
    /// What is worked through in Clean.
    pub clean: CleanState,
    pub split: SplitForm,
    pub export: ExportForm,
    pub history_at: Option<EditId>,
    pub review: Review,
    pub augment: AugmentForm,
    pub balance: BalanceForm,
    /// What is taught next, and which runs are looked at.
    pub train: TrainForm,
    pub monitor: MonitorForm,
    /// The source that Collect shows whole.
    pub source: Option<String>,
    /// A list that was written and is still to be opened, and what it said before.
    pub list_before: Option<(std::path::PathBuf, Option<String>)>,
    /// The version that Collect compares with.
    pub compare: CompareForm,
    /// The database that is being named, or that a list would ask.
    pub database: DatabaseForm,
    /// The text model that is being named.
    pub text_model: TextModelForm,
    /// What the keys give that were drawn last.
    pub offered: Offered,
    /// What waits for a word, and the action.
    pub confirm: Option<(String, Action)>,
    /// Whether the pointer is on a notice: then it stays.
    pub on_notice: bool,
    /// The sample as a place to work.
    pub pane: SamplePane,
    /// What is being found and replaced.
    pub replace: ReplaceForm,
    /// The column that is being made.
    pub column: ColumnForm,
    /// The command that is to have another key, and why the one that was pressed cannot be it.
    pub rebinding: Option<Command>,
    pub key_fault: Option<String>,
    /// Whether the hint that a bundled sample is open was dismissed.
    pub sample_hint_off: bool,
    /// Whether facets stand beside the table.
    pub facets: bool,
    /// The classes of a column, under work.
    pub class_book: ClassBook,
}

impl Default for UiState {
    fn default() -> Self {
        Self {
            view: View::Explore,
            filter: Filter::default(),
            marks: Default::default(),
            trail: FilterTrail::default(),
            selection: Selection::default(),
            table: TableState { lines: 1, ..TableState::default() },
            gallery: GalleryState::default(),
            map: MapState::default(),
            viewer: Viewer::default(),
            hand: BoxHand::default(),
            chart: Chart {
                column: String::new(),
                measure: Measure::Words,
                by_count: true,
                log: false,
                share: false,
                folded: false,
                search: String::new(),
            },
            popup: None,
            merges: false,
            asks_for: None,
            typed: String::new(),
            marked: 0,
            dark: true,
            inspector: true,
            narrow: false,
            inspector_narrow: false,
            inspector_width: 0.0,
            options: Options::default(),
            clean: CleanState::default(),
            split: SplitForm::default(),
            export: ExportForm::default(),
            history_at: None,
            review: Review::default(),
            augment: AugmentForm::default(),
            balance: BalanceForm::default(),
            train: TrainForm::default(),
            monitor: MonitorForm::default(),
            source: None,
            list_before: None,
            compare: CompareForm::default(),
            database: DatabaseForm::default(),
            text_model: TextModelForm::default(),
            offered: Offered::default(),
            confirm: None,
            on_notice: false,
            pane: SamplePane::default(),
            replace: ReplaceForm::default(),
            column: ColumnForm::default(),
            rebinding: None,
            key_fault: None,
            sample_hint_off: false,
            facets: false,
            class_book: ClassBook::default(),
        }
    }
}

impl UiState {
    /// Forgets what belonged to the dataset that was open; keeps what belongs to the user.
    pub fn leave_dataset(&mut self) {
        let (dark, inspector, inspector_width, lines) = (self.dark, self.inspector, self.inspector_width, self.table.lines);
        let side = self.gallery.side;
        *self = Self { dark, inspector, inspector_width, ..Self::default() };
        self.table.lines = lines;
        self.gallery.side = side;
    }

    /// Keeps the cursor on its sample. Where another filter took that away there is no cursor: the next key must not act on a
    /// sample that nobody chose. Where an edit took it out of the filter, the cursor is on what stands in its place.
    pub fn settle_cursor(&mut self, visible: &Visible, other_filter: bool) {
        // In the queue the cursor is on the sample under review, wherever the filter leaves it.
        if self.view == View::Label {
            return;
        }
        let selection = &mut self.selection;
        let Some(id) = selection.cursor else { return };
        let place = match visible.place(id, selection.place) {
            Some(place) => {
                self.table.follow |= place != selection.place;
                place
            }
            None if other_filter => {
                *selection = Selection::default();
                return;
            }
            None => {
                let place = selection.place.min(visible.len().saturating_sub(1));
                selection.cursor = visible.get(place);
                place
            }
        };
        (selection.place, selection.anchor) = (place, place);
    }

    /// Puts the cursor on the sample that the finding under work is about.
    pub fn show_finding(&mut self, findings: &Findings, visible: &Visible) {
        let Some(finding) = self.clean.current(findings) else { return };
        if self.selection.cursor.is_some_and(|id| finding.samples.contains(&id)) {
            return;
        }
        let Some(first) = finding.samples.first().copied() else { return };
        let place = visible.place(first, first.row()).unwrap_or(0);
        self.selection = Selection { cursor: Some(first), place, anchor: place, chosen: SampleSet::default() };
    }

    /// Shows the samples that a search has found, the nearest first.
    pub fn show_ranked(&mut self, title: String, ids: Vec<SampleId>) {
        // One search at a time: a second replaces the first.
        self.filter.clauses.retain(|clause| !matches!(clause.rule, Rule::Ranked { .. }));
        self.table.sort.clear();
        let samples: SampleSet = ids.iter().copied().collect();
        self.toggle_clause(Rule::Ranked { title, samples: samples.into(), order: ids.into() }.into());
        self.view = View::Explore;
    }

    /// Opens a popup with nothing typed.
    pub fn pop(&mut self, popup: Popup) {
        self.popup = Some(popup);
        self.rebinding = None;
        self.merges = false;
        self.typed.clear();
        self.marked = 0;
    }

    /// What the filter looks for in texts, to be marked there.
    pub fn marks(&mut self) -> Arc<Marks> {
        if self.marks.0 != self.filter {
            self.marks = (self.filter.clone(), Arc::new(Marks::of(&self.filter)));
        }
        Arc::clone(&self.marks.1)
    }

    /// In how many places something was typed that is not saved.
    pub fn unsaved(&self) -> usize {
        let cell = self.table.editing.as_ref().is_some_and(|edit| edit.text != edit.before);
        self.pane.unsaved() + usize::from(cell) + usize::from(self.class_book.is_typed())
    }

    /// Shows another filter.
    pub fn set_filter(&mut self, filter: Filter) {
        self.filter = filter;
        self.scroll_to_top();
    }

    /// Shows the samples of classes in the place of those that were chosen of their column before, and a second time those of all; `more`: of these, too.
    pub fn toggle_classes(&mut self, column: &str, names: Vec<String>, more: bool) {
        let is = |clause: &Clause| matches!(&clause.rule, Rule::Class { column: of, .. } if of == column) && !clause.negated;
        let mut wanted = names;
        let old = self.filter.clauses.iter().position(is).map(|at| self.filter.clauses.remove(at));
        if let Some(Clause { rule: Rule::Class { classes, .. }, .. }) = old {
            if more {
                let mut all = classes.clone();
                for name in wanted {
                    match all.iter().position(|known| *known == name) {
                        Some(at) => _ = all.remove(at),
                        None => all.push(name),
                    }
                }
                wanted = all;
            } else if classes == wanted {
                wanted.clear();
            }
        }
        if !wanted.is_empty() {
            self.filter.clauses.push(Rule::Class { column: column.to_owned(), classes: wanted }.into());
        }
        self.scroll_to_top();
    }

    /// Adds a chip; the same rule a second time takes it off.
    pub fn toggle_clause(&mut self, clause: Clause) {
        match self.filter.clauses.iter().position(|known| *known == clause) {
            Some(at) => {
                self.filter.clauses.remove(at);
            }
            None => self.filter.clauses.push(clause),
        }
        self.scroll_to_top();
    }

    fn scroll_to_top(&mut self) {
        self.table.first = 0;
        self.table.part = 0.0;
        self.gallery.first = 0;
        self.gallery.part = 0.0;
    }
}
