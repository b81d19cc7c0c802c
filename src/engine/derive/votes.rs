//! Several people's labels of the same thing, as votes: a column each, or a row a vote.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use xxhash_rust::xxh3::xxh3_64;

use crate::data::{Dataset, Kind, Role, SampleId};
use crate::learn::annotators::Votes;

/// Values that are looked at to tell annotators' columns, and the most classes that they have.
const SAMPLED: usize = 2_000;
const MOST_CLASSES: usize = 60;
/// The most classes that votes are weighed of, whoever names the columns.
pub const MOST_VOTED: usize = 500;

/// The most cells that votes take: tasks by annotators.
const MOST_CELLS: usize = 1 << 26;

/// The votes of some columns, or of a long table: a row a sample or a task, and the names of the classes.
pub struct VotesOf {
    pub votes: Votes,
    pub classes: Vec<String>,
    /// Who voted, in the order of the votes' columns.
    pub annotators: Vec<String>,
    /// Of a long table the samples of each task, in order; elsewhere each row is the sample of that place.
    tasks: Option<Vec<Vec<SampleId>>>,
}

impl VotesOf {
    /// The samples that a row of votes is of.
    pub fn samples(&self, row: usize) -> Cow<'_, [SampleId]> {
        match &self.tasks {
            Some(tasks) => Cow::Borrowed(&tasks[row]),
            None => Cow::Owned(vec![SampleId::at(row)]),
        }
    }
}

/// A table with a row a vote: what was voted on, who did, and what they said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LongVotes {
    pub task: usize,
    pub annotator: usize,
    pub label: usize,
}

/// The name of a column without what numbers it: `annotator_2`, `a2` and `label (2)` have the stems of their first.
fn stem(name: &str) -> Option<String> {
    let bare = name.trim_end_matches(')').trim_end_matches(|letter: char| letter.is_ascii_digit());
    let stem = bare.trim_end_matches(['_', '-', ' ', '(', '.', '#']).to_lowercase();
    (bare.len() < name.trim_end_matches(')').len() && !stem.is_empty()).then_some(stem)
}

/// Groups of columns that several people filled with the same classes: their names differ in a number, their values are few and shared.
pub fn annotators_of(dataset: &Dataset) -> Vec<Vec<usize>> {
    let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (field, column) in dataset.fields().iter().enumerate() {
        let may = matches!(column.role, Role::Label | Role::Other | Role::Number | Role::Group | Role::Prediction)
            && column.kind != Kind::List;
        if let Some(stem) = stem(&column.name).filter(|_| may && column.is_given()) {
            groups.entry(stem).or_default().push(field);
        }
    }
    let step = (dataset.extent() / SAMPLED).max(1);
    let values = |field: &usize| -> BTreeSet<String> {
        let ids = (0..dataset.extent()).step_by(step).map(SampleId::at);
        ids.filter_map(|id| dataset.text(*field, id))
            .filter(|text| !text.trim().is_empty())
            .map(|text| text.into_owned())
            .collect()
    };
    let shared = |fields: &Vec<usize>| {
        let sets: Vec<BTreeSet<String>> = fields.iter().map(values).collect();
        let all: BTreeSet<&String> = sets.iter().flatten().collect();
        let few = (2..=MOST_CLASSES).contains(&all.len()) && all.len() * 4 <= dataset.extent().max(8);
        let whole = |text: &&String| !text.contains('.') || text.parse::<f64>().is_err();
        few && all.iter().all(whole) && sets.iter().all(|set| set.len() * 2 >= all.len())
    };
    groups.into_values().filter(|fields| fields.len() > 1 && shared(fields)).collect()
}

/// Reads the votes of these columns; `None` where they are fewer than two, or empty, or have more values than [`MOST_VOTED`]: those are no classes.
pub fn votes_of(dataset: &Dataset, fields: &[usize]) -> Option<VotesOf> {
    let cell = |field: usize, row: usize| dataset.text(field, SampleId::at(row)).filter(|text| !text.trim().is_empty());
    let mut classes: BTreeSet<String> = BTreeSet::new();
    for row in 0..dataset.extent() {
        for field in fields {
            if let Some(text) = cell(*field, row).filter(|text| !classes.contains(&**text)) {
                classes.insert(text.into_owned());
            }
        }
        if classes.len() > MOST_VOTED {
            return None;
        }
    }
    let classes = in_order(classes);
    let place: BTreeMap<&str, u32> = classes.iter().map(String::as_str).zip(0..).collect();
    let mut of = Vec::with_capacity(dataset.extent() * fields.len());
    for row in 0..dataset.extent() {
        of.extend(fields.iter().map(|field| cell(*field, row).and_then(|text| place.get(&*text).copied())));
    }
    let annotators = fields.iter().map(|field| dataset.fields()[*field].name.to_string()).collect();
    (fields.len() > 1 && !classes.is_empty()).then(|| VotesOf {
        votes: Votes::new(of, fields.len(), classes.len()),
        classes,
        annotators,
        tasks: None,
    })
}

