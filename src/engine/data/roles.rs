//! What columns mean, proposed from their names and their first cells: every candidate is scored, and the best one is taken. Deterministic.

use std::collections::HashMap;

use super::column::Column;
use super::schema::{Kind, Role};
use super::time::Times;
use crate::pixels::Coding;

const SAMPLED: usize = 2_000;
const LONGEST: usize = 4_096;

/// What a look at a column's cells tells: enough to propose a role, cheap at any size.
struct Glance {
    filled: usize,
    distinct: usize,
    mean_chars: f64,
    /// The part of cells with white space in them.
    spaced: f64,
    /// How evenly values are spread, 0 to 1 (entropy over its most).
    even: f64,
    /// Whether cells count rows.
    counts: bool,
    parts: bool,
    times: bool,
    /// The part of cells that are chats; empty lists count neither way.
    chats: f64,
    values: Vec<String>,
}

fn glance(column: &Column, rows: usize) -> Glance {
    let step = (rows / SAMPLED).max(1);
    let (mut values, mut places) = (Vec::new(), Vec::new());
    for row in (0..rows).step_by(step).take(SAMPLED) {
        if let Some(text) = column.text(row).filter(|text| !text.is_empty()) {
            // The beginning of a text tells what it is, however long it goes on.
            let end = (0..=text.len().min(LONGEST)).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
            values.push(text[..end].to_owned());
            places.push(i64::try_from(row).unwrap_or(i64::MAX));
        }
    }
    let chars: usize = values.iter().map(|text| text.chars().count()).sum();
    let mut counted: HashMap<&str, usize> = HashMap::new();
    values.iter().for_each(|text| *counted.entry(text).or_default() += 1);
    let n = values.len().max(1) as f64;
    let mut shares: Vec<usize> = counted.values().copied().collect();
    shares.sort_unstable();
    let entropy: f64 = shares.iter().map(|count| *count as f64 / n).map(|share| -share * share.ln()).sum();
    let distinct = counted.len();
    let names = ["train", "training", "validation", "valid", "val", "dev", "test", "eval"];
    let parts = distinct > 1 && counted.keys().all(|text| names.contains(&text.to_lowercase().as_str()));
    let numbers: Option<Vec<i64>> = values.iter().map(|text| text.parse().ok()).collect();
    // The number of its row, whatever the first one is.
    let counts = numbers.is_some_and(|numbers| {
        numbers.len() >= 8 && numbers.iter().zip(&places).all(|(number, row)| number - numbers[0] == row - places[0])
    });
    let spaced = values.iter().filter(|text| text.trim().contains(char::is_whitespace)).count() as f64 / n;
    let looks = |text: &&String| text.len() >= 6 && text.len() <= 64;
    let times = column.kind == Kind::Text && values.iter().take(200).filter(looks).count() * 10 >= values.len().min(200) * 9 && {
        let times = Times::of(values.iter().map(String::as_str));
        let read = values.iter().take(200).filter(|text| times.read(text).is_some() || times.is_ambiguous(text)).count();
        !values.is_empty() && read * 10 >= values.len().min(200) * 9
    };
    let chat = |text: &str| {
        let has = |name: &str| text.contains(name);
        text.starts_with('[') && (has("\"role\"") && has("\"content\"") || has("\"from\"") && has("\"value\""))
    };
    let told = values.iter().filter(|text| text.as_str() != "[]").count();
    let chats = values.iter().filter(|text| chat(text)).count() as f64 / told.max(1) as f64;
    Glance {
        filled: values.len(),
        distinct,
        mean_chars: chars as f64 / n,
        spaced,
        even: if distinct > 1 { entropy / (distinct as f64).ln() } else { 0.0 },
        counts,
        parts,
        times,
        chats,
        values,
    }
}

