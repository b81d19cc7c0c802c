//! Long texts cut into samples: by heading (Markdown), paragraph, sentence, line, or so many letters with so many said again. Every piece knows where it
//! stands: its first letter and the one behind its last.

use std::ops::Range;

use crate::io::models::chat_model::usual_tokenizer;

/// How a text is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextCut {
    Heading,
    Paragraph,
    Sentence,
    Line,
    /// At most so many letters, the last so many of the piece before said again.
    Size(usize, usize),
    /// The same, counted in tokens of Qwen 2.5.
    Tokens(usize, usize),
    /// Not at all.
    Whole,
}

impl TextCut {
    /// As `--as markdown/paragraph` says it; `usual` where nothing is said.
    ///
    /// # Errors
    /// What it may say.
    pub fn named(words: &str, usual: Self) -> Result<Self, String> {
        Ok(match words {
            "" => usual,
            "heading" => Self::Heading,
            "paragraph" => Self::Paragraph,
            "sentence" => Self::Sentence,
            "line" => Self::Line,
            "whole" => Self::Whole,
            _ => {
                let tokens = words.strip_prefix("tokens/");
                let (size, overlap) = tokens.unwrap_or(words).split_once('/').unwrap_or((tokens.unwrap_or(words), "0"));
                match (size.parse(), overlap.parse()) {
                    (Ok(size), Ok(overlap)) if size > 0 && overlap < size && tokens.is_some() => Self::Tokens(size, overlap),
                    (Ok(size), Ok(overlap)) if size > 0 && overlap < size => Self::Size(size, overlap),
                    _ => {
                        return Err(format!(
                            "{words:?} is no way to cut a text: heading, paragraph, sentence, line, whole, letters like 400 or 400/40, or tokens/400/40"
                        ));
                    }
                }
            }
        })
    }
}

/// A piece: where it stands, in letters, and the headings above it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextPiece {
    pub place: Range<usize>,
    pub headings: Vec<String>,
}

/// Cuts a text.
pub fn cut_text(text: &str, cut: TextCut) -> Vec<TextPiece> {
    let letters: Vec<char> = text.chars().collect();
    let plain = |places: Vec<Range<usize>>| -> Vec<TextPiece> {
        let trimmed = places.into_iter().map(|place| trimmed(&letters, place)).filter(|place| !place.is_empty());
        trimmed.map(|place| TextPiece { place, headings: Vec::new() }).collect()
    };
    match cut {
        TextCut::Whole => plain(std::iter::once(0..letters.len()).collect()),
        TextCut::Line => plain(split_at(&letters, 0..letters.len(), &['\n'])),
        TextCut::Paragraph => plain(paragraphs(&letters)),
        TextCut::Sentence => plain(sentences(&letters)),
        TextCut::Size(size, overlap) => {
            let mut out = Vec::new();
            BySize { letters: &letters, size, overlap, length: &|place| place.len() }.cut(
                0..letters.len(),
                &SEPARATORS,
                &mut out,
            );
            plain(out)
        }
        TextCut::Tokens(size, overlap) => {
            let mut out = Vec::new();
            let tokens = |place: &Range<usize>| {
                let piece: String = letters[place.clone()].iter().collect();
                usual_tokenizer().map_or(piece.len(), |tokenizer| tokenizer.encode(&piece).len())
            };
            BySize { letters: &letters, size, overlap, length: &tokens }.cut(0..letters.len(), &SEPARATORS, &mut out);
            plain(out)
        }
        TextCut::Heading => by_heading(text, &letters),
    }
}

fn trimmed(letters: &[char], place: Range<usize>) -> Range<usize> {
    let (mut from, mut to) = (place.start, place.end);
    while from < to && letters[from].is_whitespace() {
        from += 1;
    }
    while to > from && letters[to - 1].is_whitespace() {
        to -= 1;
    }
    from..to
}

/// Where a text is cut first: `LangChain`'s order.
const SEPARATORS: [&[char]; 4] = [&['\n', '\n'], &['\n'], &[' '], &[]];

