//! Several people's labels put together into one: a column of its own, as an edit.

use serde::{Deserialize, Serialize};

use super::{OperationError, Planned};
use crate::data::{Dataset, Kind, Role, SampleId, count_samples};
use crate::derive::{LongVotes, MOST_VOTED, VotesOf, votes_of, votes_of_long};
use crate::edit::{Change, Edit, EditError, Target};
use crate::job::Progress;
use crate::learn::annotators::Consensus;
use crate::learn::dense::Dense;

/// How votes are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsensusMethod {
    Majority,
    DawidSkene,
    Crowdlab,
}

impl ConsensusMethod {
    /// Every way.
    pub const ALL: [Self; 3] = [Self::Majority, Self::DawidSkene, Self::Crowdlab];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Majority => "majority",
            Self::DawidSkene => "dawid_skene",
            Self::Crowdlab => "crowdlab",
        }
    }
}

/// The columns of a table with a row a vote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LongColumns {
    pub task: String,
    pub annotator: String,
    /// Whether of each task the first row alone stays, with what all said in a column of its own; the others are excluded.
    #[serde(default)]
    pub one_a_task: bool,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsensusOf {
    /// The columns of votes; of a table with a row a vote, the one with the label.
    pub columns: Vec<String>,
    /// Of a table with a row a vote: the columns that say what was voted on, and who did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub long: Option<LongColumns>,
    pub method: ConsensusMethod,
    /// For CROWDLAB: what the names of a model's columns begin with, one a class in the order of the classes.
    #[serde(default)]
    pub probabilities: String,
    /// The column that the consensus becomes.
    pub into: String,
}

impl ConsensusOf {
    /// Reads the votes and puts them together.
    ///
    /// # Errors
    /// A column that is not there, or too few of them; or it was stopped.
    pub fn work_out(&self, dataset: &Dataset, progress: &Progress) -> Result<(VotesOf, Consensus), OperationError> {
        let place = |name: &String| dataset.field(name).ok_or_else(|| EditError::Column(name.clone()));
        let fields = self.columns.iter().map(place).collect::<Result<Vec<_>, _>>()?;
        let read = match &self.long {
            Some(long) => {
                let (task, annotator) = (place(&long.task)?, place(&long.annotator)?);
                fields.first().and_then(|label| votes_of_long(dataset, LongVotes { task, annotator, label: *label }))
            }
            None => votes_of(dataset, &fields),
        };
        let read = read.ok_or_else(|| {
            EditError::Refused(format!("a consensus needs two people's votes, of at most {MOST_VOTED} classes"))
        })?;
        let consensus = match self.method {
            ConsensusMethod::Majority => read.votes.by_majority(),
            ConsensusMethod::DawidSkene => read.votes.dawid_skene(progress)?,
            ConsensusMethod::Crowdlab => read.votes.crowdlab(&self.probabilities(dataset, &read)?),
        };
        Ok((read, consensus))
    }

    fn probabilities(&self, dataset: &Dataset, read: &VotesOf) -> Result<Dense, EditError> {
        let begins = |name: &str| name.strip_prefix(self.probabilities.as_str()).is_some_and(|rest| !rest.is_empty());
        let all: Vec<usize> = (0..dataset.fields().len()).filter(|field| begins(&dataset.fields()[*field].name)).collect();
        // By the class that a name ends with, else in their order.
        let named = |class: &String| dataset.field(&format!("{}{class}", self.probabilities));
        let by_name: Option<Vec<usize>> = read.classes.iter().map(named).collect();
        let fields = by_name.unwrap_or(all);
        if self.probabilities.is_empty() || fields.len() != read.classes.len() {
            return Err(EditError::Refused(format!(
                "CROWDLAB needs a model's probabilities, one column for each of {} classes, whose names begin alike; {} begin with {:?}",
                read.classes.len(),
                fields.len(),
                self.probabilities
            )));
        }
        let mut rows = Dense::zeros(read.votes.rows(), fields.len());
        for row in 0..read.votes.rows() {
            let Some(id) = read.samples(row).first().copied() else { continue };
            for (value, field) in rows.row_mut(row).iter_mut().zip(&fields) {
                *value = dataset.number(*field, id).unwrap_or(0.0) as f32;
            }
        }
        Ok(rows)
    }
}

