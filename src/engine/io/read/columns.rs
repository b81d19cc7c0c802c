//! Cells that point into their source, gathered into columns; and what a column of text can safely be read as.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicUsize};

use polars_arrow::array::{Array as _, Utf8ViewArray, View};
use polars_arrow::bitmap::MutableBitmap;
use polars_arrow::datatypes::ArrowDataType;
use polars_buffer::Buffer;
use rayon::prelude::*;

use crate::data::{Column, Kind, Odd, Spelled, number_of, spelled};
use crate::io::read::aside::breathe;

/// Text is addressed in pieces of this size: a view's offset has 32 bits.
const PIECE: usize = 1 << 30;

/// The most columns a dataset may have.
pub const MAX_COLUMNS: usize = 16_384;

/// Cells of one column in one part of a file, given row by row. What is not there costs nothing: a column that few rows have is kept as
/// the rows that have it.
#[derive(Default, Clone)]
pub struct Cells {
    views: Vec<View>,
    /// Rows without a cell before the last one that has it; not kept where `rows` is.
    nulls: Vec<u32>,
    /// The row of each view, once most rows have none.
    rows: Option<Vec<u32>>,
}

/// A row as the lists of cells number it: opening refuses datasets with more.
fn number(row: usize) -> u32 {
    u32::try_from(row).unwrap_or(u32::MAX)
}

/// So many rows without a cell in a row may make a column one of few cells.
const GAP: usize = 64;

impl Cells {
    /// Puts a cell at `row`, at or after the last one; one that is there already is replaced. Returns how many bytes it took.
    pub fn put(&mut self, row: usize, view: View) -> u64 {
        self.clear_from(row);
        if self.rows.is_none() {
            let gap = row - self.views.len();
            if gap > GAP && gap > self.views.len() * 4 {
                let rows = (0..number(self.views.len())).filter(|row| self.nulls.binary_search(row).is_err());
                let rows: Vec<u32> = rows.collect();
                self.views = rows.iter().map(|row| self.views[*row as usize]).collect();
                self.nulls = Vec::new();
                self.rows = Some(rows);
            } else {
                self.nulls.extend(number(self.views.len())..number(row));
                self.views.resize(row, View::default());
                self.views.push(view);
                return 16 + gap as u64 * 20;
            }
        }
        self.views.push(view);
        self.rows.get_or_insert_default().push(number(row));
        20
    }

    /// Whether there is a cell at `row` or after it.
    pub fn reaches(&self, row: usize) -> bool {
        match &self.rows {
            Some(rows) => rows.last().is_some_and(|last| *last as usize >= row),
            None => self.views.len() > row,
        }
    }

    /// Forgets what stands at `row` or after it.
    pub fn clear_from(&mut self, row: usize) {
        match &mut self.rows {
            Some(rows) => {
                while rows.last().is_some_and(|last| *last as usize >= row) {
                    rows.pop();
                    self.views.pop();
                }
            }
            None if self.views.len() > row => {
                self.views.truncate(row);
                while self.nulls.last().is_some_and(|last| *last as usize >= row) {
                    self.nulls.pop();
                }
            }
            None => {}
        }
    }

    /// Makes room for as many cells, where none are there yet: a list that grows by doubling touches twice the memory.
    pub fn expect(&mut self, rows: usize) {
        if self.views.is_empty() {
            self.views.reserve_exact(rows);
        }
    }

    fn present(&self) -> usize {
        self.views.len() - self.nulls.len()
    }
}

/// A view of `text[range]`.
pub fn view(text: &[u8], range: std::ops::Range<usize>) -> View {
    let piece = range.start / PIECE;
    View::new_from_bytes(
        &text[range.clone()],
        u32::try_from(piece).unwrap_or(u32::MAX),
        u32::try_from(range.start % PIECE).unwrap_or(u32::MAX),
    )
}

