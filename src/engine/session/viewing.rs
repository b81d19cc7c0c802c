//! What the table, the filter and the chart show: worked out of a snapshot, shown until there is something newer.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::Workspace;
use super::asked::{News, Wants};
use crate::data::{
    ClassIndex, Dataset, Evenness, Filter, FilterError, Histogram, Measure, Rule, SampleId, SampleSet, Summary, sort, values,
};
use crate::job::{AnySlot, Came, Desk, JobError, Lane, Progress, Slot};

/// The samples that the filter leaves, in the order shown.
#[derive(Debug, Clone)]
pub enum Visible {
    /// All of them, in file order: how many.
    All(usize),
    /// These.
    These(Arc<Vec<SampleId>>),
}

impl Default for Visible {
    fn default() -> Self {
        Self::All(0)
    }
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

/// What the chart shows, worked out by a job.
#[derive(Debug, Clone)]
pub enum ChartData {
    /// Classes: how many samples of the filtered part each has.
    Classes {
        /// One count per class, in the class index's order.
        part: Vec<u64>,
        /// The imbalance of the filtered part.
        balance: Evenness,
    },
    /// Numbers or lengths.
    Numbers {
        /// Over all samples.
        whole: Histogram,
        /// Over the filtered part, in the same bins.
        part: Vec<u64>,
    },
}

/// What the visible samples depend on.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct VisibleKey {
    filter: Filter,
    sort: Vec<(String, bool)>,
    revision: u64,
}

/// What the filter leaves: in the order shown, and as a set where there is a filter.
#[derive(Debug, Default)]
struct Seen {
    visible: Visible,
    set: Option<SampleSet>,
}

/// What the chart depends on.
#[derive(Debug, Clone, PartialEq)]
struct ChartKey {
    column: String,
    measure: Measure,
    classes: bool,
    visible: VisibleKey,
}

static NONE: Visible = Visible::All(0);

/// Above this many samples, the header's figures are not worked out anew after each edit.
const MANY_TO_SUMMARISE: usize = 200_000;
/// The header shows what fits a screen: so many columns have figures.
const MOST_SUMMARISED: usize = 64;

/// A column by name, and its version.
type ColumnVersion = (String, u64);

/// What is drawn of samples: which, their chart, their header, and the classes of label columns.
pub struct Viewing {
    seen: Slot<VisibleKey, Seen>,
    chart: Slot<ChartKey, ChartData>,
    summaries: Slot<Vec<ColumnVersion>, Vec<(ColumnVersion, Summary)>>,
    classes: Slot<String, (u64, ClassIndex)>,
    /// The header's figures by column, and the version that they are of.
    header: BTreeMap<String, (u64, Summary)>,
}

impl Default for Viewing {
    fn default() -> Self {
        Self {
            seen: Slot::new("visible", Lane::Screen),
            chart: Slot::new("chart", Lane::Screen),
            summaries: Slot::new("summaries", Lane::Screen),
            classes: Slot::new("classes", Lane::Screen),
            header: BTreeMap::new(),
        }
    }
}

impl Viewing {
    /// Of a dataset of so many samples, before anything was asked.
    pub fn of(rows: usize) -> Self {
        let mut viewing = Self::default();
        viewing.seen.put(VisibleKey::default(), Seen { visible: Visible::All(rows), set: None });
        viewing
    }

    pub fn slots(&self) -> [&dyn AnySlot; 4] {
        [&self.seen, &self.chart, &self.summaries, &self.classes]
    }

    pub fn slots_mut(&mut self) -> [&mut dyn AnySlot; 4] {
        [&mut self.seen, &mut self.chart, &mut self.summaries, &mut self.classes]
    }

    /// The samples that the filter leaves, in the order shown.
    pub fn visible(&self) -> &Visible {
        self.seen.answer().map_or(&NONE, |seen| &seen.visible)
    }

    /// The samples that the filter leaves; `None` while there is no filter.
    pub fn filtered(&self) -> Option<&SampleSet> {
        self.seen.answer().and_then(|seen| seen.set.as_ref())
    }

    /// What is visible, whatever its order.
    pub fn key(&self) -> VisibleKey {
        let shown = self.seen.shown().map(|(key, _)| key.clone()).unwrap_or_default();
        VisibleKey { sort: Vec::new(), ..shown }
    }

    /// The filter and the order that are shown.
    pub fn shown(&self) -> (Filter, Vec<(String, bool)>) {
        let shown = self.seen.shown().map(|(key, _)| key.clone()).unwrap_or_default();
        (shown.filter, shown.sort)
    }

