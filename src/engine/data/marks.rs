//! What a filter has found in a text, to be marked where it stands.

use std::ops::Range;

use regex::{Regex, RegexBuilder};

use super::filter::{Clause, Filter, Rule};

/// What the clauses of a filter look for in texts.
#[derive(Debug, Clone, Default)]
pub struct Marks {
    patterns: Vec<(Option<String>, Regex)>,
}

/// So many places of one text are marked.
const MOST: usize = 1_000;

impl Marks {
    /// What a filter looks for; what must not be there is not marked.
    pub fn of(filter: &Filter) -> Self {
        fn collect(clause: &Clause, out: &mut Vec<(Option<String>, Regex)>) {
            match &clause.rule {
                Rule::Any(clauses) if !clause.negated => clauses.iter().for_each(|clause| collect(clause, out)),
                Rule::Contains { column, text, regex, case } if !clause.negated && !text.is_empty() => {
                    let pattern = if *regex { text.clone() } else { regex::escape(text) };
                    out.extend(
                        RegexBuilder::new(&pattern).case_insensitive(!case).build().ok().map(|found| (column.clone(), found)),
                    );
                }
                _ => {}
            }
        }
        let mut patterns = Vec::new();
        filter.clauses.iter().for_each(|clause| collect(clause, &mut patterns));
        Self { patterns }
    }

    /// The places in a text of a column, in order, apart from each other.
    pub fn places(&self, column: &str, text: &str) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> = Vec::new();
        for (_, pattern) in self.patterns.iter().filter(|(of, _)| of.as_ref().is_none_or(|of| of == column)) {
            found.extend(pattern.find_iter(text).take(MOST).map(|found| found.range()).filter(|range| !range.is_empty()));
        }
        found.sort_unstable_by_key(|range| range.start);
        let mut apart: Vec<Range<usize>> = Vec::with_capacity(found.len());
        for range in found {
            match apart.last_mut() {
                Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                _ => apart.push(range),
            }
        }
        apart
    }

    /// Whether there is nothing to mark.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_looked_for_is_marked_and_what_must_not_be_there_is_not() {
        let contains = |column: Option<&str>, text: &str, regex| {
            Clause::from(Rule::Contains { column: column.map(str::to_owned), text: text.to_owned(), regex, case: false })
        };
        let any = Rule::Any(vec![contains(Some("text"), "card", false), contains(None, "a.d", true)]);
        let not = Clause { negated: true, ..contains(None, "lost", false) };
        let marks = Marks::of(&Filter { clauses: vec![any.into(), not, contains(None, "(", true)] });
        assert_eq!(marks.places("text", "My CARD and the cards, lost"), [3..7, 8..11, 16..20]);
        assert_eq!(marks.places("other", "card and"), [1..4, 5..8]);
        assert!(Marks::of(&Filter::default()).is_empty() && !marks.is_empty());
    }
}
