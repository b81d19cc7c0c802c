//! Which row of one version is which of another: by a key, else by all that a row says, then by its text, then by a text that is nearly the same. Equal rows are paired one to one in order, so that of two equal rows one that is gone is one.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use rayon::prelude::*;
use xxhash_rust::xxh3::Xxh3;

use super::fault::CollectError;
use crate::data::{Dataset, Role, SampleId};
use crate::derive::TextOf;
use crate::job::Progress;
use crate::learn::near::{Grams, Sets};

/// From this Jaccard similarity of word pairs on two texts may be one that was changed.
const NEAR: f64 = 0.5;

/// How rows are paired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowKey {
    /// By the cells of these columns.
    Columns(Vec<String>),
    /// By what they say.
    Content,
}

/// What a pair was found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PairedBy {
    Key,
    Content,
    Text,
    Nearly,
}

/// Rows of two versions, paired.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RowPairs {
    /// In the order of the first.
    pub pairs: Vec<(SampleId, SampleId)>,
    /// Rows that only the second has, and only the first.
    pub added: Vec<SampleId>,
    pub removed: Vec<SampleId>,
    /// How many pairs were found by the key, by content, by text, by one that is nearly the same.
    pub by: [usize; 4],
    /// Rows whose key another row of their version has, too: those that say the same are paired first, the others in order.
    pub doubled: usize,
}

/// The key of two versions: a column that names samples in both, each name once; else what rows say.
pub fn key_of(a: &Dataset, b: &Dataset) -> RowKey {
    let named = a.fields().iter().filter(|field| field.role == Role::Id).map(|field| field.name.to_string());
    let once = |dataset: &Dataset, name: &str| {
        let Some(field) = dataset.field(name) else { return false };
        let mut met: std::collections::HashSet<u64, RandomState> = std::collections::HashSet::default();
        rows(dataset).all(|id| {
            dataset
                .text(field, id)
                .is_some_and(|cell| !cell.is_empty() && met.insert(xxhash_rust::xxh3::xxh3_64(cell.as_bytes())))
        })
    };
    let found = named.into_iter().find(|name| once(a, name) && once(b, name));
    found.map_or(RowKey::Content, |name| RowKey::Columns(vec![name]))
}

/// The rows that a version has, what was made of others among them: those that are excluded are none of it.
pub(super) fn rows(dataset: &Dataset) -> impl Iterator<Item = SampleId> + '_ {
    dataset.samples().filter(|id| !dataset.is_excluded(*id))
}

/// Pairs rows.
///
/// # Errors
/// [`CollectError`].
pub fn paired(a: &Dataset, b: &Dataset, key: &RowKey, progress: &Progress) -> Result<RowPairs, CollectError> {
    let own = (0..a.fields().len()).filter(|at| !a.is_provenance(*at));
    let common: Vec<(usize, usize)> = own.filter_map(|at| Some((at, b.field(&a.fields()[at].name)?))).collect();
    if common.is_empty() {
        return Err(CollectError::NoColumns);
    }
    let mut matching = Matching::of(a, b);
    if let RowKey::Columns(names) = key {
        let fields = |dataset: &Dataset, what: &str| -> Result<Vec<usize>, CollectError> {
            names
                .iter()
                .map(|name| dataset.field(name).ok_or_else(|| CollectError::NoKey(what.to_owned(), name.clone())))
                .collect()
        };
        let (first, second) = (fields(a, "the first")?, fields(b, "the second")?);
        // Of rows that share a key those that say the same come first. A row without its key is paired by what it says.
        let (own, other): (Vec<usize>, Vec<usize>) = common.iter().copied().unzip();
        matching.note_doubled(|side, id| {
            let (dataset, fields) = if side == 0 { (a, &first) } else { (b, &second) };
            print(dataset, fields, id, true)
        });
        if matching.doubled > 0 {
            matching.join(PairedBy::Key, |side, id| {
                let (dataset, fields, all) = if side == 0 { (a, &first, &own) } else { (b, &second, &other) };
                let key = print(dataset, fields, id, true)?;
                Some(crate::chance::seed_of(&[key, print(dataset, all, id, false)?]))
            });
        }
        matching.join(PairedBy::Key, |side, id| {
            let (dataset, fields) = if side == 0 { (a, &first) } else { (b, &second) };
            print(dataset, fields, id, true)
        });
        matching.only_without_key(|side, id| {
            let (dataset, fields) = if side == 0 { (a, &first) } else { (b, &second) };
            print(dataset, fields, id, true).is_none()
        });
    }
    progress.check()?;
    let (own, other): (Vec<usize>, Vec<usize>) = common.iter().copied().unzip();
    matching.join(PairedBy::Content, |side, id| {
        let (dataset, fields) = if side == 0 { (a, &own) } else { (b, &other) };
        print(dataset, fields, id, false)
    });
    progress.check()?;
    let text = TextOf::of(a, None).ok().zip(TextOf::of(b, None).ok());
    if let Some((first, second)) = &text {
        let read = |side: usize, id: SampleId| if side == 0 { first.read(a, id) } else { second.read(b, id) };
        matching.join(PairedBy::Text, |side, id| {
            let text = read(side, id);
            (!text.trim().is_empty()).then(|| xxhash_rust::xxh3::xxh3_64(text.as_bytes()))
        });
        progress.check()?;
        matching.nearly(&read, progress)?;
    }
    Ok(matching.done())
}

