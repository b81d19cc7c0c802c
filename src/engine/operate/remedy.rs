//! What mends a finding: the one operation that its kind asks for, where that is known without asking.

use super::{ConsensusMethod, ConsensusOf, Operation};
use crate::checks::{Finding, FindingKind};
use crate::data::{Dataset, Property};
use crate::derive::annotators_of;

/// What mends a finding, in a word or two, and the operation that does it; `None` where somebody must decide.
pub fn remedy(finding: &Finding, dataset: &Dataset) -> Option<(&'static str, Operation)> {
    let column = finding.column.clone();
    if let Some(repair) = finding.kind.repair() {
        return Some((repair.title(), Operation::Repair { samples: finding.samples.clone(), column, repair }));
    }
    if finding.kind.is_of_copies() && finding.samples.len() > 1 {
        return Some(("Keep one", Operation::Exclude { samples: finding.decided().to_vec(), on: true }));
    }
    let suggested = finding.suggestion.clone();
    match finding.kind {
        FindingKind::ClassName => {
            let field = dataset.field(&column)?;
            let from = dataset.text(field, *finding.samples.first()?)?.into_owned();
            Some(("Merge", Operation::RenameClass { column, from, to: suggested? }))
        }
        FindingKind::Contradiction => Some((
            "Label alike",
            Operation::SetCells { samples: finding.samples.clone(), column, text: suggested?, review: true },
        )),
        FindingKind::Agreement => {
            let of = |fields: &Vec<usize>| fields.iter().any(|field| *dataset.fields()[*field].name == *column);
            let fields = annotators_of(dataset).into_iter().find(of)?;
            let columns = fields.iter().map(|field| dataset.fields()[*field].name.to_string()).collect();
            let (method, into) = (ConsensusMethod::DawidSkene, "consensus".to_owned());
            Some(("Put together", Operation::Consensus(ConsensusOf { columns, method, probabilities: String::new(), into })))
        }
        FindingKind::OneValue | FindingKind::SameColumn => {
            Some(("Leave out", Operation::Say { property: Property::LeftOut, of: vec![column], value: Some("yes".to_owned()) }))
        }
        _ => None,
    }
}
