//! What augmentation does to texts. Words are replaced, inserted, swapped and deleted as EDA defines it (Wei and Zou, 2019), but for its
//! cleaning: capitals, marks and layout stay. Words that turn a sentence round, protected terms and whatever is no word are left alone.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::hash::BuildHasherDefault;
use std::sync::LazyLock;

use super::lexicon::{WordHash, Words, built_in};
use super::tables::{CONFUSIONS, CONTRACTIONS, SPELLINGS, STOP_WORDS, TURNING, beside};
use super::words::{Protected, Token, capital, cased, is_composed, joined, names, tokens};
use crate::chance::Chance;
use crate::data::{Augmentation, Step, sentences};

/// What the operations of one pipeline share.
pub struct Setting<'p> {
    pub protected: Protected,
    pub lexicon: &'p BTreeMap<String, Vec<String>>,
}

/// Carries out one step on a text.
pub fn apply(step: &Step, chance: &mut Chance, setting: &Setting<'_>, text: &str) -> String {
    let part = chance.within(step.low, step.high);
    let fresh = || {
        let mut list = tokens(text);
        setting.protected.mark(&mut list);
        list
    };
    match step.op {
        Augmentation::SynonymReplacement => replace_by_synonyms(nameless(fresh()), part, chance, setting),
        Augmentation::RandomInsertion => insert_synonyms(nameless(fresh()), part, chance, setting),
        Augmentation::RandomSwap => swap_words(fresh(), part, chance),
        Augmentation::RandomDeletion => delete_words(fresh(), part, chance),
        Augmentation::TypingErrors => in_some_words(fresh(), part, 4, chance, mistype),
        Augmentation::OcrErrors => in_some_words(fresh(), part, 2, chance, misread),
        Augmentation::LetterCase => other_case(fresh(), chance),
        Augmentation::Punctuation => other_marks(fresh(), chance),
        Augmentation::Contractions => by_pairs(fresh(), &CONTRACTIONS, &CONTRACTED, chance),
        Augmentation::SpellingVariants => by_pairs(fresh(), &SPELLINGS, &SPELLED, chance),
        Augmentation::SentenceShuffle => shuffle_sentences(text, chance),
        Augmentation::SentenceCrop => crop(text, part, chance),
        Augmentation::EntitySwap => swap_entities(text, &step.list, chance),
        Augmentation::Template => match chance.one_of(&step.list) {
            Some(template) => template.replace("{text}", text),
            None => text.to_owned(),
        },
        // What alters pictures does nothing here.
        _ => text.to_owned(),
    }
}

/// With names fixed: a cup is a cupful, and the FA Cup is not.
fn nameless(mut list: Vec<Token<'_>>) -> Vec<Token<'_>> {
    for (token, name) in names(&list).into_iter().enumerate().filter(|(_, name)| *name) {
        list[token].fixed = name;
    }
    list
}

/// Places of the words that may be changed.
fn free(list: &[Token<'_>], shortest: usize) -> Vec<usize> {
    let may = |token: &Token<'_>| {
        token.word && !token.fixed && token.text.chars().nth(shortest - 1).is_some() && !is_one_of(&token.text, &TURNING)
    };
    (0..list.len()).filter(|at| may(&list[*at])).collect()
}

fn is_one_of(word: &str, list: &[&str]) -> bool {
    // A contracted "not" is one too.
    let turned = list.len() == TURNING.len() && (word.ends_with("n't") || word.ends_with("n’t"));
    turned || word.len() <= 10 && list.iter().any(|known| known.len() == word.len() && known.eq_ignore_ascii_case(word))
}

/// Stop words by themselves.
static STOPS: LazyLock<HashSet<&'static str, BuildHasherDefault<WordHash>>> =
    LazyLock::new(|| STOP_WORDS.iter().copied().collect());

/// A word in small letters, without a copy where it has no others.
fn lower(word: &str) -> Cow<'_, str> {
    if word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'\'') {
        Cow::Borrowed(word)
    } else {
        Cow::Owned(word.to_lowercase())
    }
}

/// Whether two words are one but for their capitals.
fn is_same(a: &str, b: &str) -> bool {
    if a.is_ascii() { a.eq_ignore_ascii_case(b) } else { a.to_lowercase() == b.to_lowercase() }
}

/// `max(1, ⌊part × words⌋)`: EDA's count. 0 where nothing is asked for.
fn count(part: f64, words: usize) -> usize {
    if part <= 0.0 || words == 0 { 0 } else { ((part * words as f64) as usize).clamp(1, words) }
}