/// A view of the last `len` bytes of `side`, the side buffer numbered `index`: for cells whose text differs from the
/// source's (escapes undone).
pub fn side_view(side: &[u8], len: usize, index: u32) -> View {
    let start = side.len() - len;
    View::new_from_bytes(&side[start..], index, u32::try_from(start).unwrap_or(u32::MAX))
}

/// How many pieces a text of `len` bytes is addressed in: side buffers are numbered after them.
pub fn pieces(len: usize) -> usize {
    len.div_ceil(PIECE).max(1)
}

/// The buffers that views point into: the text in overlapping pieces, then the side buffers.
pub fn buffers(text: &Buffer<u8>, sides: Vec<Buffer<u8>>) -> Buffer<Buffer<u8>> {
    let piece = |i: usize| {
        let start = (i * PIECE).min(text.len());
        text.clone().sliced(start..(start + (u32::MAX as usize)).min(text.len()))
    };
    (0..pieces(text.len())).map(piece).chain(sides).collect::<Vec<_>>().into()
}

/// Joins the parts of a column, each with its number of rows; the kind is what every cell allows. `None` where the cells are not valid
/// text, which the callers' decoding rules out.
pub fn join(name: &str, parts: Vec<(Cells, usize)>, buffers: &Buffer<Buffer<u8>>, kind: Option<Kind>) -> Option<Column> {
    let rows: usize = parts.iter().map(|(_, rows)| rows).sum();
    let present: usize = parts.iter().map(|(cells, _)| cells.present()).sum();
    if present < rows / 8 && rows > GAP {
        return join_few(name, parts, buffers, kind);
    }
    let whole = |(cells, rows): &(Cells, usize)| cells.rows.is_none() && cells.nulls.is_empty() && cells.views.len() == *rows;
    let mut validity = (!parts.iter().all(whole)).then(|| MutableBitmap::with_capacity(rows));
    let (mut views, mut laid) = (Vec::new(), 0);
    for (i, (mut part, rows_here)) in parts.into_iter().enumerate() {
        if let Some(bits) = &mut validity {
            let start = bits.len();
            match &part.rows {
                Some(list) => {
                    bits.extend_constant(rows_here, false);
                    list.iter().for_each(|at| bits.set(start + *at as usize, true));
                }
                None => {
                    bits.extend_constant(part.views.len(), true);
                    bits.extend_constant(rows_here - part.views.len(), false);
                    part.nulls.iter().for_each(|at| bits.set(start + *at as usize, false));
                }
            }
        }
        if let Some(list) = part.rows.take() {
            let mut dense = vec![View::default(); rows_here];
            list.iter().zip(&part.views).for_each(|(at, view)| dense[*at as usize] = *view);
            part.views = dense;
        }
        // The first part is taken as it is; the others are freed one by one, so that nothing is held twice for long.
        if i == 0 {
            views = part.views;
            views.reserve_exact(rows - views.len());
        } else {
            views.extend_from_slice(&part.views);
        }
        laid += rows_here;
        views.resize(laid, View::default());
    }
    let validity = validity.map(Into::into);
    let cells = Utf8ViewArray::try_new(ArrowDataType::Utf8View, views.into(), buffers.clone(), validity).ok()?;
    let (kind, odd) = kind.map_or_else(|| infer(&cells), |kind| (kind, Odd::default()));
    Some(Column::from_views(name, kind, cells).with_odd(odd))
}

/// A column that few rows have.
fn join_few(name: &str, parts: Vec<(Cells, usize)>, buffers: &Buffer<Buffer<u8>>, kind: Option<Kind>) -> Option<Column> {
    let (mut places, mut views, mut before) = (Vec::new(), Vec::new(), 0_u32);
    for (part, rows) in parts {
        match part.rows {
            Some(list) => {
                places.extend(list.iter().map(|row| before + row));
                views.extend(part.views);
            }
            None => {
                let there = (0..number(part.views.len())).filter(|row| part.nulls.binary_search(row).is_err());
                for row in there {
                    places.push(before + row);
                    views.push(part.views[row as usize]);
                }
            }
        }
        before += u32::try_from(rows).ok()?;
    }
    let cells = Utf8ViewArray::try_new(ArrowDataType::Utf8View, views.into(), buffers.clone(), None).ok()?;
    let (kind, mut odd) = kind.map_or_else(|| infer(&cells), |kind| (kind, Odd::default()));
    odd.first.iter_mut().for_each(|at| *at = places[*at as usize]);
    Some(Column::of_few(name, kind, before as usize, places, cells).with_odd(odd))
}

