//! Several people's labels: how far they agree, who is seldom right, and the samples that they do not agree on.

use super::options::Options;
use super::{CheckInput, Finding, FindingKind};
use crate::data::SampleId;
use crate::derive::{annotators_of, votes_of};
use crate::job::{Cancelled, Progress};

/// Below this agreement labels are doubtful (Krippendorff, 2004: 0.667 at the least for tentative conclusions, 0.8 for firm ones).
const DOUBTFUL: f64 = 0.667;
/// Below this agreement columns are not of the same thing.
const OF_ONE_THING: f64 = 0.2;
/// An annotator is poor who is right so much less often than the others are in the middle.
const BELOW: f64 = 0.15;
/// A label is in dispute whose probability, once everybody is weighed, is below this.
const SURE: f64 = 0.7;

/// Looks for them.
///
/// # Errors
/// [`Cancelled`].
pub fn run(input: &CheckInput<'_>, _: &Options, progress: &Progress) -> Result<Vec<Finding>, Cancelled> {
    let dataset = input.dataset;
    let mut found = Vec::new();
    for fields in annotators_of(dataset) {
        progress.check()?;
        let Some(read) = votes_of(dataset, &fields) else { continue };
        let names: Vec<&str> = fields.iter().map(|field| &*dataset.fields()[*field].name).collect();
        let consensus = read.votes.dawid_skene(progress)?;
        // Columns that agree no more than by chance say different things: they are flags, and no votes.
        let Some(alpha) = read.votes.krippendorff().filter(|alpha| *alpha >= OF_ONE_THING) else { continue };
        let how = match alpha {
            alpha if alpha >= 0.8 => "they agree well",
            alpha if alpha >= DOUBTFUL => "they agree, with doubts",
            _ => "they agree little: the classes or the guideline are not clear, or somebody guesses",
        };
        let severity = (0.9 - alpha * 0.8).clamp(0.05, 0.9);
        let reason = format!("{} label the same samples; Krippendorff's alpha {alpha:.3}: {how}", names.join(", "));
        found.push(Finding::new(FindingKind::Agreement, Vec::new(), names[0], severity, reason));
        let mut right: Vec<f64> = consensus.annotators.iter().copied().filter(|value| value.is_finite()).collect();
        right.sort_unstable_by(f64::total_cmp);
        let middle = right.get(right.len() / 2).copied().unwrap_or(1.0);
        for (name, right) in names.iter().zip(&consensus.annotators) {
            if fields.len() > 2 && *right < middle - BELOW {
                let reason = format!(
                    "right {:.0} % of the time, where the one in the middle is {:.0} %, once all are weighed (Dawid and Skene)",
                    right * 100.0,
                    middle * 100.0
                );
                found.push(Finding::new(FindingKind::PoorAnnotator, Vec::new(), name, 0.5 + (middle - right) / 2.0, reason));
            }
        }
        for row in 0..read.votes.rows() {
            let id = SampleId::at(row);
            let votes = read.votes.row(row);
            let mut given: Vec<u32> = votes.iter().flatten().copied().collect();
            let all = given.len();
            given.sort_unstable();
            given.dedup();
            let Some(label) = consensus.label[row] else { continue };
            let quality = consensus.quality[row];
            if given.len() < 2 || quality >= SURE || dataset.is_excluded(id) {
                continue;
            }
            let said: Vec<String> = given
                .iter()
                .map(|class| {
                    format!(
                        "{} {}",
                        read.classes[*class as usize],
                        votes.iter().flatten().filter(|vote| **vote == *class).count()
                    )
                })
                .collect();
            let name = read.classes[label as usize].clone();
            let reason = format!("{all} votes: {}; {name} with {:.0} % once all are weighed", said.join(", "), quality * 100.0);
            found.push(Finding::new(FindingKind::Dispute, vec![id], names[0], 1.0 - quality, reason).with_suggestion(Some(name)));
        }
    }
    found.sort_by(|a, b| b.severity.total_cmp(&a.severity));
    Ok(found)
}
