//! One column as it came from the source: never changed after opening.
//!
//! Text sources become Arrow string views that point into the source's own bytes, so that a cell costs 16 bytes and no
//! copy. Typed sources keep their Polars series; a cell's text is made when it is looked at.

use std::borrow::Cow;
use std::sync::Arc;

use polars::prelude::{AnyValue, BinaryChunked, DataType, Series, StringChunked};
use polars_arrow::array::{Array, Utf8ViewArray};

use super::native;
use super::schema::Kind;
use crate::pixels::Coding;

/// Cells that are read where they stand, each time that somebody asks.
pub trait StandingCells: Send + Sync {
    /// How many there are.
    fn rows(&self) -> usize;
    /// What a cell says; `None` where there is none.
    fn text(&self, row: usize) -> Option<Cow<'_, str>>;
}

/// The cells of a column.
#[derive(Clone)]
enum Store {
    Text(Utf8ViewArray),
    /// Text cells of few rows, in order: a cell that is not there costs nothing.
    Few {
        rows: usize,
        places: Arc<[u32]>,
        cells: Utf8ViewArray,
    },
    Native(Series),
    /// Pictures, as bytes; with the paths that stand beside them, where there are any.
    Blobs {
        series: Series,
        bytes: BinaryChunked,
        paths: Option<StringChunked>,
    },
    /// Cells that are not held.
    Standing(Arc<dyn StandingCells>),
}

/// One column of the source: a name, a kind, and one cell per sample.
#[derive(Clone)]
pub struct Column {
    /// The column's name, unique in its dataset.
    pub name: Arc<str>,
    /// How its cells are read.
    pub kind: Kind,
    /// Cells that are not of its kind, in a column of numbers: they keep their text.
    pub odd: Odd,
    store: Store,
    /// The cells as the source writes them, where they are shown otherwise: the numbers of classes that have names.
    written: Option<Box<Self>>,
}

/// Cells that are not of their column's kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Odd {
    /// How many there are.
    pub count: usize,
    /// The rows of the first few.
    pub first: Vec<u32>,
}

impl Column {
    /// A column of text cells; `None` is null.
    pub fn from_views(name: &str, kind: Kind, cells: Utf8ViewArray) -> Self {
        Self { name: name.into(), kind, odd: Odd::default(), store: Store::Text(cells), written: None }
    }

    /// The column with a word on cells that are not of its kind.
    pub fn with_odd(self, odd: Odd) -> Self {
        Self { odd, ..self }
    }

    /// The column as it is shown of one whose cells the source writes otherwise.
    pub fn in_place_of(self, written: Self) -> Self {
        Self { written: Some(Box::new(written)), ..self }
    }

    /// The column as it is shown, for itself: what its source writes is let go of.
    pub fn as_shown(&self) -> Self {
        Self { written: None, ..self.clone() }
    }

    /// The column as its source writes it.
    pub fn as_written(&self) -> &Self {
        self.written.as_deref().unwrap_or(self)
    }

    /// A column whose cells are read where they stand.
    pub fn standing(name: &str, kind: Kind, cells: Arc<dyn StandingCells>) -> Self {
        Self { name: name.into(), kind, odd: Odd::default(), store: Store::Standing(cells), written: None }
    }

    /// A column of `rows` text cells of which few are there: at `places`, in order.
    pub fn of_few(name: &str, kind: Kind, rows: usize, places: Vec<u32>, cells: Utf8ViewArray) -> Self {
        let store = Store::Few { rows, places: places.into(), cells };
        Self { name: name.into(), kind, odd: Odd::default(), store, written: None }
    }

    /// A column of a typed source. Strings become text cells; everything else keeps its type.
    pub fn from_series(series: &Series) -> Self {
        let series = series.rechunk();
        let name = series.name().as_str();
        let strings = series.str().ok().and_then(|strings| strings.downcast_iter().next().cloned());
        if let Some(cells) = strings {
            return Self::from_views(name, Kind::Text, cells);
        }
        let kind = native::kind_of(series.dtype());
        match blobs(&series) {
            Some(store) => Self { name: name.into(), kind: Kind::Text, odd: Odd::default(), store, written: None },
            None => Self { name: name.into(), kind, odd: Odd::default(), store: Store::Native(series), written: None },
        }
    }

