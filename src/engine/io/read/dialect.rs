//! How a text is delimited: what nobody says is found out.

use crate::data::{Dialect, Warning};
use crate::io::read::delimited::{Wanted, skip_blank};
use crate::io::read::faults::line_end_byte;
use crate::io::read::preamble;
use crate::io::read::sniff;

/// How a text is delimited: what is not said is found out. What stands before its table is said in warnings.
pub fn dialect(text: &[u8], wanted: &Wanted, tabs: bool) -> (Dialect, Vec<Warning>) {
    let (start, mut warnings, hint) = preamble::find(text, wanted, tabs);
    let table = &text[start..];
    let delimiter = wanted.delimiter.or(hint).unwrap_or_else(|| sniff::delimiter(table, tabs));
    let header = wanted.header.unwrap_or_else(|| sniff::has_header(table, delimiter));
    if !header && wanted.header.is_none() {
        let line = memchr::memchr_iter(line_end_byte(text), &text[..skip_blank(text, start)]).count() + 1;
        let reason = "the first row looks like a sample, not like names: the columns are called column 1, column 2 …";
        warnings.push(Warning { line, reason: reason.to_owned() });
    }
    (Dialect { delimiter, header, start, surplus: wanted.surplus }, warnings)
}
