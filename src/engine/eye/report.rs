//! A dry run as a page, and as JSON.

use std::fmt::Write as _;

use serde_json::{Map, Value as Json, json};

use super::dry_run::DryRun;
use super::forms::TrainerRows;
use super::target::TrainerTarget;
use crate::data::{count, things};
use crate::trainers::rows::Reason;

impl DryRun {
    /// As JSON.
    pub fn json(&self, target: &TrainerTarget, rows: &TrainerRows) -> Json {
        let by = |list: &std::collections::BTreeMap<Reason, usize>| -> Map<String, Json> {
            list.iter().map(|(reason, n)| (reason.name().to_owned(), (*n).into())).collect()
        };
        let lengths = &self.lengths;
        let at = |part: f64| lengths.get(((lengths.len().max(1) - 1) as f64 * part).round() as usize).copied().unwrap_or(0);
        json!({
            "target": target.trainer.entry().name, "model": target.model.name(), "length": target.length, "form": rows.form.name(),
            "rows_in": self.rows(), "rows_trained": self.trained(),
            "rows_kept": self.kept, "rows_cut": self.cut, "rows_nothing_trained": self.nothing, "rows_without_end": self.endless.len(),
            "rows_with_control_tokens": self.control.len(), "rows_alike": self.alike.len(), "rows_misread": self.misread.len(), "rows_with_turns_not_drawn": self.undrawn.len(), "roles_not_drawn": self.undrawn_roles,
            "rows_never_seen": self.unseen.len(),
            "budget": { "epochs": target.epochs, "tokens": self.tokens * u64::from(target.epochs), "batch": self.batch(target), "steps": self.steps(target) },
            "notes": self.notes(target),
            "reasons": { "dropped": by(&self.dropped), "fails": by(&self.fails) },
            "packed": { "sequences": self.packed.sequences, "full": self.packed.share() },
            "tokens": self.tokens, "trained_tokens": self.learned,
            "lengths": { "median": at(0.5), "p90": at(0.9), "p99": at(0.99), "p99.9": at(0.999), "longest": at(1.0) },
        })
    }
}

/// What the counts of a run say.
pub const ALIKE: &str = "the better answer and the worse are the same to the model";
/// See [`ALIKE`].
pub const MISREAD: &str = "the trainer reads the judgement the other way round";
/// See [`ALIKE`].
pub const UNSEEN: &str = "never seen: the last rows do not fill a batch";

/// How many sequences rows are packed into, and how full they are.
pub fn packed_words(run: &DryRun) -> String {
    format!("{}, {:.1} % full", count(run.packed.sequences), run.packed.share() * 100.0)
}

/// With a capital.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The page: Markdown, or HTML that needs nothing else.
pub fn dry_report(run: &DryRun, rows: &TrainerRows, target: &TrainerTarget, name: &str, markdown: bool) -> String {
    let entry = target.trainer.entry();
    let mut lines: Vec<(String, String)> = vec![
        ("rows in".to_owned(), count(run.rows())),
        ("learned from".to_owned(), count(run.trained())),
        (format!("cut at {} ({})", count(target.length), entry.too_long), count(run.cut)),
        ("nothing learned".to_owned(), count(run.nothing)),
        ("not taught to stop".to_owned(), count(run.endless.len())),
        ("control tokens in the text".to_owned(), count(run.control.len())),
        ("tokens".to_owned(), count(run.tokens as usize)),
        ("of them learned".to_owned(), count(run.learned as usize)),
        (
            format!("tokens in {}", things(target.epochs as usize, "epoch", "epochs")),
            count(run.tokens as usize * target.epochs as usize),
        ),
        (
            format!("steps, of {} {} each", run.batch(target), if run.packs() { "packed sequences" } else { "rows" }),
            count(run.steps(target)),
        ),
    ];
    if run.packed.sequences > 0 {
        lines.push((format!("packed into sequences of {}", count(target.length)), packed_words(run)));
    }
    for (what, n) in [(ALIKE, run.alike.len()), (MISREAD, run.misread.len()), (UNSEEN, run.unseen.len())] {
        if n > 0 {
            lines.push((what.to_owned(), count(n)));
        }
    }
    if !run.undrawn.is_empty() {
        lines.push((run.undrawn_words(), count(run.undrawn.len())));
    }
    for (reason, n) in &run.dropped {
        lines.push((format!("left out: {}", reason.words()), count(*n)));
    }
    for (reason, n) in &run.fails {
        let said = run.said.get(reason).map_or(String::new(), |said| format!(" ({said})"));
        lines.push((format!("fails the whole run: {}{said}", reason.words()), count(*n)));
    }
    let title = format!("{name}: what {} makes of it", entry.title);
    let told = format!(
        "{} of the form {}, as the model {} has them, with {} {}.",
        things(run.rows(), "row", "rows"),
        rows.form.name(),
        target.model.name(),
        entry.limit,
        count(target.length)
    );
    let told = run.notes(target).iter().fold(told, |told, note| format!("{told} {}.", sentence(note)));
    let plain = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let mut page = String::new();
    if markdown {
        let _ = write!(page, "# {}\n\n{}\n\n| what | rows |\n| --- | ---: |\n", plain(&title), plain(&told));
        for (what, n) in &lines {
            let _ = writeln!(page, "| {} | {n} |", plain(what).replace('|', "\\|"));
        }
        return page;
    }
    let _ = write!(
        page,
        "<!doctype html><html lang=en><meta charset=utf-8><title>{0}</title><style>body{{font:15px/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem}}td,th{{text-align:left;padding:.3rem .8rem;border-bottom:1px solid #dde1e7}}td+td,th+th{{text-align:right}}</style>\n<h1>{0}</h1><p>{1}</p><table><tr><th>what</th><th>rows</th></tr>\n",
        plain(&title),
        plain(&told)
    );
    for (what, n) in &lines {
        let _ = writeln!(page, "<tr><td>{}</td><td>{n}</td></tr>", plain(what));
    }
    page.push_str("</table></html>\n");
    page
}
