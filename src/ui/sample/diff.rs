//! Which words of two texts differ.

use std::ops::Range;

/// The most words of each that are compared after what both begin and end with: beyond, all between counts as different.
const MOST: usize = 1_200;

/// The words of a text, white space with the word before it.
fn words(text: &str) -> Vec<Range<usize>> {
    let mut words: Vec<Range<usize>> = Vec::new();
    let (mut start, mut blank) = (0, false);
    for (at, letter) in text.char_indices() {
        if blank && !letter.is_whitespace() {
            words.push(start..at);
            start = at;
        }
        blank = letter.is_whitespace();
    }
    if start < text.len() {
        words.push(start..text.len());
    }
    words
}

/// The parts of `one` that `other` has not, and of `other` that `one` has not, by a longest common subsequence of words. Bytes, in order.
pub fn differences(one: &str, other: &str) -> (Vec<Range<usize>>, Vec<Range<usize>>) {
    let (a, b) = (words(one), words(other));
    let same = |x: &Range<usize>, y: &Range<usize>| one[x.clone()].trim_end() == other[y.clone()].trim_end();
    let head = a.iter().zip(&b).take_while(|(x, y)| same(x, y)).count();
    let tail = a[head..].iter().rev().zip(b[head..].iter().rev()).take_while(|(x, y)| same(x, y)).count();
    let (a, b) = (&a[head..a.len() - tail], &b[head..b.len() - tail]);
    let all = |list: &[Range<usize>]| list.first().zip(list.last()).map(|(x, y)| x.start..y.end).into_iter().collect::<Vec<_>>();
    if a.is_empty() || b.is_empty() || a.len() > MOST || b.len() > MOST {
        return (all(a), all(b));
    }
    // How many words the ends from here have in common.
    let wide = b.len() + 1;
    let mut common = vec![0_u16; (a.len() + 1) * wide];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            common[i * wide + j] = if same(&a[i], &b[j]) {
                common[(i + 1) * wide + j + 1] + 1
            } else {
                common[(i + 1) * wide + j].max(common[i * wide + j + 1])
            };
        }
    }
    let (mut mine, mut theirs): (Vec<Range<usize>>, Vec<Range<usize>>) = (Vec::new(), Vec::new());
    let put = |list: &mut Vec<Range<usize>>, word: &Range<usize>| match list.last_mut() {
        Some(last) if last.end == word.start => last.end = word.end,
        _ => list.push(word.clone()),
    };
    let (mut i, mut j) = (0, 0);
    while i < a.len() || j < b.len() {
        if i < a.len() && j < b.len() && same(&a[i], &b[j]) {
            (i, j) = (i + 1, j + 1);
        } else if j == b.len() || i < a.len() && common[(i + 1) * wide + j] >= common[i * wide + j + 1] {
            put(&mut mine, &a[i]);
            i += 1;
        } else {
            put(&mut theirs, &b[j]);
            j += 1;
        }
    }
    (mine, theirs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(one: &str, other: &str) -> (Vec<String>, Vec<String>) {
        let (mine, theirs) = differences(one, other);
        let of = |text: &str, list: Vec<Range<usize>>| list.into_iter().map(|range| text[range].trim().to_owned()).collect();
        (of(one, mine), of(other, theirs))
    }

    #[test]
    fn words_that_only_one_has_are_told() {
        let lists = |one: &[&str], two: &[&str]| {
            let own = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
            (own(one), own(two))
        };
        assert_eq!(said("a b c", "a b c"), lists(&[], &[]));
        assert_eq!(said("the cat sat down", "the dog sat up"), lists(&["cat", "down"], &["dog", "up"]));
        assert_eq!(said("one two", "one and two"), lists(&[], &["and"]));
        assert_eq!(said("", "é ü"), lists(&[], &["é ü"]));
        assert_eq!(said("x y z w", "z w x y"), lists(&["x y"], &["x y"]));
        // Beyond what is compared, all between counts.
        let (long, other) = ("a ".repeat(3_000), "b ".repeat(3_000));
        assert_eq!(said(&long, &other), lists(&[long.trim()], &[other.trim()]));
    }
}
