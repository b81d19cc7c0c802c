//! Outliers: numbers and text lengths far from the rest, rare classes, empty cells.
//!
//! Numbers by the modified z-score (Iglewicz and Hoaglin, 1993: `0.6745 (x − median) / MAD`, 3.5; where the MAD is 0, by the
//! mean absolute deviation, `(x − median) / (1.2533 MeanAD)`), and by fences `Q1 − k IQR` and `Q3 + k IQR` (Hoaglin and
//! Iglewicz, 1987: `k` = 2.2 suits what Tukey's 1.5 flags too often). Lengths likewise, on their logarithm, because lengths are
//! skewed; a length within a factor of two of the median is never odd. A class is rare below a tenth of an even share (cleanlab's rule).

use super::figures::{quantile, show};
use super::options::{CheckOption, Options};
use super::{Check, CheckInput, Finding, FindingKind};
use crate::data::{ClassIndex, Dataset, Measure, Role, SampleId, values};
use crate::job::{Cancelled, Progress};

const Z: CheckOption = CheckOption {
    flag: "--z",
    label: "robust z",
    help: "flag beyond this robust z-score: how far from the median, in units of the usual deviation",
    kinds: &[FindingKind::Number, FindingKind::Length],
    choices: &[],
    least: 1.0,
    most: 12.0,
    usual: 3.5,
};
const FENCE: CheckOption = CheckOption {
    flag: "--fence",
    label: "fences",
    help: "flag beyond this many interquartile ranges from the quartiles",
    kinds: &[FindingKind::Number, FindingKind::Length],
    choices: &[],
    least: 0.5,
    most: 10.0,
    usual: 2.2,
};
const RARE: CheckOption = CheckOption {
    flag: "--rare",
    label: "rare class",
    help: "a class is rare below this part of an even share",
    kinds: &[FindingKind::RareClass],
    choices: &[],
    least: 0.01,
    most: 1.0,
    usual: 0.1,
};

/// Where flagging begins. Raising one of the first two finds less.
pub const OPTIONS: [CheckOption; 3] = [Z, FENCE, RARE];

/// Where flagging begins, as it was asked for.
struct Thresholds {
    /// The least modified z-score, for numbers and lengths.
    z: f64,
    /// How many interquartile ranges beyond the quartiles.
    fence: f64,
    /// A class is rare below this part of an even share, 0 to 1.
    rare: f64,
}

impl Thresholds {
    fn of(options: &Options) -> Self {
        Self { z: options.get(&Z), fence: options.get(&FENCE), rare: options.get(&RARE) }
    }
}

/// Runs the check over the samples of the source that are not excluded. Findings come worst first; ties in the order of columns and samples.
///
/// # Errors
/// [`Cancelled`].
pub fn run(input: &CheckInput<'_>, options: &Options, progress: &Progress) -> Result<Vec<Finding>, Cancelled> {
    let (dataset, thresholds) = (input.dataset, &Thresholds::of(options));
    let ids: Vec<SampleId> = dataset.samples().filter(|id| !dataset.is_excluded(*id) && !dataset.is_made(*id)).collect();
    let mut findings = Vec::new();
    progress.set_total(dataset.fields().len() as u64);
    for (field, column) in dataset.fields().iter().enumerate() {
        match column.role {
            Role::Label | Role::Labels(_) => rare_classes(dataset, field, thresholds, &mut findings)?,
            Role::Id | Role::Group | Role::Split => {}
            _ if column.kind.is_numeric() => {
                let list = values(dataset, field, Measure::Value, &ids);
                far(&list, thresholds, &column.name, FindingKind::Number, &mut findings);
                let is_number = |text: &str| column.kind.number(text).is_some();
                odd_cells(dataset, field, &ids, FindingKind::OddCell, &is_number, &mut findings);
            }
            Role::Text | Role::Messages => {
                // Empty cells are a finding of their own; counted as lengths they would make every filled one odd.
                let mut list = values(dataset, field, Measure::Characters, &ids);
                list.retain(|(_, length)| *length > 0.0);
                far(&list, thresholds, &column.name, FindingKind::Length, &mut findings);
                if column.role == Role::Messages {
                    odd_cells(dataset, field, &ids, FindingKind::NoChat, &is_chat, &mut findings);
                }
            }
            _ => {}
        }
        empty_cells(dataset, field, &ids, &mut findings);
        progress.step(1)?;
    }
    findings.sort_by(|a, b| b.severity.total_cmp(&a.severity).then_with(|| a.samples.first().cmp(&b.samples.first())));
    Ok(findings)
}

