//! The health of a dataset on one page, by itself: what it is, what was found in it, and how it is spread; as HTML with its charts, or as Markdown.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::page::Page;
use crate::checks::{Finding, FindingKind};
use crate::data::{ClassIndex, Dataset, Property, Role, count, count_samples, things};
use crate::edit::Tally;
use crate::job::Progress;
use crate::render::RenderTime;

/// Examples that are shown of a kind, and classes of a label.
const EXAMPLES: usize = 5;
const CLASSES: usize = 30;

/// What was done and found since the project began.
#[derive(Debug, Clone, Default)]
pub struct SoFar {
    /// The edits in force, in order: when each was made, in milliseconds since 1970, and how many samples it touched.
    pub work: Vec<(i64, usize)>,
    /// What checks found at first, and last of each day, in order.
    pub tallies: Vec<Tally>,
}

/// Writes the page.
pub fn health_report(dataset: &Dataset, findings: &[Finding], so_far: &SoFar, markdown: bool) -> String {
    let name = dataset.base.origin.path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let mut page = Page::new(markdown);
    page.heading(1, &format!("The health of {name}"));
    let gone = dataset.excluded().len();
    let fine = |finding: &Finding| dataset.properties().get(Property::Fine, &[finding.kind.name(), &finding.column]).is_some();
    let open: Vec<&Finding> = findings.iter().filter(|finding| !fine(finding)).collect();
    let made = if dataset.made() > 0 { format!(", {} made", count(dataset.made())) } else { String::new() };
    page.line(&format!(
        "{} in {}{made}, {} excluded, {} reviewed. {} were found of {}.",
        count_samples(dataset.rows()),
        things(dataset.fields().len(), "column", "columns"),
        count(gone),
        count(dataset.reviewed().len()),
        things(open.len(), "problem", "problems"),
        things(kinds(&open).len(), "kind", "kinds")
    ));
    page.heading(2, "What was found");
    if open.is_empty() {
        page.line("Nothing stands out.");
    }
    let rows: Vec<Vec<String>> = kinds(&open)
        .into_iter()
        .map(|(kind, list)| {
            let samples: usize = list.iter().map(|finding| finding.samples.len()).sum();
            vec![kind.title().to_owned(), count(list.len()), count(samples), kind.meaning().to_owned()]
        })
        .collect();
    if !rows.is_empty() {
        page.table(&["kind", "findings", "samples", "what it means"], &rows);
    }
    for (kind, list) in kinds(&open) {
        page.heading(3, kind.title());
        let example = |finding: &&Finding| {
            let rows: Vec<String> = finding.samples.iter().take(8).map(|id| id.0.to_string()).collect();
            let more = if finding.samples.len() > 8 { " …" } else { "" };
            vec![finding.column.clone(), rows.join(", ") + more, finding.reason.clone()]
        };
        page.table(&["column", "rows", "why"], &list.iter().take(EXAMPLES).map(example).collect::<Vec<_>>());
        if list.len() > EXAMPLES {
            page.line(&format!("and {}", things(list.len() - EXAMPLES, "more", "more")));
        }
    }
    trend(&mut page, dataset, &so_far.work);
    found_so_far(&mut page, &so_far.tallies);
    classes(&mut page, dataset);
    page.heading(2, "Columns");
    let rows: Vec<Vec<String>> = dataset
        .fields()
        .iter()
        .enumerate()
        .map(|(place, field)| {
            let filled = dataset.samples().filter(|id| dataset.text(place, *id).is_some_and(|text| !text.is_empty())).count();
            vec![field.name.to_string(), field.role.to_string(), field.kind.name().to_owned(), count(filled)]
        })
        .collect();
    page.table(&["column", "role", "kind", "filled"], &rows);
    page.whole(&name)
}

/// Findings by kind, the kind of the worst first.
fn kinds<'f>(findings: &[&'f Finding]) -> Vec<(FindingKind, Vec<&'f Finding>)> {
    let mut list: Vec<(FindingKind, Vec<&Finding>)> = Vec::new();
    for finding in findings {
        match list.iter_mut().find(|(kind, _)| *kind == finding.kind) {
            Some((_, of)) => of.push(finding),
            None => list.push((finding.kind, vec![finding])),
        }
    }
    list
}

/// Days that are drawn of the work since the project began.
const DAYS: usize = 30;

