//! Columns that are several people's labels of the same thing, as votes.

use std::collections::{BTreeMap, BTreeSet};

use crate::data::{Dataset, Kind, Role, SampleId};
use crate::learn::annotators::Votes;

/// Values that are looked at to tell annotators' columns, and the most classes that they have.
const SAMPLED: usize = 2_000;
const MOST_CLASSES: usize = 60;
/// The most classes that votes are weighed of, whoever names the columns.
pub const MOST_VOTED: usize = 500;

/// The votes of some columns: those of samples of the source, and the names of the classes.
pub struct VotesOf {
    pub votes: Votes,
    pub classes: Vec<String>,
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
    // Numbers in the order of their worth, as a model's columns have them.
    let mut classes: Vec<String> = classes.into_iter().collect();
    if let Some(numbers) = classes.iter().map(|name| name.parse::<f64>().ok()).collect::<Option<Vec<f64>>>() {
        let mut both: Vec<(f64, String)> = numbers.into_iter().zip(classes).collect();
        both.sort_by(|a, b| a.0.total_cmp(&b.0));
        classes = both.into_iter().map(|(_, name)| name).collect();
    }
    let place: BTreeMap<&str, u32> = classes.iter().map(String::as_str).zip(0..).collect();
    let mut of = Vec::with_capacity(dataset.extent() * fields.len());
    for row in 0..dataset.extent() {
        of.extend(fields.iter().map(|field| cell(*field, row).and_then(|text| place.get(&*text).copied())));
    }
    (fields.len() > 1 && !classes.is_empty()).then(|| VotesOf { votes: Votes::new(of, fields.len(), classes.len()), classes })
}
