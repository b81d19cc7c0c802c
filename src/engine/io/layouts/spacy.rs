//! spaCy's training tuples as JSON: a text beside its entities and classes.

use serde_json::{Map, Value, json};

use super::{LaidTable, LaidText, one_or_all, span};

/// Whether a text is a list of such pairs.
pub fn is(file: &LaidText<'_>) -> bool {
    let head: String = file.text.chars().filter(|letter| !letter.is_whitespace()).take(2_000).collect();
    head.starts_with("[[\"") && (head.contains("\"entities\":") || head.contains("\"cats\":"))
}

/// Reads them.
///
/// # Errors
/// A line.
pub fn read(file: &LaidText<'_>, _: &str) -> Result<LaidTable, String> {
    let pairs: Vec<(String, Map<String, Value>)> = serde_json::from_str(file.text).map_err(|error| error.to_string())?;
    let mut table = LaidTable { first: vec!["text", "label", "spans"], ..LaidTable::default() };
    for (text, said) in pairs {
        let mut row = Map::new();
        for (name, value) in said {
            match name.as_str() {
                "entities" => {
                    let place = |value: &Value| value.as_u64().and_then(|place| usize::try_from(place).ok());
                    let one = |item: &Value| Some(span(&text, place(&item[0])?, place(&item[1])?, item[2].as_str()?));
                    row.insert("spans".to_owned(), value.as_array().into_iter().flatten().filter_map(one).collect());
                }
                "cats" => {
                    let scored = value.as_object().into_iter().flatten();
                    let best = scored
                        .filter(|(_, score)| score.as_f64().is_some_and(|score| score >= 0.5))
                        .map(|(class, _)| json!(class));
                    row.insert("label".to_owned(), one_or_all(best.collect()));
                    row.insert(name, value);
                }
                _ => {
                    row.insert(name, value);
                }
            }
        }
        row.insert("text".to_owned(), json!(text));
        table.rows.push(row);
    }
    Ok(table)
}
