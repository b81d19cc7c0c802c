//! A text as words and what stands between them. Numbers, addresses, names in braces and whatever holds a digit are no words: nothing
//! that changes words touches them.

use std::borrow::Cow;
use std::collections::HashSet;

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
        if run.bytes().any(|byte| byte.is_ascii_digit() || matches!(byte, b'/' | b'@' | b'{' | b'}' | b'<' | b'>' | b'\\' | b'_'))
        {
            list.push(Token { text: Cow::Borrowed(run), word: false, fixed: true });
        } else {
            in_run(run, &mut list);
        }
        at += space;
    }
    list
}

fn in_run<'t>(run: &'t str, list: &mut Vec<Token<'t>>) {
    let mut from = 0;
    let mut in_word = None;
    let mut letters = run.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        let joins =
            is_apostrophe(letter) && in_word == Some(true) && letters.peek().is_some_and(|(_, next)| next.is_alphabetic());
        let word = letter.is_alphabetic() || joins;
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
        assert!(words("").is_empty() && words(" \n\t").is_empty());
        let mut list = tokens("My Apple Pay and apple pie");
        Protected::new(&["apple pay".to_owned()]).mark(&mut list);
        let fixed: Vec<&str> = list.iter().filter(|token| token.fixed).map(|token| &*token.text).collect();
        assert_eq!(fixed, ["Apple", "Pay"]);
    }

    #[test]
    fn capitals_are_kept() {
        assert_eq!(
            [cased("auto", "Car"), cased("auto", "CAR"), cased("auto", "car"), cased("auto", "I")],
            ["Auto", "AUTO", "auto", "Auto"]
        );
    }
}