    /// Whether its cells are pictures themselves.
    pub fn is_blobs(&self) -> bool {
        matches!(self.store, Store::Blobs { .. })
    }

    /// The bytes of the picture at `row`, where cells are pictures.
    pub fn blob(&self, row: usize) -> Option<&[u8]> {
        match &self.store {
            Store::Blobs { bytes, .. } => bytes.get(row),
            _ => None,
        }
    }

    /// How many cells it has.
    pub fn len(&self) -> usize {
        match &self.store {
            Store::Text(cells) => cells.len(),
            Store::Few { rows, .. } => *rows,
            Store::Standing(cells) => cells.rows(),
            Store::Native(series) | Store::Blobs { series, .. } => series.len(),
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
            Store::Few { places, cells, .. } => {
                let at = places.binary_search(&u32::try_from(row).ok()?).ok()?;
                Some(Cow::Borrowed(cells.value(at)))
            }
            Store::Standing(cells) => cells.text(row),
            Store::Native(series) => native::text(&series.get(row).unwrap_or(AnyValue::Null)),
            // A picture is known by its path, or its number.
            Store::Blobs { bytes, paths, .. } => {
                let path = paths.as_ref().and_then(|paths| paths.get(row)).filter(|path| !path.is_empty());
                if let Some(path) = path {
                    return Some(Cow::Borrowed(path));
                }
                let ending = Coding::of_bytes(bytes.get(row)?).map_or("bin", |coding| coding.endings()[0]);
                Some(Cow::Owned(format!("{row:06}.{ending}")))
            }
        }
    }

    /// The rows that have a cell, where few have one.
    pub fn few(&self) -> Option<&[u32]> {
        match &self.store {
            Store::Few { places, .. } => Some(places),
            _ => None,
        }
    }

    /// Text cells as they lie there; `None` where they are typed, or few.
    pub fn views(&self) -> Option<&Utf8ViewArray> {
        match &self.store {
            Store::Text(cells) => Some(cells),
            _ => None,
        }
    }

    /// The typed cells of a typed source; `None` for text cells.
    pub fn series(&self) -> Option<&Series> {
        match &self.store {
            Store::Text(_) | Store::Few { .. } | Store::Standing(_) => None,
            Store::Native(series) | Store::Blobs { series, .. } => Some(series),
        }
    }

    /// The type's name in a typed source, as Polars spells it.
    pub fn native_type(&self) -> Option<&DataType> {
        self.series().map(|series| series.dtype())
    }

    /// Whether `text` can be a cell of this column when it is read as `kind`.
    pub fn accepts(&self, kind: Kind, text: &str) -> bool {
        match self.native_type() {
            // Another path can stand in a picture's place, but no text is a picture.
            Some(_) if self.is_blobs() => text.is_empty(),
            Some(dtype) => text.is_empty() || native::parse(text, dtype).is_some(),
            None => kind.accepts(text),
        }
    }
}

/// A column of bytes, or of structures of bytes and a path, that begins with a picture.
fn blobs(series: &Series) -> Option<Store> {
    let (bytes, paths) = match series.dtype() {
        DataType::Binary => (series.binary().ok()?.clone(), None),
        DataType::Struct(fields) if fields.iter().any(|field| field.name == "bytes" && field.dtype == DataType::Binary) => {
            let inner = series.struct_().ok()?;
            let paths = inner.field_by_name("path").ok().and_then(|paths| paths.str().ok().cloned());
            (inner.field_by_name("bytes").ok()?.binary().ok()?.clone(), paths)
        }
        _ => return None,
    };
    let bytes = bytes.rechunk().into_owned();
    let first = bytes.iter().flatten().next()?;
    Coding::of_bytes(first)?;
    Some(Store::Blobs { series: series.clone(), bytes, paths: paths.map(|paths| paths.rechunk().into_owned()) })
}