/// The samples whose number in a column is far from the rest.
pub(super) fn far_numbers(dataset: &Dataset, field: usize, ids: &[SampleId], options: &Options) -> Vec<SampleId> {
    let mut found = Vec::new();
    far(&values(dataset, field, Measure::Value, ids), &Thresholds::of(options), "", FindingKind::Number, &mut found);
    found.into_iter().flat_map(|finding| finding.samples).collect()
}

/// The fewest values from which "far" means anything.
const FEWEST: usize = 8;

fn far(list: &[(SampleId, f64)], thresholds: &Thresholds, column: &str, kind: FindingKind, findings: &mut Vec<Finding>) {
    far_on(list, thresholds, column, kind, kind == FindingKind::Length, findings);
}

/// Likewise, on a logarithmic scale where `log` says so.
fn far_on(
    list: &[(SampleId, f64)],
    thresholds: &Thresholds,
    column: &str,
    kind: FindingKind,
    log: bool,
    findings: &mut Vec<Finding>,
) {
    if list.len() < FEWEST {
        return;
    }
    let scale = |value: f64| if log { value.ln_1p() } else { value };
    let mut sorted: Vec<f64> = list.iter().map(|(_, value)| scale(*value)).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let (q1, median, q3) = (quantile(&sorted, 0.25), quantile(&sorted, 0.5), quantile(&sorted, 0.75));
    if q1 == q3 {
        // Most values are one and the same (votes, counts of rare things): the others are many, and far only from each other.
        let others: Vec<(SampleId, f64)> = list.iter().copied().filter(|(_, value)| scale(*value) != median).collect();
        if others.len() >= FEWEST && others.len() * 100 > list.len() {
            let log = others.iter().all(|(_, value)| *value >= 0.0);
            return far_on(&others, thresholds, column, kind, log, findings);
        }
    }
    // Incomes, prices, counts: what is far on a scale of differences is as usual on one of ratios. Where the middle half says that they are of
    // that kind, they are looked at so.
    if !log && sorted[0] >= 0.0 {
        let ratios = [q1, median, q3].map(f64::ln_1p);
        let (plain, by_ratio) = (lopsided([q1, median, q3]), lopsided(ratios));
        if plain > LOPSIDED && by_ratio.abs() < plain {
            return far_on(list, thresholds, column, kind, true, findings);
        }
    }
    let mut deviations: Vec<f64> = sorted.iter().map(|value| (value - median).abs()).collect();
    let mean_deviation = deviations.iter().sum::<f64>() / deviations.len() as f64;
    deviations.sort_unstable_by(f64::total_cmp);
    let mad = quantile(&deviations, 0.5);
    let z_of = |value: f64| match (mad > 0.0, mean_deviation > 0.0) {
        (true, _) => 0.6745 * (value - median) / mad,
        (false, true) => (value - median) / (1.253_314 * mean_deviation),
        _ => 0.0,
    };
    let iqr = q3 - q1;
    let beyond = |value: f64| if iqr > 0.0 { (q1 - value).max(value - q3) / iqr } else { 0.0 };
    let back = |value: f64| match (log, kind) {
        (true, FindingKind::Length) => value.exp_m1().round(),
        (true, _) => value.exp_m1(),
        _ => value,
    };
    for (id, value) in list {
        let scaled = scale(*value);
        let (z, fences) = (z_of(scaled), beyond(scaled));
        let excess = (z.abs() / thresholds.z).max(fences / thresholds.fence);
        // Texts of nearly one length differ by a letter and stand far out by any measure of spread: that is no finding.
        let alike = kind == FindingKind::Length && (scaled - median).abs() < std::f64::consts::LN_2;
        // Strictly beyond: a threshold is the last value that passes.
        if alike || excess <= 1.0 || excess.is_nan() {
            continue;
        }
        let side = if scaled < median { "below" } else { "above" };
        let what = match kind {
            FindingKind::Length => format!("{} characters", show(*value)),
            _ => show(*value),
        };
        let reason = format!(
            "{what}: far {side} the middle half, {} to {} (robust z {:.1}, {:.1} interquartile ranges beyond)",
            show(back(q1)),
            show(back(q3)),
            z,
            fences.max(0.0)
        );
        let severity = 1.0 - 0.5 / excess;
        findings.push(Finding {
            check: Check::Outliers,
            kind,
            samples: vec![*id],
            column: column.to_owned(),
            severity,
            reason,
            suggestion: None,
            alike: Vec::new(),
        });
    }
}

