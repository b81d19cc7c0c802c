//! YAML as cards and `data.yaml` have it, as a value of JSON: read by a library, bounded before.

use serde_json::{Map, Number, Value};
use yaml_rust2::{Yaml, YamlLoader};

/// No card is longer.
const LONGEST: usize = 1 << 20;
/// Aliases repeat what they name: so many cannot grow into much.
const MOST_ALIASES: usize = 12;

/// No line begins with more marks of a list, or stands further in: the reader goes a step deeper for each.
const DEEPEST: usize = 40;

/// The first document of a text.
///
/// # Errors
/// A line: what is no YAML, or too much of it.
pub fn yaml(text: &str) -> Result<Value, String> {
    if text.len() > LONGEST {
        return Err("its YAML is longer than a MiB".to_owned());
    }
    let aliases = text.matches('*').count();
    if aliases > MOST_ALIASES && text.contains('&') {
        return Err(format!("its YAML repeats things by name, or may: {aliases} times, and {MOST_ALIASES} is the most"));
    }
    let steps = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let mut levels: Vec<usize> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let before = line.chars().take_while(|letter| matches!(letter, ' ' | '-' | '?' | '\t'));
        let marks = before.filter(|letter| *letter != ' ').count();
        let inner = line.matches(['[', '{']).count();
        levels.retain(|level| *level < steps(line));
        levels.push(steps(line));
        if line.trim() != "---" && marks > DEEPEST || levels.len() > DEEPEST || inner > DEEPEST * 10 {
            return Err(format!("its YAML lies more than {DEEPEST} levels deep"));
        }
    }
    let documents = YamlLoader::load_from_str(text).map_err(|error| error.to_string())?;
    Ok(documents.first().map_or(Value::Null, value))
}

fn value(yaml: &Yaml) -> Value {
    match yaml {
        Yaml::Real(text) => {
            text.parse::<f64>().ok().and_then(Number::from_f64).map_or_else(|| Value::String(text.clone()), Value::Number)
        }
        Yaml::Integer(number) => Value::from(*number),
        Yaml::String(text) => Value::String(text.clone()),
        Yaml::Boolean(yes) => Value::Bool(*yes),
        Yaml::Array(list) => list.iter().map(value).collect(),
        Yaml::Hash(fields) => {
            let name = |key: &Yaml| match value(key) {
                Value::String(text) => text,
                other => other.to_string(),
            };
            Value::Object(fields.iter().map(|(key, field)| (name(key), value(field))).collect::<Map<_, _>>())
        }
        Yaml::Alias(_) | Yaml::Null | Yaml::BadValue => Value::Null,
    }
}

/// The YAML before a text, between two lines of `---`, and what follows.
pub fn front_matter(text: &str) -> (Option<Value>, &str) {
    let body = text.trim_start_matches('\u{feff}');
    let Some(rest) = body.strip_prefix("---\n").or_else(|| body.strip_prefix("---\r\n")) else { return (None, text) };
    let mut at = 0;
    for line in rest.split_inclusive('\n') {
        if matches!(line.trim_end(), "---" | "...") {
            return match yaml(&rest[..at]) {
                Ok(value @ Value::Object(_)) => (Some(value), &rest[at + line.len()..]),
                _ => (None, text),
            };
        }
        at += line.len();
    }
    (None, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn front_matter_is_told_from_the_text_and_bombs_are_refused() {
        let (front, rest) = front_matter("---\ntitle: Cards\ntags: [help]\n---\n# Cards\n");
        assert_eq!(front, Some(serde_json::json!({"title": "Cards", "tags": ["help"]})));
        assert_eq!(rest, "# Cards\n");
        assert_eq!(front_matter("---\nno end\n").0, None);
        let lines: Vec<String> = (0..40).map(|n| format!("a{n}: &a{n} [*a{}, *a{}]\n", n + 1, n + 1)).collect();
        let bomb = lines.concat();
        assert!(yaml(&bomb).unwrap_err().contains("repeats"));
        assert!(yaml(&format!("{}a", "- ".repeat(300_000))).unwrap_err().contains("deep"));
        assert!(yaml(&format!("a: &a [x]\nb: [\n{}]\n", "*a,\n".repeat(40))).unwrap_err().contains("repeats"));
        assert_eq!(yaml("names:\n  0: card\n  1: hand\n").unwrap(), serde_json::json!({"names": {"0": "card", "1": "hand"}}));
    }
}
