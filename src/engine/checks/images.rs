//! What is wrong with pictures: unreadable, dark, bright, blurry, saying little, of odd size or shape, grey among colour, copies,
//! unlike all others. From what was seen of each ([`Look`]); reads no file.
//!
//! Scores and thresholds are `CleanVision`'s (0.3, `image_property_issue_manager.py`), outliers cleanlab's (`outlier.py`, cosine,
//! ten neighbours, flagged beyond the third quartile and 1.7 interquartile ranges).

use std::collections::HashMap;
use std::sync::Arc;

use super::figures::{quantile, show};
use super::options::{CheckOption, Options};
use super::{Check, CheckInput, Finding, FindingKind};
use crate::data::{Dataset, SampleId};
use crate::job::{Cancelled, Progress};
use crate::learn::dense::Dense;
use crate::learn::neighbours::nearest_of;
use crate::pixels::{Header, Look, Measures, Trouble, Twins, twins};

const fn option(
    flag: &'static str,
    label: &'static str,
    help: &'static str,
    kinds: &'static [FindingKind],
    range: (f64, f64),
    usual: f64,
) -> CheckOption {
    CheckOption { flag, label, help, kinds, choices: &[], least: range.0, most: range.1, usual }
}

const DARK: CheckOption = option(
    "--dark",
    "dark",
    "an image is dark whose brightest hundredth is below this",
    &[FindingKind::DarkImage],
    (0.0, 1.0),
    0.32,
);
const LIGHT: CheckOption = option(
    "--bright",
    "bright",
    "bright, where the darkest twentieth is within this of white",
    &[FindingKind::BrightImage],
    (0.0, 0.5),
    0.05,
);
const BLURRY: CheckOption =
    option("--blurry", "blurry", "blurry, where the sharpness is below this", &[FindingKind::BlurryImage], (0.0, 1.0), 0.29);
const INFORMATION: CheckOption = option(
    "--information",
    "says little",
    "where a tenth of the entropy in bits is below this",
    &[FindingKind::LowInformation],
    (0.0, 1.0),
    0.3,
);
const RATIO: CheckOption = option(
    "--shape",
    "shape",
    "odd, where the shorter side is less than this part of the longer",
    &[FindingKind::OddShape],
    (0.0, 1.0),
    0.35,
);
const SIZE: CheckOption =
    option("--size", "size", "odd beyond this many interquartile ranges", &[FindingKind::OddSize], (0.5, 10.0), 3.0);

/// Where flagging begins.
pub const OPTIONS: [CheckOption; 6] = [DARK, LIGHT, BLURRY, INFORMATION, RATIO, SIZE];

/// What was seen of every picture of a dataset, and what needs all of them at once.
#[derive(Debug, Clone, PartialEq)]
pub struct Scan {
    /// The column of pictures.
    pub column: String,
    /// One a sample.
    pub looks: Arc<Vec<Look>>,
    /// The built-in embedding, a row a sample.
    pub appearance: Arc<Dense>,
    /// Copies.
    pub twins: Twins,
    /// Pictures unlike their nearest: row, and how many times the usual distance away they are.
    pub far: Vec<(u32, f32)>,
}

/// Neighbours that an outlier is held against.
const NEAREST: usize = 10;
/// The most pictures among which outliers are looked for: all pairs are a product of that many rows and columns.
const MOST_FAR: usize = 60_000;
/// The fewest.
const FEWEST: usize = 30;

impl Scan {
    /// Works out copies and outliers from looks.
    ///
    /// # Errors
    /// [`Cancelled`].
    pub fn new(
        dataset: &Dataset,
        field: usize,
        looks: Vec<Look>,
        appearance: Dense,
        progress: &Progress,
    ) -> Result<Self, Cancelled> {
        let skip = |row: usize| dataset.is_excluded(SampleId::at(row)) || dataset.is_made(SampleId::at(row));
        let twins = twins(&looks, skip, progress)?;
        let column = dataset.fields()[field].name.to_string();
        let appearance = Arc::new(appearance);
        let scan = Self { column, looks: Arc::new(looks), appearance: Arc::clone(&appearance), twins, far: Vec::new() };
        scan.seen_by(dataset, &appearance, progress)
    }
}

