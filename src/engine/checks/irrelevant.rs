//! Texts that are not of the domain which somebody marked with a tag: by DSIR's weight, the mean a gram. What the domain itself weighs says where the border is: it is cut in
//! two, and each half is weighed by the other.

use super::duplicates::looked_at;
use super::figures::quantile;
use super::options::{CheckOption, Options};
use super::{CheckInput, Finding, FindingKind};
use crate::data::{SampleId, count_samples};
use crate::derive::TextOf;
use crate::job::{Cancelled, Progress};
use crate::learn::dsir::Hashed;

const BORDER: CheckOption = CheckOption {
    flag: "--border",
    label: "border",
    help: "a text is irrelevant that weighs less than this part of the domain's own texts do",
    kinds: &[FindingKind::Irrelevant],
    choices: &[],
    least: 0.0,
    most: 0.5,
    usual: 0.05,
};

/// What can be moved.
pub const OPTIONS: [CheckOption; 1] = [BORDER];

/// The tag that marks the domain.
pub const DOMAIN: &str = "domain";
/// Of fewer samples no domain is learned.
const FEW: usize = 8;

/// Looks for them: the nearest to the border first, for they are what is to be decided.
///
/// # Errors
/// [`Cancelled`].
pub fn run(input: &CheckInput<'_>, options: &Options, progress: &Progress) -> Result<Vec<Finding>, Cancelled> {
    let dataset = input.dataset;
    let Ok(text) = TextOf::of(dataset, None) else { return Ok(Vec::new()) };
    let domain: Vec<SampleId> = looked_at(dataset).filter(|id| dataset.has_tag(DOMAIN, *id)).collect();
    if domain.len() < FEW {
        return Ok(Vec::new());
    }
    let hashed = Hashed::default();
    let read = |id: &SampleId| text.read(dataset, *id).into_owned();
    let weigh = |of: &[String]| hashed.weigh(dataset.extent(), &|row| text.read(dataset, SampleId::at(row)), of, progress);
    let half = |odd: usize| -> Vec<String> { domain.iter().skip(odd).step_by(2).map(read).collect() };
    let halves = [weigh(&half(0))?, weigh(&half(1))?];
    // A sample of one half is weighed by the other.
    let mut own: Vec<f64> = domain.iter().enumerate().map(|(at, id)| halves[1 - at % 2][id.row()].mean()).collect();
    own.sort_unstable_by(f64::total_cmp);
    let border = quantile(&own, options.get(&BORDER));
    let spread = (quantile(&own, 0.75) - quantile(&own, 0.25)).max(0.1);
    let column = &dataset.fields()[text.fields[0]].name;
    let mut found = Vec::new();
    for id in looked_at(dataset).filter(|id| !dataset.has_tag(DOMAIN, *id)) {
        let weight = f64::midpoint(halves[0][id.row()].mean(), halves[1][id.row()].mean());
        if weight < border && halves[0][id.row()].grams > 0 {
            let below = (border - weight) / spread;
            let reason =
                format!("{weight:.2} a gram, where {} of the domain weigh {border:.2} and more", count_samples(domain.len()));
            found.push(Finding::new(FindingKind::Irrelevant, vec![id], column, 0.4 + 0.5 / (1.0 + below), reason));
        }
    }
    found.sort_by(|a, b| b.severity.total_cmp(&a.severity).then_with(|| a.samples.cmp(&b.samples)));
    Ok(found)
}