/// A column of texts that came as a frame's, with the kind that its cells allow.
pub fn of_texts(column: Column) -> Column {
    let Some(cells) = column.views().cloned() else { return column };
    let (kind, odd) = infer(&cells);
    Column::from_views(&column.name, kind, cells).with_odd(odd)
}

/// A column to be joined: its name, its parts with their rows, and its kind where that is known.
pub type Parts = (String, Vec<(Cells, usize)>, Option<Kind>);

/// Joins many columns, in parallel.
pub fn join_all(columns: Vec<Parts>, buffers: &Buffer<Buffer<u8>>) -> Option<Vec<Column>> {
    columns.into_par_iter().map(|(name, parts, kind)| join(&name, parts, buffers, kind)).collect()
}

/// Cells by row, for whoever looks at all of them.
pub trait CellRows: Sync {
    /// Hands on each cell of a row that is there, with the place of its column.
    fn row(&self, row: usize, take: &mut impl FnMut(usize, &str));
}

impl CellRows for Utf8ViewArray {
    fn row(&self, row: usize, take: &mut impl FnMut(usize, &str)) {
        if self.is_valid(row) {
            take(0, self.value(row));
        }
    }
}

/// What a column of text can be read as, and which cells are not so. Empty cells say nothing; a column of nothing else is text. Numbers are
/// numbers in any usual spelling, and what decides between decimal points and decimal commas is what the column has of either without doubt;
/// a few cells that are none (one, or one of twenty) do not take that from it. Codes (`007`), dates, `TRUE` and `1_000` stay text.
pub fn infer(cells: &Utf8ViewArray) -> (Kind, Odd) {
    infer_all(cells, cells.len(), &[cells.len() - cells.null_count()]).pop().unwrap_or((Kind::Text, Odd::default()))
}

/// The same of several columns at once, each with how many of `all` rows have it: a row is looked at once, and again only where cells are odd.
pub fn infer_all(cells: &impl CellRows, all: usize, there: &[usize]) -> Vec<(Kind, Odd)> {
    let guesses: Vec<Guess> = there.iter().map(|rows| Guess::of(*rows)).collect();
    let look = |chunk: usize| {
        if guesses.iter().all(Guess::is_sure) {
            return Vec::new();
        }
        breathe();
        let open: Vec<bool> = guesses.iter().map(|guess| !guess.is_sure()).collect();
        let mut seen: Vec<Seen> = (0..there.len()).map(|_| Seen::default()).collect();
        for row in chunk * CHUNK..all.min((chunk + 1) * CHUNK) {
            cells.row(row, &mut |place, text| {
                if open[place] {
                    seen[place].note(text);
                }
            });
        }
        guesses.iter().zip(&seen).for_each(|(guess, seen)| guess.hear(seen));
        seen
    };
    let seen = (0..all.div_ceil(CHUNK)).into_par_iter().map(look).reduce(Vec::new, |mut one, two| {
        if one.is_empty() {
            return two;
        }
        one.iter_mut().zip(two).for_each(|(one, two)| one.add(&two));
        one
    });
    let seen = seen.into_iter().chain(std::iter::repeat_with(Seen::default));
    let mut found: Vec<(Kind, Odd)> = guesses.into_iter().zip(seen).map(|(guess, seen)| guess.verdict(&seen)).collect();
    // The first odd cells of each column.
    let mut wanted: usize = found.iter().map(|(_, odd)| odd.count.min(SHOWN_ODD)).sum();
    for row in 0..all {
        if wanted == 0 {
            break;
        }
        if row % CHUNK == 0 {
            breathe();
        }
        cells.row(row, &mut |place, text| {
            let (kind, odd) = &mut found[place];
            let looks = odd.first.len() < odd.count.min(SHOWN_ODD) && !text.is_empty();
            if looks && number_of(text, *kind == Kind::Comma).is_none() {
                odd.first.push(number(row));
                wanted -= 1;
            }
        });
    }
    found
}