impl Scan {
    /// The same, with outliers by another embedding: a row a sample, of length 1.
    ///
    /// # Errors
    /// [`Cancelled`].
    pub fn seen_by(&self, dataset: &Dataset, embedding: &Dense, progress: &Progress) -> Result<Self, Cancelled> {
        let seen = |row: &usize| self.looks[*row].has_pixels() && !dataset.is_excluded(SampleId::at(*row));
        let rows: Vec<u32> = (0..self.looks.len()).filter(seen).map(|row| row as u32).collect();
        let far = if (FEWEST..=MOST_FAR).contains(&rows.len()) { far(embedding, &rows, progress)? } else { Vec::new() };
        Ok(Self { far, ..self.clone() })
    }
}

/// Rows whose mean distance to their ten nearest is far beyond the usual.
fn far(appearance: &Dense, rows: &[u32], progress: &Progress) -> Result<Vec<(u32, f32)>, Cancelled> {
    progress.set_total(rows.len() as u64);
    // Among these alone: what has no pixels, or is excluded, is no neighbour.
    let mut among = Dense::zeros(rows.len(), appearance.dims);
    rows.iter().enumerate().for_each(|(at, row)| among.row_mut(at).copy_from_slice(appearance.row(*row as usize)));
    let all: Vec<u32> = (0..rows.len() as u32).collect();
    let near = nearest_of(&among, &all, NEAREST, progress)?;
    let distances: Vec<f64> = near
        .iter()
        .map(|list| list.iter().map(|found| f64::from((1.0 - found.likeness).max(0.0))).sum::<f64>() / list.len().max(1) as f64)
        .collect();
    let mut sorted = distances.clone();
    sorted.sort_unstable_by(f64::total_cmp);
    let (q1, q3) = (quantile(&sorted, 0.25), quantile(&sorted, 0.75));
    let (usual, border) = (quantile(&sorted, 0.5).max(1e-12), q3 + (1.0 / 0.370_37 - 1.0) * (q3 - q1));
    Ok(rows.iter().zip(&distances).filter(|(_, far)| **far > border).map(|(row, far)| (*row, (far / usual) as f32)).collect())
}

/// Whether a sample's pictures are looked at: it is there, and not excluded.
fn is_kept(dataset: &Dataset, row: usize) -> bool {
    row < dataset.rows() && !dataset.is_excluded(SampleId::at(row))
}

/// Pictures that are missing, broken, dark, bright, blurry, empty, or of odd size, shape or colour.
///
/// # Errors
/// [`Cancelled`].
pub fn pictures(input: &CheckInput<'_>, options: &Options, progress: &Progress) -> Result<Vec<Finding>, Cancelled> {
    let (Some(scan), dataset) = (input.scan, input.dataset) else { return Ok(Vec::new()) };
    let Some(field) = dataset.field(&scan.column) else { return Ok(Vec::new()) };
    progress.set_total(scan.looks.len() as u64);
    let mut found = ImageFindings { column: scan.column.clone(), list: Vec::new() };
    let kept = |(row, _): &(usize, &Look)| is_kept(dataset, *row);
    let usual = Usual::of(scan.looks.iter().enumerate().filter(kept).map(|(_, look)| look));
    for (row, look) in scan.looks.iter().enumerate().filter(kept) {
        progress.step(1)?;
        let id = SampleId::at(row);
        found.of_file(id, look, &dataset.text(field, id).unwrap_or_default());
        if let Some(header) = look.header.as_ref().filter(|_| look.has_pixels()) {
            found.of_measures(id, header, &look.measures, options);
            found.of_others(id, header, &look.measures, &usual, options);
        }
    }
    Ok(found.list)
}

/// Pictures that are there more than once, or nearly.
///
/// # Errors
/// [`Cancelled`].
pub fn copies(input: &CheckInput<'_>, _: &Options, progress: &Progress) -> Result<Vec<Finding>, Cancelled> {
    let (Some(scan), dataset) = (input.scan, input.dataset) else { return Ok(Vec::new()) };
    let Some(field) = dataset.field(&scan.column) else { return Ok(Vec::new()) };
    progress.check()?;
    let mut found = ImageFindings { column: scan.column.clone(), list: Vec::new() };
    found.of_copies(dataset, field, scan);
    Ok(found.list)
}