    /// Whether another filter or order is asked for than what is shown. An edit under a filter is no reason to dim: rows must not flicker.
    pub fn is_stale(&self) -> bool {
        let Some(asked) = self.seen.asked() else { return false };
        self.seen.shown().is_none_or(|(shown, _)| shown.filter != asked.filter || shown.sort != asked.sort)
    }

    /// Why the filter cannot be used.
    pub fn filter_trouble(&self) -> Option<&str> {
        self.seen.trouble()
    }

    /// The chart's data, and the column and measure that it is of.
    pub fn chart(&self) -> Option<(&str, Measure, &ChartData)> {
        self.chart.shown().map(|(key, data)| (key.column.as_str(), key.measure, data))
    }

    /// The header's figures of a column.
    pub fn summary(&self, column: &str) -> Option<&Summary> {
        self.header.get(column).map(|(_, summary)| summary)
    }

    /// Takes in what has come, and asks for what is missing. Costs nothing where nothing is.
    pub fn work(&mut self, workspace: &mut Workspace, wants: &Wants<'_>, desk: &Desk, news: &mut Vec<News>) {
        let before = self.seen.shown().map(|(key, _)| key.filter.clone());
        if self.seen.take(desk).is_some() && self.seen.trouble().is_none() {
            let now = self.seen.shown().map(|(key, _)| &key.filter);
            news.push(News::Visible { other_filter: now != before.as_ref() });
        }
        if let Some(Came::Failed(why)) = self.chart.take(desk) {
            news.push(News::Failed("chart", why));
        }
        match self.summaries.take(desk) {
            Some(Came::Answer) => {
                let list = self.summaries.answer().into_iter().flatten();
                self.header.extend(list.map(|((name, version), summary)| (name.clone(), (*version, summary.clone()))));
            }
            Some(Came::Failed(why)) => news.push(News::Failed("summaries", why)),
            None => {}
        }
        match self.classes.take(desk) {
            Some(Came::Answer) => {
                // Of a dataset that was edited meanwhile they are counted again.
                if let Some((column, (revision, index))) = self.classes.take_answer() {
                    workspace.set_classes(&column, revision, index);
                }
            }
            Some(Came::Failed(why)) => news.push(News::Failed("classes", why)),
            None => {}
        }
        self.see(workspace, wants, desk, news);
        self.count_classes(workspace, desk);
        self.draw_chart(workspace, wants, desk);
        self.summarise(workspace.dataset(), desk);
    }

    fn see(&mut self, workspace: &Workspace, wants: &Wants<'_>, desk: &Desk, news: &mut Vec<News>) {
        let dataset = workspace.dataset();
        let plain = wants.filter.is_empty() && wants.sort.is_empty();
        let revision = if plain { 0 } else { workspace.revision() };
        if let Some((shown, seen)) = self.seen.shown() {
            let same = shown.revision == revision && shown.filter == *wants.filter && shown.sort == wants.sort;
            // Samples that were made, or are gone again, are seen without a filter too.
            let grown = plain && seen.visible.len() != dataset.rows();
            if same && !grown && !self.seen.is_asked() {
                return;
            }
        }
        let wanted = VisibleKey { filter: wants.filter.clone(), sort: wants.sort.to_vec(), revision };
        if plain {
            let other_filter = self.seen.shown().is_some_and(|(shown, _)| shown.filter != wanted.filter);
            self.seen.put(wanted, Seen { visible: Visible::All(dataset.rows()), set: None });
            news.push(News::Visible { other_filter });
        } else if self.seen.needs(&wanted) {
            let (snapshot, key) = (dataset.clone(), wanted.clone());
            self.seen.ask(desk, wanted, "Filtering", move |progress| seen(&snapshot, &key, progress));
        }
    }

    fn count_classes(&mut self, workspace: &Workspace, desk: &Desk) {
        let dataset = workspace.dataset();
        let missing = dataset.fields().iter().position(|field| field.role.is_label() && workspace.classes(&field.name).is_none());
        let Some(field) = missing else { return };
        let column = dataset.fields()[field].name.to_string();
        if self.classes.needs(&column) {
            let (snapshot, revision) = (dataset.clone(), workspace.revision());
            let title = format!("Counting classes of {column}");
            self.classes.ask(desk, column, title, move |progress| Ok((revision, ClassIndex::build(&snapshot, field, progress)?)));
        }
    }

