//! Texts cut into the pieces that byte-level BPE of the GPT-4 family merges within, by hand: what the models' own regular expression says, many times faster.
//!
//! The expression (Qwen's; Llama 3 and GPT-4 take up to three digits):
//! `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`

use std::sync::LazyLock;

use regex_syntax::hir::{Class, HirKind};

const BEFORE_DIGITS: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|";
const AFTER_DIGITS: &str = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// What a letter is to the expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LetterKind {
    Letter,
    Number,
    Line,
    Space,
    Other,
}

/// By letter.
static KINDS: LazyLock<Vec<LetterKind>> = LazyLock::new(|| {
    let mut kinds = vec![LetterKind::Other; 0x11_0000];
    for (class, kind) in [
        (r"\s", LetterKind::Space),
        (r"\p{L}", LetterKind::Letter),
        (r"\p{N}", LetterKind::Number),
        (r"[\r\n]", LetterKind::Line),
    ] {
        let Ok(parsed) = regex_syntax::parse(class) else { continue };
        let HirKind::Class(Class::Unicode(ranges)) = parsed.kind() else { continue };
        for range in ranges.ranges() {
            kinds[range.start() as usize..=range.end() as usize].fill(kind);
        }
    }
    kinds
});

/// The expression of one family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pieces {
    /// How many digits a piece has at most.
    digits: usize,
}

/// Where a text is read.
struct Reader<'t> {
    text: &'t str,
    kinds: &'static [LetterKind],
    at: usize,
}

impl Reader<'_> {
    fn peek_at(&self, at: usize) -> Option<(LetterKind, usize)> {
        let first = *self.text.as_bytes().get(at)?;
        if first < 0x80 {
            return Some((self.kinds[first as usize], 1));
        }
        let letter = self.text[at..].chars().next()?;
        Some((self.kinds[letter as usize], letter.len_utf8()))
    }

    /// Past letters of some kinds, at most so many.
    fn pass(&self, mut at: usize, most: usize, kinds: impl Fn(LetterKind) -> bool) -> usize {
        for _ in 0..most {
            match self.peek_at(at) {
                Some((kind, long)) if kinds(kind) => at += long,
                _ => break,
            }
        }
        at
    }

    /// Past `'s` and its like.
    fn suffix(&self) -> Option<usize> {
        let mut rest = self.text[self.at + 1..].chars();
        // The long s is an s in another case, and the only letter beyond ASCII that is one of these.
        match rest.next()?.to_ascii_lowercase() {
            's' | 't' | 'm' | 'd' => Some(self.at + 2),
            'ſ' => Some(self.at + 1 + 'ſ'.len_utf8()),
            'r' | 'v' if matches!(rest.next(), Some('e' | 'E')) => Some(self.at + 3),
            'l' if matches!(rest.next(), Some('l' | 'L')) => Some(self.at + 3),
            _ => None,
        }
    }

    fn end(&self, digits: usize) -> Option<usize> {
        let (kind, long) = self.peek_at(self.at)?;
        let behind = self.at + long;
        let letters = |at: usize| self.pass(at, usize::MAX, |kind| kind == LetterKind::Letter);
        if self.text.as_bytes()[self.at] == b'\''
            && let Some(end) = self.suffix()
        {
            return Some(end);
        }
        if kind == LetterKind::Letter {
            return Some(letters(behind));
        }
        if kind == LetterKind::Number {
            return Some(self.pass(behind, digits - 1, |kind| kind == LetterKind::Number));
        }
        let next = self.peek_at(behind).map(|(kind, _)| kind);
        if kind != LetterKind::Line && next == Some(LetterKind::Letter) {
            return Some(letters(behind));
        }
        if kind == LetterKind::Other || (self.text.as_bytes()[self.at] == b' ' && next == Some(LetterKind::Other)) {
            let others = self.pass(behind, usize::MAX, |kind| kind == LetterKind::Other);
            return Some(self.pass(others, usize::MAX, |kind| kind == LetterKind::Line));
        }
        // Blanks and line ends: to the last line end; or all but the last blank, which goes with what follows.
        let (mut end, mut last, mut line) = (self.at, self.at, None);
        while let Some((kind @ (LetterKind::Space | LetterKind::Line), long)) = self.peek_at(end) {
            last = end;
            end += long;
            if kind == LetterKind::Line {
                line = Some(end);
            }
        }
        Some(line.unwrap_or(if end == self.text.len() || last == self.at { end } else { last }))
    }
}

impl Pieces {
    /// The family of an expression, if it is one of these.
    pub fn of(expression: &str) -> Option<Self> {
        let digits = expression.strip_prefix(BEFORE_DIGITS)?.strip_suffix(AFTER_DIGITS)?;
        match digits {
            r"\p{N}" => Some(Self { digits: 1 }),
            r"\p{N}{1,3}" => Some(Self { digits: 3 }),
            _ => None,
        }
    }

    /// The pieces of a text, in order; together they are the text.
    pub fn cut(self, text: &str) -> impl Iterator<Item = &str> {
        let mut reader = Reader { text, kinds: &KINDS, at: 0 };
        std::iter::from_fn(move || {
            let end = reader.end(self.digits)?;
            let piece = &text[reader.at..end];
            reader.at = end;
            Some(piece)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str, digits: usize) -> Vec<&str> {
        Pieces { digits }.cut(text).collect()
    }

    #[test]
    fn pieces_are_what_the_expression_says() {
        assert_eq!(cut("It's they'LL 'x we'ſ", 1), ["It", "'s", " they", "'LL", " '", "x", " we", "'ſ"]);
        assert_eq!(cut("a  b \n\n  c\t\n", 1), ["a", " ", " b", " \n\n", " ", " c", "\t\n"]);
        assert_eq!(cut("x = 1234;\r\n}  ", 1), ["x", " =", " ", "1", "2", "3", "4", ";\r\n", "}", "  "]);
        assert_eq!(cut("x 1234", 3), ["x", " ", "123", "4"]);
        assert_eq!(cut("$café €5 (é)", 1), ["$café", " €", "5", " (", "é", ")"]);
        assert_eq!(cut("", 1), [""; 0]);
        assert_eq!(Pieces::of(r"\w+|\s+"), None);
    }
}
