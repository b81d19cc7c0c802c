//! Several people's labels: how far they agree, who is seldom right, and the samples that they do not agree on.

use super::options::Options;
use super::{CheckInput, Finding, FindingKind};
use crate::data::{Dataset, Property, SampleId, things};
use crate::derive::{VotesOf, annotators_of, long_votes_of, votes_of, votes_of_long};
use crate::job::{Cancelled, Progress};

/// Below this agreement labels are doubtful (Krippendorff, 2004: 0.667 at the least for tentative conclusions, 0.8 for firm ones).
const DOUBTFUL: f64 = 0.667;
/// Below this agreement columns are not of the same thing.
const OF_ONE_THING: f64 = 0.2;
/// An annotator is poor who is right so much less often than the others are in the middle.
const BELOW: f64 = 0.15;
/// A label is in dispute whose probability, once everybody is weighed, is below this.
const SURE: f64 = 0.7;

/// Looks for them: in columns, one a person, or in a table with a row a vote.
///
/// # Errors
/// [`Cancelled`].
pub fn run(input: &CheckInput<'_>, _: &Options, progress: &Progress) -> Result<Vec<Finding>, Cancelled> {
    let dataset = input.dataset;
    let mut found = Vec::new();
    for fields in annotators_of(dataset) {
        progress.check()?;
        if let Some(read) = votes_of(dataset, &fields) {
            let (all, first) = (read.annotators.join(", "), read.annotators[0].clone());
            of_votes(dataset, &read, &format!("{all} label the same samples"), &first, &mut found, progress)?;
        }
    }
    if let Some(long) = long_votes_of(dataset)
        && let Some(read) = votes_of_long(dataset, long)
    {
        let name = |field: usize| &dataset.fields()[field].name;
        let words = format!(
            "a row a vote: {} of “{}” on {} of “{}”",
            things(read.annotators.len(), "annotator", "annotators"),
            name(long.annotator),
            things(read.votes.rows(), "task", "tasks"),
            name(long.task)
        );
        of_votes(dataset, &read, &words, name(long.label).as_ref(), &mut found, progress)?;
    }
    found.extend(with_oneself(dataset));
    found.sort_by(|a, b| b.severity.total_cmp(&a.severity));
    Ok(found)
}

/// What somebody said when they were shown samples once more: how far they agree with themselves, and where they do not.
fn with_oneself(dataset: &Dataset) -> Vec<Finding> {
    let mut found = Vec::new();
    let (same, all) = dataset.self_agreement();
    let Some(first) = dataset.properties().all(Property::SaidAgain).next().and_then(|(of, _)| of.first()) else { return found };
    let share = same as f64 / all as f64;
    let reason = format!("shown once more, {same} of {} got the same label again", things(all, "sample", "samples"));
    found.push(Finding::new(FindingKind::Agreement, Vec::new(), first, (0.9 - share * 0.85).clamp(0.05, 0.9), reason));
    for (of, both) in dataset.properties().all(Property::SaidAgain) {
        let (Some(column), Some(row)) = (of.first(), of.get(1).and_then(|row| row.parse::<u32>().ok())) else { continue };
        let Ok([before, again]) = serde_json::from_str::<[String; 2]>(both) else { continue };
        if before != again && (row as usize) < dataset.extent() && !dataset.is_excluded(SampleId(row)) {
            let reason = format!("you said {before} at first, and {again} when it was shown once more");
            let finding = Finding::new(FindingKind::Dispute, vec![SampleId(row)], column, 0.7, reason);
            found.push(finding.with_suggestion(Some(again)));
        }
    }
    found
}

/// What votes say. `column` is what is said of it all; of a person who has a column, that is said of theirs.
fn of_votes(
    dataset: &Dataset,
    read: &VotesOf,
    who: &str,
    column: &str,
    found: &mut Vec<Finding>,
    progress: &Progress,
) -> Result<(), Cancelled> {
    let consensus = read.votes.dawid_skene(progress)?;
    // Columns that agree no more than by chance say different things: they are flags, and no votes.
    let Some(alpha) = read.votes.krippendorff().filter(|alpha| *alpha >= OF_ONE_THING) else { return Ok(()) };
    let how = match alpha {
        alpha if alpha >= 0.8 => "they agree well",
        alpha if alpha >= DOUBTFUL => "they agree, with doubts",
        _ => "they agree little: the classes or the guideline are not clear, or somebody guesses",
    };
    let severity = (0.9 - alpha * 0.8).clamp(0.05, 0.9);
    let reason = format!("{who}; Krippendorff's alpha {alpha:.3}: {how}");
    found.push(Finding::new(FindingKind::Agreement, Vec::new(), column, severity, reason));
    let mut right: Vec<f64> = consensus.annotators.iter().copied().filter(|value| value.is_finite()).collect();
    right.sort_unstable_by(f64::total_cmp);
    let middle = right.get(right.len() / 2).copied().unwrap_or(1.0);
    for (name, right) in read.annotators.iter().zip(&consensus.annotators) {
        if read.annotators.len() > 2 && *right < middle - BELOW {
            let own = dataset.field(name).is_some();
            let reason = format!(
                "{}right {:.0} % of the time, where the one in the middle is {:.0} %, once all are weighed (Dawid and Skene)",
                if own { String::new() } else { format!("{name} is ") },
                right * 100.0,
                middle * 100.0
            );
            let of = if own { name } else { column };
            found.push(Finding::new(FindingKind::PoorAnnotator, Vec::new(), of, 0.5 + (middle - right) / 2.0, reason));
        }
    }
    for row in 0..read.votes.rows() {
        let votes = read.votes.row(row);
        let mut given: Vec<u32> = votes.iter().flatten().copied().collect();
        let all = given.len();
        given.sort_unstable();
        given.dedup();
        let Some(label) = consensus.label[row] else { continue };
        let quality = consensus.quality[row];
        let samples: Vec<SampleId> = read.samples(row).iter().copied().filter(|id| !dataset.is_excluded(*id)).collect();
        if given.len() < 2 || quality >= SURE || samples.is_empty() {
            continue;
        }
        let times = |class: &u32| votes.iter().flatten().filter(|vote| *vote == class).count();
        let said: Vec<String> = given.iter().map(|class| format!("{} {}", read.classes[*class as usize], times(class))).collect();
        let name = read.classes[label as usize].clone();
        let reason = format!("{all} votes: {}; {name} with {:.0} % once all are weighed", said.join(", "), quality * 100.0);
        found.push(Finding::new(FindingKind::Dispute, samples, column, 1.0 - quality, reason).with_suggestion(Some(name)));
    }
    Ok(())
}