/// What was done since the project began, day by day, and how far somebody agrees with themselves.
fn trend(page: &mut Page, dataset: &Dataset, work: &[(i64, usize)]) {
    let mut days: BTreeMap<i64, (usize, usize)> = BTreeMap::new();
    for (at, samples) in work {
        let day = days.entry(at.div_euclid(86_400_000)).or_default();
        *day = (day.0 + 1, day.1 + samples);
    }
    let (same, all) = dataset.self_agreement();
    if days.is_empty() && all == 0 {
        return;
    }
    page.heading(2, "Since the project began");
    let edits: usize = days.values().map(|(edits, _)| edits).sum();
    let samples: usize = days.values().map(|(_, samples)| samples).sum();
    page.line(&format!(
        "{} on {} touched samples {} in all.",
        things(edits, "edit", "edits"),
        things(days.len(), "day", "days"),
        things(samples, "time", "times")
    ));
    let rows: Vec<(String, u64)> =
        days.iter().skip(days.len().saturating_sub(DAYS)).map(|(day, (_, samples))| (date_of(*day), *samples as u64)).collect();
    page.bars("day", "samples", &rows);
    if all > 0 {
        page.line(&format!("Shown once more, {same} of {} got the same label again.", things(all, "sample", "samples")));
    }
}

/// How many problems waited, day by day, and of each kind at first and now. Only what was looked for each time is counted.
fn found_so_far(page: &mut Page, tallies: &[Tally]) {
    let (Some(first), Some(last)) = (tallies.first(), tallies.last()) else { return };
    let mut checks = first.checks.clone();
    checks.retain(|check| tallies.iter().all(|tally| tally.checks.contains(check)));
    if tallies.len() < 2 || checks.is_empty() {
        return;
    }
    page.heading(2, "Problems that waited");
    let days: BTreeMap<i64, u64> = tallies.iter().map(|tally| (tally.day(), tally.open(&checks))).collect();
    let (then, now) = (first.open(&checks), last.open(&checks));
    page.line(&format!(
        "{} at the first look, on {}; {} at the last, on {}.",
        things(then as usize, "problem", "problems"),
        date_of(first.day()),
        count(now as usize),
        date_of(last.day())
    ));
    let rows: Vec<(String, u64)> =
        days.iter().skip(days.len().saturating_sub(DAYS)).map(|(day, open)| (date_of(*day), *open)).collect();
    page.bars("day", "problems", &rows);
    let mut kinds: BTreeMap<(&str, &str), (u64, u64)> = BTreeMap::new();
    for (tally, is_last) in [(first, false), (last, true)] {
        for of in tally.found.iter().filter(|of| checks.contains(&of.check)) {
            let open = kinds.entry((&of.kind, &of.column)).or_default();
            *if is_last { &mut open.1 } else { &mut open.0 } = of.open;
        }
    }
    let title = |kind: &str| FindingKind::from_name(kind).map_or_else(|| kind.to_owned(), |kind| kind.title().to_owned());
    let rows: Vec<Vec<String>> = kinds
        .iter()
        .filter(|(_, (then, now))| then + now > 0)
        .map(|((kind, column), (then, now))| vec![title(kind), (*column).to_owned(), count(*then as usize), count(*now as usize)])
        .collect();
    page.table(&["kind", "column", "at first", "now"], &rows);
}

/// A day since 1970 as it is written.
fn date_of(day: i64) -> String {
    let day = RenderTime::at(day.saturating_mul(86_400));
    format!("{:04}-{:02}-{:02}", day.year, day.month, day.day)
}

fn classes(page: &mut Page, dataset: &Dataset) {
    let Some(field) = dataset.with_role(Role::is_label) else { return };
    let Ok(classes) = ClassIndex::build(dataset, field, &Progress::silent()) else { return };
    page.heading(2, &format!("Classes of {}", dataset.fields()[field].name));
    let mut rows: Vec<(String, u64)> =
        classes.names().iter().zip(classes.counts()).map(|(name, n)| (name.to_string(), *n)).collect();
    rows.retain(|(_, n)| *n > 0);
    rows.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let all = rows.len();
    rows.truncate(CLASSES);
    page.bars("class", "samples", &rows);
    if all > CLASSES {
        page.line(&format!("and {}", things(all - CLASSES, "more class", "more classes")));
    }
}

/// Sizes as Hugging Face's cards name them.
fn size_category(rows: usize) -> &'static str {
    match rows {
        0..1_000 => "n<1K",
        1_000..10_000 => "1K<n<10K",
        10_000..100_000 => "10K<n<100K",
        100_000..1_000_000 => "100K<n<1M",
        1_000_000..10_000_000 => "1M<n<10M",
        _ => "10M<n<100M",
    }
}

/// A text of YAML between quotation marks.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

/// What a card says beside what is seen in the data.
#[derive(Debug, Clone, Default)]
pub struct CardWords {
    /// The licence, as Hugging Face names it; unknown where nobody says.
    pub licence: Option<String>,
    /// Languages by their codes.
    pub languages: Vec<String>,
    /// Lines of the front that say which files there are, each with its line's end.
    pub files: String,
    /// What was done to the data, in words, the first first.
    pub made: Vec<String>,
    /// Whether nobody has looked for faults.
    pub unchecked: bool,
}

/// Edits that a card tells at most.
const TOLD: usize = 60;

