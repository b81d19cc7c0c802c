//! Texts and their classes as questions and answers: what a large language model is taught to classify by, elsewhere.

use serde::{Deserialize, Serialize};

use super::Planned;
use crate::data::{ClassIndex, Dataset, Kind, Property, Role, SampleId, count_samples};
use crate::derive::TextOf;
use crate::edit::{Change, Edit, EditError};
use crate::job::Progress;

/// The columns that it makes, as trainers know them.
pub const QUESTION: &str = "prompt";
pub const ANSWER: &str = "completion";

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstructOf {
    /// The column whose classes are the answers.
    pub label: String,
    /// The column that is asked about; those with the role text where none is named.
    #[serde(default)]
    pub text: Option<String>,
    /// What stands before every text; the usual words where it is empty.
    #[serde(default)]
    pub instruction: String,
}

/// Plans the two columns: the instruction, the classes with what a person said of each, and the text; and the class. A sample without a label or a text has neither.
///
/// # Errors
/// [`EditError`]: there are such columns, or no such label.
pub fn plan_instruct(dataset: &Dataset, asked: &InstructOf, progress: &Progress) -> Result<Planned, EditError> {
    let label = dataset.field(&asked.label).ok_or_else(|| EditError::Column(asked.label.clone()))?;
    let text = TextOf::of(dataset, asked.text.as_deref()).map_err(|why| EditError::Refused(why.to_string()))?;
    let index = ClassIndex::build(dataset, label, progress).map_err(|_| EditError::Refused("stopped".to_owned()))?;
    if index.is_many() {
        return Err(EditError::Refused(format!("{} holds several labels a sample: an answer is one class", asked.label)));
    }
    let instruction = asked.instruction.trim();
    let mut head = if instruction.is_empty() {
        "Sort the text into one of these classes, and answer with its name alone."
    } else {
        instruction
    }
    .to_owned();
    for (name, _) in index.names().iter().zip(index.counts()).filter(|(_, n)| **n > 0) {
        let said =
            dataset.properties().get(Property::Guideline, &[&asked.label, name]).map(str::trim).filter(|said| !said.is_empty());
        head.push_str(&format!("\n- {name}{}", said.map(|said| format!(": {said}")).unwrap_or_default()));
    }
    let rows: Vec<(SampleId, String, &str)> = dataset
        .samples()
        .filter_map(|id| {
            let [class] = index.of(id) else { return None };
            let own = text.read(dataset, id);
            (!own.trim().is_empty()).then(|| (id, format!("{head}\n\n{own}"), &*index.names()[*class as usize]))
        })
        .collect();
    let changes = vec![
        Change::add_column(dataset, QUESTION, Kind::Text, Role::Other)?,
        Change::add_column(dataset, ANSWER, Kind::Text, Role::Other)?,
        Change::fill(QUESTION, rows.iter().map(|(id, question, _)| (*id, question.as_str()))),
        Change::fill(ANSWER, rows.iter().map(|(id, _, answer)| (*id, *answer))),
    ];
    let without = dataset.rows() - rows.len();
    let mut notes = vec![
        "a trainer's token accuracy is not accuracy: it is high where answers are long and alike. Count whole answers that are right".to_owned(),
    ];
    if without > 0 {
        notes.push(format!("{} without a text or a label have no question", count_samples(without)));
    }
    let words = format!("Made {} questions for a language model", count_samples(rows.len()));
    Ok(Planned { edit: Edit::new(words, changes), notes })
}
