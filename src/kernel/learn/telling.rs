//! The words that tell a class from the rest: log-odds ratios with an informative Dirichlet prior (Monroe, Colaresi and Quinn 2008, "Fightin'
//! Words", equations 15 to 22), of how many texts have a word.

use std::borrow::Cow;
use std::collections::HashMap;

use foldhash::fast::RandomState;
use rayon::prelude::*;

use super::tfidf::words;
use crate::job::{Cancelled, Progress};

/// A word, and how well it tells.
#[derive(Debug, Clone, PartialEq)]
pub struct Telling {
    /// In small letters.
    pub word: String,
    /// How many texts of the class have it, and how many others.
    pub inside: u32,
    pub outside: u32,
    /// The log-odds ratio divided by its standard deviation: beyond 1.96 it is more than chance, once.
    pub z: f64,
}

/// How many texts the prior is worth: what few texts say is pulled to what all say by so much.
const PRIOR: f64 = 500.0;
const CHUNK: usize = 4_096;

type Counts = HashMap<String, [u32; 2], RandomState>;

/// The `most` words that tell the texts `of` the class from the others best, the most telling first; a word in one text tells nothing. Texts are
/// 0 to `n`; a step of progress a text.
///
/// # Errors
/// [`Cancelled`].
pub fn telling<'t>(
    n: usize,
    text: impl Fn(usize) -> Cow<'t, str> + Sync,
    of: impl Fn(usize) -> bool + Sync,
    most: usize,
    progress: &Progress,
) -> Result<Vec<Telling>, Cancelled> {
    progress.set_total(n as u64);
    let parts: Vec<Counts> = (0..n.div_ceil(CHUNK))
        .into_par_iter()
        .map(|chunk| {
            let range = chunk * CHUNK..((chunk + 1) * CHUNK).min(n);
            progress.step(range.len() as u64)?;
            let mut counts = Counts::default();
            for at in range {
                let lower = text(at).to_lowercase();
                let mut own: Vec<&str> = words(&lower).collect();
                own.sort_unstable();
                own.dedup();
                let side = usize::from(!of(at));
                for word in own {
                    match counts.get_mut(word) {
                        Some(known) => known[side] += 1,
                        None => {
                            let mut fresh = [0, 0];
                            fresh[side] = 1;
                            counts.insert(word.to_owned(), fresh);
                        }
                    }
                }
            }
            Ok(counts)
        })
        .collect::<Result<_, Cancelled>>()?;
    let mut all = Counts::default();
    for part in parts {
        progress.check()?;
        for (word, [inside, outside]) in part {
            let known = all.entry(word).or_default();
            *known = [known[0] + inside, known[1] + outside];
        }
    }
    let sums = all.values().fold([0.0, 0.0], |sums: [f64; 2], [a, b]| [sums[0] + f64::from(*a), sums[1] + f64::from(*b)]);
    let total = sums[0] + sums[1];
    let prior = PRIOR.min(total);
    let mut list: Vec<Telling> = all
        .into_iter()
        .filter(|(_, [inside, _])| *inside > 1)
        .map(|(word, [inside, outside])| {
            let (a, b) = (f64::from(inside), f64::from(outside));
            let own = prior * (a + b) / total;
            let odds = |count: f64, sum: f64| ((count + own) / (sum + prior - count - own)).ln();
            let spread = (1.0 / (a + own) + 1.0 / (b + own)).sqrt();
            Telling { word, inside, outside, z: (odds(a, sums[0]) - odds(b, sums[1])) / spread }
        })
        .filter(|one| one.z.is_finite() && one.z > 0.0)
        .collect();
    list.sort_unstable_by(|x, y| y.z.total_cmp(&x.z).then_with(|| x.word.cmp(&y.word)));
    list.truncate(most);
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_only_in_a_class_tells_it_and_what_is_everywhere_does_not() {
        let texts: Vec<String> = (0..400)
            .map(|at| match at % 4 {
                0 => format!("the Card is lost {at}"),
                1 => "the card never arrived".to_owned(),
                2 => "what is the rate".to_owned(),
                _ => "卡 the rate".to_owned(),
            })
            .collect();
        let found = telling(400, |at| texts[at].as_str().into(), |at| at % 4 == 0, 3, &Progress::silent()).unwrap();
        let words: Vec<(&str, u32, u32)> = found.iter().map(|one| (one.word.as_str(), one.inside, one.outside)).collect();
        assert_eq!(words, [("lost", 100, 0), ("card", 100, 100), ("is", 100, 100)]);
        assert!(found[0].z > 5.0 && found.iter().all(|one| one.word != "the"));
        // By hand: 100 of 500 words inside and none of 1,100 outside are it; the prior is worth 500 of 1,600.
        let own: f64 = 500.0 * 100.0 / 1_600.0;
        let odds = |count: f64, sum: f64| ((count + own) / (sum + 500.0 - count - own)).ln();
        let z = (odds(100.0, 500.0) - odds(0.0, 1_100.0)) / (1.0 / (100.0 + own) + 1.0 / own).sqrt();
        assert!((found[0].z - z).abs() < 1e-9, "{} {z}", found[0].z);
        let none = telling(0, |_| "".into(), |_| true, 3, &Progress::silent()).unwrap();
        assert!(none.is_empty());
        let whole = telling(400, |at| texts[at].as_str().into(), |_| true, 3, &Progress::silent()).unwrap();
        assert!(whole.len() <= 3, "there may be no rest to tell from");
    }
}
