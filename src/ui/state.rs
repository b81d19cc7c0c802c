//! What is open, filtered and selected on screen: never truth. Views change it directly; data they change by actions.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::making::{AugmentForm, BalanceForm, Making};
use super::text_model::TextModelForm;
use crate::action::Action;
use crate::checks::label_errors::{Candidate, LabelReport, Method};
use crate::checks::{Kind as FindingKind, Scan, Thresholds};
use crate::data::{Balance, Clause, Filter, Histogram, Measure, SampleId, SampleSet, Summary, class_by_digit};
use crate::edit::EditId;
use crate::learn::neighbours::Neighbour;
use crate::transform::Plan;
use crate::workspace::Workspace;

/// One screen.
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

impl View {
    /// Every screen, in the order of the rail: the order in which a dataset becomes good.
    pub const ALL: [Self; 9] = [
        Self::Collect,
        Self::Explore,
        Self::Clean,
        Self::Label,
        Self::Split,
        Self::Balance,
        Self::Augment,
        Self::Export,
        Self::History,
    ];

    /// Its name on the rail.
    pub fn title(self) -> &'static str {
        match self {
            Self::Collect => "Collect",
            Self::Explore => "Explore",
            Self::Clean => "Clean",
            Self::Label => "Label",
            Self::Augment => "Augment",
            Self::Balance => "Balance",
            Self::Split => "Split",
            Self::Export => "Export",
            Self::History => "History",
        }
    }

    /// What one does there.
    pub fn help(self) -> &'static str {
        match self {
            Self::Collect => "How the file was read, and what its columns mean",
            Self::Explore => "See the samples and their classes, relabel",
            Self::Clean => "What looks wrong, worst first",
            Self::Label => "Labels that are probably wrong, one key each",
            Self::Augment => "More samples of those there are, seen before they are made",
            Self::Balance => "How many samples each class has, and is to have",
            Self::Split => "Train, validation and test without leaks",
            Self::Export => "Save to a new file",
            Self::History => "Every edit, and back to any of them",
        }
    }

    /// Whether a group of the rail begins with it.
    pub fn begins_group(self) -> bool {
        matches!(self, Self::Explore | Self::Split | Self::Export)
    }
}

/// The samples that the filter leaves, in the order shown.
#[derive(Debug, Clone)]
pub enum Visible {
    /// All of them, in file order: how many.
    All(usize),
    /// These.
    These(Arc<Vec<SampleId>>),
}

impl Visible {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::All(n) => *n,
            Self::These(list) => list.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The sample at `place`.
    pub fn get(&self, place: usize) -> Option<SampleId> {
        match self {
            Self::All(n) => (place < *n).then(|| SampleId::at(place)),
            Self::These(list) => list.get(place).copied(),
        }
    }

    /// Where a sample stands, looking near `hint` first.
    pub fn place(&self, id: SampleId, hint: usize) -> Option<usize> {
        match self {
            Self::All(n) => (id.row() < *n).then(|| id.row()),
            Self::These(list) if list.get(hint) == Some(&id) => Some(hint),
            Self::These(list) => list.iter().position(|other| *other == id),
        }
    }

    /// Every one of them, in order.
    #[allow(clippy::iter_without_into_iter)]
    pub fn iter(&self) -> Box<dyn Iterator<Item = SampleId> + '_> {
        match self {
            Self::All(n) => Box::new((0..*n).map(SampleId::at)),
            Self::These(list) => Box::new(list.iter().copied()),
        }
    }
}

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
    /// The column sorted by, and whether downwards.
    pub sort: Option<(String, bool)>,
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
    /// The keys.
    Keys,
    /// Type a path to open (where the desktop offers no dialog).
    OpenPath,
    /// Type a path to save to, likewise; the flag says a folder is meant.
    SavePath { folder: bool },
    /// Type the path of a model's folder, likewise.
    ModelPath,
    /// Edit a cell of the sample under the cursor.
    Cell { column: String },
    /// What a key would do to very many samples: said, and done with Enter.
    Confirm,
    /// Name a text model.
    TextModel,
}

/// How a split is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct SplitForm {
    /// The place of the method in the view's list.
    pub method: usize,
    /// The label column, for stratifying.
    pub label: String,
    /// The group, time or id column.
    pub by: String,
    /// Where train ends and where validation ends, 0 to 1.
    pub borders: [f32; 2],
    /// The number of folds; 0 for train, validation and test.
    pub folds: usize,
    /// The seed.
    pub seed: u64,
    /// Whether copies of each other stay in one part.
    pub together: bool,
}

