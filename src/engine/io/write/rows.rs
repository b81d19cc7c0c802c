//! What is to be saved: which samples and columns, and what stands in their cells.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;

use super::arranged::Arranged;
use crate::data::{Dataset, Format, Kind, Packing, Role, SampleId};

/// Where and how to save.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaveTarget {
    /// The new file. Never the source.
    pub path: PathBuf,
    /// Its format.
    pub format: Format,
    /// Its packing.
    pub packing: Packing,
    /// Whether Lapidary's own columns (excluded, reviewed, tags) are written too.
    pub own_columns: bool,
    /// Whether text is written as UTF-8 rather than in the source's encoding.
    pub utf8: bool,
    /// Whether cells that a spreadsheet would run are made harmless in delimited text.
    pub safe: bool,
}

/// Which samples to save, in file order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rows {
    /// All that are not excluded.
    Kept,
    /// All, the excluded ones too.
    All,
    /// These.
    These(Vec<SampleId>),
}

impl Rows {
    /// The samples, in file order.
    pub fn ids(&self, dataset: &Dataset) -> Vec<SampleId> {
        match self {
            Self::Kept => dataset.samples().filter(|id| !dataset.is_excluded(*id)).collect(),
            Self::All => dataset.samples().collect(),
            Self::These(ids) => {
                let mut ids = ids.clone();
                ids.sort_unstable();
                ids
            }
        }
    }
}

/// The names of Lapidary's own columns; the last four where samples were made from others.
pub const OWN: [&str; 7] = [
    "lapidary_excluded",
    "lapidary_reviewed",
    "lapidary_tags",
    "lapidary_parent",
    "lapidary_made_by",
    "lapidary_seed",
    "lapidary_label_risk",
];

/// One column as it is saved.
pub enum CellSource {
    /// Column `field` of the dataset.
    Field(usize),
    /// An own column.
    Own(usize),
}

/// The columns to save, with their names in the file and their kinds.
pub fn columns(dataset: &Dataset, own: bool) -> Vec<(String, Kind, CellSource)> {
    let mut all = all_columns(dataset, own);
    if let Some(arranged) = Arranged::of(dataset) {
        let beside = all.split_off(dataset.fields().len());
        let field = |(field, name): &(usize, String)| (name.clone(), dataset.fields()[*field].kind, CellSource::Field(*field));
        all = arranged.fields.iter().map(field).chain(beside).collect();
    }
    if !own {
        all.retain(|(_, _, source)| !matches!(source, CellSource::Field(field) if dataset.is_provenance(*field)));
    }
    all
}

/// Every column with its own name, whatever was said of it: those of the dataset first.
pub fn all_columns(dataset: &Dataset, own: bool) -> Vec<(String, Kind, CellSource)> {
    let fields = dataset.fields().iter().enumerate().map(|(i, field)| (field.name.to_string(), field.kind, CellSource::Field(i)));
    let kinds = [Kind::Boolean, Kind::Boolean, Kind::Text, Kind::Text, Kind::Text, Kind::Text, Kind::Number];
    let shown = match (own, dataset.made()) {
        (false, _) => 0,
        (true, 0) => 3,
        (true, _) => OWN.len(),
    };
    let own =
        OWN.iter().zip(kinds).enumerate().take(shown).map(|(i, (name, kind))| ((*name).to_owned(), kind, CellSource::Own(i)));
    fields.chain(own).collect()
}

/// The cell of a column to save.
pub fn cell<'d>(dataset: &'d Dataset, source: &CellSource, id: SampleId) -> Option<Cow<'d, str>> {
    match source {
        CellSource::Field(field) => dataset.text(*field, id),
        CellSource::Own(0) => Some(Cow::Borrowed(if dataset.is_excluded(id) { "true" } else { "false" })),
        CellSource::Own(1) => Some(Cow::Borrowed(if dataset.is_reviewed(id) { "true" } else { "false" })),
        CellSource::Own(at @ 3..) => {
            let origins = dataset.origins(id)?;
            Some(Cow::Owned(match at {
                3 => {
                    name_of(dataset, origins.parent)
                        + &origins.other.map_or(String::new(), |id| format!(",{}", name_of(dataset, id)))
                }
                4 => origins.made.title(),
                5 => origins.draw.to_string(),
                _ => origins.risk?.to_string(),
            }))
        }
        CellSource::Own(_) => {
            let tags: Vec<&str> = dataset.tags().filter(|(_, set)| set.contains(id)).map(|(tag, _)| tag).collect();
            Some(Cow::Owned(tags.join(",")))
        }
    }
}

/// What a parent is called: by its id, or else its number.
fn name_of(dataset: &Dataset, id: SampleId) -> String {
    let named = dataset.with_role(|role| role == Role::Id).and_then(|field| dataset.text(field, id));
    named.map_or_else(|| id.0.to_string(), Cow::into_owned)
}

/// The edit that has to be written over the source's cell: the sample's own, or, of a made one, whatever is not its parent's source.
#[allow(clippy::option_option)]
pub fn changed(dataset: &Dataset, field: usize, id: SampleId) -> Option<Option<Cow<'_, str>>> {
    let Some(origins) = dataset.origins(id) else {
        return dataset.edited(field, id).map(|text| text.map(Cow::Borrowed));
    };
    let text = dataset.text(field, id);
    (text != dataset.source_text(field, origins.parent)).then_some(text)
}

/// The row of its own source, the first part, that a sample is written like: its own, or its parent's; `None` where that is of a later part.
pub fn own_row(dataset: &Dataset, id: SampleId) -> Option<usize> {
    let (base, row) = dataset.home(id);
    std::ptr::eq(base, Arc::as_ptr(&dataset.base)).then_some(row)
}
