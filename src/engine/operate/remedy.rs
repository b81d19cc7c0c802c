//! What mends a finding: the one operation that its kind asks for, where that is known without asking.

use super::{ConsensusMethod, ConsensusOf, LongColumns, Operation};
use crate::checks::{DOMAIN, Finding, FindingKind, chat_disorders};
use crate::data::{Chat, Dataset, Property};
use crate::derive::{annotators_of, long_votes_of};
use crate::trainers::repair::ChatRepair;
use crate::transform::Replace;

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
            let name = |field: usize| dataset.fields()[field].name.to_string();
            let (method, probabilities) = (ConsensusMethod::DawidSkene, String::new());
            let of = |fields: &Vec<usize>| fields.iter().any(|field| name(*field) == column);
            let into = "consensus".to_owned();
            let asked = match (annotators_of(dataset).into_iter().find(of), long_votes_of(dataset)) {
                (Some(fields), _) => {
                    let columns = fields.into_iter().map(name).collect();
                    ConsensusOf { columns, long: None, method, probabilities, into }
                }
                (None, Some(votes)) => {
                    let long = LongColumns { task: name(votes.task), annotator: name(votes.annotator), one_a_task: true };
                    ConsensusOf { columns: vec![name(votes.label)], long: Some(long), method, probabilities, into }
                }
                (None, None) => return None,
            };
            Some(("Put together", Operation::Consensus(asked)))
        }
        FindingKind::Boilerplate => {
            let words: Vec<String> = suggested?.split_whitespace().map(regex::escape).collect();
            let what = Replace { find: format!(r"\s*{}", words.join(r"\s+")), with: String::new(), regex: true, case: false };
            Some(("Take out", Operation::Replace { samples: finding.samples.clone(), column, what }))
        }
        FindingKind::Irrelevant => {
            let (samples, tag) = (finding.samples.clone(), DOMAIN.to_owned());
            Some(("Relevant", Operation::Tag { samples, tag, on: true }))
        }
        FindingKind::TurnOrder => {
            // The one that leaves fewest disorders; a chat that none of them mends is for somebody to look at.
            let field = dataset.field(&column)?;
            let id = *finding.samples.first()?;
            let turns: Vec<serde_json::Value> = serde_json::from_str(&dataset.text(field, id)?).ok()?;
            let tried = [ChatRepair::SystemFirst, ChatRepair::JoinTurns, ChatRepair::CutEnd];
            let mended = |repair: &ChatRepair| {
                let turns = repair.mended(&turns)?;
                let text = serde_json::to_string(&turns).ok()?;
                let left = Chat::parse(&text).map_or(usize::MAX, |chat| chat_disorders(&chat));
                Some((left, *repair))
            };
            let now = Chat::parse(&dataset.text(field, id)?).map_or(0, |chat| chat_disorders(&chat));
            let (left, repair) = tried.iter().filter_map(mended).min_by_key(|(left, _)| *left)?;
            let samples = finding.samples.clone();
            (left < now).then(|| (repair.title(), Operation::RepairChats { samples, column, repair }))
        }
        FindingKind::OneValue | FindingKind::SameColumn => {
            Some(("Leave out", Operation::Say { property: Property::LeftOut, of: vec![column], value: Some("yes".to_owned()) }))
        }
        _ => None,
    }
}