/// Bowley's skewness of the middle half, -1 to 1: how much farther the third quartile is from the median than the first is.
fn lopsided([q1, median, q3]: [f64; 3]) -> f64 {
    if q3 > q1 { (q3 + q1 - 2.0 * median) / (q3 - q1) } else { 0.0 }
}

/// Beyond this, numbers that are never negative are looked at by their ratios: a normal distribution has 0, an exponential one 0.26, a
/// logarithmic normal one with a deviation of 1 0.33.
const LOPSIDED: f64 = 0.3;

fn rare_classes(dataset: &Dataset, field: usize, thresholds: &Thresholds, findings: &mut Vec<Finding>) -> Result<(), Cancelled> {
    let index = ClassIndex::build(dataset, field, &Progress::silent())?;
    let total: u64 = index.counts().iter().sum();
    let classes = index.used() as f64;
    // A column of nearly as many classes as samples is no label: saying so of each class helps nobody.
    if classes < 2.0 || classes * 2.0 > total as f64 {
        return Ok(());
    }
    let share = total as f64 / classes;
    let column = dataset.fields()[field].name.to_string();
    let is_rare = |count: u64| {
        let alone = count == 1 && share >= 10.0 && thresholds.rare > 0.0;
        count > 0 && (alone || (count as f64) < thresholds.rare * share)
    };
    // One pass over the samples, however many classes are rare.
    let rare: Vec<bool> = index.counts().iter().map(|count| is_rare(*count)).collect();
    let mut members: Vec<Vec<SampleId>> = vec![Vec::new(); rare.len()];
    for id in dataset.samples().filter(|id| !dataset.is_excluded(*id)) {
        for class in index.of(id).iter().filter(|class| rare[**class as usize]) {
            members[*class as usize].push(id);
        }
    }
    for (class, samples) in members.into_iter().enumerate().filter(|(class, _)| rare[*class]) {
        let (name, count) = (&index.names()[class], index.counts()[class]);
        let has = if count == 1 { "1 sample".to_owned() } else { format!("{count} samples") };
        let reason = format!("{name:?} has {has}; an even share would be {}", show(share.round()));
        let severity = (1.0 - count as f64 / share).clamp(0.0, 1.0);
        findings.push(Finding {
            check: Check::Outliers,
            kind: FindingKind::RareClass,
            samples,
            column: column.clone(),
            severity,
            reason,
            suggestion: None,
            alike: Vec::new(),
        });
    }
    Ok(())
}

/// Whether a cell is a list of turns that say something.
fn is_chat(text: &str) -> bool {
    let Ok(turns) = serde_json::from_str::<Vec<serde_json::Value>>(text) else { return false };
    !turns.is_empty()
        && turns.iter().all(|turn| {
            let has = |name: &str| turn.get(name).is_some();
            has("role") && (has("content") || has("tool_calls")) || has("from") && has("value")
        })
}

