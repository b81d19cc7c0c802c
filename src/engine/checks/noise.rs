//! Noise: what is wrong in how texts are written, what they say that nobody said, another language than the column's, an end in the middle; and what is about people.
//! Each says what it matched. Thresholds after Data-Juicer and Gopher (Rae and others, 2021).

use std::collections::{BTreeMap, HashMap};

use rayon::prelude::*;
use xxhash_rust::xxh3::xxh3_64;

use super::duplicates::{is_written, looked_at};
use super::options::{CheckOption, Options};
use super::{CheckInput, Finding, FindingKind, boilerplate, turns};
use crate::data::{Dataset, Role, SampleId};
use crate::derive::{FlawAt, flaws};
use crate::job::{Cancelled, Progress};
use crate::writing::{Counted, Flaw, Limits, Tongue, tongue_of};

const REPEATED: CheckOption = CheckOption {
    flag: "--repeated",
    label: "repeated part",
    help: "flag texts of which more than this part stands in runs of five words that came before",
    kinds: &[FindingKind::Written(Flaw::Repeated)],
    choices: &[],
    least: 0.05,
    most: 1.0,
    usual: 0.5,
};
const SYMBOLS: CheckOption = CheckOption {
    flag: "--symbols",
    label: "part of signs",
    help: "flag texts of which more than this part is signs and digits",
    kinds: &[FindingKind::Written(Flaw::Symbols)],
    choices: &[],
    least: 0.05,
    most: 1.0,
    usual: 0.5,
};
const FEWEST: CheckOption = CheckOption {
    flag: "--least-words",
    label: "fewest",
    help: "flag texts of fewer words, or of what --counted says; 0 flags none",
    kinds: &[FindingKind::Written(Flaw::TooShort)],
    choices: &[],
    least: 0.0,
    most: 1_000.0,
    usual: 0.0,
};
const MOST: CheckOption = CheckOption {
    flag: "--most-words",
    label: "most",
    help: "flag texts of more words, or of what --counted says; 0 flags none",
    kinds: &[FindingKind::Written(Flaw::TooLong)],
    choices: &[],
    least: 0.0,
    most: 100_000.0,
    usual: 0.0,
};

const COUNTED: CheckOption = CheckOption {
    flag: "--counted",
    label: "counted in",
    help: "what lengths are counted in; tokens are those of Qwen 2.5",
    kinds: &[FindingKind::Written(Flaw::TooShort), FindingKind::Written(Flaw::TooLong)],
    choices: &["words", "characters", "tokens"],
    least: 0.0,
    most: 2.0,
    usual: 0.0,
};

/// What can be moved.
pub const OPTIONS: [CheckOption; 5] = [REPEATED, SYMBOLS, FEWEST, MOST, COUNTED];

/// What was asked for.
pub fn limits(options: &Options) -> Limits {
    let whole = |option: &CheckOption| options.get(option).max(0.0).round() as usize;
    let counted = Counted::ALL[options.choice(&COUNTED)];
    let (fewest, most) = (whole(&FEWEST), whole(&MOST));
    Limits { repeated: options.get(&REPEATED), symbols: options.get(&SYMBOLS), fewest, most, counted }
}

/// How bad a flaw is by itself, 0 to 1.
fn severity(flaw: Flaw) -> f64 {
    match flaw {
        Flaw::Secret => 0.98,
        Flaw::Card => 0.95,
        Flaw::Iban => 0.9,
        Flaw::Gibberish | Flaw::StockPhrase => 0.8,
        Flaw::Repeated => 0.75,
        Flaw::Mojibake | Flaw::Control | Flaw::Email | Flaw::Phone => 0.7,
        Flaw::Markup | Flaw::Entities | Flaw::Symbols => 0.6,
        Flaw::Invisible | Flaw::CutOff | Flaw::Profanity | Flaw::IpAddress => 0.5,
        Flaw::TooShort | Flaw::TooLong => 0.45,
        Flaw::Unnormalised => 0.4,
        Flaw::Blanks => 0.2,
    }
}

