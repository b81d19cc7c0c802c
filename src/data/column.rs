//! One column as it came from the source: never changed after opening.
//!
//! Text sources become Arrow string views that point into the source's own bytes, so that a cell costs 16 bytes and no
//! copy. Typed sources keep their Polars series; a cell's text is made when it is looked at.

use std::borrow::Cow;
use std::sync::Arc;

use polars::prelude::{AnyValue, DataType, Series};
use polars_arrow::array::{Array, Utf8ViewArray};

use super::native;
use super::schema::Kind;

/// The cells of a column.
#[derive(Clone)]
enum Store {
    Text(Utf8ViewArray),
    Native(Series),
}

/// One column of the source: a name, a kind, and one cell per sample.
#[derive(Clone)]
pub struct Column {
    /// The column's name, unique in its dataset.
    pub name: Arc<str>,
    /// How its cells are read.
    pub kind: Kind,
    store: Store,
}

impl Column {
    /// A column of text cells; `None` is null.
    pub fn from_views(name: &str, kind: Kind, cells: Utf8ViewArray) -> Self {
        Self { name: name.into(), kind, store: Store::Text(cells) }
    }

    /// A column of a typed source. Strings become text cells; everything else keeps its type.
    pub fn from_series(series: &Series) -> Self {
        let series = series.rechunk();
        let name = series.name().as_str();
        let strings = series.str().ok().and_then(|strings| strings.downcast_iter().next().cloned());
        match strings {
            Some(cells) => Self::from_views(name, Kind::Text, cells),
            None => Self { name: name.into(), kind: native::kind_of(series.dtype()), store: Store::Native(series.clone()) },
        }
    }

    /// How many cells it has.
    pub fn len(&self) -> usize {
        match &self.store {
            Store::Text(cells) => cells.len(),
            Store::Native(series) => series.len(),
        }
    }

    /// Whether it has no cells.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The cell at `row` as text: plain for scalars, JSON for lists and structs. `None` is null.
    pub fn text(&self, row: usize) -> Option<Cow<'_, str>> {
        match &self.store {
            Store::Text(cells) => (row < cells.len() && cells.is_valid(row)).then(|| Cow::Borrowed(cells.value(row))),
            Store::Native(series) => native::text(&series.get(row).unwrap_or(AnyValue::Null)),
        }
    }

    /// The text cells, where the column has them: the fast path of scans.
    pub fn views(&self) -> Option<&Utf8ViewArray> {
        match &self.store {
            Store::Text(cells) => Some(cells),
            Store::Native(_) => None,
        }
    }

    /// The typed cells of a typed source; `None` for text cells.
    pub fn series(&self) -> Option<&Series> {
        match &self.store {
            Store::Text(_) => None,
            Store::Native(series) => Some(series),
        }
    }

    /// The type's name in a typed source, as Polars spells it.
    pub fn native_type(&self) -> Option<&DataType> {
        self.series().map(|series| series.dtype())
    }

    /// Whether `text` can be a cell of this column when it is read as `kind`.
    pub fn accepts(&self, kind: Kind, text: &str) -> bool {
        match self.native_type() {
            Some(dtype) => text.is_empty() || native::parse(text, dtype).is_some(),
            None => kind.accepts(text),
        }
    }
}