/// The hash of some cells; `None` where they are a key and one of them is empty.
fn print(dataset: &Dataset, fields: &[usize], id: SampleId, key: bool) -> Option<u64> {
    let mut hash = Xxh3::new();
    for field in fields {
        let cell = dataset.text(*field, id).unwrap_or_default();
        if key && cell.is_empty() {
            return None;
        }
        hash.update(&(cell.len() as u64).to_le_bytes());
        hash.update(cell.as_bytes());
    }
    Some(hash.digest())
}

struct Matching {
    free: [Vec<SampleId>; 2],
    /// Rows that have a key, and no other with it: they are paired by nothing else.
    settled: [Vec<SampleId>; 2],
    found: Vec<(SampleId, SampleId)>,
    by: [usize; 4],
    doubled: usize,
}

impl Matching {
    fn of(a: &Dataset, b: &Dataset) -> Self {
        Self {
            free: [rows(a).collect(), rows(b).collect()],
            settled: Default::default(),
            found: Vec::new(),
            by: [0; 4],
            doubled: 0,
        }
    }

    /// Pairs free rows whose hashes are the same, one to one in order.
    fn join(&mut self, by: PairedBy, hash: impl Fn(usize, SampleId) -> Option<u64> + Sync) {
        let hashes: [Vec<Option<u64>>; 2] =
            [0, 1].map(|side| self.free[side].par_iter().map(|id| hash(side, *id)).collect::<Vec<_>>());
        let mut waiting: HashMap<u64, (Vec<u32>, usize), RandomState> = HashMap::default();
        for (at, hash) in hashes[1].iter().enumerate() {
            if let Some(hash) = hash {
                waiting.entry(*hash).or_default().0.push(at as u32);
            }
        }
        let mut taken = [vec![false; self.free[0].len()], vec![false; self.free[1].len()]];
        for (at, hash) in hashes[0].iter().enumerate() {
            let Some((list, next)) = hash.and_then(|hash| waiting.get_mut(&hash)) else { continue };
            let Some(other) = list.get(*next).copied() else { continue };
            *next += 1;
            self.found.push((self.free[0][at], self.free[1][other as usize]));
            self.by[by as usize] += 1;
            (taken[0][at], taken[1][other as usize]) = (true, true);
        }
        for (free, taken) in self.free.iter_mut().zip(&taken) {
            let mut taken = taken.iter();
            free.retain(|_| !taken.next().copied().unwrap_or(false));
        }
    }

    /// How many rows share their key with one before them, in either version.
    fn note_doubled(&mut self, key: impl Fn(usize, SampleId) -> Option<u64> + Sync) {
        for side in 0..2 {
            let mut keys: Vec<u64> = self.free[side].par_iter().filter_map(|id| key(side, *id)).collect();
            keys.par_sort_unstable();
            self.doubled += keys.windows(2).filter(|pair| pair[0] == pair[1]).count();
        }
    }

    /// Leaves only rows free that have no key: of the others is known that the other version does not have them.
    fn only_without_key(&mut self, bare: impl Fn(usize, SampleId) -> bool) {
        for side in 0..2 {
            let (free, settled) = self.free[side].iter().partition(|id| bare(side, **id));
            (self.free[side], self.settled[side]) = (free, settled);
        }
    }

    /// Pairs free rows whose texts are nearly the same, the likest first.
    fn nearly<'t>(
        &mut self,
        read: &(impl Fn(usize, SampleId) -> std::borrow::Cow<'t, str> + Sync),
        progress: &Progress,
    ) -> Result<(), CollectError> {
        let [first, second] = &self.free;
        if first.is_empty() || second.is_empty() {
            return Ok(());
        }
        let n = first.len();
        let text = |at: usize| if at < n { read(0, first[at]) } else { read(1, second[at - n]) };
        let sets = Sets::of_texts(n + second.len(), &text, Grams::Words(2), &progress.part())?;
        let near = sets.near(NEAR, &progress.part())?;
        let mut pairs: Vec<(u32, u32, f32)> = Vec::new();
        for (at, same) in near.same.iter().enumerate() {
            if *same as usize != at {
                pairs.push((*same, at as u32, 1.0));
            }
        }
        pairs.extend(near.pairs.iter().copied());
        pairs.retain(|(a, b, _)| ((*a as usize) < n) != ((*b as usize) < n));
        pairs.sort_by(|x, y| y.2.total_cmp(&x.2).then((x.0, x.1).cmp(&(y.0, y.1))));
        let mut taken = vec![false; n + second.len()];
        for (a, b, _) in pairs {
            let (one, other) = ((a.min(b)) as usize, (a.max(b)) as usize);
            if taken[one] || taken[other] {
                continue;
            }
            (taken[one], taken[other]) = (true, true);
            self.found.push((first[one], second[other - n]));
            self.by[PairedBy::Nearly as usize] += 1;
        }
        let (mut a, mut b) = (taken[..n].iter(), taken[n..].iter());
        self.free[0].retain(|_| !a.next().copied().unwrap_or(false));
        self.free[1].retain(|_| !b.next().copied().unwrap_or(false));
        Ok(())
    }

    fn done(mut self) -> RowPairs {
        self.found.sort_unstable();
        let [mut removed, mut added] = self.free;
        let [gone, come] = self.settled;
        removed.extend(gone);
        added.extend(come);
        removed.sort_unstable();
        added.sort_unstable();
        RowPairs { pairs: self.found, added, removed, by: self.by, doubled: self.doubled }
    }
}
