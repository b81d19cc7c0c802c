//! Which columns of several sources are one, and which of their classes: proposed by name, by what names of the field mean, and by values, and taken over
//! only when somebody says so. Numbers are never taken for class names: which class a number is, a person knows or a list says.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::data::{Dataset, Kind, Role, SampleId, SourceRead, bare_name, class_key};
use crate::io::SourcesFile;
use crate::job::{Cancelled, Progress};

/// Names that mean the same, in the field.
const SYNONYMS: [&[&str]; 5] = [
    &["text", "utterance", "sentence", "content", "body", "question", "query", "message", "prompt", "input"],
    &["label", "intent", "category", "class", "target", "y", "labels"],
    &["id", "uid", "uuid", "guid", "key", "identifier"],
    &["split", "part", "subset", "fold"],
    &["answer", "response", "completion", "output", "reply"],
];
/// What a model said is no truth, however many of its classes are the same: beginnings of such names.
const SAID: [&str; 5] = ["pred", "guess", "said", "modeloutput", "autolabel"];
/// Of so many columns in all, values are compared, too.
const MOST_COMPARED: usize = 200;
/// Rows of a source that are looked at, and the most classes that a column of classes has.
const SAMPLED: usize = 20_000;
const MOST_CLASSES: usize = 2_000;

/// Why two columns are proposed to be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnWhy {
    /// The same name but for case, blanks, underscores, accents.
    Name,
    /// Names that mean the same.
    Meaning,
    /// At least half of the classes of one are the other's.
    Values,
}

impl ColumnWhy {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Name => "the same name but for how it is written",
            Self::Meaning => "names for the same thing",
            Self::Values => "half of their classes are the same",
        }
    }
}

/// Something that could be joined, or that somebody has to decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AlignmentProposal {
    /// The column that source `source` calls `from` is the dataset's column `to`.
    Column { source: String, from: String, to: String, why: ColumnWhy },
    /// The class `from` of a source is the class `to`, in the dataset's column `column`.
    Class { source: String, column: String, from: String, to: String },
    /// A column of classes holds numbers in this source and names in others.
    Numbers { source: String, column: String, numbers: Vec<String>, names: Vec<String> },
}

/// The values of a column of one source, where they are few.
fn values(dataset: &Dataset, source: &SourceRead, name: &str) -> Option<BTreeMap<String, usize>> {
    let field = dataset.field(name)?;
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    let step = (source.rows / SAMPLED).max(1);
    for row in (source.first..source.first + source.rows).step_by(step) {
        if let Some(text) = dataset.text(field, SampleId::at(row)).filter(|text| !text.trim().is_empty()) {
            if found.len() >= MOST_CLASSES && !found.contains_key(&*text) {
                return None;
            }
            *found.entry(text.into_owned()).or_default() += 1;
        }
    }
    (!found.is_empty()).then_some(found)
}

/// Whether values are classes: they come again, and are no long texts.
fn is_classes(values: &BTreeMap<String, usize>, rows: usize) -> bool {
    let short = values.keys().all(|value| value.chars().count() <= 64);
    short && (values.len() * 2 <= rows || rows <= 20)
}

fn is_number(value: &str) -> bool {
    value.trim().parse::<f64>().is_ok()
}

fn name_key(name: &str) -> String {
    bare_name(name).chars().filter(|letter| letter.is_alphanumeric()).collect()
}

/// The names that mean the same as this one, by their place in the list.
fn meaning(name: &str) -> Option<usize> {
    let key = name_key(name);
    SYNONYMS.iter().position(|group| group.contains(&key.as_str()))
}

