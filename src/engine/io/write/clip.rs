//! Samples as text for the clipboard: a cell as it stands, rows as CSV that a spreadsheet takes.

use crate::data::{Dataset, SampleId};
use crate::io::read::delimited::write_field;

/// The most bytes that are copied: beyond, a file is what is meant.
const MOST: usize = 64 << 20;

/// Rows as CSV under a header, of these columns (places among the dataset's), and how many of the samples found room.
pub fn rows_as_csv(dataset: &Dataset, ids: &[SampleId], fields: &[usize]) -> (String, usize) {
    let mut out: Vec<u8> = Vec::new();
    let line = |cells: &mut dyn Iterator<Item = String>, out: &mut Vec<u8>| {
        for (at, cell) in cells.enumerate() {
            if at > 0 {
                out.push(b',');
            }
            write_field(&cell, b',', fields.len() == 1 && cell.is_empty(), out);
        }
        out.extend_from_slice(b"\r\n");
    };
    line(&mut fields.iter().map(|field| dataset.fields()[*field].name.to_string()), &mut out);
    let mut done = 0;
    for id in ids {
        if out.len() > MOST {
            break;
        }
        let cell = |field: &usize| dataset.text(*field, *id).map_or(String::new(), |text| text.into_owned());
        line(&mut fields.iter().map(cell), &mut out);
        done += 1;
    }
    (String::from_utf8_lossy(&out).into_owned(), done)
}