/// How a save is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct ExportForm {
    /// The place of the format in `Format::TABLES`, behind the last for a folder of images; `None` for the source's own.
    pub format: Option<usize>,
    /// The place of the packing.
    pub packing: usize,
    /// 0 the whole, 1 the filtered, 2 each part.
    pub what: usize,
    /// Write excluded samples too.
    pub excluded: bool,
    /// Write Lapidary's own columns too.
    pub own: bool,
    /// Write UTF-8 whatever the source had.
    pub utf8: bool,
    /// Cells that a spreadsheet would run are made harmless.
    pub safe: bool,
    /// Images: each at its own path rather than under its class; linked rather than copied.
    pub by_path: bool,
    pub link: bool,
}

/// What Label shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReviewTab {
    /// One sample after the other.
    Queue,
    /// How labels go wrong, and how good each class is.
    Noise,
}

/// The review queue on screen.
#[derive(Debug, Clone)]
pub struct Review {
    pub tab: ReviewTab,
    /// The sample under review: it stays until there is a decision, whatever the ranking does.
    pub current: Option<SampleId>,
    /// Samples that were looked at before it, the latest last.
    pub trail: Vec<SampleId>,
    /// Samples passed over without a decision.
    pub passed: HashSet<SampleId>,
    /// The least probability of being wrong for accepting many at once, 0 to 1.
    pub threshold: f32,
    /// Whether what that would accept is shown.
    pub preview: bool,
    /// Whether the queue goes on below the line.
    pub below: bool,
    pub method: Method,
}

impl Default for Review {
    fn default() -> Self {
        Self {
            tab: ReviewTab::Queue,
            current: None,
            trail: Vec::new(),
            passed: HashSet::new(),
            threshold: 0.95,
            preview: false,
            below: false,
            method: Method::default(),
        }
    }
}

/// The state of the screen.
pub struct UiState {
    pub view: View,
    pub filter: Filter,
    pub selection: Selection,
    pub table: TableState,
    pub gallery: GalleryState,
    pub viewer: Viewer,
    pub chart: Chart,
    pub popup: Option<Popup>,
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
    pub thresholds: Thresholds,
    pub finding_kind: Option<FindingKind>,
    pub split: SplitForm,
    pub export: ExportForm,
    pub history_at: Option<EditId>,
    pub review: Review,
    pub augment: AugmentForm,
    pub balance: BalanceForm,
    /// The text model that is being named.
    pub text_model: TextModelForm,
    /// What the keys give that were drawn last.
    pub offered: Offered,
    /// What waits for a word, and the action.
    pub confirm: Option<(String, Action)>,
    /// Whether the pointer is on a notice: then it stays.
    pub on_notice: bool,
}

/// What keys give the sample that is drawn: a decision is taken on what was shown, whatever has been worked out since.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Offered {
    /// The sample.
    pub of: Option<SampleId>,
    /// Digits and the cells that they give.
    pub keys: Vec<(usize, String)>,
    /// The cell that `Enter` gives, where one is suggested.
    pub suggested: Option<String>,
}

/// Up to so many classes have a digit each for ever.
const FIXED: usize = 9;

impl Offered {
    /// What a candidate's keys give: each class its own digit where there are few, else the likeliest ones.
    pub fn of(candidate: &Candidate, report: &LabelReport, workspace: &Workspace) -> Self {
        let dataset = Some(workspace.dataset());
        let cell = |class: u32| {
            if report.many { report.cell(dataset, &candidate.toggled(class)) } else { report.names[class as usize].to_string() }
        };
        let likely = || candidate.top.iter().map(|(class, _)| &*report.names[*class as usize]);
        let keys = Self::digits(workspace, &report.column, likely())
            .into_iter()
            .filter_map(|(digit, name)| {
                let class = report.names.iter().position(|known| **known == *name);
                match class {
                    Some(class) => Some((digit, cell(class as u32))),
                    None => (!report.many).then_some((digit, name)),
                }
            })
            .collect();
        Self { of: Some(candidate.id), keys, suggested: Some(report.cell(dataset, &candidate.suggested)) }
    }

    /// Which digit names which class of a column; `likely` are a sample's likeliest, most likely first.
    pub fn digits<'n>(workspace: &Workspace, column: &str, likely: impl Iterator<Item = &'n str>) -> Vec<(usize, String)> {
        let Some(classes) = workspace.classes(column) else { return Vec::new() };
        let names = classes.names();
        let used = |place: &usize| classes.counts()[*place] > 0;
        let live: Vec<usize> = (0..names.len()).filter(used).collect();
        let own: Vec<(usize, String)> = (0..=9)
            .filter_map(|digit| {
                class_by_digit(names, digit, 0..names.len()).filter(used).map(|place| (digit, names[place].to_string()))
            })
            .collect();
        if live.iter().all(|place| *place < FIXED) || own.len() == live.len() {
            return own;
        }
        let likely: Vec<(usize, String)> = (1..=9).zip(likely.map(ToOwned::to_owned)).collect();
        if likely.is_empty() { own } else { likely }
    }

    /// The digit that gives a cell, as it is written on a key.
    pub fn key_of(&self, cell: &str) -> Option<String> {
        self.keys.iter().find(|(_, known)| known == cell).map(|(digit, _)| digit.to_string())
    }
}

