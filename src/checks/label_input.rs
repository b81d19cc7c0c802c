//! What label errors are looked for in: the text of a sample, or probabilities that somebody else worked out.

use std::borrow::Cow;

use rayon::prelude::*;

use super::label_errors::{Ask, MOST_CELLS, Unfit};
use crate::data::{ClassIndex, Dataset, Role, SampleId};
use crate::job::Progress;

/// The columns that a model reads, and how a sample's text is put together from them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextOf {
    /// Places of the columns in the dataset.
    pub fields: Vec<usize>,
}

impl TextOf {
    /// The text of a dataset: the named column, or every column with the role text, or chats.
    ///
    /// # Errors
    /// [`Unfit::NoColumn`], [`Unfit::NoText`].
    pub fn of(dataset: &Dataset, named: Option<&str>) -> Result<Self, Unfit> {
        if let Some(name) = named {
            let field = dataset.field(name).ok_or_else(|| Unfit::NoColumn(name.to_owned()))?;
            return Ok(Self { fields: vec![field] });
        }
        let with = |role: Role| -> Vec<usize> {
            (0..dataset.fields().len()).filter(|field| dataset.fields()[*field].role == role).collect()
        };
        let fields = [Role::Text, Role::Messages].into_iter().map(with).find(|fields| !fields.is_empty());
        fields.map(|fields| Self { fields }).ok_or(Unfit::NoText)
    }

    /// The text of one sample.
    pub fn read<'d>(&self, dataset: &'d Dataset, id: SampleId) -> Cow<'d, str> {
        match self.fields.as_slice() {
            [one] if dataset.fields()[*one].role != Role::Messages => dataset.text(*one, id).unwrap_or_default(),
            _ => self.read_with(dataset, id, |_| None).into(),
        }
    }

    /// The text of one sample, with other cells in the place of some of its own: `instead` gives them by column.
    pub fn read_with<'c>(&self, dataset: &Dataset, id: SampleId, instead: impl Fn(usize) -> Option<&'c str>) -> String {
        let plain = self.fields.len() == 1 && dataset.fields()[self.fields[0]].role != Role::Messages;
        let mut all = String::new();
        for field in &self.fields {
            let own = || dataset.text(*field, id).unwrap_or_default();
            let text = instead(*field).map_or_else(own, Cow::Borrowed);
            if dataset.fields()[*field].role == Role::Messages {
                said(&text, &mut all);
            } else {
                all.push_str(&text);
            }
            if !plain {
                all.push('\n');
            }
        }
        all
    }
}

/// What was said in a chat: the words of every turn, without who said them.
fn said(json: &str, out: &mut String) {
    let turns = serde_json::from_str::<Vec<serde_json::Value>>(json).unwrap_or_default();
    for turn in &turns {
        let text = turn.get("content").or_else(|| turn.get("value")).and_then(serde_json::Value::as_str);
        out.push_str(text.unwrap_or_default());
        out.push('\n');
    }
}

/// Probabilities that somebody else worked out: `rows × names`, by row of the dataset.
#[derive(Debug, Clone, PartialEq)]
pub struct Given {
    /// The class that each column is of.
    pub names: Vec<String>,
    /// The probabilities; a row that is all 0 is not judged.
    pub p: Vec<f32>,
}

impl Given {
    /// Finds the probabilities in the columns of `source` whose names begin with `prefix`: the rest of the name is a class, or its
    /// number (`p0`, `p1`, … in the order of the classes). `source` may be the dataset itself or another with as many rows.
    ///
    /// # Errors
    /// [`Unfit`]: no label column, too few columns fit, or the rows are not as many.
    pub fn from_columns(source: &Dataset, dataset: &Dataset, ask: &Ask, prefix: &str) -> Result<Self, Unfit> {
        let field = match &ask.label {
            Some(name) => dataset.field(name).ok_or_else(|| Unfit::NoColumn(name.clone()))?,
            None => dataset.with_role(Role::is_label).ok_or(Unfit::NoLabel)?,
        };
        let index = ClassIndex::build(dataset, field, &Progress::silent())?;
        let names: Vec<String> = index.names().iter().map(ToString::to_string).collect();
        if names.len().saturating_mul(dataset.rows()) > MOST_CELLS {
            let column = dataset.fields()[field].name.to_string();
            return Err(Unfit::TooMany { rows: dataset.rows(), classes: names.len(), column });
        }
        let class_of = |column: &str| {
            let rest = column.strip_prefix(prefix)?;
            let bare = rest.trim_start_matches(['p', '_']);
            let number = || bare.parse::<usize>().ok().filter(|class| *class < names.len());
            index.class(rest).or_else(|| index.class(bare)).or_else(number)
        };
        let mut fields: Vec<Option<usize>> = vec![None; names.len()];
        for (place, column) in source.fields().iter().enumerate() {
            if let Some(class) = class_of(&column.name).filter(|_| place != field || !std::ptr::eq(source, dataset)) {
                fields[class] = Some(place);
            }
        }
        let found = fields.iter().flatten().count();
        let missing = (0..names.len()).any(|class| index.counts()[class] > 0 && fields[class].is_none());
        // What was made is not judged: a file may leave it out.
        if found < 2 || missing || source.rows() != dataset.rows() && source.rows() != dataset.base.rows {
            return Err(Unfit::Probabilities { found, classes: names.len(), rows: source.rows(), wanted: dataset.base.rows });
        }
        let p = (0..source.rows())
            .into_par_iter()
            .flat_map_iter(|row| {
                let id = SampleId::at(row);
                fields.iter().map(move |field| {
                    field.and_then(|field| source.text(field, id)?.parse::<f32>().ok()).filter(|p| p.is_finite()).unwrap_or(0.0)
                })
            })
            .collect();
        Ok(Self { names, p })
    }
}