/// What a column is, found out by several threads.
struct Guess {
    /// So many cells that are no numbers do not make it a text.
    most: usize,
    texts: AtomicUsize,
    /// A text is known as one long before its end: whoever finds out stops the others.
    sure: AtomicBool,
}

impl Guess {
    /// Of a column that so many rows have.
    fn of(rows: usize) -> Self {
        let most = (rows / 20).max(usize::from(rows >= FEW_ODD));
        Self { most, texts: AtomicUsize::new(0), sure: AtomicBool::new(false) }
    }

    fn is_sure(&self) -> bool {
        self.sure.load(Relaxed)
    }

    fn hear(&self, seen: &Seen) {
        let none = self.texts.fetch_add(seen.none, Relaxed) + seen.none;
        if seen.code || none > self.most && seen.others {
            self.sure.store(true, Relaxed);
        }
    }

    /// The kind, and how many cells are odd.
    fn verdict(self, seen: &Seen) -> (Kind, Odd) {
        let Seen { filled, none, numbers, points, commas, doubtful, others, parts, .. } = *seen;
        let (boolean, whole) = (!others, !parts);
        if self.sure.into_inner() || none > self.most && !boolean {
            return (Kind::Text, Odd::default());
        }
        if boolean && filled > 0 {
            return (Kind::Boolean, Odd::default());
        }
        let comma = commas > points;
        let odd = none + if comma { points } else { commas + if points > 0 { 0 } else { doubtful } };
        if numbers == 0 || odd > self.most || odd == filled {
            return (Kind::Text, Odd::default());
        }
        let kind = match (comma, whole) {
            (true, _) => Kind::Comma,
            (_, true) => Kind::Integer,
            _ => Kind::Number,
        };
        (kind, Odd { count: odd, first: Vec::new() })
    }
}

/// Cells of which one thread looks.
const CHUNK: usize = 1 << 14;

/// What some cells are.
#[derive(Default)]
struct Seen {
    filled: usize,
    none: usize,
    numbers: usize,
    points: usize,
    commas: usize,
    doubtful: usize,
    /// Whether one is a code, one is no truth value, and one is a number that is not whole.
    code: bool,
    others: bool,
    parts: bool,
}

impl Seen {
    fn note(&mut self, text: &str) {
        // Of a code nothing more is to be known.
        if text.is_empty() || self.code {
            return;
        }
        self.filled += 1;
        self.others |= !matches!(text, "true" | "false");
        let how = spelled(text);
        match how {
            Spelled::Code => {
                self.code = true;
                return;
            }
            Spelled::No => self.none += 1,
            Spelled::Point => self.points += 1,
            Spelled::Comma => self.commas += 1,
            Spelled::CommaOrGroup => self.doubtful += 1,
            Spelled::Integer | Spelled::Plain | Spelled::PointOrGroup => {}
        }
        self.parts |= !matches!(how, Spelled::Integer | Spelled::No);
        self.numbers += usize::from(how != Spelled::No);
    }

    fn add(&mut self, other: &Self) {
        self.filled += other.filled;
        self.none += other.none;
        self.numbers += other.numbers;
        self.points += other.points;
        self.commas += other.commas;
        self.doubtful += other.doubtful;
        self.code |= other.code;
        self.others |= other.others;
        self.parts |= other.parts;
    }
}

