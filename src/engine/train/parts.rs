//! Who is trained on, who is tested, and what they are to be: frozen when a run is made.

use std::collections::{BTreeMap, HashMap, HashSet};

use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use super::asked::Lesson;
use super::fault::TrainError;
use crate::chance::seed_of;
use crate::data::{ClassIndex, Dataset, Role, SampleId, count, count_samples};
use crate::derive::TextOf;
use crate::job::Progress;

/// The part that a sample is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunPart {
    Train,
    Validation,
    Test,
}

impl RunPart {
    /// By the name of a part of a split: `None` of one that is neither.
    fn named(name: &str) -> Option<Self> {
        match name.trim().to_lowercase().as_str() {
            "train" | "training" => Some(Self::Train),
            "validation" | "valid" | "val" | "dev" | "development" => Some(Self::Validation),
            "test" | "testing" | "eval" | "evaluation" | "holdout" | "hold-out" => Some(Self::Test),
            _ => None,
        }
    }
}

/// More classes than this are no label: every class is held against every other.
const MOST_CLASSES: usize = 2_000;
/// One part in so many is the test part where nothing says which is.
const TEST: usize = 5;

/// Who is trained on, and who is tested.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainParts {
    /// Names of the classes that somebody of the train part has, in the dataset's order; then those that others have.
    pub classes: Vec<String>,
    /// How many of them can be learned.
    pub learned: usize,
    /// By sample: the part and the class; `None` of who has no label, is excluded, or is in another part.
    pub of: Vec<Option<(RunPart, u32)>>,
    /// By sample: the hash of what is read of it.
    pub hashes: Vec<u64>,
    /// By sample: what belongs together (equal texts, children with their parent).
    pub together: Vec<u32>,
    /// What is trained on: changes with a label, a text, or the split.
    pub print: u64,
    /// Who is tested: two runs with one print can be compared on all.
    pub test_print: u64,
    pub notes: Vec<String>,
}

impl TrainParts {
    /// The parts of a lesson on a dataset as it is.
    ///
    /// # Errors
    /// [`TrainError`]: no such column, several labels a sample, nothing to learn from.
    pub fn of(dataset: &Dataset, lesson: &Lesson, progress: &Progress) -> Result<Self, TrainError> {
        let label = dataset.field(&lesson.label).ok_or_else(|| TrainError::NoColumn(lesson.label.clone()))?;
        let index = ClassIndex::build(dataset, label, progress)?;
        if index.is_many() {
            return Err(TrainError::SeveralLabels(lesson.label.clone()));
        }
        let hashes = hashes_of(dataset, lesson, progress)?;
        let together = together_of(dataset, &hashes);
        let mut notes = Vec::new();
        let split = match &lesson.split {
            Some(name) => Some(dataset.field(name).ok_or_else(|| TrainError::NoColumn(name.clone()))?),
            None => dataset.with_role(|role| role == Role::Split),
        };
        let usable = |id: SampleId| match index.of(id) {
            [class] if !dataset.is_excluded(id) => Some(*class),
            _ => None,
        };
        let mut of: Vec<Option<(RunPart, u32)>> = match split {
            Some(field) => by_column(dataset, field, &usable, &mut notes),
            None => vec![None; dataset.rows()],
        };
        let has = |of: &[Option<(RunPart, u32)>], part: RunPart| of.iter().flatten().any(|(own, _)| *own == part);
        if split.is_none() || !has(&of, RunPart::Test) {
            // A part that calls itself validation is not tested on: what was chosen by it flatters.
            let within = |id: SampleId| match split {
                None => usable(id),
                Some(_) => of[id.row()].filter(|(part, _)| *part == RunPart::Train).map(|(_, class)| class),
            };
            let drawn = held_out((&together, &hashes), &within, (TEST, lesson.seed));
            for (row, test) in drawn.into_iter().enumerate() {
                if let Some((test, class)) = test {
                    of[row] = (!(test && dataset.is_made(SampleId::at(row))))
                        .then_some((if test { RunPart::Test } else { RunPart::Train }, class));
                }
            }
            notes.push(if split.is_some() {
                "no part is called test: a fifth of the train part is held out, with equal texts together".to_owned()
            } else {
                "no column says the parts: a fifth is held out for the test, by class, with equal texts together".to_owned()
            });
        }
        Self::frozen(dataset, &index, hashes, of, together, notes)
    }

