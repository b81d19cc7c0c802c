//! Samples far from all others, and samples that are nearly the same, by what texts mean or, of a table without texts, by its numbers: distances to the ten nearest (one
//! minus the cosine). Far is beyond a fence above the third quartile of their means (Datalab's rule, cleanlab 2.9: `Q3 + (1 / 0.37037 − 1) IQR`; its score is
//! `exp(−distance / median)`, 0 worst); the same is what lies within 0.13 of the median distance to the nearest.

use super::duplicates::looked_at;
use super::figures::quantile;
use super::isolated::{ENTROPY, ISOLATED, isolated, undecided};
use super::options::{CheckOption, Options};
use super::{Check, CheckInput, Finding, FindingKind};
use crate::data::{ClassIndex, Dataset, Role, SampleId, count};
use crate::derive::{TextOf, embedding, number_fields};
use crate::io::{Meaning, MeaningError};
use crate::job::{Cancelled, Progress};
use crate::learn::dense::{Dense, normalise};
use crate::learn::near::root;
use crate::learn::neighbours::{Neighbour, nearest_of};

const FAR: CheckOption = CheckOption {
    flag: "--far",
    label: "fence",
    help: "flag beyond this many interquartile ranges above the third quartile of distances",
    kinds: &[FindingKind::FarText],
    choices: &[],
    least: 0.5,
    most: 10.0,
    usual: 1.7,
};
const NEAR: CheckOption = CheckOption {
    flag: "--near-part",
    label: "nearness",
    help: "nearly the same, where the distance is below this part of the median distance to the nearest",
    kinds: &[FindingKind::NearMeaning],
    choices: &[],
    least: 0.01,
    most: 0.9,
    usual: 0.13,
};

const WITHIN: CheckOption = CheckOption {
    flag: "--far-within",
    label: "among",
    help: "what a sample is compared with: all others, or those with its label",
    kinds: &[FindingKind::FarText],
    choices: &["all", "its class"],
    least: 0.0,
    most: 1.0,
    usual: 0.0,
};

/// What can be moved.
pub const OPTIONS: [CheckOption; 5] = [FAR, NEAR, WITHIN, ISOLATED, ENTROPY];

/// Neighbours that a distance is the mean of.
const NEIGHBOURS: usize = 10;
/// Of fewer samples none is far.
const FEW: usize = 30;
/// A table of fewer columns of numbers is judged column by column, elsewhere.
const COLUMNS: usize = 4;

/// What can be compared.
enum Compared {
    /// Samples, their rows at length 1, what they are compared by, and whether that is a text.
    By(Vec<SampleId>, Dense, String, bool),
    /// A column of texts that cannot be held by what they mean, and why.
    Not(String, String),
    Nothing,
}

fn rows_of(input: &CheckInput<'_>, progress: &Progress) -> Result<Compared, Cancelled> {
    let dataset = input.dataset;
    if let Ok(text) = TextOf::of(dataset, None) {
        let dense = match embedding(dataset, &text, &Meaning::BuiltIn, input.store, None, progress) {
            Ok(dense) => dense,
            Err(MeaningError::Cancelled) => return Err(Cancelled),
            Err(why) => return Ok(Compared::Not(dataset.fields()[text.fields[0]].name.to_string(), why.to_string())),
        };
        // A text without a word that is known has no direction: it is found as noise, or as empty.
        let has = |id: &SampleId| dense.row(id.row()).iter().any(|value| *value != 0.0);
        let ids: Vec<SampleId> = looked_at(dataset).filter(has).collect();
        let mut own = Dense::zeros(ids.len(), dense.dims);
        ids.iter().enumerate().for_each(|(at, id)| own.row_mut(at).copy_from_slice(dense.row(id.row())));
        return Ok(Compared::By(ids, own, dataset.fields()[text.fields[0]].name.to_string(), true));
    }
    let fields: Vec<usize> =
        number_fields(dataset).into_iter().filter(|field| dataset.fields()[*field].role != Role::Id).collect();
    if fields.len() < COLUMNS || dataset.pictures().is_some() {
        return Ok(Compared::Nothing);
    }
    let (ids, own) = numbers(dataset, &fields);
    Ok(Compared::By(ids, own, format!("{} columns of numbers", fields.len()), false))
}

/// Numbers as they are, at length 1; samples that lack one are left out.
fn numbers(dataset: &Dataset, fields: &[usize]) -> (Vec<SampleId>, Dense) {
    let mut ids = Vec::new();
    let mut all = Dense::zeros(0, fields.len());
    for id in looked_at(dataset) {
        let row: Option<Vec<f32>> = fields.iter().map(|field| dataset.number(*field, id).map(|number| number as f32)).collect();
        if let Some(mut row) = row.filter(|row| row.iter().any(|value| *value != 0.0)) {
            normalise(&mut row);
            all.data.extend(row);
            ids.push(id);
        }
    }
    (ids, all)
}

fn away(near: Neighbour) -> f64 {
    (1.0 - f64::from(near.likeness)).max(0.0)
}

/// Looks for them.
///
/// # Errors
/// [`Cancelled`].
pub fn run(input: &CheckInput<'_>, options: &Options, progress: &Progress) -> Result<Vec<Finding>, Cancelled> {
    let mut found = undecided(input, options);
    found.extend(isolated(input, options, progress)?);
    match rows_of(input, progress)? {
        Compared::By(ids, own, column, of_texts) if ids.len() >= FEW => {
            let queries: Vec<u32> = (0..ids.len() as u32).collect();
            let near = nearest_of(&own, &queries, NEIGHBOURS.min(ids.len() - 1), progress)?;
            let of = Space { ids: &ids, column: &column, of_texts };
            let label = input.dataset.with_role(Role::is_label).filter(|_| options.choice(&WITHIN) == 1);
            match label {
                Some(label) => found.extend(of.far_of_classes(input.dataset, label, &own, options, progress)?),
                None => found.extend(of.far(&near, None, options)),
            }
            found.extend(groups(&ids, &near, options.get(&NEAR), &column));
        }
        Compared::Not(column, why) => {
            let reason = format!("not looked for: {why}");
            found.push(Finding::new(FindingKind::FarText, Vec::new(), &column, 0.1, reason));
        }
        _ => {}
    }
    found.sort_by(|a, b| b.severity.total_cmp(&a.severity).then_with(|| a.samples.cmp(&b.samples)));
    Ok(found)
}