/// Pictures like no other.
///
/// # Errors
/// [`Cancelled`].
pub fn outliers(input: &CheckInput<'_>, _: &Options, progress: &Progress) -> Result<Vec<Finding>, Cancelled> {
    let (Some(scan), dataset) = (input.scan, input.dataset) else { return Ok(Vec::new()) };
    progress.check()?;
    let mut found = ImageFindings { column: scan.column.clone(), list: Vec::new() };
    for (row, times) in scan.far.iter().filter(|(row, _)| is_kept(dataset, *row as usize)) {
        let reason = format!("its ten nearest are {times:.1} times as far away as is usual: it is like no other");
        let severity = (1.0 - 0.5 / f64::from(*times)).clamp(0.3, 0.9);
        found.put(Check::ImageOutliers, FindingKind::FarImage, vec![SampleId(*row)], severity, reason);
    }
    Ok(found.list)
}

/// What the pictures of a dataset are like as a whole.
struct Usual {
    /// Quartiles of their sides, where there are enough to have any.
    sides: Option<(f64, f64, f64)>,
    greys: usize,
    seen: usize,
}

impl Usual {
    fn of<'l>(looks: impl Iterator<Item = &'l Look>) -> Self {
        let (mut sides, mut greys, mut seen) = (Vec::new(), 0, 0);
        for look in looks.filter(|look| look.has_pixels()) {
            seen += 1;
            greys += usize::from(look.measures.grey);
            sides.extend(look.header.as_ref().map(side));
        }
        sides.sort_unstable_by(f64::total_cmp);
        let quartiles = || (quantile(&sides, 0.25), quantile(&sides, 0.5), quantile(&sides, 0.75));
        Self { sides: (sides.len() >= 8).then(quartiles), greys, seen }
    }
}

/// Findings of one column of pictures, as they are gathered.
struct ImageFindings {
    column: String,
    list: Vec<Finding>,
}

impl ImageFindings {
    fn put(&mut self, check: Check, kind: FindingKind, samples: Vec<SampleId>, severity: f64, reason: String) {
        self.list.push(Finding { check, ..Finding::new(kind, samples, &self.column, severity, reason) });
    }

    fn one(&mut self, id: SampleId, kind: FindingKind, severity: f64, reason: String) {
        self.put(Check::Images, kind, vec![id], severity, reason);
    }

    /// What is wrong with a picture's file.
    fn of_file(&mut self, id: SampleId, look: &Look, name: &str) {
        if let Some(trouble) = &look.trouble {
            let kind = match trouble {
                Trouble::NoPath | Trouble::Missing => FindingKind::MissingImage,
                Trouble::Refused(_) => FindingKind::RefusedPath,
                Trouble::Huge { .. } => FindingKind::HugeImage,
                _ => FindingKind::BrokenImage,
            };
            self.one(id, kind, if kind == FindingKind::HugeImage { 0.9 } else { 1.0 }, trouble.to_string());
        }
        if look.torn {
            self.one(id, FindingKind::BrokenImage, 0.95, "it is torn: the file ends before the picture does".to_owned());
        }
        if let Some((says, is)) = look.misnamed(name) {
            let reason = format!("its name says {} and it is {}", says.title(), is.title());
            self.one(id, FindingKind::WrongEnding, 0.3, reason);
        }
        if let Some(header) = look.header.as_ref().filter(|header| look.has_pixels() && header.frames > 1) {
            let reason = format!("it holds {} pictures; the first is shown and learned from", header.frames);
            self.one(id, FindingKind::Animated, 0.35, reason);
        }
    }