/// Pieces that begin with a separator, as they lie in `place`.
fn split_at(letters: &[char], place: Range<usize>, separator: &[char]) -> Vec<Range<usize>> {
    if separator.is_empty() {
        return place.map(|at| at..at + 1).collect();
    }
    let (mut out, mut from, mut at) = (Vec::new(), place.start, place.start);
    while at + separator.len() <= place.end {
        if letters[at..at + separator.len()] == *separator {
            if at > from {
                out.push(from..at);
            }
            from = at;
            at += separator.len();
        } else {
            at += 1;
        }
    }
    if from < place.end {
        out.push(from..place.end);
    }
    out
}

/// `LangChain`'s `RecursiveCharacterTextSplitter`: pieces at the first separator that there is, those that are too long at the next; then short ones are put
/// together.
struct BySize<'c> {
    letters: &'c [char],
    size: usize,
    overlap: usize,
    /// How long a piece is.
    length: &'c dyn Fn(&Range<usize>) -> usize,
}

impl BySize<'_> {
    fn cut(&self, place: Range<usize>, separators: &[&[char]], out: &mut Vec<Range<usize>>) {
        let has = |separator: &&[char]| {
            separator.is_empty() || place.clone().any(|at| self.letters[at..place.end].starts_with(separator))
        };
        let at = separators.iter().position(has).unwrap_or(separators.len() - 1);
        let rest = &separators[(at + 1).min(separators.len())..];
        let mut good: Vec<(Range<usize>, usize)> = Vec::new();
        for piece in split_at(self.letters, place.clone(), separators[at]) {
            let length = (self.length)(&piece);
            if length < self.size {
                good.push((piece, length));
                continue;
            }
            self.merge(&std::mem::take(&mut good), out);
            if rest.is_empty() {
                out.push(piece);
            } else {
                self.cut(piece, rest, out);
            }
        }
        self.merge(&good, out);
    }

    fn merge(&self, pieces: &[(Range<usize>, usize)], out: &mut Vec<Range<usize>>) {
        let (mut from, mut total) = (0, 0);
        let push = |from: usize, to: usize, out: &mut Vec<Range<usize>>| {
            if from < to {
                let place = trimmed(self.letters, pieces[from].0.start..pieces[to - 1].0.end);
                if !place.is_empty() {
                    out.push(place);
                }
            }
        };
        for (at, (_, length)) in pieces.iter().enumerate() {
            if total + length > self.size && from < at {
                push(from, at, out);
                while total > self.overlap || (total + length > self.size && total > 0) {
                    total -= pieces[from].1;
                    from += 1;
                }
            }
            total += length;
        }
        push(from, pieces.len(), out);
    }
}

/// Runs of lines between empty ones.
fn paragraphs(letters: &[char]) -> Vec<Range<usize>> {
    let (mut out, mut from, mut line) = (Vec::new(), 0, 0);
    for at in 0..=letters.len() {
        if at == letters.len() || letters[at] == '\n' {
            if letters[line..at].iter().all(|letter| letter.is_whitespace()) {
                out.push(from..line);
                from = at;
            }
            line = at + 1;
        }
    }
    out.push(from..letters.len());
    out
}

/// What follows a full stop is looked at so far.
const FAR: usize = 64;
/// Words that a full stop shortens, and after which a capital begins no sentence.
const SHORT: [&str; 10] = ["Dr", "Mr", "Ms", "Mrs", "Prof", "St", "eg", "ie", "vs", "No"];

/// Runs up to a full stop, question or exclamation mark before a space and no small letter, or up to an empty line.
fn sentences(letters: &[char]) -> Vec<Range<usize>> {
    let (mut out, mut from) = (Vec::new(), 0);
    for at in 0..letters.len() {
        // A mark that the one before took along.
        if at < from {
            continue;
        }
        let ends = match letters[at] {
            '.' | '!' | '?' | '…' => {
                let mut next = at + 1;
                while next < letters.len().min(at + FAR)
                    && matches!(letters[next], '"' | '\'' | ')' | '”' | '’' | '.' | '!' | '?')
                {
                    next += 1;
                }
                let spaced = next >= letters.len() || letters[next].is_whitespace();
                let first = letters[next.min(letters.len())..].iter().take(FAR).find(|letter| !letter.is_whitespace());
                let word = letters[from..at]
                    .iter()
                    .rposition(|letter| !letter.is_alphanumeric())
                    .map_or(from, |before| from + before + 1);
                let word: String = letters[word..at].iter().collect();
                let short = letters[at] == '.' && (word.chars().count() == 1 || SHORT.contains(&word.as_str()));
                (spaced && first.is_none_or(|letter| !letter.is_lowercase()) && !short).then_some(next)
            }
            '。' | '！' | '？' => Some(at + 1),
            '\n' if letters.get(at + 1) == Some(&'\n') => Some(at + 1),
            _ => None,
        };
        if let Some(end) = ends.filter(|end| *end > from) {
            out.push(from..end);
            from = end;
        }
    }
    out.push(from..letters.len());
    out
}

