//! Cells that point into their source, gathered into columns; and what a column of text can safely be read as.

use polars_arrow::array::{Utf8ViewArray, View};
use polars_arrow::bitmap::MutableBitmap;
use polars_arrow::datatypes::ArrowDataType;
use polars_buffer::Buffer;
use rayon::prelude::*;

use crate::data::{Column, Kind};

/// Text is addressed in pieces of this size: a view's offset has 32 bits.
const PIECE: usize = 1 << 30;

/// The most columns a dataset may have.
pub const MAX_COLUMNS: usize = 16_384;

/// Cells of one column in one part of a file.
#[derive(Default, Clone)]
pub struct Cells {
    pub views: Vec<View>,
    /// Places of null cells.
    pub nulls: Vec<u32>,
}

impl Cells {
    pub fn push_null(&mut self) {
        self.nulls.push(u32::try_from(self.views.len()).unwrap_or(u32::MAX));
        self.views.push(View::default());
    }

    /// Forgets the nulls from place `at` on.
    pub fn drop_nulls_from(&mut self, at: usize) {
        while self.nulls.last().is_some_and(|last| *last as usize >= at) {
            self.nulls.pop();
        }
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
pub fn buffers(text: &Buffer<u8>, sides: Vec<Vec<u8>>) -> Buffer<Buffer<u8>> {
    let piece = |i: usize| {
        let start = (i * PIECE).min(text.len());
        text.clone().sliced(start..(start + (u32::MAX as usize)).min(text.len()))
    };
    (0..pieces(text.len())).map(piece).chain(sides.into_iter().map(Buffer::from)).collect::<Vec<_>>().into()
}

/// Joins the parts of a column; the kind is what every cell allows. `None` where the cells are not valid text, which
/// the callers' decoding rules out.
pub fn join(name: &str, parts: Vec<Cells>, buffers: &Buffer<Buffer<u8>>, kind: Option<Kind>) -> Option<Column> {
    let rows: usize = parts.iter().map(|part| part.views.len()).sum();
    let has_nulls = parts.iter().any(|part| !part.nulls.is_empty());
    let mut validity = has_nulls.then(|| MutableBitmap::with_capacity(rows));
    let mut views = Vec::new();
    for (i, part) in parts.into_iter().enumerate() {
        if let Some(bits) = &mut validity {
            let start = bits.len();
            bits.extend_constant(part.views.len(), true);
            part.nulls.iter().for_each(|at| bits.set(start + *at as usize, false));
        }
        // The first part is taken as it is; the others are freed one by one, so that nothing is held twice for long.
        if i == 0 {
            views = part.views;
            views.reserve_exact(rows - views.len());
        } else {
            views.extend_from_slice(&part.views);
        }
    }
    let validity = validity.map(Into::into);
    let cells = Utf8ViewArray::try_new(ArrowDataType::Utf8View, views.into(), buffers.clone(), validity).ok()?;
    let kind = kind.unwrap_or_else(|| infer(&cells));
    Some(Column::from_views(name, kind, cells))
}

/// Joins many columns, in parallel.
pub fn join_all(columns: Vec<(String, Vec<Cells>, Option<Kind>)>, buffers: &Buffer<Buffer<u8>>) -> Option<Vec<Column>> {
    columns.into_par_iter().map(|(name, parts, kind)| join(&name, parts, buffers, kind)).collect()
}

/// What every cell of a column can be read as without changing its spelling. Empty cells say nothing; a column of
/// nothing else is text. `007`, `1e5`, `1.10`, `TRUE`, `-0` and dates stay text.
pub fn infer(cells: &Utf8ViewArray) -> Kind {
    let (mut integer, mut number, mut boolean, mut seen) = (true, true, true, false);
    for text in cells.non_null_values_iter() {
        if text.is_empty() {
            continue;
        }
        seen = true;
        integer = integer && is_integer(text);
        number = number && (integer || is_integer(text) || is_number(text));
        boolean = boolean && matches!(text, "true" | "false");
        if !(integer || number || boolean) {
            return Kind::Text;
        }
    }
    match (seen, integer, number, boolean) {
        (true, true, ..) => Kind::Integer,
        (true, _, true, _) => Kind::Number,
        (true, _, _, true) => Kind::Boolean,
        _ => Kind::Text,
    }
}

/// Whether `text` is the canonical spelling of a 64-bit integer.
pub fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let canonical = match digits.as_bytes() {
        [b'0'] => digits.len() == text.len(),
        [b'1'..=b'9', rest @ ..] => rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    canonical && (digits.len() < 19 || text.parse::<i64>().is_ok())
}

/// Whether `text` is the shortest decimal spelling of a double, with a point and without an exponent.
pub fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let Some((whole, part)) = digits.split_once('.') else { return false };
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !plain(whole) || !plain(part) || (whole.len() > 1 && whole.starts_with('0')) {
        return false;
    }
    if part.ends_with('0') && (part.len() > 1 || digits == "0.0" && text.starts_with('-')) {
        return false;
    }
    // Fifteen significant digits always survive a double (IEEE 754); beyond, try.
    whole.len() + part.len() <= 15 || text.parse::<f64>().is_ok_and(|value| crate::data::native::float(value) == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn infer_of(cells: &[&str]) -> Kind {
        infer(&Utf8ViewArray::from_slice_values(cells))
    }

    #[test]
    fn nothing_is_guessed_that_would_change_a_spelling() {
        for text in [
            "00123",
            "1e5",
            "1E5",
            "NA",
            "MARCH1",
            "2024-01-02",
            "1.10",
            "TRUE",
            "-0",
            "-0.0",
            "+1",
            "1.",
            ".5",
            "1_000",
            "0x1f",
            "9223372036854775808",
            "0.30000000000000004000",
            "٣",
            " 1",
            "NaN",
            "inf",
            "1,5",
        ] {
            assert_eq!(infer_of(&["1", text]), Kind::Text, "{text}");
            assert_eq!(infer_of(&[text]), Kind::Text, "{text}");
        }
        assert_eq!(infer_of(&["1", "", "-20", "9223372036854775807"]), Kind::Integer);
        assert_eq!(infer_of(&["1", "0.5", "-2.25", "0.30000000000000004"]), Kind::Number);
        assert_eq!(infer_of(&["true", "", "false"]), Kind::Boolean);
        assert_eq!(infer_of(&["", ""]), Kind::Text);
        assert_eq!(infer_of(&[]), Kind::Text);
    }
}
