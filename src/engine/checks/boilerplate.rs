//! Boilerplate: sentences that many texts share, which say something else besides. Of chats, what answers share.

use rayon::prelude::*;
use xxhash_rust::xxh3::xxh3_64;

use super::duplicates::looked_at;
use super::turns::is_answer;
use super::{Finding, FindingKind};
use crate::data::{Chat, Dataset, Role, SampleId, count, sentences};
use crate::job::{Cancelled, Progress};

/// A sentence of fewer letters or words is often said.
const LETTERS: usize = 25;
const WORDS: usize = 5;
/// In so many texts a sentence is boilerplate: at least, and of all of them one in so many.
const LEAST: usize = 10;
const ONE_IN: usize = 200;
/// The most that are listed, and the most of each that is shown, in letters.
const LISTED: usize = 50;
const SHOWN: usize = 90;

/// A sentence without what differs by chance: blanks, capitals, numbers.
fn plain(sentence: &str) -> Option<String> {
    if sentence.len() < LETTERS {
        return None;
    }
    let words: Vec<String> = sentence.split_whitespace().map(str::to_lowercase).collect();
    let wide = sentence.chars().filter(|letter| !letter.is_ascii()).count() * 2 > sentence.chars().count();
    (words.len() >= WORDS || wide).then(|| words.join(" "))
}

/// Whole sentences of a cell, and how many there are: of one alone its text is a copy of another, and no boilerplate.
fn said(dataset: &Dataset, field: usize, id: SampleId) -> (Vec<u64>, usize) {
    let cell = dataset.text(field, id).unwrap_or_default();
    let mut prints = Vec::new();
    let mut all = 0;
    let mut read = |text: &str| {
        let list = sentences(text);
        all += list.len();
        prints.extend(list.into_iter().filter_map(plain).map(|plain| xxh3_64(plain.as_bytes())));
    };
    if dataset.fields()[field].role == Role::Messages {
        let chat = Chat::parse(&cell);
        let answers = chat.iter().flat_map(Chat::turns).filter(|turn| is_answer(&turn.role) && !turn.is_json);
        answers.for_each(|turn| read(&turn.text));
    } else {
        read(&cell);
    }
    prints.sort_unstable();
    prints.dedup();
    (prints, all)
}

/// Looks for it in a column: a finding a sentence, that of most samples first.
pub(super) fn run(dataset: &Dataset, field: usize, progress: &Progress) -> Result<Vec<Finding>, Cancelled> {
    let ids: Vec<SampleId> = looked_at(dataset).collect();
    let parts: Vec<Vec<(u64, SampleId)>> = ids
        .par_chunks(1_024)
        .map(|part| {
            progress.check()?;
            let mut list = Vec::new();
            for id in part {
                let (prints, all) = said(dataset, field, *id);
                if all > 1 {
                    list.extend(prints.into_iter().map(|print| (print, *id)));
                }
            }
            Ok(list)
        })
        .collect::<Result<_, Cancelled>>()?;
    let mut places: Vec<(u64, SampleId)> = parts.into_iter().flatten().collect();
    places.par_sort_unstable();
    let least = LEAST.max(ids.len() / ONE_IN);
    let mut groups: Vec<&[(u64, SampleId)]> = places.chunk_by(|a, b| a.0 == b.0).filter(|group| group.len() >= least).collect();
    groups.sort_by(|a, b| b.len().cmp(&a.len()).then(a[0].1.cmp(&b[0].1)));
    let column = &dataset.fields()[field].name;
    let of = |group: &&[(u64, SampleId)]| {
        let (print, first) = group[0];
        let whole = sentence_of(dataset, field, first, print);
        let shown: String =
            whole.chars().take(SHOWN).collect::<String>() + if whole.chars().nth(SHOWN).is_some() { "…" } else { "" };
        let share = group.len() as f64 / ids.len() as f64;
        let reason = format!("“{shown}” stands in {} texts, {:.1} % of all", count(group.len()), share * 100.0);
        let samples = group.iter().map(|(_, id)| *id).collect();
        Finding::new(FindingKind::Boilerplate, samples, column, 0.35 + 0.3 * share.min(1.0), reason).with_suggestion(Some(whole))
    };
    Ok(groups.iter().take(LISTED).map(of).collect())
}

/// The sentence of this print, as a sample has it.
fn sentence_of(dataset: &Dataset, field: usize, id: SampleId, print: u64) -> String {
    let cell = dataset.text(field, id).unwrap_or_default();
    let find = |text: &str| -> Option<String> {
        let is = |sentence: &&str| plain(sentence).is_some_and(|plain| xxh3_64(plain.as_bytes()) == print);
        sentences(text).into_iter().find(is).map(|sentence| sentence.trim().to_owned())
    };
    let chat = (dataset.fields()[field].role == Role::Messages).then(|| Chat::parse(&cell)).flatten();
    match &chat {
        Some(chat) => chat.turns().iter().find_map(|turn| find(&turn.text)),
        None => find(&cell),
    }
    .unwrap_or_default()
}