/// Proposes a role for every column. At most one label is proposed.
pub fn propose_roles(columns: &[Column], rows: usize) -> Vec<Role> {
    let glances: Vec<Glance> = columns.iter().map(|column| glance(column, rows)).collect();
    let mut roles: Vec<Role> =
        columns.iter().zip(&glances).map(|(column, look)| propose(column, look).unwrap_or(Role::Other)).collect();
    if !roles.iter().any(|role| matches!(role, Role::Text | Role::Messages | Role::Image)) {
        let candidate = (0..roles.len())
            .filter(|i| roles[*i] == Role::Other && is_wordy(&columns[*i], &glances[*i]))
            .max_by(|a, b| glances[*a].mean_chars.total_cmp(&glances[*b].mean_chars));
        if let Some(found) = candidate {
            roles[found] = Role::Text;
        }
    }
    let reads = roles.iter().any(|role| matches!(role, Role::Text | Role::Messages | Role::Image));
    let scored = label_scores(columns, &glances, &roles, reads);
    if let Some((place, role, _)) = scored.first().filter(|(.., score)| *score >= SURE) {
        roles[*place] = *role;
    }
    roles
}

/// Columns that may well be labels, the likeliest first: what is offered where there is none.
pub fn label_candidates(columns: &[Column], rows: usize) -> Vec<String> {
    let glances: Vec<Glance> = columns.iter().map(|column| glance(column, rows)).collect();
    let roles = vec![Role::Other; columns.len()];
    let scored = label_scores(columns, &glances, &roles, true);
    scored
        .into_iter()
        .filter(|(.., score)| *score >= DOUBTFUL)
        .take(3)
        .map(|(place, ..)| columns[place].name.to_string())
        .collect()
}

/// From this score on a column is taken for the label; from that one on it is offered.
const SURE: f64 = 4.0;
const DOUBTFUL: f64 = 0.0;

/// Whether cells are something that a model reads, rather than codes or names of few things.
fn is_wordy(column: &Column, look: &Glance) -> bool {
    let many = look.distinct > 1 && (look.distinct * 5 > look.filled || look.filled < 8);
    column.kind == Kind::Text && many && (look.spaced >= 0.3 || look.mean_chars >= 24.0)
}

/// Places, roles and scores of columns that may be labels, the best first.
fn label_scores(columns: &[Column], glances: &[Glance], roles: &[Role], reads: bool) -> Vec<(usize, Role, f64)> {
    let mut scored: Vec<(usize, Role, f64)> = (0..columns.len())
        .filter(|place| matches!(roles[*place], Role::Other | Role::Number | Role::Group))
        .filter_map(|place| label_score(&columns[place], &glances[place], reads).map(|(role, score)| (place, role, score)))
        .collect();
    // Of equals the one with fewer classes, then the first.
    scored.sort_by(|a, b| b.2.total_cmp(&a.2).then(glances[a.0].distinct.cmp(&glances[b.0].distinct)).then(a.0.cmp(&b.0)));
    scored
}

fn label_score(column: &Column, look: &Glance, reads: bool) -> Option<(Role, f64)> {
    let name = column.name.trim().to_lowercase();
    let is = |names: &[&str]| names.contains(&name.as_str());
    let named = if is(&["label", "labels"]) {
        12.0
    } else if is(&[
        "class",
        "category",
        "target",
        "intent",
        "sentiment",
        "gold_label",
        "class_label",
        "klasse",
        "kategorie",
        "classe",
    ]) {
        9.0
    } else if name.ends_with("_label")
        || name.ends_with("_class")
        || name.starts_with("label_")
        || is(&["classes", "tags", "tag", "annotation"])
    {
        7.0
    } else if is(&[
        "topic",
        "y",
        "type",
        "kind",
        "genre",
        "emotion",
        "category_name",
        "urteil",
        "outcome",
        "verdict",
        "stars",
        "rating",
    ]) {
        3.0
    } else {
        0.0
    };
    if column.kind == Kind::List {
        return (named >= 7.0).then_some((Role::Label, named));
    }
    if column.kind.is_nested() || column.kind == Kind::Time || column.is_blobs() || look.distinct == 0 {
        return None;
    }
    if column.kind == Kind::Text && is(&["labels", "tags"]) {
        let by = [';', '|', ','].into_iter().find(|by| look.values.iter().any(|text| text.contains(*by)));
        if let Some(separator) = by {
            return Some((Role::Labels(separator), named));
        }
    }
    let (filled, distinct) = (look.filled as f64, look.distinct as f64);
    let few = distinct >= 2.0 && distinct * 4.0 <= filled && distinct <= 200.0 && look.filled >= 8;
    let mut score = named;
    score += match column.kind {
        Kind::Text | Kind::Boolean => 1.0,
        // Whole numbers from few on are classes where there is something to read and nothing better.
        Kind::Integer if few && distinct <= 20.0 && distinct * 20.0 <= filled && reads => 0.5,
        Kind::Integer => -3.0,
        _ if distinct <= 20.0 && few => -3.0,
        _ => -9.0,
    };
    score += if few { 3.5 } else { 0.0 } + look.even * 0.5;
    if distinct * 2.0 > filled && look.filled >= 8 || distinct * 10.0 > filled && column.kind.is_numeric() {
        score -= 6.0;
    }
    if look.mean_chars > 60.0 {
        score -= 6.0;
    } else if look.mean_chars > 40.0 {
        score -= 3.0;
    }
    if look.counts {
        score -= 12.0;
    }
    Some((Role::Label, score))
}

