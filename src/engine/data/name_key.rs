//! Names that are one but for how they are spelled.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Small letters without their accents.
pub fn bare_name(name: &str) -> String {
    name.nfkd().filter(|letter| !is_combining_mark(*letter)).flat_map(char::to_lowercase).collect::<String>().replace('ß', "ss")
}

/// `OpenRefine`'s fingerprint, with numbers by their worth and plurals as singulars.
pub fn class_key(name: &str) -> String {
    if let Ok(number) = name.trim().parse::<f64>() {
        return format!("#{number}");
    }
    let plain = bare_name(name.trim());
    let mut words: Vec<String> =
        plain.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()).map(singular).collect();
    if words.is_empty() {
        return plain;
    }
    // Names in which order tells (`a_to_b`, `b_to_a`) keep it.
    if !words.iter().any(|word| matches!(word.as_str(), "to" | "from" | "of" | "than" | "before" | "after" | "not" | "vs")) {
        words.sort_unstable();
    }
    words.join(" ")
}

fn singular(word: &str) -> String {
    let long = word.chars().count() > 3;
    match word.strip_suffix("ies") {
        Some(stem) if long && stem.len() > 1 => format!("{stem}y"),
        _ if long && word.ends_with('s') && !word.ends_with("ss") && !word.ends_with("us") && !word.ends_with("is") => {
            word[..word.len() - 1].to_owned()
        }
        _ => word.to_owned(),
    }
}