/// Cells that are filled and not what their column holds.
fn odd_cells(
    dataset: &Dataset,
    field: usize,
    ids: &[SampleId],
    kind: FindingKind,
    fits: &dyn Fn(&str) -> bool,
    findings: &mut Vec<Finding>,
) {
    let odd = |id: &SampleId| dataset.text(field, *id).is_some_and(|text| !text.trim().is_empty() && !fits(&text));
    let samples: Vec<SampleId> = ids.iter().copied().filter(odd).collect();
    let Some(first) = samples.first() else { return };
    let cell = dataset.text(field, *first).unwrap_or_default();
    let shown: String = cell.chars().take(60).collect();
    let what = if kind == FindingKind::NoChat { "no list of turns with a role and a content" } else { "no number" };
    let reason = match samples.len() {
        1 => format!("{shown:?} is {what}; the other cells are"),
        n => format!("{} cells are {what}, the first {shown:?}", show(n as f64)),
    };
    findings.push(Finding {
        check: Check::Outliers,
        kind,
        samples,
        column: dataset.fields()[field].name.to_string(),
        severity: 0.9,
        reason,
        suggestion: None,
        alike: Vec::new(),
    });
}

fn empty_cells(dataset: &Dataset, field: usize, ids: &[SampleId], findings: &mut Vec<Finding>) {
    let column = &dataset.fields()[field];
    let samples: Vec<SampleId> =
        ids.iter().copied().filter(|id| dataset.text(field, *id).is_none_or(|text| text.trim().is_empty())).collect();
    if samples.is_empty() || samples.len() == ids.len() && !column.is_given() {
        return;
    }
    let share = samples.len() as f64 / ids.len() as f64;
    let needed = matches!(column.role, Role::Text | Role::Messages | Role::Label | Role::Labels(_) | Role::Image);
    let all = samples.len() == ids.len();
    let reason = match (all, samples.len()) {
        (true, _) => "every cell is empty".to_owned(),
        (_, 1) => "the cell is empty".to_owned(),
        (_, n) => format!("{} cells are empty, {:.1} % of all", show(n as f64), share * 100.0),
    };
    // An empty text or label is wrong, unless most are: then the column is one that may be left out. Elsewhere the fewer
    // cells are empty, the odder each is.
    let severity = if needed && share <= 0.5 { 0.95 } else { 0.1 + 0.4 * (1.0 - share) };
    findings.push(Finding {
        check: Check::Outliers,
        kind: FindingKind::Empty,
        samples,
        column: column.name.to_string(),
        severity,
        reason,
        suggestion: None,
        alike: Vec::new(),
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flagged(values: &[f64]) -> Vec<u32> {
        let list: Vec<_> = values.iter().enumerate().map(|(i, value)| (SampleId::at(i), *value)).collect();
        let mut findings = Vec::new();
        far(&list, &Thresholds::of(&Options::default()), "x", FindingKind::Number, &mut findings);
        findings.iter().map(|finding| finding.samples[0].0).collect()
    }

    #[test]
    fn finds_what_was_planted_and_is_quiet_on_clean_numbers() {
        let mut values: Vec<f64> = (0..200).map(|i| f64::from(i % 20)).collect();
        assert!(flagged(&values).is_empty());
        values[17] = 900.0;
        values[40] = -300.0;
        assert_eq!(flagged(&values), [17, 40]);
        // Where more than half are equal, the MAD is 0 and the mean deviation speaks.
        let mut flat = vec![5.0; 100];
        assert!(flagged(&flat).is_empty());
        flat[3] = 6.0;
        flat[9] = 500.0;
        assert_eq!(flagged(&flat), [9]);
        assert!(flagged(&[1.0, 1e9]).is_empty(), "too few to say");
        // Evenly spread over four powers of ten: none of them is far from the rest, but what is a thousand times the largest.
        let mut wide: Vec<f64> = (0..400).map(|i| 10.0_f64.powf(f64::from(i) / 100.0).round()).collect();
        assert!(flagged(&wide).is_empty());
        wide[7] = 1e10;
        assert_eq!(flagged(&wide), [7]);
    }

    #[test]
    fn quantiles_interpolate_like_numpy() {
        let sorted = [1.0, 2.0, 4.0, 8.0];
        assert!((quantile(&sorted, 0.25) - 1.75).abs() < 1e-12);
        assert!((quantile(&sorted, 0.5) - 3.0).abs() < 1e-12);
        assert!((quantile(&sorted, 0.75) - 5.0).abs() < 1e-12);
    }
}