    /// What stands out in a picture by itself.
    fn of_measures(&mut self, id: SampleId, header: &Header, m: &Measures, options: &Options) {
        let (wide, high) = header.upright();
        let ratio = f64::from(wide.min(high)) / f64::from(wide.max(high));
        let at = |option: &CheckOption| options.get(option);
        let all = [
            (
                FindingKind::DarkImage,
                m.dark,
                at(&DARK),
                format!("its brightest hundredth reaches {:.2} of 1 (below {:.2} is dark)", m.dark, at(&DARK)),
            ),
            (
                FindingKind::BrightImage,
                m.light,
                at(&LIGHT),
                format!("its darkest twentieth is at {:.2} of 1: nearly all of it is white", 1.0 - m.light),
            ),
            (
                FindingKind::LowInformation,
                m.information,
                at(&INFORMATION),
                format!("{:.1} bits of entropy: hardly anything is on it", m.information * 10.0),
            ),
            (
                FindingKind::BlurryImage,
                m.sharpness,
                at(&BLURRY),
                format!("sharpness {:.2} (below {:.2} is blurry)", m.sharpness, at(&BLURRY)),
            ),
            (
                FindingKind::OddShape,
                ratio as f32,
                at(&RATIO),
                format!("{wide} × {high} pixels: one side is {:.1} times the other", 1.0 / ratio),
            ),
        ];
        for (kind, score, least, words) in all {
            let score = f64::from(score);
            if score < least {
                self.one(id, kind, 0.5 + 0.45 * (1.0 - score / least), words);
            }
        }
    }

    /// What stands out in a picture among the others.
    fn of_others(&mut self, id: SampleId, header: &Header, m: &Measures, usual: &Usual, options: &Options) {
        let (wide, high) = header.upright();
        if let Some((q1, median, q3)) = usual.sides {
            let (side, reach) = (side(header), options.get(&SIZE) * (q3 - q1));
            let times = if side > median { side / median } else { median / side };
            // A pixel more or less among pictures of one size is no finding.
            if (side < q1 - reach || side > q3 + reach) && times >= 1.1 {
                let than = if side > median { "larger" } else { "smaller" };
                let reason =
                    format!("{wide} × {high} pixels, {times:.1} times {than} a side than the usual {}", show(median.round()));
                self.one(id, FindingKind::OddSize, (1.0 - 0.5 / times).clamp(0.5, 0.95), reason);
            }
        }
        if m.grey && usual.greys * 2 < usual.seen {
            let (coloured, seen) = (show((usual.seen - usual.greys) as f64), show(usual.seen as f64));
            self.one(id, FindingKind::GreyImage, 0.4, format!("grey, and {coloured} of {seen} are in colour"));
        }
    }

    /// Pictures that are there more than once, or nearly.
    fn of_copies(&mut self, dataset: &Dataset, field: usize, scan: &Scan) {
        let left = |rows: &[u32]| -> Vec<SampleId> {
            rows.iter().copied().map(SampleId).filter(|id| is_kept(dataset, id.row())).collect()
        };
        for rows in &scan.twins.same {
            let samples = left(rows);
            if samples.len() > 1 {
                let names = first_names(dataset, field, &samples);
                let reason = format!("{} samples have the same file, byte for byte: {names}", samples.len());
                self.put(Check::ImageCopies, FindingKind::SameImage, samples, 0.85, reason);
            }
        }
        let same: HashMap<u32, &Vec<u32>> = scan.twins.same.iter().map(|rows| (rows[0], rows)).collect();
        for (rows, likeness) in &scan.twins.near {
            let samples = left(rows);
            if samples.len() > 1 && same.get(&rows[0]).is_none_or(|same| same.len() != rows.len()) {
                let names = first_names(dataset, field, &samples);
                let reason = format!("{} samples are nearly the same picture, likeness {likeness:.3}: {names}", samples.len());
                self.put(Check::ImageCopies, FindingKind::NearImage, samples, 0.7 + 0.1 * f64::from(*likeness), reason);
            }
        }
    }
}

/// The side of a square of as many pixels.
fn side(header: &Header) -> f64 {
    (f64::from(header.width) * f64::from(header.height)).sqrt()
}

fn first_names(dataset: &Dataset, field: usize, samples: &[SampleId]) -> String {
    let mut names: Vec<String> =
        samples.iter().take(3).map(|id| dataset.text(field, *id).unwrap_or_default().into_owned()).collect();
    if samples.len() > 3 {
        names.push("…".to_owned());
    }
    names.join(", ")
}
