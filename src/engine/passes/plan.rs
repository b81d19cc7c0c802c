//! How a recipe is done file by file: which steps are of a row alone, which need prints of all, which are done otherwise, and which cannot be.

use crate::edit::Target;
use crate::operate::{Operation, Recipe, RecipeStep, Unique};
use crate::transform::{Formula, HashOf, Split, SplitMethod};

/// How a step is done.
#[derive(Debug, Clone, PartialEq)]
pub enum StepWay {
    /// As it is, file by file.
    Row,
    /// By prints of all rows that are put together.
    Unique(Unique),
    /// By another split, which needs no count of all; in words, what is different.
    Hash(Split, String),
    /// Not at all; why, and what to do instead.
    Not(String),
}

/// How all steps are done.
#[derive(Debug, Clone, PartialEq)]
pub struct PassPlan {
    pub steps: Vec<StepWay>,
}

impl PassPlan {
    /// The plan of a recipe.
    pub fn of(recipe: &Recipe) -> Self {
        let mut steps: Vec<StepWay> = Vec::new();
        for step in &recipe.steps {
            let way = way_of(step);
            let twice = matches!(way, StepWay::Unique(_)) && steps.iter().any(|way| matches!(way, StepWay::Unique(_)));
            steps.push(if twice {
                StepWay::Not("copies are looked for once in a run: make two recipes of it".to_owned())
            } else {
                way
            });
        }
        Self { steps }
    }

    /// The step that copies are looked for in, and what counts as one.
    pub fn unique(&self) -> Option<(usize, Unique)> {
        self.steps
            .iter()
            .enumerate()
            .find_map(|(at, way)| if let StepWay::Unique(unique) = way { Some((at, *unique)) } else { None })
    }

    /// Whether a step puts samples into parts.
    pub fn splits(&self) -> bool {
        self.steps.iter().any(|way| matches!(way, StepWay::Hash(..)))
    }

    /// The steps that cannot be done, by their place, and why.
    pub fn refused(&self) -> impl Iterator<Item = (usize, &str)> {
        self.steps
            .iter()
            .enumerate()
            .filter_map(|(at, way)| if let StepWay::Not(why) = way { Some((at, why.as_str())) } else { None })
    }

    /// What is said of the plan before it begins, a line each.
    pub fn explained(&self, recipe: &Recipe) -> Vec<String> {
        let mut lines = Vec::new();
        for (at, (way, step)) in self.steps.iter().zip(&recipe.steps).enumerate() {
            let how = match way {
                StepWay::Row if !step.rows.is_empty() => {
                    format!(
                        "file by file; {} that it names are found by what they say",
                        crate::data::things(step.rows.len(), "row", "rows")
                    )
                }
                StepWay::Row => "file by file".to_owned(),
                StepWay::Unique(unique) if unique.near > 0.0 => {
                    let bands = crate::learn::minhash::Bands::for_threshold(unique.near);
                    format!(
                        "prints of all rows are put together; pairs that are nearly the same are proposed by MinHash ({} bands of {}) and compared whole: of pairs at the limit {:.1} % are found, of nearer ones more (in the window all are)",
                        bands.bands,
                        bands.rows,
                        bands.recall(unique.near) * 100.0
                    )
                }
                StepWay::Unique(_) => "prints of all rows are put together; the first in the order of files stays".to_owned(),
                StepWay::Hash(_, what) => what.clone(),
                StepWay::Not(why) => format!("NOT DONE: {why}"),
            };
            lines.push(format!("step {} ({}): {how}", at + 1, step.words));
        }
        lines
    }
}

