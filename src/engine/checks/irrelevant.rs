//! Texts that are not of the domain which somebody marked with a tag. What the domain itself scores says where the border is: it is cut in two, and each half is judged by the
//! other.

use super::duplicates::looked_at;
use super::figures::quantile;
use super::options::{CheckOption, Options};
use super::{CheckInput, Finding, FindingKind};
use crate::data::{SampleId, count_samples};
use crate::derive::{Relevance, RelevanceBy, TextOf, relevance_of, told_apart};
use crate::io::MeaningError;
use crate::job::{Cancelled, Progress};

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

const BY: CheckOption = CheckOption {
    flag: "--relevance-by",
    label: "by",
    help: "what texts are compared with the domain by: their words (DSIR's weight, the mean a gram), or what they mean",
    kinds: &[FindingKind::Irrelevant],
    choices: &["words", "meaning"],
    least: 0.0,
    most: 1.0,
    usual: 0.0,
};

/// What can be moved.
pub const OPTIONS: [CheckOption; 2] = [BORDER, BY];

/// The border, to be drawn and dragged.
pub const BORDER_OPTION: &CheckOption = &BORDER;
/// The tags that mark the domain, and what is not of it.
pub const DOMAIN: &str = "domain";
pub const NOT_DOMAIN: &str = "not domain";
/// Of fewer samples no domain is learned.
const FEW: usize = 8;

/// Looks for them: the nearest to the border first, for they are what is to be decided. Where some are marked as not of the domain, the border is where the two are told
/// apart best, and their meaning counts against.
///
/// # Errors
/// [`Cancelled`].
pub fn run(input: &CheckInput<'_>, options: &Options, progress: &Progress) -> Result<Vec<Finding>, Cancelled> {
    let dataset = input.dataset;
    let Ok(text) = TextOf::of(dataset, None) else { return Ok(Vec::new()) };
    let domain: Vec<SampleId> = looked_at(dataset).filter(|id| dataset.has_tag(DOMAIN, *id)).collect();
    let other: Vec<SampleId> = dataset.source_samples().filter(|id| dataset.has_tag(NOT_DOMAIN, *id)).collect();
    if domain.len() < FEW {
        return Ok(Vec::new());
    }
    let column = &dataset.fields()[text.fields[0]].name;
    let by = if options.choice(&BY) == 0 { RelevanceBy::Words } else { RelevanceBy::Meaning };
    let mut relevance = match relevance_of(dataset, &text, (&domain, &other), by, input.store, progress) {
        Ok(relevance) => relevance,
        Err(MeaningError::Cancelled) => return Err(Cancelled),
        Err(why) => {
            return Ok(vec![Finding::new(FindingKind::Irrelevant, Vec::new(), column, 0.1, format!("not looked for: {why}"))]);
        }
    };
    let own: Vec<f64> = relevance.own.iter().map(|score| f64::from(*score)).collect();
    if own.is_empty() {
        return Ok(Vec::new());
    }
    let against: Vec<f32> = other.iter().map(|id| relevance.scores[id.row()]).filter(|score| !score.is_nan()).collect();
    let told = if against.len() >= FEW { told_apart(&relevance.own, &against) } else { f32::NEG_INFINITY };
    let moved = options.get(&BORDER).total_cmp(&BORDER.usual).is_ne();
    let border = if told.is_finite() && !moved { f64::from(told) } else { quantile(&own, options.get(&BORDER)) };
    relevance.border = border as f32;
    let spread = (quantile(&own, 0.75) - quantile(&own, 0.25)).max(if by == RelevanceBy::Words { 0.1 } else { 0.01 });
    let unit = if by == RelevanceBy::Words { " a gram" } else { "" };
    let how = if told.is_finite() && !moved {
        format!("where what you marked as of the domain and not of it are told apart at {border:.2}")
    } else {
        format!("where {} of the domain score {border:.2} and more", count_samples(domain.len()))
    };
    let mut found = Vec::new();
    for id in looked_at(dataset).filter(|id| !dataset.has_tag(DOMAIN, *id) && !dataset.has_tag(NOT_DOMAIN, *id)) {
        let score = f64::from(relevance.scores[id.row()]);
        // What has no score is not below.
        if score < border {
            let below = (border - score) / spread;
            let reason = format!("{score:.2}{unit}, {how}");
            found.push(Finding::new(FindingKind::Irrelevant, vec![id], column, 0.4 + 0.5 / (1.0 + below), reason));
        }
    }
    found.sort_by(|a, b| b.severity.total_cmp(&a.severity).then_with(|| a.samples.cmp(&b.samples)));
    input.store.put(Relevance::key(), relevance);
    Ok(found)
}