    fn frozen(
        dataset: &Dataset,
        index: &ClassIndex,
        hashes: Vec<u64>,
        mut of: Vec<Option<(RunPart, u32)>>,
        together: Vec<u32>,
        mut notes: Vec<String>,
    ) -> Result<Self, TrainError> {
        let mut trained = vec![0usize; index.names().len()];
        let mut other = vec![0usize; index.names().len()];
        for (part, class) in of.iter().flatten() {
            let counts = if *part == RunPart::Train { &mut trained } else { &mut other };
            counts[*class as usize] += 1;
        }
        let learned: Vec<usize> = (0..trained.len()).filter(|class| trained[*class] > 0).collect();
        let unseen: Vec<usize> = (0..trained.len()).filter(|class| trained[*class] == 0 && other[*class] > 0).collect();
        if index.names().len() > MOST_CLASSES {
            return Err(TrainError::ManyClasses(index.names().len(), MOST_CLASSES));
        }
        if learned.len() < 2 {
            return Err(TrainError::OneClass(learned.first().map(|class| index.names()[*class].to_string())));
        }
        if !of.iter().flatten().any(|(part, _)| *part == RunPart::Test) {
            return Err(TrainError::NoTest);
        }
        if !unseen.is_empty() {
            let names: Vec<&str> = unseen.iter().take(3).map(|class| &*index.names()[*class]).collect();
            let rest =
                if unseen.len() > names.len() { format!(" and {} more", unseen.len() - names.len()) } else { String::new() };
            notes.push(format!(
                "no sample of the train part has the class {}{rest}: every test sample of it is wrong",
                names.join(", ")
            ));
        }
        let alone: Vec<&str> =
            learned.iter().filter(|class| trained[**class] == 1).take(3).map(|class| &*index.names()[*class]).collect();
        if !alone.is_empty() {
            let n = learned.iter().filter(|class| trained[**class] == 1).count();
            notes.push(format!(
                "{} with one sample in the train part: {}",
                crate::data::things(n, "class", "classes"),
                alone.join(", ")
            ));
        }
        let mut code = vec![0u32; trained.len()];
        learned.iter().chain(&unseen).zip(0..).for_each(|(class, to)| code[*class] = to);
        of.iter_mut().flatten().for_each(|(_, class)| *class = code[*class as usize]);
        let classes: Vec<String> = learned.iter().chain(&unseen).map(|class| index.names()[*class].to_string()).collect();
        let (mut print, mut test) = (Xxh3::new(), Xxh3::new());
        let mut seen: HashSet<u64> = HashSet::new();
        for (row, entry) in of.iter().enumerate() {
            match entry {
                Some((RunPart::Test, _)) => test.update(&(row as u64).to_le_bytes()),
                Some((RunPart::Train, class)) => {
                    print.update(&(row as u64).to_le_bytes());
                    print.update(classes[*class as usize].as_bytes());
                    print.update(&hashes[row].to_le_bytes());
                    seen.insert(hashes[row]);
                }
                _ => {}
            }
        }
        let leaks = of.iter().enumerate().filter(|(row, entry)| {
            matches!(entry, Some((RunPart::Test, _))) && seen.contains(&hashes[*row]) && dataset.pictures().is_none()
        });
        let leaks = leaks.count();
        if leaks > 0 {
            notes.push(format!(
                "{} of the test part stand in the train part, too: Split puts equal texts into one part",
                count_samples(leaks)
            ));
        }
        Ok(Self {
            learned: learned.len(),
            classes,
            of,
            hashes,
            together,
            print: print.digest(),
            test_print: test.digest(),
            notes,
        })
    }

    /// The samples of a part, in order.
    pub fn members(&self, part: RunPart) -> impl Iterator<Item = (SampleId, u32)> + '_ {
        let of = move |(row, entry): (usize, &Option<(RunPart, u32)>)| {
            entry.filter(|(own, _)| *own == part).map(|(_, class)| (SampleId::at(row), class))
        };
        self.of.iter().enumerate().filter_map(of)
    }
}

impl TrainParts {
    /// What is said of a model in the folder that it is taken away in.
    pub(super) fn about(&self, lesson: &Lesson) -> String {
        let (words, label, seed) = (lesson.words(), &lesson.label, lesson.seed);
        let (train, test) = (self.print, self.test_print);
        format!("# {words}\n\nLearned {label} from {self}, seed {seed}, train part {train:016x}, test part {test:016x}.\n")
    }
}