impl Default for UiState {
    fn default() -> Self {
        Self {
            view: View::Explore,
            filter: Filter::default(),
            selection: Selection::default(),
            table: TableState { lines: 1, ..TableState::default() },
            gallery: GalleryState::default(),
            viewer: Viewer::default(),
            chart: Chart { column: String::new(), measure: Measure::Words, by_count: true, log: false, share: false },
            popup: None,
            typed: String::new(),
            marked: 0,
            dark: true,
            inspector: true,
            narrow: false,
            inspector_narrow: false,
            inspector_width: 0.0,
            thresholds: Thresholds::default(),
            finding_kind: None,
            split: SplitForm {
                method: 1,
                label: String::new(),
                by: String::new(),
                borders: [0.8, 0.9],
                folds: 0,
                seed: 42,
                together: true,
            },
            export: ExportForm {
                format: None,
                packing: 0,
                what: 0,
                excluded: false,
                own: false,
                utf8: false,
                safe: false,
                by_path: false,
                link: false,
            },
            history_at: None,
            review: Review::default(),
            augment: AugmentForm::default(),
            balance: BalanceForm::default(),
            text_model: TextModelForm::default(),
            offered: Offered::default(),
            confirm: None,
            on_notice: false,
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

    /// Opens a popup with nothing typed.
    pub fn pop(&mut self, popup: Popup) {
        self.popup = Some(popup);
        self.typed.clear();
        self.marked = 0;
    }

    /// Adds a chip; the same rule a second time takes it off.
    pub fn toggle_clause(&mut self, clause: Clause) {
        match self.filter.clauses.iter().position(|known| *known == clause) {
            Some(at) => {
                self.filter.clauses.remove(at);
            }
            None => self.filter.clauses.push(clause),
        }
        self.table.first = 0;
        self.table.part = 0.0;
        self.gallery.first = 0;
        self.gallery.part = 0.0;
    }
}

/// What the chart shows, worked out by a job.
#[derive(Debug, Clone)]
pub enum ChartData {
    /// Classes: how many samples of the filtered part each has.
    Classes {
        /// One count per class, in the class index's order.
        part: Vec<u64>,
        /// The imbalance of the filtered part.
        balance: Balance,
    },
    /// Numbers or lengths.
    Numbers {
        /// Over all samples.
        whole: Histogram,
        /// Over the filtered part, in the same bins.
        part: Vec<u64>,
    },
}

/// What jobs have worked out, kept until something newer comes.
pub struct Memo {
    /// The samples that the filter leaves.
    pub visible: Visible,
    /// Whether that is being worked out anew.
    pub visible_stale: bool,
    /// The chart's data, and the column and measure it is of.
    pub chart: Option<(String, Measure, ChartData)>,
    /// The table's header, by column.
    pub summaries: BTreeMap<String, Summary>,
    /// The split that is shown.
    pub plan: Option<Arc<Plan>>,
    /// Class counts per part of that split, and of the whole: for its label column.
    pub plan_classes: Vec<Vec<u64>>,
    /// Why there is none.
    pub plan_trouble: Option<String>,
    /// The worst finding on each sample, where few share it: its severity and its reason.
    pub flagged: HashMap<SampleId, (f64, String)>,
    /// Why the filter cannot be used.
    pub filter_trouble: Option<String>,
    /// The samples that the filter leaves, as a set; `None` while there is no filter.
    pub filtered: Option<SampleSet>,
    /// What the label model says.
    pub labels: Option<Arc<LabelReport>>,
    /// Whether texts were edited since it read them.
    pub labels_old: bool,
    /// Why it says nothing.
    pub label_trouble: Option<String>,
    /// The nearest labelled samples of the one under review.
    pub near: Option<(SampleId, Vec<Neighbour>)>,
    /// Of how many of the last decisions the label was truly wrong: those, and all.
    pub streak: (usize, usize),
    /// The likeliest classes of the sample under the cursor, as the label model says.
    pub likely: Option<(SampleId, Vec<String>)>,
    /// What was seen of every picture.
    pub scan: Option<Arc<Scan>>,
    /// Where meaning comes from: the built-in embedding where there is no name.
    pub model_name: Option<String>,
    /// What Augment and Balance show.
    pub making: Making,
}

impl Default for Memo {
    fn default() -> Self {
        Self {
            visible: Visible::All(0),
            visible_stale: false,
            chart: None,
            summaries: BTreeMap::new(),
            plan: None,
            plan_classes: Vec::new(),
            plan_trouble: None,
            flagged: HashMap::new(),
            filter_trouble: None,
            filtered: None,
            labels: None,
            labels_old: false,
            label_trouble: None,
            near: None,
            streak: (0, 0),
            likely: None,
            scan: None,
            model_name: None,
            making: Making::default(),
        }
    }
}