fn propose(column: &Column, look: &Glance) -> Option<Role> {
    let name = column.name.trim().to_lowercase();
    let is = |names: &[&str]| names.contains(&name.as_str());
    if look.parts || is(&["split", "fold", "subset", "partition"]) && look.distinct <= 50 {
        return Some(Role::Split);
    }
    // Most cells name pictures: a few that do not are what checks are for.
    let paths = |text: &String| super::paths_of(text).iter().any(|path| Coding::of_name(path).is_some());
    let named = look.values.iter().filter(|text| paths(text)).count();
    if column.is_blobs()
        || named > 0 && named * 5 >= look.values.len() * 4 && matches!(column.kind, Kind::Text | Kind::List | Kind::Json)
    {
        return Some(Role::Image);
    }
    if column.kind.is_nested() {
        // Some rows that are no chats do not take that from the others: they are findings.
        let chat = look.chats >= 0.5 || is(&["messages", "conversations", "conversation", "chat", "turns"]) && look.chats > 0.0;
        let empty = is(&["messages", "conversations", "conversation", "chat", "turns"]) && column.kind == Kind::List;
        return (chat || empty).then_some(Role::Messages);
    }
    let unique = look.filled > 0 && look.distinct == look.filled;
    let counts_rows = look.counts && column.kind == Kind::Integer;
    if is(&["id", "uuid", "guid", "idx", "index", "sample_id", "row_id", "key", "nr", "no", "#", "unnamed: 0"])
        && (unique || counts_rows || is(&["id", "uuid", "guid", "sample_id", "row_id"]))
        || name.ends_with("_id") && unique
        || counts_rows
    {
        return Some(Role::Id);
    }
    if is(&["prediction", "predicted", "pred", "y_pred", "predicted_label"]) {
        return Some(Role::Prediction);
    }
    if is(&["user", "user_id", "author", "group", "group_id", "speaker", "customer", "customer_id", "patient", "document"])
        || name.ends_with("_id") && !unique
    {
        return Some(Role::Group);
    }
    if column.kind == Kind::Time
        || look.times
        || is(&["time", "date", "timestamp", "created", "created_at", "updated_at", "datetime"])
        || name.ends_with("_at") && !column.kind.is_numeric()
    {
        return Some(Role::Time);
    }
    if column.kind.is_numeric() {
        return Some(Role::Number);
    }
    let texts = [
        "text",
        "sentence",
        "content",
        "body",
        "review",
        "comment",
        "question",
        "answer",
        "instruction",
        "input",
        "output",
        "prompt",
        "completion",
        "response",
        "chosen",
        "rejected",
        "title",
        "utterance",
        "message",
        "document_text",
        "query",
    ];
    (column.kind == Kind::Text && is(&texts)).then_some(Role::Text)
}
