//! A text as words and what stands between them. Numbers, addresses, names in braces and whatever holds a digit are no words: nothing
//! that changes words touches them.

use std::borrow::Cow;
use std::collections::HashSet;

use unicode_normalization::char::is_combining_mark;

/// A piece of a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Token<'t> {
    pub text: Cow<'t, str>,
    /// Whether it is a word: letters, and apostrophes among them.
    pub word: bool,
    /// Whether it stays as it is.
    pub fixed: bool,
}

/// Terms that stay: single words, and sequences of them.
#[derive(Debug, Default)]
pub struct Protected {
    single: HashSet<String>,
    several: Vec<Vec<String>>,
}

impl Protected {
    /// The terms of a pipeline, in small letters.
    pub fn new(terms: &[String]) -> Self {
        let mut protected = Self::default();
        for term in terms {
            let words: Vec<String> =
                tokens(term).into_iter().filter(|token| token.word).map(|token| token.text.into_owned()).collect();
            match words.as_slice() {
                [] => {}
                [one] => {
                    protected.single.insert(one.clone());
                }
                _ => protected.several.push(words),
            }
        }
        protected
    }

    /// Marks what stays.
    pub fn mark(&self, tokens: &mut [Token<'_>]) {
        if self.single.is_empty() && self.several.is_empty() {
            return;
        }
        let words: Vec<(usize, String)> = tokens
            .iter()
            .enumerate()
            .filter(|(_, token)| token.word)
            .map(|(at, token)| (at, token.text.to_lowercase()))
            .collect();
        for (i, (at, word)) in words.iter().enumerate() {
            if self.single.contains(word) {
                tokens[*at].fixed = true;
            }
            for term in &self.several {
                let here = words.get(i..i + term.len()).is_some_and(|part| part.iter().map(|(_, word)| word).eq(term));
                if here {
                    words[i..i + term.len()].iter().for_each(|(at, _)| tokens[*at].fixed = true);
                }
            }
        }
    }
}

fn is_apostrophe(letter: char) -> bool {
    matches!(letter, '\'' | '’')
}

/// Cuts a text into words and what stands between; put together again they are the text.
pub fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut list: Vec<Token<'_>> = Vec::with_capacity(text.len() / 3 + 1);
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        // A run without white space, in which a digit, a slash, an at sign or a brace makes all of it no words.
        let space = rest.find(char::is_whitespace).unwrap_or(rest.len());
        if space == 0 {
            let end = rest.find(|letter: char| !letter.is_whitespace()).unwrap_or(rest.len());
            list.push(Token { text: Cow::Borrowed(&rest[..end]), word: false, fixed: false });
            at += end;
            continue;
        }
        let run = &rest[..space];
        let marks = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'/' | b'@' | b'{' | b'}' | b'<' | b'>' | b'\\' | b'_');
        if run.bytes().any(marks) || has_entity(run) {
            list.push(Token { text: Cow::Borrowed(run), word: false, fixed: true });
        } else {
            in_run(run, &mut list);
        }
        at += space;
    }
    list
}

