//! Several people's labels put together into one: a column of its own, as an edit.

use serde::{Deserialize, Serialize};

use super::{OperationError, Planned};
use crate::data::{Dataset, Kind, Role, SampleId, count_samples};
use crate::derive::{MOST_VOTED, VotesOf, votes_of};
use crate::edit::{Change, Edit, EditError};
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

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsensusOf {
    /// The columns of votes.
    pub columns: Vec<String>,
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
        let read = votes_of(dataset, &fields).ok_or_else(|| {
            EditError::Refused(format!("a consensus needs two columns of votes, and votes of at most {MOST_VOTED} classes"))
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
        let mut rows = Dense::zeros(dataset.extent(), fields.len());
        for row in 0..dataset.extent() {
            for (value, field) in rows.row_mut(row).iter_mut().zip(&fields) {
                *value = dataset.number(*field, SampleId::at(row)).unwrap_or(0.0) as f32;
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
    let cells: Vec<(SampleId, &str)> = consensus
        .label
        .iter()
        .enumerate()
        .filter_map(|(row, label)| label.map(|label| (SampleId::at(row), read.classes[label as usize].as_str())))
        .collect();
    let words = format!(
        "Put {} together as {} ({}), {}",
        asked.columns.join(", "),
        asked.into,
        asked.method.name(),
        count_samples(cells.len())
    );
    let none = consensus.label.iter().filter(|label| label.is_none()).count();
    let notes = if none > 0 { vec![format!("nobody voted on {}", count_samples(none))] } else { Vec::new() };
    if dataset.field(&asked.into).is_some() {
        let change = Change::cells(dataset, &asked.into, cells.iter().map(|(id, text)| (*id, Some(*text))))?;
        return Ok(Planned { edit: Edit::new(words, change), notes });
    }
    let role = if dataset.with_role(Role::is_label).is_none() { Role::Label } else { Role::Other };
    let add = Change::add_column(dataset, &asked.into, Kind::Text, role)?;
    Ok(Planned { edit: Edit::new(words, [add, Change::fill(&asked.into, cells)]), notes })
}
