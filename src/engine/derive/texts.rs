//! What of a sample is its text.

use std::borrow::Cow;

use crate::data::{Dataset, Role, SampleId};

/// Why samples have no text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoText {
    #[error("there is no column called {0:?}")]
    NoColumn(String),
    #[error("there is no text column to learn from: give a column the role text in Collect")]
    NoText,
}

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
    /// [`NoText`].
    pub fn of(dataset: &Dataset, named: Option<&str>) -> Result<Self, NoText> {
        if let Some(name) = named {
            let field = dataset.field(name).ok_or_else(|| NoText::NoColumn(name.to_owned()))?;
            return Ok(Self { fields: vec![field] });
        }
        let with = |role: Role| -> Vec<usize> {
            (0..dataset.fields().len()).filter(|field| dataset.fields()[*field].role == role).collect()
        };
        let fields = [Role::Text, Role::Messages].into_iter().map(with).find(|fields| !fields.is_empty());
        fields.map(|fields| Self { fields }).ok_or(NoText::NoText)
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

impl TextOf {
    /// The versions of its columns, of samples of the source.
    pub fn versions(&self, dataset: &Dataset) -> Vec<u64> {
        self.fields.iter().map(|field| dataset.version(*field)).collect()
    }
}
