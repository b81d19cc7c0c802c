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
    pub fn named(name: &str) -> Option<Self> {
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
/// Who is drawn for it is the same whatever the seed of a run: runs of several seeds are tried on the same samples.
pub(super) const SPLIT: u64 = 42;

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
        let at = lesson.labels().iter().position(|label| *label == lesson.label).unwrap_or(0);
        let mut all = Self::all(dataset, lesson, progress)?;
        if all.is_empty() { Err(TrainError::OneTask) } else { Ok(all.swap_remove(at)) }
    }

    /// The same of each of its label columns, in their order. A sample is in one part whichever is looked at.
    ///
    /// # Errors
    /// As [`TrainParts::of`].
    pub fn all(dataset: &Dataset, lesson: &Lesson, progress: &Progress) -> Result<Vec<Self>, TrainError> {
        if lesson.labels().is_empty() {
            return Err(TrainError::OneTask);
        }
        let hashes = hashes_of(dataset, lesson, progress)?;
        let together = together_of(dataset, &hashes);
        let mut list: Vec<Self> = Vec::new();
        for label in lesson.labels() {
            let own = Self::by_label(dataset, (lesson, label), (&hashes, &together), (list.first(), None), progress)?;
            list.push(own);
        }
        if let Some(share) = lesson.share {
            // Who is left aside is left aside of every column.
            let aside = left_aside(&list, share, lesson.seed);
            let first = list.first().cloned();
            for (own, label) in list.iter_mut().zip(lesson.labels()) {
                let beside = first.as_ref().filter(|_| label != lesson.labels()[0]);
                *own = Self::by_label(dataset, (lesson, label), (&hashes, &together), (beside, Some(&aside)), progress)?;
            }
        }
        // What is learned depends on every label that is learned from.
        let first = list.first();
        let finer =
            lesson.through.as_ref().zip(first).map(|(name, first)| finer_of(dataset, name, first, progress)).transpose()?;
        if let Some(finer) = finer {
            list.iter_mut().for_each(|own| own.print = seed_of(&[own.print, finer.print]));
        }
        if list.len() > 1 {
            let all = seed_of(&list.iter().map(|own| own.print).collect::<Vec<_>>());
            list.iter_mut().for_each(|own| own.print = all);
        }
        Ok(list)
    }

    fn by_label(
        dataset: &Dataset,
        (lesson, name): (&Lesson, &str),
        (hashes, together): (&[u64], &[u32]),
        (beside, aside): (Option<&Self>, Option<&[bool]>),
        progress: &Progress,
    ) -> Result<Self, TrainError> {
        let label = dataset.field(name).ok_or_else(|| TrainError::NoColumn(name.to_owned()))?;
        let index = ClassIndex::build(dataset, label, progress)?;
        if index.is_many() {
            return Err(TrainError::SeveralLabels(name.to_owned()));
        }
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
        if let Some(first) = beside {
            of = as_first(dataset, first, (split, &of), together, &usable);
            notes.clear();
        } else if split.is_none() || !has(&of, RunPart::Test) {
            // A part that calls itself validation is not tested on: what was chosen by it flatters.
            let within = |id: SampleId| match split {
                None => usable(id),
                Some(_) => of[id.row()].filter(|(part, _)| *part == RunPart::Train).map(|(_, class)| class),
            };
            let drawn = held_out((together, hashes), &within, (TEST, SPLIT));
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
        if let Some(aside) = aside {
            let mut dropped = 0;
            for (entry, aside) in of.iter_mut().zip(aside) {
                if *aside && matches!(entry, Some((RunPart::Train, _))) {
                    *entry = None;
                    dropped += 1;
                }
            }
            let share = lesson.share.unwrap_or(1.0) * 100.0;
            notes.push(format!("{} of the train part are left aside: {share:.0} % are learned from", count_samples(dropped)));
        }
        Self::frozen(dataset, &index, hashes.to_vec(), of, together.to_vec(), notes)
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

/// The part that a sample is in, and its class.
type Placed = Option<(RunPart, u32)>;

/// Parts as another label column has them: a sample that it has no label for is where its equal is, or where a column says, or else trained on.
fn as_first(
    dataset: &Dataset,
    first: &TrainParts,
    (split, by_column): (Option<usize>, &[Placed]),
    together: &[u32],
    usable: &dyn Fn(SampleId) -> Option<u32>,
) -> Vec<Option<(RunPart, u32)>> {
    let mut groups: HashMap<u32, RunPart> = HashMap::new();
    for (row, entry) in first.of.iter().enumerate() {
        if let Some((part, _)) = entry {
            groups.entry(together[row]).or_insert(*part);
        }
    }
    let of = |row: usize| {
        let id = SampleId::at(row);
        let class = usable(id)?;
        let own = first.of[row].map(|(part, _)| part).or_else(|| groups.get(&together[row]).copied());
        let part = match (own, split) {
            (Some(part), _) => part,
            (None, Some(_)) => by_column[row]?.0,
            (None, None) => RunPart::Train,
        };
        (part == RunPart::Train || !dataset.is_made(id)).then_some((part, class))
    };
    (0..dataset.rows()).map(of).collect()
}

/// Who of the train part is left aside where a share of each class is learned from: those that are drawn last, so that every larger share has the samples of the smaller. Of samples without a class of the first column
/// the same share.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn left_aside(list: &[TrainParts], share: f64, seed: u64) -> Vec<bool> {
    let Some(first) = list.first() else { return Vec::new() };
    let draw = |row: usize| seed_of(&[seed, 0x5a7e, first.hashes[row]]);
    let mut classes: BTreeMap<u32, Vec<(u64, usize)>> = BTreeMap::new();
    for (row, entry) in first.of.iter().enumerate() {
        let other = list.iter().skip(1).any(|parts| matches!(parts.of[row], Some((RunPart::Train, _))));
        match entry {
            Some((RunPart::Train, class)) => classes.entry(*class).or_default().push((draw(row), row)),
            None if other => classes.entry(u32::MAX).or_default().push((draw(row), row)),
            _ => {}
        }
    }
    let mut aside = vec![false; first.of.len()];
    for mut list in classes.into_values() {
        list.sort_unstable();
        let kept = ((list.len() as f64 * share).round() as usize).clamp(1, list.len());
        list[kept..].iter().for_each(|(_, row)| aside[*row] = true);
    }
    aside
}

/// A finer column than the label: its classes, and the label's class that each stands for.
pub(super) struct FinerColumn {
    pub classes: Vec<String>,
    /// By fine class: the class of the label.
    pub to: Vec<u32>,
    /// By sample: the fine class; `None` where it has none, or one that nobody of the train part has.
    pub of: Vec<Option<u32>>,
    /// Samples of the train part that have no fine class.
    pub without: usize,
    pub print: u64,
}

/// What the train part says of a column that is finer than the label.
///
/// # Errors
/// [`TrainError::NotFiner`]: one of its classes stands for two of the label.
pub(super) fn finer_of(
    dataset: &Dataset,
    name: &str,
    parts: &TrainParts,
    progress: &Progress,
) -> Result<FinerColumn, TrainError> {
    let field = dataset.field(name).ok_or_else(|| TrainError::NoColumn(name.to_owned()))?;
    let index = ClassIndex::build(dataset, field, progress)?;
    if index.is_many() {
        return Err(TrainError::SeveralLabels(name.to_owned()));
    }
    let of = |id: SampleId| if let [class] = index.of(id) { Some(*class) } else { None };
    let mut code: Vec<Option<u32>> = vec![None; index.names().len()];
    let (mut classes, mut to): (Vec<String>, Vec<u32>) = (Vec::new(), Vec::new());
    let (mut without, mut print) = (0, Xxh3::new());
    for (id, class) in parts.members(RunPart::Train) {
        let Some(fine) = of(id) else {
            without += 1;
            continue;
        };
        print.update(&id.0.to_le_bytes());
        print.update(index.names()[fine as usize].as_bytes());
        match code[fine as usize] {
            Some(known) if to[known as usize] == class => {}
            Some(_) => {
                return Err(TrainError::NotFiner(name.to_owned(), index.names()[fine as usize].to_string()));
            }
            None => {
                code[fine as usize] = Some(classes.len() as u32);
                classes.push(index.names()[fine as usize].to_string());
                to.push(class);
            }
        }
    }
    if classes.len() < 2 || classes.len() > MOST_CLASSES {
        return Err(TrainError::ManyClasses(classes.len(), MOST_CLASSES));
    }
    let of = (0..dataset.rows()).map(|row| of(SampleId::at(row)).and_then(|fine| code[fine as usize])).collect();
    Ok(FinerColumn { classes, to, of, without, print: print.digest() })
}

/// Whether a column of a role may be learned as a label beside another.
pub fn may_be_label(role: Role) -> bool {
    role.is_label() || role == Role::Other
}

/// Columns that are finer than a label, as far as all samples say: every class of theirs has one class of it, and there are more of them.
///
/// # Errors
/// [`TrainError::Cancelled`].
pub fn finer_columns(dataset: &Dataset, label: &str, progress: &Progress) -> Result<Vec<String>, TrainError> {
    let build = |field: usize| ClassIndex::build(dataset, field, progress);
    let Some(own) = dataset.field(label).map(build).transpose()?.filter(|own| !own.is_many()) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for (at, field) in dataset.fields().iter().enumerate().filter(|(_, field)| *field.name != *label) {
        if !may_be_label(field.role) {
            continue;
        }
        let other = build(at)?;
        if other.is_many() || other.names().len() <= own.names().len() || other.names().len() > MOST_CLASSES {
            continue;
        }
        let mut to: Vec<Option<u32>> = vec![None; other.names().len()];
        let mut both = 0;
        let one = dataset.samples().filter(|id| !dataset.is_excluded(*id)).all(|id| match (other.of(id), own.of(id)) {
            ([fine], [coarse]) => {
                both += 1;
                *to[*fine as usize].get_or_insert(*coarse) == *coarse
            }
            _ => true,
        });
        if one && both > 0 {
            found.push(field.name.to_string());
        }
    }
    Ok(found)
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