/// In a column with as many cells, one that is no number does not make it a text.
const FEW_ODD: usize = 8;
/// So many cells that are no numbers are named.
const SHOWN_ODD: usize = 3;

/// A column of texts; `None` is null.
pub fn text_column(name: &str, cells: &[Option<&str>]) -> Column {
    Column::from_views(name, Kind::Text, Utf8ViewArray::from_slice(cells))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn infer_of(cells: &[&str]) -> (Kind, usize) {
        let (kind, odd) = infer(&Utf8ViewArray::from_slice_values(cells));
        (kind, odd.count)
    }

    #[test]
    fn codes_and_dates_stay_text() {
        for text in ["00123", "NA", "MARCH1", "2024-01-02", "TRUE", "1_000", "0x1f", "٣", "1,234"] {
            assert_eq!(infer_of(&["1", text]).0, Kind::Text, "{text}");
            assert_eq!(infer_of(&[text]).0, Kind::Text, "{text}");
        }
        assert_eq!(infer_of(&["1", "", "-20", "9223372036854775807"]).0, Kind::Integer);
        assert_eq!(infer_of(&["1", "0.5", "-2.25", "0.30000000000000004"]).0, Kind::Number);
        assert_eq!(infer_of(&["true", "", "false"]).0, Kind::Boolean);
        assert_eq!(infer_of(&["", ""]).0, Kind::Text);
        assert_eq!(infer_of(&[]).0, Kind::Text);
    }

    #[test]
    fn numbers_in_any_usual_spelling_make_a_column_of_numbers() {
        for text in ["1e5", "1E5", "1.10", "-0", "-0.0", "+1", "1.", ".5", "NaN", "inf", "1e-05", "9223372036854775808", " 1"] {
            assert_eq!(infer_of(&["1", "2.5", text]), (Kind::Number, 0), "{text}");
        }
        assert_eq!(infer_of(&["12,34", "5,1", "7"]), (Kind::Comma, 0));
        assert_eq!(infer_of(&["-21.419,06", "-53,9", "-116"]), (Kind::Comma, 0));
        let mut cells = vec!["1.5"; 20];
        cells[7] = "12,34";
        assert_eq!(infer_of(&cells), (Kind::Number, 1));
        cells[9] = "n/a";
        assert_eq!(infer_of(&cells).0, Kind::Text, "two of twenty are too many");
        let mut whole = vec!["3"; 100];
        whole[50] = "unknown";
        let (kind, odd) = infer(&Utf8ViewArray::from_slice_values(&whole));
        assert_eq!((kind, odd), (Kind::Integer, Odd { count: 1, first: vec![50] }));
    }

    #[test]
    fn cells_that_are_not_there_cost_nothing_and_come_back_where_they_are() {
        let text = b"abcdefgh";
        let mut cells = Cells::default();
        let mut wanted = vec![None; 1_000];
        for (row, at) in [(0, 0), (1, 1), (400, 2), (401, 3), (401, 4), (999, 5)] {
            cells.put(row, view(text, at..at + 1));
            wanted[row] = Some(std::str::from_utf8(&text[at..=at]).unwrap().to_owned());
        }
        cells.put(999, view(text, 7..8));
        cells.clear_from(999);
        wanted[999] = None;
        assert!(cells.views.len() < 10);
        let whole: Buffer<u8> = text.to_vec().into();
        let buffers = buffers(&whole, Vec::new());
        let mut dense = Cells::default();
        for row in 0..3 {
            dense.put(row, view(text, row..row + 1));
        }
        for parts in [vec![(cells.clone(), 1_000)], vec![(cells, 1_000), (dense, 3)]] {
            let column = join("x", parts, &buffers, None).unwrap();
            let read: Vec<_> = (0..1_000).map(|row| column.text(row).map(|text| text.into_owned())).collect();
            assert_eq!(read, wanted);
            assert!(column.few().is_some_and(|rows| !rows.is_empty()));
        }
    }
}
