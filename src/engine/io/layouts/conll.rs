//! `CoNLL`: a token a line, its tag in the last column, an empty line between sentences; and `CoNLL-U`, which has ten columns and says its text.

use serde_json::{Map, Value, json};

use super::{LaidTable, LaidText, span};

/// The columns of `CoNLL-U`.
const UNIVERSAL: [&str; 10] = ["id", "tokens", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc"];

fn is_tag(word: &str) -> bool {
    word == "O"
        || word
            .split_once('-')
            .is_some_and(|(mark, class)| matches!(mark, "B" | "I" | "E" | "S" | "L" | "U") && !class.is_empty())
}

fn is_universal(line: &str) -> bool {
    let cells: Vec<&str> = line.split('\t').collect();
    cells.len() == 10 && cells[0].split(['-', '.']).all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether a text is tokens with tags: by its ending, or by sentences that an empty line parts and tags that none but them has. A table is none.
pub fn is(file: &LaidText<'_>) -> bool {
    let text = file.text.trim_start_matches('\u{feff}');
    let lines = || text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')).take(500);
    if matches!(file.ending(), "conll" | "conllu" | "iob" | "iob2" | "bio")
        || lines().next().is_some_and(|line| line.starts_with("-DOCSTART-"))
    {
        return lines().next().is_some();
    }
    let parted = text.trim().lines().any(|line| line.trim().is_empty());
    if matches!(file.ending(), "csv" | "tsv" | "tab" | "json" | "jsonl" | "log" | "md") || !parted {
        return false;
    }
    let (mut all, mut tagged, mut inside) = (0, 0, 0);
    for line in lines() {
        let cells: Vec<&str> = line.split_whitespace().collect();
        let tag = cells.last().copied().unwrap_or_default();
        all += 1;
        tagged += usize::from(cells.len() > 1 && is_tag(tag) || is_universal(line));
        inside += usize::from(cells.len() > 1 && is_tag(tag) && tag != "O" || is_universal(line));
    }
    all > 2 && inside > 0 && tagged * 20 >= all * 19
}

/// A sentence that is being gathered: its lines as cells, and what is said of it.
#[derive(Default)]
struct Sentence {
    cells: Vec<Vec<String>>,
    said: Map<String, Value>,
}

/// Reads a sentence a sample.
///
/// # Errors
/// Never now: a line that is no token is a warning.
pub fn read(file: &LaidText<'_>, _: &str) -> Result<LaidTable, String> {
    let mut table = LaidTable { first: vec!["text", "tokens"], ..LaidTable::default() };
    let text = file.text.trim_start_matches('\u{feff}');
    let universal = text.lines().any(is_universal);
    let tabs = text.lines().any(|line| line.contains('\t'));
    let mut now = Sentence::default();
    let mut width = 0;
    for (at, line) in text.lines().enumerate() {
        let line = line.trim_end_matches('\r');
        if line.trim().is_empty() || line.starts_with("-DOCSTART-") {
            finish(&mut table, &mut now, universal);
            continue;
        }
        if let Some(said) = line.strip_prefix('#').filter(|_| universal || now.cells.is_empty() && line.contains(" = ")) {
            if let Some((name, value)) = said.split_once('=') {
                now.said.insert(name.trim().to_owned(), json!(value.trim()));
            }
            continue;
        }
        let split: Vec<String> = if universal || tabs && line.contains('\t') {
            line.split('\t').map(ToOwned::to_owned).collect()
        } else {
            line.split_whitespace().map(ToOwned::to_owned).collect()
        };
        if width == 0 {
            width = split.len();
        }
        if split.len() != width {
            table.note(at + 1, format!("{} columns instead of {width}: read as far as it goes", split.len()));
        }
        now.cells.push(split);
    }
    finish(&mut table, &mut now, universal);
    Ok(table)
}

fn finish(table: &mut LaidTable, now: &mut Sentence, universal: bool) {
    let Sentence { mut cells, said } = std::mem::take(now);
    let mut row = Map::new();
    if universal {
        row.extend(said);
        // A word of several tokens and a token that is not written are none.
        cells.retain(|cells| cells.first().is_some_and(|id| id.bytes().all(|byte| byte.is_ascii_digit())));
    }
    if cells.is_empty() {
        return;
    }
    let width = cells.iter().map(Vec::len).max().unwrap_or(0);
    let column = |at: usize| -> Vec<Option<&str>> { cells.iter().map(|cells| cells.get(at).map(String::as_str)).collect() };
    let token_column = usize::from(universal);
    let tokens: Vec<&str> = column(token_column).into_iter().map(Option::unwrap_or_default).collect();
    let no_space =
        |at: usize| universal && cells[at].get(9).is_some_and(|misc| misc.split('|').any(|word| word == "SpaceAfter=No"));
    let mut text = String::new();
    let mut places = Vec::new();
    let mut letters = 0;
    for (at, token) in tokens.iter().enumerate() {
        places.push((letters, letters + token.chars().count()));
        text.push_str(token);
        letters += token.chars().count();
        if at + 1 < tokens.len() && !no_space(at) {
            text.push(' ');
            letters += 1;
        }
    }
    if universal {
        let said = row.get("text").and_then(Value::as_str).map(ToOwned::to_owned);
        row.insert("text".to_owned(), json!(said.unwrap_or(text)));
        for (at, name) in UNIVERSAL.iter().enumerate().skip(1) {
            row.insert((*name).to_owned(), json!(column(at)));
        }
    } else {
        row.insert("text".to_owned(), json!(text));
        row.insert("tokens".to_owned(), json!(tokens));
        let names: Vec<String> = match width {
            0 | 1 => Vec::new(),
            2 => vec!["ner_tags".to_owned()],
            4 => ["pos_tags", "chunk_tags", "ner_tags"].map(str::to_owned).to_vec(),
            _ => {
                (1..width).map(|at| if at + 1 == width { "ner_tags".to_owned() } else { format!("column {}", at + 1) }).collect()
            }
        };
        for (at, name) in names.iter().enumerate() {
            row.insert(name.clone(), json!(column(at + 1)));
        }
        let tags: Vec<&str> =
            if width > 1 { column(width - 1).into_iter().map(Option::unwrap_or_default).collect() } else { Vec::new() };
        if tags.iter().any(|tag| is_tag(tag)) {
            let spans: Vec<Value> =
                entities(&tags).into_iter().map(|(from, to, class)| span(&text, places[from].0, places[to].1, class)).collect();
            row.insert("spans".to_owned(), Value::Array(spans));
        }
    }
    table.rows.push(row);
}

/// Entities as their first and last token and their class. IOB1, IOB2 and BIOES (BILOU) read by one rule: a token goes on with the entity before it
/// where it is of its class, is marked as inside or end, and that one has not ended.
fn entities<'t>(tags: &[&'t str]) -> Vec<(usize, usize, &'t str)> {
    let mut found: Vec<(usize, usize, &str)> = Vec::new();
    let mut open = false;
    for (at, tag) in tags.iter().enumerate() {
        let Some((mark, class)) = tag.split_once('-').filter(|_| is_tag(tag)) else {
            open = false;
            continue;
        };
        match found.last_mut().filter(|last| open && last.2 == class && matches!(mark, "I" | "E" | "L")) {
            Some(last) => last.1 = at,
            None => found.push((at, at, class)),
        }
        open = !matches!(mark, "E" | "L" | "S" | "U");
    }
    found
}

#[cfg(test)]
mod tests {
    use super::entities;

    #[test]
    fn entities_are_the_same_in_every_marking() {
        let people = vec![(0, 1, "PER"), (2, 2, "PER"), (4, 4, "LOC")];
        for tags in
            ["I-PER I-PER B-PER O I-LOC", "B-PER I-PER B-PER O B-LOC", "B-PER E-PER S-PER O S-LOC", "B-PER L-PER U-PER O U-LOC"]
        {
            assert_eq!(entities(&tags.split(' ').collect::<Vec<_>>()), people, "{tags}");
        }
    }
}