/// The dataset's card, in the form of Hugging Face's README: what it is, its columns, classes and parts, how it was made, and its known faults. What nobody but its owner knows is
/// asked for in brackets.
pub fn data_card(dataset: &Dataset, findings: &[Finding], words: &CardWords) -> String {
    let name = dataset.base.origin.path.file_stem().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let fine = |finding: &&Finding| dataset.properties().get(Property::Fine, &[finding.kind.name(), &finding.column]).is_none();
    let open: Vec<&Finding> = findings.iter().filter(fine).collect();
    let kept = dataset.samples().filter(|id| !dataset.is_excluded(*id)).count();
    let label = dataset.with_role(Role::is_label);
    let chats = dataset.with_role(|role| role == Role::Messages).is_some();
    let task = match (dataset.pictures().is_some(), label.is_some(), chats) {
        (true, true, _) => Some("image-classification"),
        (_, true, false) => Some("text-classification"),
        (_, _, true) => Some("text-generation"),
        _ => None,
    };
    let licence = words.licence.as_deref().map_or_else(|| "unknown".to_owned(), quoted);
    let mut front =
        format!("---\npretty_name: {}\nlicense: {}\nsize_categories:\n- {}\n", quoted(&name), licence, size_category(kept));
    if !words.languages.is_empty() {
        let list: Vec<String> = words.languages.iter().map(|code| format!("- {}\n", quoted(code))).collect();
        let _ = write!(front, "language:\n{}", list.concat());
    }
    if let Some(task) = task {
        let _ = write!(front, "task_categories:\n- {task}\n");
    }
    front.push_str(&words.files);
    front.push_str("---\n");
    let mut page = Page { text: front, markdown: true };
    page.heading(1, &name);
    page.line("(What the dataset is, who made it and what for; where its texts come from, and under which licence.)");
    page.line(&format!("{} in {}.", count_samples(kept), things(dataset.fields().len(), "column", "columns")));
    page.heading(2, "Columns");
    let row = |field: &crate::data::Field| {
        vec![field.name.to_string(), field.role.to_string(), field.kind.name().to_owned(), "(what it says)".to_owned()]
    };
    page.table(&["column", "role", "kind", "meaning"], &dataset.fields().iter().map(row).collect::<Vec<_>>());
    if let Some(field) = label {
        let column = dataset.fields()[field].name.to_string();
        let said = |class: &str| dataset.properties().get(Property::Guideline, &[&column, class]).unwrap_or_default().to_owned();
        if let Ok(classes) = ClassIndex::build(dataset, field, &Progress::silent()) {
            page.heading(2, &format!("Classes of {column}"));
            let mut list: Vec<(String, u64)> =
                classes.names().iter().zip(classes.counts()).map(|(name, n)| (name.to_string(), *n)).collect();
            list.retain(|(_, n)| *n > 0);
            list.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
            let rows: Vec<Vec<String>> =
                list.iter().map(|(name, n)| vec![name.clone(), count(*n as usize), said(name)]).collect();
            page.table(&["class", "samples", "when it applies"], &rows);
        }
    }
    if let Some(field) = dataset.with_role(|role| role == Role::Split)
        && let Ok(parts) = ClassIndex::build(dataset, field, &Progress::silent())
    {
        page.heading(2, "Splits");
        let rows: Vec<Vec<String>> = parts
            .names()
            .iter()
            .zip(parts.counts())
            .filter(|(_, n)| **n > 0)
            .map(|(name, n)| vec![name.to_string(), count(*n as usize)])
            .collect();
        page.table(&["part", "samples"], &rows);
    }
    if !words.made.is_empty() {
        page.heading(2, "How it was made");
        words.made.iter().take(TOLD).for_each(|line| page.line(&format!("- {line}")));
        if words.made.len() > TOLD {
            page.line(&format!("- and {}", things(words.made.len() - TOLD, "more edit", "more edits")));
        }
    }
    page.heading(2, "Known faults");
    if words.unchecked {
        page.line("Nobody has looked for faults yet.");
    } else if open.is_empty() {
        page.line("Nothing stands out to the checks that were run.");
    }
    let faults: Vec<Vec<String>> = kinds(&open)
        .into_iter()
        .map(|(kind, list)| {
            let samples: usize = list.iter().map(|finding| finding.samples.len()).sum();
            vec![kind.title().to_owned(), count(samples), kind.meaning().to_owned()]
        })
        .collect();
    if !faults.is_empty() {
        page.table(&["kind", "samples", "what it means"], &faults);
    }
    let (gone, seen) = (dataset.excluded().len(), dataset.reviewed().len());
    page.line(&format!("{} were excluded and {} reviewed by hand.", count_samples(gone), count_samples(seen)));
    page.text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_their_dates() {
        for (day, date) in
            [(0, "1970-01-01"), (-1, "1969-12-31"), (11_016, "2000-02-29"), (20_786, "2026-11-29"), (-719_468, "0000-03-01")]
        {
            assert_eq!(date_of(day), date);
        }
    }
}