/// What was found, in words.
fn reason(flaw: Flaw, at: &FlawAt, counted: Counted) -> String {
    let shown: String = at.shown.chars().map(|letter| if letter.is_control() { '·' } else { letter }).collect();
    let times = if at.times > 1 { format!(", and {} more", at.times - 1) } else { String::new() };
    let code = || {
        let points: Vec<String> = at.shown.chars().take(2).map(|letter| format!("U+{:04X}", u32::from(letter))).collect();
        format!("{}{times}", points.join(" "))
    };
    match flaw {
        Flaw::Control | Flaw::Invisible | Flaw::Unnormalised => code(),
        Flaw::Blanks if shown.trim().is_empty() => format!("blanks at an end or in a row{times}"),
        Flaw::Symbols => format!("mostly signs and digits: “{shown}”"),
        Flaw::TooShort => format!("too few {}: “{shown}”", counted.name()),
        Flaw::TooLong => format!("too many {}: “{shown}” is beyond the last", counted.name()),
        Flaw::Repeated => format!("over and over: “{shown}”"),
        Flaw::Secret => format!("“{}…”{times}", at.shown.chars().take(8).collect::<String>()),
        _ => format!("“{shown}”{times}"),
    }
}

fn of_flaws(
    input: &CheckInput<'_>,
    field: usize,
    options: &Options,
    personal: bool,
    progress: &Progress,
) -> Result<Vec<Finding>, Cancelled> {
    let dataset = input.dataset;
    let column = &dataset.fields()[field].name;
    let limits = limits(options);
    let known = flaws(dataset, field, &limits, input.store, progress)?;
    let gone = |row: u32| dataset.is_excluded(SampleId(row)) || dataset.is_made(SampleId(row));
    let mut found = Vec::new();
    for (flaw, list) in known.all().filter(|(flaw, _)| flaw.is_personal() == personal) {
        let of = |at: &FlawAt| {
            Finding::new(
                FindingKind::Written(flaw),
                vec![SampleId(at.row)],
                column,
                severity(flaw),
                reason(flaw, at, limits.counted),
            )
        };
        found.extend(list.iter().filter(|at| !gone(at.row)).map(of));
    }
    Ok(found)
}

/// Looks for noise in texts and chats.
///
/// # Errors
/// [`Cancelled`].
pub fn run(input: &CheckInput<'_>, options: &Options, progress: &Progress) -> Result<Vec<Finding>, Cancelled> {
    let dataset = input.dataset;
    let mut found = Vec::new();
    for field in 0..dataset.fields().len() {
        let role = dataset.fields()[field].role;
        if !matches!(role, Role::Text | Role::Messages) {
            continue;
        }
        found.extend(of_flaws(input, field, options, false, progress)?);
        found.extend(boilerplate::run(dataset, field, progress)?);
        if role == Role::Messages {
            found.extend(turns::run(dataset, field, progress)?);
        } else {
            found.extend(tongues(dataset, field, progress)?);
            found.extend(cut_off(dataset, field, progress)?);
        }
    }
    found.sort_by(|a, b| b.severity.total_cmp(&a.severity));
    Ok(found)
}

/// Looks for what is about people, in every column that somebody wrote.
///
/// # Errors
/// [`Cancelled`].
pub fn personal(input: &CheckInput<'_>, options: &Options, progress: &Progress) -> Result<Vec<Finding>, Cancelled> {
    let mut found = Vec::new();
    for field in (0..input.dataset.fields().len()).filter(|field| is_written(input.dataset, *field)) {
        found.extend(of_flaws(input, field, options, true, progress)?);
    }
    found.sort_by(|a, b| b.severity.total_cmp(&a.severity));
    Ok(found)
}

/// The words that a column's texts have most, of which a text of its language has some: it needs no closer look.
const USUAL_WORDS: usize = 60;
/// The part of usual words from which on a text is of the column's language.
const AT_HOME: f64 = 0.2;
/// How surely a text must be of another language, and how many of a column of one.
const SURE: f64 = 0.8;
const MAINLY: f64 = 0.7;
/// Texts that the language of a column is told by.
const SAMPLED: usize = 400;

