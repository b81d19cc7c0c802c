//! The filters that were on screen, one after the other: what was taken off is there again by a key.

use crate::data::Filter;

/// So many are remembered.
const MOST: usize = 100;

/// The filters before the present one, and those that were left by going back.
#[derive(Debug, Clone, Default)]
pub struct FilterTrail {
    past: Vec<Filter>,
    future: Vec<Filter>,
    now: Filter,
}

impl FilterTrail {
    /// Notes that the filter is another one, where it is.
    pub fn follow(&mut self, filter: &Filter) {
        if self.now != *filter {
            self.past.push(std::mem::replace(&mut self.now, filter.clone()));
            self.future.clear();
            if self.past.len() > MOST {
                self.past.remove(0);
            }
        }
    }

    /// The filter before this one, or after it; `None` at the end.
    pub fn walk(&mut self, back: bool) -> Option<Filter> {
        let (from, to) = if back { (&mut self.past, &mut self.future) } else { (&mut self.future, &mut self.past) };
        let there = from.pop()?;
        to.push(std::mem::replace(&mut self.now, there.clone()));
        Some(there)
    }

    /// Whether there is one to go back to, and one to go forward to.
    pub fn ends(&self) -> (bool, bool) {
        (!self.past.is_empty(), !self.future.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Rule;

    #[test]
    fn filters_are_walked_back_and_forward_and_a_new_one_ends_the_future() {
        let of = |rule: Rule| Filter { clauses: vec![rule.into()] };
        let (a, b, c) = (of(Rule::Edited), of(Rule::Reviewed), of(Rule::Excluded));
        let mut trail = FilterTrail::default();
        [&a, &a, &b].into_iter().for_each(|filter| trail.follow(filter));
        assert_eq!(trail.walk(true), Some(a.clone()));
        assert_eq!(trail.walk(true), Some(Filter::default()));
        assert_eq!((trail.walk(true), trail.ends()), (None, (false, true)));
        assert_eq!(trail.walk(false), Some(a.clone()));
        trail.follow(&c);
        assert_eq!((trail.walk(false), trail.ends()), (None, (true, false)));
        assert_eq!(trail.walk(true), Some(a));
    }
}