fn way_of(step: &RecipeStep) -> StepWay {
    if step.export.is_some() {
        return StepWay::Not("a trainer's folder is made of the whole: lapidary export --for, on what comes out".to_owned());
    }
    let Some(operation) = &step.operation else { return of_changes(step) };
    match operation {
        Operation::SetCells { .. }
        | Operation::Accept { .. }
        | Operation::Exclude { .. }
        | Operation::Review { .. }
        | Operation::Tag { .. }
        | Operation::Note { .. }
        | Operation::Swap { .. }
        | Operation::Replace { .. }
        | Operation::Repair { .. }
        | Operation::RepairChats { .. }
        | Operation::RenameClass { .. }
        | Operation::SetRole { .. }
        | Operation::SetKind { .. }
        | Operation::Say { .. }
        | Operation::Watch { .. } => StepWay::Row,
        Operation::Column(asked) => of_formula(&asked.formula),
        Operation::Unique(unique) => StepWay::Unique(*unique),
        Operation::Split(split) => of_split(split),
        Operation::SplitChats { .. } => {
            StepWay::Not("the new samples stand behind all others: cut the chats of what comes out".to_owned())
        }
        Operation::Weigh { .. } => StepWay::Not("weights need the counts of all: weigh what comes out".to_owned()),
        Operation::Balance(_) => StepWay::Not("evening out classes needs the counts of all: balance what comes out".to_owned()),
        Operation::Augment { .. } => StepWay::Not("children stand behind all others: augment what comes out".to_owned()),
        Operation::Consensus(_) => {
            StepWay::Not("how good annotators are is learned of all: put labels together before".to_owned())
        }
        Operation::Relevance(_) | Operation::Predict(_) => {
            StepWay::Not("a model is learned of all: learn on a sample, and use it with lapidary predict".to_owned())
        }
        Operation::Take(_) | Operation::Admit { .. } => {
            StepWay::Not("rows of logs are of the data they were taken into".to_owned())
        }
        Operation::Instruct(_) => StepWay::Not("questions list the classes of all: make them of what comes out".to_owned()),
    }
}

/// A step that says its changes and not what was asked for.
fn of_changes(step: &RecipeStep) -> StepWay {
    let local = step.changes.iter().all(|change| {
        change.get("made").is_none()
            && change.get("part").is_none()
            && change.get("target").and_then(|target| serde_json::from_value::<Target>(target.clone()).ok()).is_some()
    });
    if local { StepWay::Row } else { StepWay::Not("it made samples, or added some of another file".to_owned()) }
}

/// A formula is of a row alone where it looks at no other, and where nothing depends on how the column's other cells are written.
fn of_formula(formula: &str) -> StepWay {
    let Ok(parsed) = Formula::new(formula) else { return StepWay::Not("its expression cannot be read".to_owned()) };
    if !parsed.above().is_empty() {
        return StepWay::Not("down() looks at the rows above, which may stand in another file".to_owned());
    }
    let mut quote = None;
    let bare: String = formula
        .chars()
        .map(|letter| match (quote, letter) {
            (Some(open), letter) => {
                quote = (letter != open).then_some(open);
                ' '
            }
            (None, '"' | '\'' | '`') => {
                quote = Some(letter);
                ' '
            }
            (None, letter) => letter,
        })
        .collect();
    let by_spelling = ["number(", "round(", "abs(", "date(", "year(", "month(", "day("];
    if by_spelling.iter().any(|name| bare.replace(' ', "").contains(name)) || bare.contains(['+', '*', '/', '-', '<', '>']) {
        return StepWay::Not(
            "how a column's numbers and dates are written (1.234 or 1,234) is told by all of its cells: make the column of what comes out".to_owned(),
        );
    }
    StepWay::Row
}

/// A split by a hash is of a row alone; others become one.
fn of_split(split: &Split) -> StepWay {
    let group = match &split.method {
        SplitMethod::Hash(of) => {
            let what = match of {
                HashOf::Content if split.together => {
                    "by the hash of the text; copies that are spelled otherwise stay together only where an earlier step takes them out"
                }
                _ => "by the hash, as it is",
            };
            return StepWay::Hash(Split { together: false, near: 0.0, ..split.clone() }, what.to_owned());
        }
        SplitMethod::Group { group } | SplitMethod::StratifiedGroup { group, .. } => Some(group),
        SplitMethod::Random | SplitMethod::Stratified { .. } => None,
        SplitMethod::Time { .. } => {
            return StepWay::Not("parts by time need the times of all: split what comes out, or by a hash".to_owned());
        }
    };
    let (of, what) = match group {
        Some(group) => (HashOf::Column(group.clone()), format!("by the hash of {group}: groups stay together, and shares are near what was asked for, not exact")),
        None => (
            HashOf::Content,
            "by the hash of the text, with the seed: the same texts stay together, and shares (also those of classes) are within about √n of what was asked for, not exact".to_owned(),
        ),
    };
    StepWay::Hash(Split { method: SplitMethod::Hash(of), together: false, near: 0.0, ..split.clone() }, what)
}