fn word_count(list: &[Token<'_>]) -> usize {
    list.iter().filter(|token| token.word).count()
}

/// A synonym of the word at place `at`, as it stands among its neighbours.
fn synonym_at(list: &[Token<'_>], at: usize, setting: &Setting<'_>, chance: &mut Chance) -> Option<String> {
    let word = lower(&list[at].text);
    if STOPS.contains(&*word) {
        return None;
    }
    let before = list[..at].iter().rev().find(|token| token.word).map(|token| lower(&token.text));
    built_in().synonym(&word, before.as_deref(), setting.lexicon, chance)
}

fn replace_by_synonyms(mut list: Vec<Token<'_>>, part: f64, chance: &mut Chance, setting: &Setting<'_>) -> String {
    let wanted = count(part, word_count(&list));
    let mut places = free(&list, 2);
    chance.shuffle(&mut places);
    let mut done: Vec<String> = Vec::new();
    for at in places {
        // A word and its synonym count as one, and neither is replaced in its turn.
        if done.len() >= wanted * 2 {
            break;
        }
        if done.iter().any(|known| is_same(known, &list[at].text)) {
            continue;
        }
        let Some(synonym) = synonym_at(&list, at, setting, chance) else { continue };
        let word = list[at].text.clone().into_owned();
        // Every occurrence of it, as EDA has it.
        for place in 0..list.len() {
            if list[place].word && !list[place].fixed && is_same(&list[place].text, &word) {
                list[place].text = Cow::Owned(cased(&synonym, &list[place].text));
                agree(&mut list, place);
            }
        }
        done.extend([word, synonym]);
    }
    joined(&list)
}

/// Sets the article before a replaced word right: `a` before a consonant, `an` before a vowel.
fn agree(list: &mut [Token<'_>], at: usize) {
    let Some(place) = list[..at].iter().rposition(|token| token.word) else { return };
    if place + 2 != at || !list[place + 1].text.chars().all(char::is_whitespace) {
        return;
    }
    let vowel = list[at].text.starts_with(['a', 'e', 'i', 'o', 'u', 'A', 'E', 'I', 'O', 'U']);
    let article = match (&*list[place].text, vowel) {
        ("a", true) => "an",
        ("A", true) => "An",
        ("an", false) => "a",
        ("An", false) => "A",
        _ => return,
    };
    list[place].text = Cow::Borrowed(article);
}

fn insert_synonyms(mut list: Vec<Token<'_>>, part: f64, chance: &mut Chance, setting: &Setting<'_>) -> String {
    let wanted = count(part, word_count(&list));
    let mut places = free(&list, 2);
    for round in 0..wanted {
        if round > 0 {
            places = free(&list, 2);
        }
        // Ten tries, then it is left: EDA's rule.
        let synonym = (0..10).find_map(|_| {
            let at = *chance.one_of(&places)?;
            synonym_at(&list, at, setting, chance)
        });
        let words: Vec<usize> = (0..list.len()).filter(|at| list[*at].word && !list[*at].fixed).collect();
        if let (Some(synonym), Some(at)) = (synonym, chance.one_of(&words)) {
            let new =
                [" ", synonym.as_str()].map(|text| Token { text: Cow::Owned(text.to_owned()), word: text != " ", fixed: false });
            list.splice(at + 1..=*at, new);
        }
    }
    joined(&list)
}

fn swap_words(mut list: Vec<Token<'_>>, part: f64, chance: &mut Chance) -> String {
    let places = free(&list, 1);
    for _ in 0..count(part, word_count(&list)) {
        let (Some(a), Some(b)) = (chance.one_of(&places).copied(), chance.one_of(&places).copied()) else { break };
        // Three more tries for another place, as EDA has it.
        let b = (0..3).fold(b, |b, _| if a == b { chance.one_of(&places).copied().unwrap_or(b) } else { b });
        let (low, high) = (a.min(b), a.max(b));
        if low < high {
            let (first, second) = list.split_at_mut(high);
            std::mem::swap(&mut first[low].text, &mut second[0].text);
        }
    }
    joined(&list)
}

fn delete_words(mut list: Vec<Token<'_>>, part: f64, chance: &mut Chance) -> String {
    let places = free(&list, 1);
    let words = word_count(&list);
    let mut gone: Vec<usize> = places.iter().copied().filter(|_| chance.happens(part)).collect();
    if gone.len() == words && words > 0 {
        // One always stays.
        let stays = chance.below(gone.len());
        gone.remove(stays);
    }
    for at in gone.into_iter().rev() {
        let is_space = |token: Option<&Token<'_>>| token.is_some_and(|token| token.text.starts_with(char::is_whitespace));
        // One space goes with the word; at the beginning, the one behind it.
        let with_space = if at > 0 && is_space(list.get(at - 1)) {
            at - 1..at + 1
        } else if at == 0 && is_space(list.get(1)) {
            0..2
        } else {
            at..at + 1
        };
        list.drain(with_space);
    }
    joined(&list)
}

/// Changes one thing in some of the words that have `shortest` letters or more.
fn in_some_words(
    mut list: Vec<Token<'_>>,
    part: f64,
    shortest: usize,
    chance: &mut Chance,
    change: fn(&str, &mut Chance) -> Option<String>,
) -> String {
    let mut places = free(&list, shortest);
    places.retain(|at| !is_composed(&list[*at].text));
    chance.shuffle(&mut places);
    let wanted = count(part, word_count(&list));
    let mut done = 0;
    for at in places {
        if done >= wanted {
            break;
        }
        if let Some(new) = change(&list[at].text, chance) {
            list[at].text = Cow::Owned(new);
            done += 1;
        }
    }
    joined(&list)
}

/// One typing error: a neighbouring key, a letter missing, doubled, or two in the wrong order. The first letter stays.
fn mistype(word: &str, chance: &mut Chance) -> Option<String> {
    let mut letters: Vec<char> = word.chars().collect();
    let at = 1 + chance.below(letters.len() - 1);
    match chance.below(4) {
        0 => {
            let keys: Vec<char> = beside(letters[at]).chars().collect();
            let key = *chance.one_of(&keys)?;
            letters[at] = if letters[at].is_uppercase() { key.to_ascii_uppercase() } else { key };
        }
        1 => {
            letters.remove(at);
        }
        2 => letters.insert(at, letters[at]),
        _ => {
            let other = if at + 1 < letters.len() { at + 1 } else { at - 1 };
            if letters[at] == letters[other] || at.min(other) == 0 {
                return None;
            }
            letters.swap(at, other);
        }
    }
    Some(letters.into_iter().collect())
}

/// One of a scanner's mistakes.
fn misread(word: &str, chance: &mut Chance) -> Option<String> {
    let found: Vec<(usize, &str, &str)> =
        CONFUSIONS.iter().flat_map(|(from, to)| word.match_indices(from).map(move |(at, _)| (at, *from, *to))).collect();
    let (at, from, to) = *chance.one_of(&found)?;
    Some(format!("{}{to}{}", &word[..at], &word[at + from.len()..]))
}

fn other_case(mut list: Vec<Token<'_>>, chance: &mut Chance) -> String {
    let before = joined(&list);
    let ways: [fn(&str) -> String; 3] = [str::to_lowercase, str::to_uppercase, |word| capital(&word.to_lowercase())];
    let mut order = [0, 1, 2];
    chance.shuffle(&mut order);
    for way in order {
        for token in list.iter_mut().filter(|token| token.word && !token.fixed) {
            token.text = Cow::Owned(ways[way](&token.text));
        }
        if joined(&list) != before {
            break;
        }
    }
    joined(&list)
}

fn other_marks(mut list: Vec<Token<'_>>, chance: &mut Chance) -> String {
    let is_mark = |letter: char| matches!(letter, '.' | ',' | ';' | ':' | '!' | '?' | '…');
    let ends = list.iter().rposition(|token| !token.text.chars().all(char::is_whitespace));
    let Some(last) = ends else { return joined(&list) };
    let marked = !list[last].word && list[last].text.ends_with(is_mark);
    match (chance.below(3), marked) {
        (0, true) => {
            let kept = list[last].text.trim_end_matches(is_mark).to_owned();
            list[last].text = Cow::Owned(kept);
        }
        (1, true) => {
            let mark = list[last].text.chars().next_back().unwrap_or('.');
            list[last].text.to_mut().push(mark);
        }
        (0 | 1, false) => {
            let mark = ['.', '!', '…'][chance.below(3)];
            list[last].text.to_mut().push(mark);
        }
        _ => {
            for token in list.iter_mut().filter(|token| !token.word && !token.fixed) {
                if token.text.contains(is_mark) {
                    token.text = Cow::Owned(token.text.replace(is_mark, ""));
                }
            }
        }
    }
    joined(&list)
}

/// A table of pairs, by the first word of either side: where it stands, whether it is the left one, and the word that must follow.
type Pairs = Words<Vec<(usize, bool, Option<&'static str>)>>;

fn pairs_of(pairs: &'static [(&'static str, &'static str)]) -> Pairs {
    let mut table = Pairs::default();
    for (at, (left, right)) in pairs.iter().enumerate() {
        for (side, is_left) in [(*left, true), (*right, false)] {
            let (first, second) = side.split_once(' ').map_or((side, None), |(first, second)| (first, Some(second)));
            table.entry(first).or_default().push((at, is_left, second));
        }
    }
    table
}

static CONTRACTED: LazyLock<Pairs> = LazyLock::new(|| pairs_of(&CONTRACTIONS));
static SPELLED: LazyLock<Pairs> = LazyLock::new(|| pairs_of(&SPELLINGS));

/// Words of one side of a table become those of the other; one that stands in both ways is changed the way that chance says.
fn by_pairs(
    mut list: Vec<Token<'_>>,
    pairs: &'static [(&'static str, &'static str)],
    table: &Pairs,
    chance: &mut Chance,
) -> String {
    let plain = |token: &Token<'_>| -> String {
        let small = lower(&token.text);
        if small.contains('’') { small.replace('’', "'") } else { small.into_owned() }
    };
    // A found place: the first and last of its tokens, and what goes there.
    let mut forth: Vec<(usize, usize, &str)> = Vec::new();
    let mut back: Vec<(usize, usize, &str)> = Vec::new();
    for at in (0..list.len()).filter(|at| list[*at].word && !list[*at].fixed) {
        let found = match &*lower(&list[at].text) {
            small if small.contains('’') => table.get(small.replace('’', "'").as_str()),
            small => table.get(small),
        };
        for (pair, is_left, second) in found.into_iter().flatten() {
            let (left, right) = pairs[*pair];
            let next = list.get(at + 2).filter(|next| next.word && !next.fixed && list[at + 1].text == " ");
            match second {
                None => if *is_left { &mut forth } else { &mut back }.push((at, at, if *is_left { right } else { left })),
                Some(second) if next.is_some_and(|next| plain(next) == *second) => back.push((at, at + 2, left)),
                Some(_) => {}
            }
        }
    }
    let found = match (forth.is_empty(), back.is_empty()) {
        (true, _) => back,
        (_, true) => forth,
        _ if chance.happens(0.5) => forth,
        _ => back,
    };
    let mut reached = list.len();
    for (first, last, new) in found.into_iter().rev() {
        // Of two that overlap, the later is changed.
        if last < reached {
            let capitals = new.contains(' ') && list[first].text.starts_with(char::is_uppercase);
            let text = if capitals { capital(new) } else { cased(new, &list[first].text) };
            list.splice(first..=last, [Token { text: Cow::Owned(text), word: true, fixed: false }]);
            reached = first;
        }
    }
    joined(&list)
}

fn shuffle_sentences(text: &str, chance: &mut Chance) -> String {
    let mut list = sentences(text);
    if list.len() < 2 {
        return text.to_owned();
    }
    let before = list.clone();
    // Another order, as far as there is one.
    for _ in 0..8 {
        chance.shuffle(&mut list);
        if list != before {
            break;
        }
    }
    spaced(&list, text)
}

/// Sentences put together: with the white space that each had, a space where it had none, and none at the end.
fn spaced(list: &[&str], like: &str) -> String {
    let wide = like.contains(['。', '！', '？']);
    let mut out = String::with_capacity(like.len() + 1);
    for (at, sentence) in list.iter().enumerate() {
        out.push_str(sentence);
        let last = at + 1 == list.len();
        if last {
            out.truncate(out.trim_end().len());
        } else if !wide && !sentence.ends_with(char::is_whitespace) {
            out.push(' ');
        }
    }
    out
}

fn crop(text: &str, part: f64, chance: &mut Chance) -> String {
    let list = sentences(text);
    if list.len() > 1 {
        let kept = ((part * list.len() as f64).round() as usize).clamp(1, list.len());
        let from = chance.below(list.len() - kept + 1);
        return spaced(&list[from..from + kept], text);
    }
    let list = tokens(text);
    let words: Vec<usize> = (0..list.len()).filter(|at| list[*at].word || list[*at].fixed).collect();
    if words.len() < 2 {
        return text.to_owned();
    }
    let kept = ((part * words.len() as f64).round() as usize).clamp(1, words.len());
    let from = chance.below(words.len() - kept + 1);
    // The marks behind the last word stay, where it is the text's last.
    let end = words.get(from + kept).map_or(list.len(), |_| words[from + kept - 1] + 1);
    let start = if from == 0 { 0 } else { words[from] };
    joined(&list[start..end])
}

/// Each occurrence of a name of the list, as whole words, becomes another of it: the same for the same.
fn swap_entities(text: &str, names: &[String], chance: &mut Chance) -> String {
    let mut order: Vec<&String> = names.iter().filter(|name| !name.trim().is_empty()).collect();
    // The longest first: "New York City" before "New York".
    order.sort_by_key(|name| std::cmp::Reverse(name.len()));
    let mut chosen: BTreeMap<&String, &String> = BTreeMap::new();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    let is_part = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
    while at < text.len() {
        let rest = &text[at..];
        let here = order.iter().copied().find(|name| {
            rest.starts_with(name.as_str())
                && !is_part(text[..at].chars().next_back())
                && !is_part(rest[name.len()..].chars().next())
        });
        if let Some(name) = here {
            let others: Vec<&String> = order.iter().copied().filter(|other| *other != name).collect();
            let new = *chosen.entry(name).or_insert_with(|| chance.one_of(&others).copied().unwrap_or(name));
            out.push_str(new);
            at += name.len();
        } else {
            let letter = rest.chars().next().map_or(1, char::len_utf8);
            out.push_str(&rest[..letter]);
            at += letter;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draws(op: Augmentation, low: f64, high: f64, list: &[&str], text: &str) -> Vec<String> {
        let step = Step { list: list.iter().map(|name| (*name).to_owned()).collect(), ..Step::with(op, low, high) };
        let lexicon = BTreeMap::new();
        let setting = Setting { protected: Protected::new(&["apple pay".to_owned()]), lexicon: &lexicon };
        (0..200).map(|seed| apply(&step, &mut Chance::new(seed), &setting, text)).collect()
    }

    fn words(text: &str) -> Vec<String> {
        tokens(text).into_iter().filter(|token| token.word).map(|token| token.text.to_lowercase()).collect()
    }

    const TEXT: &str = "Can I quickly purchase a car with Apple Pay, or is that not permitted?";

    #[test]
    fn synonyms_replace_part_of_the_words_and_leave_the_rest() {
        let found = draws(Augmentation::SynonymReplacement, 0.2, 0.2, &[], TEXT);
        let before = words(TEXT);
        for text in &found {
            let after = words(text);
            assert_eq!(after.len(), before.len(), "{text}");
            let changed: Vec<usize> = (0..before.len()).filter(|at| before[*at] != after[*at]).collect();
            // ⌊0.2 × 14⌋ = 2, and an article that goes with its word.
            assert!(changed.iter().filter(|at| before[**at] != "a").count() <= 2, "{text}");
            assert!(text.contains("Apple Pay") && text.contains("not") && text.contains("Can I"), "{text}");
        }
        assert!(found.iter().any(|text| text.contains("an auto")), "the article agrees: {found:?}");
        assert!(found.iter().any(|text| text.contains("rapidly")) && found.iter().any(|text| text.contains("buy")));
        assert_eq!(draws(Augmentation::SynonymReplacement, 0.0, 0.0, &[], TEXT)[0], TEXT);
    }

    #[test]
    fn names_entities_and_accents_are_left_whole() {
        for op in
            [Augmentation::SynonymReplacement, Augmentation::RandomInsertion, Augmentation::TypingErrors, Augmentation::OcrErrors]
        {
            for text in draws(op, 0.6, 0.6, &[], "The FA Cup &amp; a cafe\u{301}: I'm sorry he hit it") {
                assert!(text.contains("&amp;") && text.contains("cafe\u{301}"), "{text}");
                let of_words = matches!(op, Augmentation::SynonymReplacement | Augmentation::RandomInsertion);
                assert!(!of_words || ["FA", "Cup", "sorry", "hit"].iter().all(|word| text.contains(word)), "{text}");
                assert!(["hitted", "upful", "bad"].iter().all(|word| !text.contains(word)), "{text}");
            }
        }
    }

    #[test]
    fn insertion_swap_and_deletion_are_edas() {
        for text in draws(Augmentation::RandomInsertion, 0.1, 0.1, &[], TEXT) {
            assert_eq!(words(&text).len(), words(TEXT).len() + 1, "{text}");
        }
        for text in draws(Augmentation::RandomSwap, 0.1, 0.1, &[], TEXT) {
            let (mut a, mut b) = (words(&text), words(TEXT));
            assert!(a.iter().zip(&b).filter(|(x, y)| x != y).count() <= 2, "{text}");
            a.sort_unstable();
            b.sort_unstable();
            assert_eq!(a, b);
        }
        let found = draws(Augmentation::RandomDeletion, 0.3, 0.3, &[], TEXT);
        let mean = found.iter().map(|text| words(text).len()).sum::<usize>() as f64 / found.len() as f64;
        // 11 of 14 words may go, each with 0.3.
        assert!((mean - (14.0 - 0.3 * 11.0)).abs() < 0.35, "{mean}");
        assert!(found.iter().all(|text| text.contains("Apple Pay") && text.contains("not") && !text.contains("  ")));
        assert!(draws(Augmentation::RandomDeletion, 1.0, 1.0, &[], "all go away").iter().all(|text| words(text).len() == 1));
    }

    #[test]
    fn errors_are_one_a_word_and_the_right_kind() {
        for text in draws(Augmentation::TypingErrors, 0.1, 0.1, &[], TEXT) {
            let (before, after) = (words(TEXT), words(&text));
            let changed: Vec<usize> = (0..before.len()).filter(|at| before[*at] != after[*at]).collect();
            let [at] = changed.as_slice() else { panic!("one word of {text}") };
            assert!(before[*at].len() >= 4 && after[*at].len().abs_diff(before[*at].len()) <= 1);
            assert_eq!(before[*at].as_bytes()[0], after[*at].as_bytes()[0]);
        }
        assert!(draws(Augmentation::OcrErrors, 0.3, 0.3, &[], "modern clocks").iter().any(|text| text.contains("modem")));
    }

    #[test]
    fn case_marks_and_pairs() {
        let cases = draws(Augmentation::LetterCase, 0.0, 0.0, &[], "Hello there");
        let mut seen = cases.clone();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen, ["HELLO THERE", "Hello There", "hello there"]);
        let mut marks = draws(Augmentation::Punctuation, 0.0, 0.0, &[], "Well, yes?");
        marks.sort_unstable();
        marks.dedup();
        assert_eq!(marks, ["Well yes", "Well, yes", "Well, yes??"]);
        assert_eq!(draws(Augmentation::Contractions, 0.0, 0.0, &[], "Don't go")[0], "Do not go");
        assert_eq!(draws(Augmentation::Contractions, 0.0, 0.0, &[], "I am here, it is fine")[0], "I'm here, it's fine");
        assert_eq!(draws(Augmentation::SpellingVariants, 0.0, 0.0, &[], "My favourite COLOUR")[0], "My favorite COLOR");
    }

    #[test]
    fn sentences_names_and_templates() {
        let text = "First one. Second one! Third?";
        for shuffled in draws(Augmentation::SentenceShuffle, 0.0, 0.0, &[], text) {
            assert!(shuffled != text && shuffled.len() == text.len(), "{shuffled}");
        }
        let crops = draws(Augmentation::SentenceCrop, 0.7, 0.7, &[], text);
        assert!(crops.iter().all(|text| text == "First one. Second one!" || text == "Second one! Third?"), "{:?}", &crops[..3]);
        assert!(draws(Augmentation::SentenceCrop, 0.5, 0.5, &[], "one two three four!").contains(&"three four!".to_owned()));
        let cities = ["London", "New York", "Paris"];
        for text in draws(Augmentation::EntitySwap, 0.0, 0.0, &cities, "From London to Londonderry, back to London") {
            assert!(
                text.ends_with("York to Londonderry, back to New York") || text.ends_with("Paris to Londonderry, back to Paris")
            );
        }
        assert_eq!(draws(Augmentation::Template, 0.0, 0.0, &["Hi, {text}"], "where is it")[0], "Hi, where is it");
    }

    #[test]
    fn no_text_breaks_an_operation() {
        for text in [
            "",
            " ",
            "\n",
            "a",
            "…",
            "🙂🙂",
            "你好吗",
            "مرحبا بك",
            "{x}",
            "123 45",
            "don’t",
            "ﬁ",
            "e\u{301}e\u{301}e\u{301}e\u{301}",
        ] {
            for op in Augmentation::ALL.into_iter().filter(|op| !op.is_of_pictures()) {
                for part in [0.0, 0.3, 1.0] {
                    draws(op, part, part, &["x {text}", "a"], text);
                }
            }
        }
    }
}
