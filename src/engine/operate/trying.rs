//! Several ways of balancing held against each other, so that what is proposed is what the probe calls best and never what it calls worse.

use super::balancing::{Balance, BalanceError, Standing, balance_plan, balanced};
use super::worth::{can_probe, gain};
use crate::data::Dataset;
use crate::derive::Likeness;
use crate::job::Progress;
use crate::transform::balance::{BalanceRule, Over, Under};

/// Plans that would make more than this many times the samples that are there are not tried.
const MOST_MORE: u64 = 4;

/// A way of balancing that was tried.
#[derive(Debug, Clone, PartialEq)]
pub struct Tried {
    /// The rule, and how more samples come about.
    pub rule: BalanceRule,
    pub over: Over,
    /// Samples that it takes out, and adds.
    pub gone: usize,
    pub more: u64,
    /// Macro-F1 as it is and under the rule, 0 to 1, tested on the same samples of the source.
    pub now: f64,
    pub then: f64,
    /// The difference, and where it lies 95 times of 100.
    pub gain: (f64, f64, f64),
}

/// Tries every rule that has no number of one's own, by repeating samples and, where samples are numbers, between neighbours (SMOTE). The best
/// stands first. What `base` says of seed, label and who goes first holds for all.
///
/// # Errors
/// [`BalanceError`].
pub fn tried(
    dataset: &Dataset,
    base: &Balance,
    standing: &Standing,
    likeness: &Likeness,
    progress: &Progress,
) -> Result<Vec<Tried>, BalanceError> {
    let silent = Progress::silent();
    let all = candidates(&standing.counts, likeness.is_of_numbers());
    progress.set_total(all.len() as u64);
    let samples: u64 = (standing.members.len() + standing.made.len()) as u64;
    let mut list: Vec<Tried> = Vec::new();
    for (rule, over) in all {
        progress.check()?;
        // What a model is surest of takes a model: for a comparison, chance does.
        let under = if base.under == Under::Easy { Under::Random } else { base.under };
        let balance = Balance { rule, over, under, pipeline: None, ..base.clone() };
        let plan = balance_plan(dataset, &balance, standing, Some(likeness), None, &silent)?;
        let (gone, more) = (plan.gone.len(), plan.more());
        let fits = can_probe(dataset.extent() + more as usize, standing.index.names().len()) && more <= samples * MOST_MORE;
        if fits && gone + more as usize > 0 {
            let done = balanced(dataset, &balance, &plan, Some(likeness), None, &std::sync::Arc::default(), &silent)?;
            let (now, then, gain) = gain(dataset, standing, likeness, done.edit.as_ref(), progress)?;
            let Balance { rule, over, .. } = balance;
            list.push(Tried { rule, over, gone, more, now: now.macro_f1, then: then.macro_f1, gain });
        }
        progress.step(1)?;
    }
    list.sort_by(|a, b| b.gain.0.total_cmp(&a.gain.0));
    Ok(list)
}

/// What is tried: nothing twice, whatever a class has.
fn candidates(counts: &[u64], numbers: bool) -> Vec<(BalanceRule, Over)> {
    let used: Vec<u64> = counts.iter().copied().filter(|count| *count > 0).collect();
    let mean = used.iter().sum::<u64>() / used.len().max(1) as u64;
    let rules = [BalanceRule::SquareRoot, BalanceRule::Equal(0), BalanceRule::Floor(mean), BalanceRule::Cap(mean)];
    let mut list: Vec<(BalanceRule, Over)> = rules.iter().map(|rule| (rule.clone(), Over::Repeat)).collect();
    if numbers {
        // A cap adds nothing.
        list.extend(rules[..3].iter().map(|rule| (rule.clone(), Over::Smote)));
    }
    list
}
