//! What a language model's answers say of classes: read by name or by letter, by the probabilities of its first token, calibrated (Zhao et al. 2021; Zhou et al. 2023).

use serde_json::Value;

/// The letter of a class, where there are at most 26.
pub fn letter(class: usize) -> Option<char> {
    u8::try_from(class).ok().filter(|class| *class < 26).map(|class| char::from(b'A' + class))
}

/// A name or an answer as they are compared: small letters, `_` as a space, one space between words.
fn folded(text: &str) -> String {
    text.to_lowercase().replace('_', " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Names as they are shown: `_` as a space; those that are the same then are numbered.
pub fn shown_names(names: &[String]) -> Vec<String> {
    let plain: Vec<String> = names.iter().map(|name| name.replace('_', " ").trim().to_owned()).collect();
    let mut seen: std::collections::HashMap<String, usize> = std::collections::HashMap::new();
    plain.iter().for_each(|name| *seen.entry(folded(name)).or_default() += 1);
    let mut at: std::collections::HashMap<String, usize> = std::collections::HashMap::new();
    plain
        .into_iter()
        .map(|name| {
            let key = folded(&name);
            if seen[&key] < 2 && !key.is_empty() {
                return name;
            }
            let n = at.entry(key).or_default();
            *n += 1;
            format!("{name} {n}").trim().to_owned()
        })
        .collect()
}

/// The class that an answer names: as the value of `class` where it is JSON, as it stands, as a letter where letters were asked for, or the longest name that stands in it. `None` where it names none; nothing is guessed.
pub fn class_named(answer: &str, shown: &[String], letters: bool) -> Option<usize> {
    let json = serde_json::from_str::<Value>(answer.trim()).ok();
    let own = json.as_ref().and_then(|value| value["class"].as_str()).unwrap_or(answer);
    let bare = own.trim().trim_matches(['"', '\'', '`', '“', '”', '*']).trim_end_matches(['.', '!', '\n']).trim();
    let names: Vec<String> = shown.iter().map(|name| folded(name)).collect();
    let text = folded(bare);
    if let Some(class) = names.iter().position(|name| *name == text) {
        return Some(class);
    }
    if letters {
        let inner = bare.trim_start_matches(['(', '[']);
        let mut signs = inner.chars();
        let first = signs.next().map(|sign| sign.to_ascii_uppercase());
        let ends = signs.next().is_none_or(|next| matches!(next, ':' | '.' | ')' | ']' | ' ' | '\n'));
        let class = (0..shown.len()).find(|class| letter(*class).is_some() && letter(*class) == first);
        if let Some(class) = class.filter(|_| ends) {
            return Some(class);
        }
    }
    let mut order: Vec<usize> = (0..names.len()).filter(|class| !names[*class].is_empty()).collect();
    order.sort_by_key(|class| std::cmp::Reverse(names[*class].len()));
    order.into_iter().find(|class| text.contains(&names[*class]))
}

/// The logarithms of the probabilities of classes' letters among the likeliest first tokens; a letter that is not among them is taken for less likely than the last of these. `None` where none is.
pub fn letter_logs(first: &[(String, f64)], classes: usize) -> Option<Vec<f64>> {
    let floor = first.iter().map(|(_, log)| *log).fold(f64::INFINITY, f64::min) - 1.0;
    let mut any = false;
    let logs = (0..classes)
        .map(|class| {
            let wanted = letter(class);
            let own = first.iter().filter(|(token, _)| {
                let mut signs = token.strip_prefix([' ', '▁', 'Ġ']).unwrap_or(token).chars();
                signs.next() == wanted && wanted.is_some() && signs.next().is_none()
            });
            let best = own.map(|(_, log)| *log).fold(f64::NEG_INFINITY, f64::max);
            any |= best.is_finite();
            if best.is_finite() { best } else { floor }
        })
        .collect();
    any.then_some(logs)
}

/// Probabilities of rows of logarithms: each row a whole.
pub fn whole(logs: &[f64], classes: usize) -> Vec<f64> {
    let mut out = logs.to_vec();
    out.chunks_mut(classes.max(1)).for_each(|row| {
        super::heads::softmax(row);
    });
    out
}

/// Contextual calibration: each probability over what the model says of texts without content, on average; rows are made whole again.
pub fn contextual(p: &[f64], free: &[Vec<f64>], classes: usize) -> Vec<f64> {
    let mean = |class: usize| free.iter().map(|row| row[class]).sum::<f64>() / free.len().max(1) as f64;
    let means: Vec<f64> = (0..classes).map(|class| mean(class).max(1e-12)).collect();
    let mut out = p.to_vec();
    for row in out.chunks_mut(classes.max(1)) {
        row.iter_mut().zip(&means).for_each(|(p, mean)| *p /= mean);
        let sum: f64 = row.iter().sum();
        row.iter_mut().for_each(|p| *p /= sum.max(1e-300));
    }
    out
}

/// Batch calibration: each logarithm less its mean over all rows.
pub fn batch(p: &[f64], classes: usize) -> Vec<f64> {
    let n = (p.len() / classes.max(1)).max(1) as f64;
    let log = |p: f64| p.max(1e-300).ln();
    let means: Vec<f64> =
        (0..classes).map(|class| p.iter().skip(class).step_by(classes).map(|p| log(*p)).sum::<f64>() / n).collect();
    let logs: Vec<f64> =
        p.chunks(classes.max(1)).flat_map(|row| row.iter().zip(&means).map(|(p, mean)| log(*p) - mean)).collect();
    whole(&logs, classes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_and_never_guessed() {
        let shown: Vec<String> = ["card arrival", "card", "exchange rate"].map(str::to_owned).to_vec();
        for (answer, class) in [
            ("card_arrival", Some(0)),
            (" \"Card Arrival\". ", Some(0)),
            ("{\"class\": \"exchange rate\"}", Some(2)),
            ("I think it is about card arrival.", Some(0)),
            ("card", Some(1)),
            ("I do not know", None),
            ("", None),
            ("B", None),
        ] {
            assert_eq!(class_named(answer, &shown, false), class, "{answer}");
        }
        for (answer, class) in [("B", Some(1)), ("(c)", Some(2)), ("A: card arrival", Some(0)), ("Because", None), ("D", None)] {
            assert_eq!(class_named(answer, &shown, true), class, "{answer}");
        }
        assert_eq!(shown_names(&["a_b".into(), "A b".into(), "c".into()]), ["a b 1", "A b 2", "c"]);
        assert_eq!(letter_logs(&[("x".into(), -1.0)], 3), None);
        assert_eq!(letter_logs(&[(" A".into(), -1.0), ("B".into(), -2.0)], 3), Some(vec![-1.0, -2.0, -3.0]));
    }
}
