//! A text beside what became of it: words that are gone struck through, new ones marked.

use std::ops::Range;

use egui::text::{LayoutJob, TextFormat};

use crate::ui::theme::Theme;

/// What became of a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Same,
    Gone,
    New,
}

/// Above this many comparisons the middle counts as replaced whole.
const MOST: usize = 250_000;

/// Words with the white space behind them, and marks by themselves.
fn pieces(text: &str) -> Vec<&str> {
    let mut list = Vec::new();
    let mut from = 0;
    let mut was: Option<bool> = None;
    for (at, letter) in text.char_indices() {
        let word = letter.is_alphanumeric() || matches!(letter, '\'' | '’');
        if was.is_some_and(|was| was != word || !word) {
            list.push(&text[from..at]);
            from = at;
        }
        was = Some(word);
    }
    if from < text.len() {
        list.push(&text[from..]);
    }
    list
}

/// The pieces of both texts in reading order, by their longest common subsequence.
pub fn diff<'t>(before: &'t str, after: &'t str) -> Vec<(Fate, &'t str)> {
    let (a, b) = (pieces(before), pieces(after));
    let start = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let end = a[start..].iter().rev().zip(b[start..].iter().rev()).take_while(|(x, y)| x == y).count();
    let (mid_a, mid_b) = (&a[start..a.len() - end], &b[start..b.len() - end]);
    let mut out: Vec<(Fate, &str)> = a[..start].iter().map(|piece| (Fate::Same, *piece)).collect();
    let (n, m) = (mid_a.len(), mid_b.len());
    if n * m > MOST {
        out.extend(mid_a.iter().map(|piece| (Fate::Gone, *piece)));
        out.extend(mid_b.iter().map(|piece| (Fate::New, *piece)));
    } else {
        // Lengths of the common subsequences of what is left, from each pair of places on.
        let mut lengths = vec![0_u32; (n + 1) * (m + 1)];
        for i in (0..n).rev() {
            for j in (0..m).rev() {
                lengths[i * (m + 1) + j] = if mid_a[i] == mid_b[j] {
                    lengths[(i + 1) * (m + 1) + j + 1] + 1
                } else {
                    lengths[(i + 1) * (m + 1) + j].max(lengths[i * (m + 1) + j + 1])
                };
            }
        }
        let (mut i, mut j) = (0, 0);
        while i < n || j < m {
            if i < n && j < m && mid_a[i] == mid_b[j] {
                out.push((Fate::Same, mid_a[i]));
                (i, j) = (i + 1, j + 1);
            } else if j == m || i < n && lengths[(i + 1) * (m + 1) + j] >= lengths[i * (m + 1) + j + 1] {
                out.push((Fate::Gone, mid_a[i]));
                i += 1;
            } else {
                out.push((Fate::New, mid_b[j]));
                j += 1;
            }
        }
    }
    out.extend(a[a.len() - end..].iter().map(|piece| (Fate::Same, *piece)));
    out
}

/// The parts of `one` that `other` has not, and of `other` that `one` has not: bytes, in order, white space at their ends left out.
pub fn differences(one: &str, other: &str) -> (Vec<Range<usize>>, Vec<Range<usize>>) {
    let (mut mine, mut theirs): (Vec<Range<usize>>, Vec<Range<usize>>) = (Vec::new(), Vec::new());
    let (mut i, mut j) = (0, 0);
    let put = |list: &mut Vec<Range<usize>>, range: Range<usize>| match list.last_mut() {
        Some(last) if last.end == range.start => last.end = range.end,
        _ => list.push(range),
    };
    for (fate, piece) in diff(one, other) {
        let long = piece.len();
        match fate {
            Fate::Same => (i, j) = (i + long, j + long),
            Fate::Gone => {
                put(&mut mine, i..i + long);
                i += long;
            }
            Fate::New => {
                put(&mut theirs, j..j + long);
                j += long;
            }
        }
    }
    let trimmed = |list: Vec<Range<usize>>, text: &str| {
        let trim = |range: Range<usize>| {
            let part = &text[range.clone()];
            let start = range.start + part.len() - part.trim_start().len();
            start..start + part.trim().len()
        };
        list.into_iter().map(trim).filter(|range| !range.is_empty()).collect()
    };
    (trimmed(mine, one), trimmed(theirs, other))
}

/// Laid out in `width` points.
pub fn layout(theme: &Theme, before: &str, after: &str, width: f32) -> LayoutJob {
    let mut job = LayoutJob { wrap: egui::text::TextWrapping { max_width: width, ..Default::default() }, ..Default::default() };
    let plain =
        TextFormat { font_id: theme.body(), color: theme.text, line_height: Some(theme.sizes.body * 1.5), ..Default::default() };
    let gone = TextFormat {
        background: theme.ruby.gamma_multiply(0.22),
        strikethrough: egui::Stroke::new(1.0, theme.ruby),
        color: theme.dim,
        ..plain.clone()
    };
    let new = TextFormat { background: theme.emerald.gamma_multiply(0.28), ..plain.clone() };
    let list = diff(before, after);
    let mut at = 0;
    while at < list.len() {
        let fate = list[at].0;
        let run: String = list[at..].iter().take_while(|(other, _)| *other == fate).map(|(_, piece)| *piece).collect();
        let n = list[at..].iter().take_while(|(other, _)| *other == fate).count();
        let format = match fate {
            Fate::Same => plain.clone(),
            Fate::Gone => gone.clone(),
            Fate::New => new.clone(),
        };
        job.append(&run, 0.0, format);
        // A new word does not stick to the one that it stands for.
        if fate == Fate::Gone && list.get(at + n).is_some_and(|(next, _)| *next == Fate::New) {
            job.append(" ", 0.0, plain.clone());
        }
        at += n;
    }
    job
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_texts_can_be_read_off_a_diff() {
        for (a, b) in [
            ("My card was supposed to arrive", "My card was expected to come"),
            ("", "new"),
            ("a b c", ""),
            ("same", "same"),
            ("Don't go, now!", "Do not go now"),
            ("你好 世界", "世界 你好"),
        ] {
            let list = diff(a, b);
            let read = |skip: Fate| list.iter().filter(|(fate, _)| *fate != skip).map(|(_, piece)| *piece).collect::<String>();
            assert_eq!(read(Fate::New), a);
            assert_eq!(read(Fate::Gone), b);
        }
        let said = |one: &str, other: &str| {
            let (mine, theirs) = differences(one, other);
            let of =
                |text: &str, list: Vec<Range<usize>>| list.into_iter().map(|range| text[range].to_owned()).collect::<Vec<_>>();
            (of(one, mine), of(other, theirs))
        };
        let lists = |one: &[&str], two: &[&str]| {
            (one.iter().map(ToString::to_string).collect(), two.iter().map(ToString::to_string).collect())
        };
        assert_eq!(said("the cat sat down", "the dog sat up"), lists(&["cat", "down"], &["dog", "up"]));
        assert_eq!(said("one two", "one and two"), lists(&[], &["and"]));
        assert_eq!(said("", "é ü"), lists(&[], &["é ü"]));
        let list = diff("was supposed to", "was expected to");
        assert!(list.contains(&(Fate::Gone, "supposed")) && list.contains(&(Fate::New, "expected")));
    }
}