/// Parts as a column has them.
fn by_column(
    dataset: &Dataset,
    field: usize,
    usable: &dyn Fn(SampleId) -> Option<u32>,
    notes: &mut Vec<String>,
) -> Vec<Option<(RunPart, u32)>> {
    let mut others: BTreeMap<String, usize> = BTreeMap::new();
    let of = (0..dataset.rows())
        .map(|row| {
            let id = SampleId::at(row);
            let class = usable(id)?;
            let name = dataset.text(field, id)?;
            let Some(part) = RunPart::named(&name) else {
                *others.entry(name.into_owned()).or_default() += 1;
                return None;
            };
            // What was made is trained on, and never tested on.
            (part == RunPart::Train || !dataset.is_made(id)).then_some((part, class))
        })
        .collect();
    for (name, n) in others.into_iter().take(3) {
        notes.push(format!("the part {name:?} with {} is neither train, validation nor test, and is left out", count_samples(n)));
    }
    of
}

/// Which samples are held out, one of so many by class, and with what belongs together in one part; `within` says who is dealt at all, and the class. Who is drawn depends on what
/// a sample says and on its class, and on no other class: relabelling one moves one or two others at most.
pub(super) fn held_out(
    (together, hashes): (&[u32], &[u64]),
    within: &dyn Fn(SampleId) -> Option<u32>,
    (one_of, seed): (usize, u64),
) -> Vec<Option<(bool, u32)>> {
    let class: Vec<Option<u32>> = (0..together.len()).map(|row| within(SampleId::at(row))).collect();
    // The first sample of what belongs together decides for all.
    let mut of_class: BTreeMap<u32, Vec<(u64, u32)>> = BTreeMap::new();
    let mut met: HashSet<u32> = HashSet::new();
    for (row, class) in class.iter().enumerate() {
        if let Some(class) = class.filter(|_| met.insert(together[row])) {
            let first = together[row];
            of_class.entry(class).or_default().push((seed_of(&[seed, hashes[first as usize]]), first));
        }
    }
    of_class.values_mut().for_each(|list| list.sort_unstable());
    let rounded = |n: usize| ((n + one_of / 2) / one_of).min(n.saturating_sub(1));
    // Of many classes with two samples each a rounded share is none: then one of each is.
    let none = of_class.values().all(|list| rounded(list.len()) == 0);
    let due = |n: usize| if none && one_of == TEST { usize::from(n > 1) } else { rounded(n) };
    let test: HashSet<u32> =
        of_class.values().flat_map(|list| list.iter().take(due(list.len())).map(|(_, first)| *first)).collect();
    class.iter().enumerate().map(|(row, class)| class.map(|class| (test.contains(&together[row]), class))).collect()
}

/// By sample: the hash of what is read of it.
pub(super) fn hashes_of(dataset: &Dataset, lesson: &Lesson, progress: &Progress) -> Result<Vec<u64>, TrainError> {
    use rayon::prelude::*;
    let rows = dataset.rows();
    if let (None, Some(field)) = (&lesson.text, dataset.pictures()) {
        let of = |row: usize| xxh3_64(dataset.text(field, SampleId::at(row)).unwrap_or_default().as_bytes());
        return Ok((0..rows).into_par_iter().map(of).collect());
    }
    let text = TextOf::of(dataset, lesson.text.as_deref())?;
    let step = |row: usize| if row.is_multiple_of(4_096) { progress.check() } else { Ok(()) };
    let hash = |row: usize| step(row).map(|()| xxh3_64(text.read(dataset, SampleId::at(row)).as_bytes()));
    Ok((0..rows).into_par_iter().map(hash).collect::<Result<_, _>>()?)
}

/// By sample: the first with the same text; of what was made, that of its parent.
fn together_of(dataset: &Dataset, hashes: &[u64]) -> Vec<u32> {
    let mut first: HashMap<u64, u32> = HashMap::new();
    let mut out = Vec::with_capacity(hashes.len());
    for (row, hash) in hashes.iter().enumerate() {
        let parent = dataset.origins(SampleId::at(row)).map(|origins| origins.parent.row());
        let own = match parent.filter(|parent| *parent < row) {
            Some(parent) => out[parent],
            None => *first.entry(*hash).or_insert(row as u32),
        };
        out.push(own);
    }
    out
}

/// How many of each part there are, in words.
impl std::fmt::Display for TrainParts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let n = |part| count(self.members(part).count());
        write!(f, "{} to train, {} to validate, {} to test", n(RunPart::Train), n(RunPart::Validation), n(RunPart::Test))
    }
}