fn tongues(dataset: &Dataset, field: usize, progress: &Progress) -> Result<Vec<Finding>, Cancelled> {
    let ids: Vec<SampleId> = looked_at(dataset).collect();
    let step = (ids.len() / SAMPLED).max(1);
    let mut counts: BTreeMap<Tongue, usize> = BTreeMap::new();
    let mut words: HashMap<u64, u32> = HashMap::new();
    let each = |text: &str, say: &mut dyn FnMut(u64)| {
        text.split(|letter: char| !letter.is_alphabetic())
            .filter(|word| !word.is_empty())
            .take(200)
            .for_each(|word| say(xxh3_64(word.to_lowercase().as_bytes())));
    };
    for id in ids.iter().step_by(step) {
        let text = dataset.text(field, *id).unwrap_or_default();
        if let Some((tongue, sure)) = tongue_of(&text)
            && sure > 0.5
        {
            *counts.entry(tongue).or_default() += 1;
            each(&text, &mut |word| *words.entry(word).or_default() += 1);
        }
    }
    let total: usize = counts.values().sum();
    let Some((home, n)) = counts.into_iter().max_by_key(|(_, n)| *n) else { return Ok(Vec::new()) };
    // A column of many languages has none of its own.
    if total < 10 || (n as f64) < MAINLY * total as f64 {
        return Ok(Vec::new());
    }
    // A word of few texts is none of the language's.
    let mut usual: Vec<(u64, u32)> = words.into_iter().filter(|(_, n)| *n as usize * 20 >= total.max(60)).collect();
    usual.sort_unstable_by_key(|(word, n)| (std::cmp::Reverse(*n), *word));
    let usual: std::collections::HashSet<u64> = usual.into_iter().take(USUAL_WORDS).map(|(word, _)| word).collect();
    let column = &dataset.fields()[field].name;
    let found: Vec<Vec<Finding>> = ids
        .par_chunks(512)
        .map(|part| {
            progress.check()?;
            let of = |id: &SampleId| {
                let text = dataset.text(field, *id)?;
                let (mut known, mut all) = (0usize, 0usize);
                each(&text[..text.floor_char_boundary(text.len().min(600))], &mut |word| {
                    all += 1;
                    known += usize::from(usual.contains(&word));
                });
                if known as f64 >= AT_HOME * all as f64 && all > 0 {
                    return None;
                }
                let (tongue, sure) = tongue_of(&text)?;
                (tongue != home && sure >= SURE).then(|| {
                    let reason = format!("{}; the column is {}", tongue.name(), home.name());
                    Finding::new(FindingKind::OtherTongue, vec![*id], column, 0.4 + 0.3 * sure, reason)
                })
            };
            Ok(part.iter().filter_map(of).collect())
        })
        .collect::<Result<_, Cancelled>>()?;
    Ok(found.into_iter().flatten().collect())
}

/// The part of long texts that end with a mark, from which on one that does not is cut off.
const ENDED: f64 = 0.9;
/// Texts of fewer letters end as they please.
const LONG: usize = 80;

fn cut_off(dataset: &Dataset, field: usize, progress: &Progress) -> Result<Vec<Finding>, Cancelled> {
    let ended = |text: &str| {
        let text = text.trim_end();
        let last = text.chars().next_back();
        last.is_none_or(|last| !last.is_alphanumeric() && !matches!(last, ',' | '-' | '(' | '–' | '/' | '&'))
    };
    let (mut long, mut whole) = (0usize, 0usize);
    let mut cut: Vec<(SampleId, String)> = Vec::new();
    for (at, id) in looked_at(dataset).enumerate() {
        if at % 4_096 == 0 {
            progress.check()?;
        }
        let text = dataset.text(field, id).unwrap_or_default();
        if text.len() < LONG {
            continue;
        }
        long += 1;
        if ended(&text) {
            whole += 1;
        } else {
            let end = text.trim_end();
            let from = end.char_indices().rev().take(30).last().map_or(0, |(at, _)| at);
            cut.push((id, end[from..].to_owned()));
        }
    }
    if long < 20 || (whole as f64) < ENDED * long as f64 {
        return Ok(Vec::new());
    }
    let column = &dataset.fields()[field].name;
    let of = |(id, end): (SampleId, String)| {
        let reason = format!("it ends “…{end}”, where {:.0} % of long texts end with a mark", whole as f64 / long as f64 * 100.0);
        Finding::new(FindingKind::Written(Flaw::CutOff), vec![id], column, severity(Flaw::CutOff), reason)
    };
    Ok(cut.into_iter().map(of).collect())
}