/// What could be joined in a dataset of several sources, and what is for somebody to decide; sources in their order, columns before classes.
///
/// # Errors
/// [`Cancelled`].
pub fn propose_alignment(dataset: &Dataset, progress: &Progress) -> Result<Vec<AlignmentProposal>, Cancelled> {
    let sources = &dataset.base.sources;
    let mut out = Vec::new();
    // What each source's columns would be called if the proposals were taken.
    let mut called: Vec<HashMap<String, String>> = Vec::new();
    let mut known: Vec<(String, Kind, Role)> = Vec::new();
    // Of very many columns names alone are compared.
    let few = sources.iter().map(|source| source.columns.len()).sum::<usize>() <= MOST_COMPARED;
    for (at, source) in sources.iter().enumerate() {
        progress.check()?;
        let own: Vec<(&str, &str, Kind)> =
            source.columns.iter().filter_map(|column| Some((column.name.as_str(), column.to.as_deref()?, column.kind))).collect();
        let mut names: HashMap<String, String> = own.iter().map(|(_, to, _)| ((*to).to_owned(), (*to).to_owned())).collect();
        let mut taken: BTreeSet<String> =
            own.iter().map(|(_, to, _)| (*to).to_owned()).filter(|to| known.iter().any(|(known, ..)| known == to)).collect();
        for (name, to, _) in &own {
            if known.iter().any(|(known, ..)| known == to) {
                continue;
            }
            let free: Vec<&String> = known.iter().map(|(known, ..)| known).filter(|known| !taken.contains(*known)).collect();
            let alone = |list: Vec<&String>| if list.len() == 1 { list.first().map(|name| (*name).clone()) } else { None };
            let same = || free.iter().find(|known| name_key(known) == name_key(to)).map(|known| (*known).clone());
            let alike = || {
                let own = meaning(to)?;
                // Of several columns of a source that mean the same, none is sure.
                let rivals = source.columns.iter().filter(|column| column.to.as_deref().and_then(meaning) == Some(own)).count();
                alone(free.iter().filter(|known| meaning(known) == Some(own)).copied().collect()).filter(|_| rivals == 1)
            };
            let shared = || {
                progress.check().ok()?;
                let key = name_key(to);
                if SAID.iter().any(|said| key.starts_with(said)) {
                    return None;
                }
                let mine = values(dataset, source, to).filter(|values| is_classes(values, source.rows) && values.len() > 1)?;
                let has = |other: &SourceRead, name: &str| other.columns.iter().any(|column| column.to.as_deref() == Some(name));
                let fits = |known: &&&String| {
                    sources[..at].iter().filter(|other| has(other, known)).any(|other| {
                        let Some(theirs) =
                            values(dataset, other, known).filter(|values| is_classes(values, other.rows) && values.len() > 1)
                        else {
                            return false;
                        };
                        let common = mine.keys().filter(|value| theirs.contains_key(*value) && !is_number(value)).count();
                        common * 2 >= mine.len().min(theirs.len()) && common > 0
                    })
                };
                alone(free.iter().filter(fits).copied().collect())
            };
            let found = same().map(|to| (to, ColumnWhy::Name)).or_else(|| alike().map(|to| (to, ColumnWhy::Meaning)));
            let Some((target, why)) = found.or_else(|| if few { shared().map(|to| (to, ColumnWhy::Values)) } else { None })
            else {
                continue;
            };
            taken.insert(target.clone());
            names.insert((*to).to_owned(), target.clone());
            out.push(AlignmentProposal::Column { source: source.id.clone(), from: (*name).to_owned(), to: target, why });
        }
        for (_, to, kind) in &own {
            let name = &names[*to];
            if !known.iter().any(|(known, ..)| known == name) {
                let role = dataset.field(to).map_or(Role::Other, |field| dataset.fields()[field].role);
                known.push((name.clone(), *kind, role));
            }
        }
        called.push(names);
    }
    classes(dataset, &called, &known, &mut out, progress)?;
    Ok(out)
}

/// Classes of one column under several spellings, and numbers where others have names.
fn classes(
    dataset: &Dataset,
    called: &[HashMap<String, String>],
    known: &[(String, Kind, Role)],
    out: &mut Vec<AlignmentProposal>,
    progress: &Progress,
) -> Result<(), Cancelled> {
    for (name, _, role) in known {
        progress.check()?;
        let by_source: Vec<(&SourceRead, BTreeMap<String, usize>)> = dataset
            .base
            .sources
            .iter()
            .zip(called)
            .filter_map(|(source, names)| {
                let own = names.iter().find(|(_, to)| *to == name)?.0;
                Some((source, values(dataset, source, own)?))
            })
            .collect();
        let rows: usize = by_source.iter().map(|(source, _)| source.rows).sum();
        let mut all: BTreeMap<&str, usize> = BTreeMap::new();
        for (value, n) in by_source.iter().flat_map(|(_, values)| values) {
            *all.entry(value).or_default() += n;
        }
        let labels = *role == Role::Label || meaning(name) == Some(1);
        let few = all.len() * 2 <= rows || rows <= 20;
        if by_source.len() < 2
            || !(labels || few && all.keys().all(|value| value.chars().count() <= 64))
            || matches!(role, Role::Text | Role::Id | Role::Image)
            || meaning(name) == Some(2)
        {
            continue;
        }
        let mut keys: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for (source, values) in &by_source {
            let numbers = values.keys().all(|value| is_number(value));
            let names: Vec<String> = all.keys().filter(|value| !is_number(value)).map(|value| (*value).to_owned()).collect();
            if numbers && labels && !names.is_empty() {
                let numbers = values.keys().cloned().collect();
                out.push(AlignmentProposal::Numbers { source: source.id.clone(), column: name.clone(), numbers, names });
                continue;
            }
            for value in values.keys().filter(|value| !is_number(value)) {
                let known = keys.entry(class_key(value)).or_default();
                match known.first() {
                    // A source that spells a class in two ways is for Clean to mend.
                    Some(first) if *first != value && !values.contains_key(*first) => out.push(AlignmentProposal::Class {
                        source: source.id.clone(),
                        column: name.clone(),
                        from: value.clone(),
                        to: (*first).to_owned(),
                    }),
                    _ => {}
                }
                known.push(value);
            }
        }
    }
    Ok(())
}

/// Takes proposals over into the list; what has to be decided stays.
pub fn accept_alignment<'p>(list: &mut SourcesFile, proposals: impl IntoIterator<Item = &'p AlignmentProposal>) -> usize {
    let mut taken = 0;
    for proposal in proposals {
        let (AlignmentProposal::Column { source, .. }
        | AlignmentProposal::Class { source, .. }
        | AlignmentProposal::Numbers { source, .. }) = proposal;
        let Some(entry) = list.sources.iter_mut().find(|entry| entry.id == *source) else { continue };
        match proposal {
            AlignmentProposal::Column { from, to, .. } => {
                entry.columns.insert(from.clone(), Some(to.clone()));
            }
            AlignmentProposal::Class { column, from, to, .. } => {
                entry.classes.entry(column.clone()).or_default().insert(from.clone(), to.clone());
            }
            AlignmentProposal::Numbers { .. } => continue,
        }
        taken += 1;
    }
    taken
}
