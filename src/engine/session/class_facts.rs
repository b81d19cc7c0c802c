//! What is to be known of one class: the words that tell it, how long its texts are, what was found on its samples.

use super::Workspace;
use super::asked::{News, Wants};
use super::checking::Checking;
use crate::data::{Dataset, SampleId};
use crate::derive::TextOf;
use crate::job::{AnySlot, Came, Desk, JobError, Lane, Progress, Slot};
use crate::learn::telling::{Telling, telling};

/// Of more samples, so many, evenly spread, are looked at.
const MOST: usize = 200_000;
/// So many words are named.
const WORDS: usize = 14;

/// What is known of a class.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ClassFacts {
    /// The words that tell it, the most telling first; none where there are no texts.
    pub words: Vec<Telling>,
    /// Words a text, at the median: of the class, and of all.
    pub lengths: Option<(f64, f64)>,
    /// How many of its samples something was found on, as far as was looked.
    pub flagged: usize,
    /// How many samples were looked at, where that is not all.
    pub looked_at: Option<usize>,
}

/// What was asked: the column and the class, and what the samples were then.
type Question = (String, String, u64);

/// The class that is shown whole.
pub struct ClassSight {
    facts: Slot<Question, ClassFacts>,
}

impl Default for ClassSight {
    fn default() -> Self {
        Self { facts: Slot::new("class", Lane::Screen) }
    }
}

impl ClassSight {
    pub fn slot(&self) -> &dyn AnySlot {
        &self.facts
    }

    pub fn slot_mut(&mut self) -> &mut dyn AnySlot {
        &mut self.facts
    }

    /// What is known of a class of a column: the newest, while newer is worked out.
    pub fn facts(&self, column: &str, class: &str) -> Option<&ClassFacts> {
        self.facts.shown().filter(|((of, name, _), _)| of == column && name == class).map(|(_, facts)| facts)
    }

    /// Takes in what has come, and asks for what is missing.
    pub fn work(&mut self, workspace: &Workspace, checking: &Checking, wants: &Wants<'_>, desk: &Desk, news: &mut Vec<News>) {
        if let Some(Came::Failed(why)) = self.facts.take(desk) {
            news.push(News::Failed("class", why));
        }
        let Some((column, class)) = wants.class else { return };
        let question = (column.to_owned(), class.to_owned(), workspace.revision());
        let dataset = workspace.dataset();
        let place =
            workspace.classes(column).and_then(|classes| Some((classes.clone(), u32::try_from(classes.class(class)?).ok()?)));
        let Some((classes, place)) = place.filter(|_| self.facts.needs(&question)) else { return };
        let (snapshot, flagged) = (dataset.clone(), checking.flagged());
        self.facts.ask(desk, question, format!("Looking at {class}"), move |progress| {
            facts(&snapshot, |id| classes.of(id).contains(&place), &flagged, progress)
        });
    }
}

fn facts(
    dataset: &Dataset,
    of: impl Fn(SampleId) -> bool + Sync,
    flagged: &[SampleId],
    progress: &Progress,
) -> Result<ClassFacts, JobError> {
    let step = dataset.rows().div_ceil(MOST).max(1);
    let ids: Vec<SampleId> = dataset.samples().step_by(step).filter(|id| !dataset.is_excluded(*id)).collect();
    let flagged = flagged.iter().filter(|id| of(**id)).count();
    let looked_at = (step > 1).then_some(ids.len());
    let Ok(text) = TextOf::of(dataset, None) else {
        return Ok(ClassFacts { flagged, looked_at, ..ClassFacts::default() });
    };
    let words = telling(ids.len(), |at| text.read(dataset, ids[at]), |at| of(ids[at]), WORDS, progress)?;
    let median = |wanted: &dyn Fn(SampleId) -> bool| {
        let count = |id: &SampleId| text.read(dataset, *id).split_whitespace().count();
        let mut lengths: Vec<usize> = ids.iter().filter(|id| wanted(**id)).map(count).collect();
        let middle = lengths.len() / 2;
        (!lengths.is_empty()).then(|| *lengths.select_nth_unstable(middle).1 as f64)
    };
    let lengths = median(&of).zip(median(&|_| true));
    Ok(ClassFacts { words, lengths, flagged, looked_at })
}