/// Plans the edit.
///
/// # Errors
/// [`OperationError`].
pub fn plan_consensus(dataset: &Dataset, asked: &ConsensusOf, progress: &Progress) -> Result<Planned, OperationError> {
    let (read, consensus) = asked.work_out(dataset, progress)?;
    let class = |label: u32| read.classes[label as usize].as_str();
    let mut cells: Vec<(SampleId, &str)> = Vec::new();
    for (row, label) in consensus.label.iter().enumerate() {
        cells.extend(label.iter().flat_map(|label| read.samples(row).iter().map(|id| (*id, class(*label))).collect::<Vec<_>>()));
    }
    cells.sort_unstable_by_key(|(id, _)| *id);
    let words = format!(
        "Put {} together as {} ({}), {}",
        match &asked.long {
            Some(long) => format!("the votes of {}", long.annotator),
            None => asked.columns.join(", "),
        },
        asked.into,
        asked.method.name(),
        count_samples(cells.len())
    );
    let none = consensus.label.iter().filter(|label| label.is_none()).count();
    let notes = if none > 0 { vec![format!("nobody voted on {}", count_samples(none))] } else { Vec::new() };
    let mut changes: Vec<Change> = Vec::new();
    if dataset.field(&asked.into).is_some() {
        changes.extend(Change::cells(dataset, &asked.into, cells.iter().map(|(id, text)| (*id, Some(*text))))?);
    } else {
        let role = if dataset.with_role(Role::is_label).is_none() { Role::Label } else { Role::Other };
        changes.push(Change::add_column(dataset, &asked.into, Kind::Text, role)?);
        changes.push(Change::fill(&asked.into, cells));
    }
    if asked.long.as_ref().is_some_and(|long| long.one_a_task) {
        changes.extend(one_a_task(dataset, &read, &asked.columns[0])?);
    }
    Ok(Planned { edit: Edit::new(words, changes), notes })
}

/// Of each task the first sample stays, and says what everybody said, as an object of JSON by annotator.
fn one_a_task(dataset: &Dataset, read: &VotesOf, label: &str) -> Result<Vec<Change>, EditError> {
    let said = |row: usize| -> String {
        let each = read.annotators.iter().zip(read.votes.row(row));
        let all: serde_json::Map<String, serde_json::Value> =
            each.filter_map(|(who, vote)| vote.map(|class| (who.clone(), read.classes[class as usize].clone().into()))).collect();
        serde_json::Value::Object(all).to_string()
    };
    let into = format!("{label}_votes");
    let mut cells: Vec<(SampleId, String)> = Vec::new();
    let mut gone: Vec<SampleId> = Vec::new();
    for row in 0..read.votes.rows() {
        let samples = read.samples(row);
        cells.extend(samples.first().map(|id| (*id, said(row))));
        gone.extend(samples.iter().skip(1));
    }
    cells.sort_unstable_by_key(|(id, _)| *id);
    gone.sort_unstable();
    let texts = cells.iter().map(|(id, text)| (*id, text.as_str()));
    let mut changes = Vec::new();
    if dataset.field(&into).is_some() {
        changes.extend(Change::cells(dataset, &into, texts.map(|(id, text)| (id, Some(text))))?);
    } else {
        changes.push(Change::add_column(dataset, &into, Kind::Text, Role::Other)?);
        changes.push(Change::fill(&into, texts));
    }
    changes.extend(Change::mark(dataset, Target::Excluded, gone, true)?);
    Ok(changes)
}