    fn draw_chart(&mut self, workspace: &Workspace, wants: &Wants<'_>, desk: &Desk) {
        let dataset = workspace.dataset();
        let Some((field, measure)) = wants.chart else { return };
        let column = &dataset.fields()[field].name;
        let classes = workspace.classes(column);
        if dataset.fields()[field].role.is_label() && classes.is_none() {
            return;
        }
        let filtered = !wants.filter.is_empty();
        // An edit changes the chart of classes by itself; a histogram of numbers is worked out anew.
        if classes.is_some() && !filtered || self.seen.is_asked() || self.seen.trouble().is_some() {
            return;
        }
        let key = ChartKey {
            column: column.to_string(),
            measure,
            classes: classes.is_some(),
            visible: VisibleKey { revision: workspace.revision(), ..self.key() },
        };
        if !self.chart.needs(&key) {
            return;
        }
        let (snapshot, shown, classes) = (dataset.clone(), self.visible().clone(), classes.cloned());
        self.chart.ask(desk, key, "Counting", move |progress| {
            progress.check()?;
            Ok(match classes {
                Some(classes) => {
                    let part = classes.count(shown.iter().filter(|id| !snapshot.is_excluded(*id)));
                    ChartData::Classes { balance: Evenness::of(&part), part }
                }
                None => numbers(&snapshot, field, measure, &shown, filtered),
            })
        });
    }

    fn summarise(&mut self, dataset: &Dataset, desk: &Desk) {
        if self.summaries.is_asked() || !self.header.is_empty() && dataset.rows() > MANY_TO_SUMMARISE {
            return;
        }
        let old = |(field, version): &(usize, u64)| {
            self.header.get(&*dataset.fields()[*field].name).is_none_or(|(known, _)| known != version)
        };
        let fields = dataset.fields().len().min(MOST_SUMMARISED);
        let missing: Vec<(usize, u64)> = (0..fields).map(|field| (field, dataset.version(field))).filter(old).collect();
        let question: Vec<ColumnVersion> =
            missing.iter().map(|(field, version)| (dataset.fields()[*field].name.to_string(), *version)).collect();
        if missing.is_empty() || !self.summaries.needs(&question) {
            return;
        }
        let snapshot = dataset.clone();
        self.summaries.ask(desk, question, "Looking at columns", move |progress| {
            let one = |(field, version): (usize, u64)| {
                Ok(((snapshot.fields()[field].name.to_string(), version), Summary::of(&snapshot, field, progress)?))
            };
            missing.into_iter().map(one).collect()
        });
    }
}

fn seen(snapshot: &Dataset, key: &VisibleKey, progress: &Progress) -> Result<Seen, JobError> {
    let found = match key.filter.apply(snapshot, progress) {
        Ok(found) => found,
        Err(FilterError::Cancelled) => return Err(JobError::Cancelled),
        Err(error) => return Err(JobError::Failed(error.to_string())),
    };
    let keys: Vec<(usize, bool)> = key.sort.iter().filter_map(|(column, down)| Some((snapshot.field(column)?, *down))).collect();
    let mut ordered = if keys.is_empty() { ranked(&key.filter, found) } else { found };
    // By the last first: what is equal keeps its order.
    for (field, down) in keys.into_iter().rev() {
        ordered = sort(snapshot, &ordered, field, down, progress)?;
    }
    let visible = Visible::These(Arc::new(ordered));
    let set = (!key.filter.is_empty()).then(|| visible.iter().collect());
    Ok(Seen { visible, set })
}

/// In the order of the search that made the list, where there is one.
fn ranked(filter: &Filter, found: Vec<SampleId>) -> Vec<SampleId> {
    let order = filter.clauses.iter().find_map(|clause| match &clause.rule {
        Rule::Ranked { order, .. } if !clause.negated => Some(order),
        _ => None,
    });
    let Some(order) = order else { return found };
    let left: HashSet<SampleId> = found.into_iter().collect();
    order.iter().copied().filter(|id| left.contains(id)).collect()
}

const BINS: usize = 60;

fn numbers(snapshot: &Dataset, field: usize, measure: Measure, shown: &Visible, filtered: bool) -> ChartData {
    let all: Vec<SampleId> = snapshot.samples().filter(|id| !snapshot.is_excluded(*id)).collect();
    let list: Vec<f64> = values(snapshot, field, measure, &all).into_iter().map(|(_, value)| value).collect();
    let whole = Histogram::of(list.iter().copied(), BINS);
    let part = if filtered {
        let ids: Vec<SampleId> = shown.iter().filter(|id| !snapshot.is_excluded(*id)).collect();
        whole.recount(values(snapshot, field, measure, &ids).into_iter().map(|(_, value)| value))
    } else {
        whole.counts.clone()
    };
    ChartData::Numbers { whole, part }
}