/// Whether an HTML entity stands in it: `&amp;`, `&#8217;`.
fn has_entity(run: &str) -> bool {
    run.match_indices('&').any(|(at, _)| {
        let name = run[at + 1..].split(';').next().unwrap_or_default();
        let plain = name.trim_start_matches('#');
        let closed = run[at + 1..].len() > name.len();
        closed && (2..=31).contains(&name.len()) && plain.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

fn in_run<'t>(run: &'t str, list: &mut Vec<Token<'t>>) {
    let mut from = 0;
    let mut in_word = None;
    let mut letters = run.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        let joins =
            is_apostrophe(letter) && in_word == Some(true) && letters.peek().is_some_and(|(_, next)| next.is_alphabetic());
        // An accent that stands by itself belongs to the letter before it.
        let word = letter.is_alphabetic() || joins || in_word == Some(true) && is_combining_mark(letter);
        if in_word.is_some_and(|was| was != word) {
            list.push(Token { text: Cow::Borrowed(&run[from..at]), word: !word, fixed: false });
            from = at;
        }
        in_word = Some(word);
    }
    if let Some(word) = in_word {
        list.push(Token { text: Cow::Borrowed(&run[from..]), word, fixed: false });
    }
}

/// Which words are names, as far as capitals tell: one where no sentence begins, or one of capitals alone; in a text where most words have
/// them, they tell nothing.
pub fn names(list: &[Token<'_>]) -> Vec<bool> {
    let capital = |token: &Token<'_>| token.text.starts_with(char::is_uppercase);
    let words: Vec<usize> = (0..list.len()).filter(|at| list[*at].word).collect();
    let mut named = vec![false; list.len()];
    if words.iter().filter(|at| capital(&list[**at])).count() * 2 > words.len().max(4) {
        return named;
    }
    for (nth, at) in words.iter().enumerate() {
        let text = &list[*at].text;
        let between = nth.checked_sub(1).map_or(0, |nth| words[nth] + 1);
        let begins = nth == 0 || list[between..*at].iter().any(|token| token.text.contains(['.', '!', '?', ':', '\n', '“', '"']));
        let long = text.chars().nth(1).is_some();
        let loud = long && !text.chars().any(char::is_lowercase) && text.chars().any(char::is_uppercase);
        named[*at] = loud || long && capital(&list[*at]) && !begins;
    }
    named
}

/// Whether a word has an accent that stands by itself: its letters are not to be moved one by one.
pub fn is_composed(word: &str) -> bool {
    !word.is_ascii() && word.chars().any(is_combining_mark)
}

/// The text of tokens.
pub fn joined(tokens: &[Token<'_>]) -> String {
    let mut text = String::with_capacity(tokens.iter().map(|token| token.text.len()).sum());
    tokens.iter().for_each(|token| text.push_str(&token.text));
    text
}

/// Writes `word` with the capitals of `like`.
pub fn cased(word: &str, like: &str) -> String {
    let mut letters = like.chars().filter(|letter| letter.is_alphabetic());
    let (first, second) = (letters.next(), letters.next());
    match (first.is_some_and(char::is_uppercase), second.is_some_and(char::is_uppercase)) {
        (true, true) => word.to_uppercase(),
        (true, false) => capital(word),
        _ => word.to_owned(),
    }
}

/// With a capital at its beginning.
pub fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_what_is_none() {
        let words = |text: &str| {
            let list = tokens(text);
            assert_eq!(joined(&list), text);
            list.into_iter().filter(|token| token.word).map(|token| token.text.into_owned()).collect::<Vec<_>>()
        };
        assert_eq!(words("Don't pay £5 to {name}, e-mail a@b.com — now!"), ["Don't", "pay", "to", "e", "mail", "now"]);
        assert_eq!(words("  https://x.org/a  'quoted' naïve über"), ["quoted", "naïve", "über"]);
        assert_eq!(words("Tom &amp; Jerry, AT&amp;T, e&#769;a but R & D;"), ["Tom", "Jerry", "but", "R", "D"]);
        assert_eq!(words("cafe\u{301} noir"), ["cafe\u{301}", "noir"]);
        assert!(words("").is_empty() && words(" \n\t").is_empty());
        let mut list = tokens("My Apple Pay and apple pie");
        Protected::new(&["apple pay".to_owned()]).mark(&mut list);
        let fixed: Vec<&str> = list.iter().filter(|token| token.fixed).map(|token| &*token.text).collect();
        assert_eq!(fixed, ["Apple", "Pay"]);
    }

    #[test]
    fn names_are_told_by_their_capitals() {
        let of = |text: &str| -> Vec<String> {
            let list = tokens(text);
            let named = names(&list);
            list.iter().zip(named).filter(|(_, named)| *named).map(|(token, _)| token.text.to_string()).collect()
        };
        assert_eq!(of("We won the FA Cup in May. It was a good match"), ["FA", "Cup", "May"]);
        assert!(of("WHY IS MY CARD NOT HERE").is_empty() && of("The Great Big Title Of It").is_empty());
        assert!(of("Is it mine? Yes").is_empty() && of("I am").is_empty());
    }

    #[test]
    fn capitals_are_kept() {
        assert_eq!(
            [cased("auto", "Car"), cased("auto", "CAR"), cased("auto", "car"), cased("auto", "I")],
            ["Auto", "AUTO", "auto", "Auto"]
        );
    }
}
