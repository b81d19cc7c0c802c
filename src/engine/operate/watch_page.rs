//! What batches come to on one page: what moved, how good the model is, where it is worst.

use super::page::Page;
use super::watching::BatchLook;
use crate::data::{Dataset, count};
use crate::monitor::{ColumnDrift, DriftValues, DriftVerdict, WorseBy};

/// Rows of each list that are shown.
const SHOWN: usize = 12;

/// What is said of a column, in a word or a few.
pub fn verdict_words(of: DriftVerdict) -> &'static str {
    match of {
        DriftVerdict::Moved => "moved",
        DriftVerdict::Steady => "steady",
        DriftVerdict::TooFew => "too few rows to tell",
    }
}

/// Writes the page of batches: each with its name and the log that it is of.
pub fn watch_page(dataset: &Dataset, looks: &[(&str, &Dataset, &BatchLook)], markdown: bool) -> String {
    let name = dataset.base.origin.path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let mut page = Page::new(markdown);
    page.heading(1, &format!("New data against {name}"));
    if looks.len() > 1 {
        let percent = |share: f64| format!("{:.1} %", share * 100.0);
        let rows: Vec<Vec<String>> = looks
            .iter()
            .map(|(name, _, look)| {
                let good = &look.performance;
                vec![
                    (*name).to_owned(),
                    count(look.rows.len()),
                    look.report.moved().map(|one| one.column.clone()).collect::<Vec<_>>().join(", "),
                    good.accuracy.map_or_else(String::new, |(accuracy, (low, high))| {
                        format!("{} ({} to {})", percent(accuracy), percent(low), percent(high))
                    }),
                    good.estimated.map_or_else(String::new, |(accuracy, _)| percent(accuracy)),
                ]
            })
            .collect();
        page.table(&["batch", "rows", "moved", "right", "estimated, if classes and their looks stay the same"], &rows);
    }
    for (name, log, look) in looks {
        page.heading(2, name);
        page.line(&look.report.words());
        look.notes.iter().for_each(|note| page.line(note));
        page.heading(3, "How good the model is");
        look.performance.words().iter().for_each(|words| page.line(words));
        page.heading(3, "Columns");
        let row = |one: &ColumnDrift| vec![one.column.clone(), verdict_words(one.verdict).to_owned(), one.words()];
        page.table(&["column", "", "what there is to say"], &look.report.columns.iter().map(row).collect::<Vec<_>>());
        newest(&mut page, log, look);
        slices(&mut page, look);
    }
    page.whole(&name)
}

fn newest(page: &mut Page, log: &Dataset, look: &BatchLook) {
    for column in look.report.moved() {
        let DriftValues::Texts { newest, .. } = &column.values else { continue };
        let Some(field) = look.text_of(log, &column.column) else { continue };
        page.heading(3, &format!("What is new in {}", column.column));
        let rows: Vec<Vec<String>> = newest
            .iter()
            .take(SHOWN)
            .map(|id| vec![id.row().to_string(), log.text(field, *id).unwrap_or_default().into_owned()])
            .collect();
        page.table(&["row", "text"], &rows);
    }
}

fn slices(page: &mut Page, look: &BatchLook) {
    let Some(found) = look.slices.as_ref().filter(|found| !found.list.is_empty()) else { return };
    let (title, what) = match found.by {
        WorseBy::Wrong => ("Where it is worst", "wrong"),
        WorseBy::Unsure => ("Where it is least sure", "less than half sure"),
    };
    page.heading(3, title);
    page.line(&format!(
        "{} conjunctions of up to three conditions were looked at; q is corrected for all of them.",
        count(found.searched)
    ));
    let rows: Vec<Vec<String>> = found
        .list
        .iter()
        .take(SHOWN)
        .map(|slice| {
            let of = &slice.found;
            let q = if of.q < 1e-4 { "< 0.0001".to_owned() } else { format!("{:.4}", of.q) };
            vec![slice.name.clone(), count(of.rows), format!("{:.1} %", of.rate * 100.0), format!("{:.1} %", of.rest * 100.0), q]
        })
        .collect();
    page.table(&["slice", "rows", what, "elsewhere", "q"], &rows);
}