/// Numbers in the order of their worth, as a model's columns have them.
fn in_order(classes: BTreeSet<String>) -> Vec<String> {
    let classes: Vec<String> = classes.into_iter().collect();
    let Some(numbers) = classes.iter().map(|name| name.parse::<f64>().ok()).collect::<Option<Vec<f64>>>() else { return classes };
    let mut both: Vec<(f64, String)> = numbers.into_iter().zip(classes).collect();
    both.sort_by(|a, b| a.0.total_cmp(&b.0));
    both.into_iter().map(|(_, name)| name).collect()
}

/// What columns that say who voted, and what was voted on, are called: whole words of their names.
const WHO: [&str; 10] =
    ["annotator", "annotators", "worker", "rater", "coder", "labeler", "labeller", "judge", "reviewer", "assignee"];
const ON: [&str; 10] = ["task", "item", "sample", "example", "document", "doc", "question", "record", "instance", "unit"];

/// The columns of a table with a row a vote; `None` where the dataset is none. Most tasks have two rows and more, nobody votes twice on most, and a few
/// people did it all.
pub fn long_votes_of(dataset: &Dataset) -> Option<LongVotes> {
    let label = dataset.with_role(Role::is_label)?;
    let named = |field: usize, words: &[&str]| {
        let name = dataset.fields()[field].name.to_lowercase();
        name.split(|letter: char| !letter.is_alphanumeric()).any(|word| words.contains(&word))
    };
    let others = || (0..dataset.fields().len()).filter(|field| *field != label && dataset.fields()[*field].is_given());
    let annotator = others().find(|field| named(*field, &WHO))?;
    let says_what = |field: &usize| matches!(dataset.fields()[*field].role, Role::Text | Role::Messages | Role::Image);
    let candidates = others()
        .filter(|field| *field != annotator && named(*field, &ON))
        .chain(others().filter(|field| *field != annotator && dataset.fields()[*field].role == Role::Id))
        .chain(others().filter(says_what));
    candidates.map(|task| LongVotes { task, annotator, label }).find(|long| is_long(dataset, *long))
}

fn is_long(dataset: &Dataset, long: LongVotes) -> bool {
    let mut tasks: HashMap<u64, u32> = HashMap::new();
    let (mut people, mut pairs, mut rows) = (HashSet::new(), HashSet::new(), 0usize);
    for id in dataset.source_samples().take(SAMPLED * 10) {
        let (Some(task), Some(who)) = (dataset.text(long.task, id), dataset.text(long.annotator, id)) else { continue };
        let (task, who) = (xxh3_64(task.as_bytes()), xxh3_64(who.as_bytes()));
        *tasks.entry(task).or_default() += 1;
        people.insert(who);
        pairs.insert((task, who));
        rows += 1;
    }
    rows >= 4
        && (2..=rows / 2).contains(&people.len())
        && tasks.len() > 1
        && tasks.values().filter(|n| **n > 1).count() * 2 >= tasks.len()
        && pairs.len() * 10 >= rows * 9
}

/// Reads the votes of a long table, samples of the source that are not excluded: of who voted twice on a task the last vote counts. `None` where nobody voted,
/// or there are more classes than [`MOST_VOTED`], or more tasks by annotators than can be held.
pub fn votes_of_long(dataset: &Dataset, long: LongVotes) -> Option<VotesOf> {
    let cell = |field: usize, id: SampleId| dataset.text(field, id).filter(|text| !text.trim().is_empty());
    let (mut places, mut people) = (HashMap::<String, usize>::new(), BTreeSet::<String>::new());
    let mut tasks: Vec<Vec<SampleId>> = Vec::new();
    let mut classes: BTreeSet<String> = BTreeSet::new();
    for id in dataset.source_samples().filter(|id| !dataset.is_excluded(*id)) {
        let (Some(task), Some(who), Some(label)) = (cell(long.task, id), cell(long.annotator, id), cell(long.label, id)) else {
            continue;
        };
        let place = *places.entry(task.into_owned()).or_insert_with(|| {
            tasks.push(Vec::new());
            tasks.len() - 1
        });
        tasks[place].push(id);
        people.insert(who.into_owned());
        classes.insert(label.into_owned());
        if classes.len() > MOST_VOTED {
            return None;
        }
    }
    let (annotators, classes) = (people.into_iter().collect::<Vec<_>>(), in_order(classes));
    if annotators.len() < 2 || tasks.len().saturating_mul(annotators.len()) > MOST_CELLS {
        return None;
    }
    let who: HashMap<&str, usize> = annotators.iter().map(String::as_str).zip(0..).collect();
    let class: HashMap<&str, u32> = classes.iter().map(String::as_str).zip(0..).collect();
    let mut of: Vec<Option<u32>> = vec![None; tasks.len() * annotators.len()];
    for (row, samples) in tasks.iter().enumerate() {
        for id in samples {
            if let (Some(by), Some(label)) = (cell(long.annotator, *id), cell(long.label, *id)) {
                of[row * annotators.len() + who[&*by]] = class.get(&*label).copied();
            }
        }
    }
    Some(VotesOf { votes: Votes::new(of, annotators.len(), classes.len()), classes, annotators, tasks: Some(tasks) })
}