/// Samples that are compared, and by what.
struct Space<'s> {
    ids: &'s [SampleId],
    column: &'s str,
    of_texts: bool,
}

impl Space<'_> {
    /// Those beyond the fence, by their nearest; of a class, where one is named.
    fn far(&self, near: &[Vec<Neighbour>], class: Option<&str>, options: &Options) -> Vec<Finding> {
        let distances: Vec<f64> =
            near.iter().map(|list| list.iter().copied().map(away).sum::<f64>() / list.len().max(1) as f64).collect();
        let mut sorted = distances.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        let (q1, median, q3) = (quantile(&sorted, 0.25), quantile(&sorted, 0.5), quantile(&sorted, 0.75));
        let fence = q3 + options.get(&FAR) * (q3 - q1);
        let of = class.map_or_else(String::new, |class| format!(" of “{class}”"));
        let what = if self.of_texts {
            format!("in meaning; half of all texts{of}")
        } else {
            format!("by its numbers; half of all rows{of}")
        };
        self.ids
            .iter()
            .zip(&distances)
            .filter(|(_, distance)| **distance > fence && q3 > q1)
            .map(|(id, distance)| {
                let score = (-distance / median.max(1e-6)).exp();
                let nearest = near.first().map_or(NEIGHBOURS, Vec::len);
                let reason =
                    format!("far from all others: {distance:.2} from its nearest {nearest} {what} are within {median:.2}");
                Finding::new(FindingKind::FarText, vec![*id], self.column, (1.0 - score).clamp(0.0, 1.0), reason)
            })
            .collect()
    }

    /// Those beyond the fence of their class; classes of few are left alone, for there none is far.
    fn far_of_classes(
        &self,
        dataset: &Dataset,
        label: usize,
        own: &Dense,
        options: &Options,
        progress: &Progress,
    ) -> Result<Vec<Finding>, Cancelled> {
        let classes = ClassIndex::build(dataset, label, progress)?;
        let mut places: Vec<Vec<usize>> = vec![Vec::new(); classes.names().len()];
        for (place, id) in self.ids.iter().enumerate() {
            classes.of(*id).iter().for_each(|class| places[*class as usize].push(place));
        }
        let mut found = Vec::new();
        for (class, places) in places.iter().enumerate().filter(|(_, places)| places.len() >= FEW) {
            let mut rows = Dense::zeros(places.len(), own.dims);
            places.iter().enumerate().for_each(|(row, place)| rows.row_mut(row).copy_from_slice(own.row(*place)));
            let queries: Vec<u32> = (0..places.len() as u32).collect();
            let near = nearest_of(&rows, &queries, NEIGHBOURS.min(places.len() - 1), &Progress::silent())?;
            progress.check()?;
            let ids: Vec<SampleId> = places.iter().map(|place| self.ids[*place]).collect();
            found.extend(Space { ids: &ids, ..*self }.far(&near, Some(&classes.names()[class]), options));
        }
        Ok(found)
    }
}

/// Samples that are joined by distances below a part of the median distance to the nearest.
fn groups(ids: &[SampleId], near: &[Vec<Neighbour>], part: f64, column: &str) -> Vec<Finding> {
    let mut nearest: Vec<f64> = near.iter().filter_map(|list| list.first().copied().map(away)).collect();
    nearest.sort_unstable_by(f64::total_cmp);
    if nearest.is_empty() {
        return Vec::new();
    }
    let bar = part * quantile(&nearest, 0.5).max(1e-6);
    let mut joined: Vec<u32> = (0..ids.len() as u32).collect();
    let mut pairs = Vec::new();
    for (list, row) in near.iter().zip(0u32..) {
        for other in list.iter().filter(|other| away(**other) < bar) {
            let (a, b) = (root(&mut joined, row), root(&mut joined, other.row));
            joined[a.max(b) as usize] = a.min(b);
            if row < other.row || !near[other.row as usize].iter().any(|back| back.row == row) {
                pairs.push((row.min(other.row), row.max(other.row), other.likeness));
            }
        }
    }
    let mut members: std::collections::BTreeMap<u32, Vec<u32>> = std::collections::BTreeMap::new();
    (0..ids.len() as u32).for_each(|row| members.entry(root(&mut joined, row)).or_default().push(row));
    members.retain(|_, group| group.len() > 1);
    let mut of: std::collections::BTreeMap<u32, Vec<(SampleId, SampleId, f32)>> = std::collections::BTreeMap::new();
    for (a, b, likeness) in pairs {
        of.entry(root(&mut joined, a)).or_default().push((ids[a as usize], ids[b as usize], likeness));
    }
    members
        .into_iter()
        .map(|(first, group)| {
            let samples: Vec<SampleId> = group.iter().map(|row| ids[*row as usize]).collect();
            let reason = format!(
                "{} that say nearly the same: within {bar:.4} of each other, where the nearest is usually farther",
                count(samples.len())
            );
            let finding = Finding::new(FindingKind::NearMeaning, samples, column, 0.35, reason);
            Finding { check: Check::TextOutliers, alike: of.remove(&first).unwrap_or_default(), ..finding }
        })
        .collect()
}