/// Sections of Markdown: ATX and Setext headings, none within fenced code.
fn by_heading(text: &str, letters: &[char]) -> Vec<TextPiece> {
    let mut out: Vec<TextPiece> = Vec::new();
    let mut headings: Vec<(usize, String)> = Vec::new();
    let (mut fence, mut from, mut at): (Option<&str>, usize, usize) = (None, 0, 0);
    let mut before: Option<(usize, &str)> = None;
    let mut section = |headings: &[(usize, String)], place: Range<usize>| {
        let place = trimmed(letters, place);
        if !place.is_empty() {
            out.push(TextPiece { place, headings: headings.iter().map(|(_, words)| words.clone()).collect() });
        }
    };
    for line in text.split_inclusive('\n') {
        let (start, bare) = (at, line.trim());
        at += line.chars().count();
        let mark = ["```", "~~~"].into_iter().find(|mark| bare.starts_with(mark));
        match (fence, mark) {
            (None, Some(mark)) => fence = Some(mark),
            (Some(open), Some(mark)) if open == mark => fence = None,
            _ => {}
        }
        let level = bare.bytes().take_while(|byte| *byte == b'#').count();
        let indented = line.starts_with("    ") || line.starts_with('\t');
        let atx = fence.is_none()
            && !indented
            && (1..=6).contains(&level)
            && bare[level..].chars().next().is_none_or(char::is_whitespace);
        let setext = match bare.as_bytes().first() {
            Some(b'=') if bare.bytes().all(|byte| byte == b'=') => Some(1),
            Some(b'-') if bare.bytes().all(|byte| byte == b'-') => Some(2),
            _ => None,
        };
        let found = if atx {
            Some((level, bare[level..].trim().trim_end_matches('#').trim().to_owned(), start))
        } else if let (Some(level), Some((line_start, words)), None) = (setext, before, fence) {
            Some((level, words.to_owned(), line_start))
        } else {
            None
        };
        before = (fence.is_none() && !bare.is_empty() && !atx && mark.is_none() && !bare.starts_with(['-', '*', '>', '|', '+']))
            .then_some((start, bare));
        if let Some((level, words, heading_start)) = found {
            section(&headings, from..heading_start);
            headings.retain(|(known, _)| *known < level);
            headings.push((level, words));
            from = at;
            before = None;
        }
    }
    section(&headings, from..letters.len());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str, cut: TextCut) -> Vec<String> {
        let letters: Vec<char> = text.chars().collect();
        cut_text(text, cut).into_iter().map(|piece| letters[piece.place].iter().collect()).collect()
    }

    #[test]
    fn sentences_and_paragraphs_end_where_people_end_them() {
        assert_eq!(
            words("Dr. Who came at 5 p.m. He left. Why? \"Because!\" he said. J. Doe", TextCut::Sentence),
            ["Dr. Who came at 5 p.m. He left.", "Why?", "\"Because!\" he said.", "J. Doe"]
        );
        assert_eq!(words("Wait... What? Really?! Yes.", TextCut::Sentence), ["Wait...", "What?", "Really?!", "Yes."]);
        assert_eq!(words("one\ntwo\n\n \nthree", TextCut::Paragraph), ["one\ntwo", "three"]);
        assert_eq!(words("日本語。はい？", TextCut::Sentence), ["日本語。", "はい？"]);
        assert!(TextCut::named("40/40", TextCut::Whole).is_err());
        assert_eq!(TextCut::named("40/4", TextCut::Whole), Ok(TextCut::Size(40, 4)));
    }
}
