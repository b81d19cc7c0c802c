//! What a sample's content hash was before columns were added to its file.

use std::ops::Range;

use xxhash_rust::xxh3::xxh3_64;

use crate::data::{Dataset, SampleId, Shape};
use crate::io::read::delimited::RowParser;
use crate::io::read::json::{members, unescape};

/// The content hash that a sample of the source would have without the columns at `dropped` (places among the source's); `None` where it
/// has not all of them.
pub fn narrower(dataset: &Dataset, id: SampleId, dropped: &[usize]) -> Option<u64> {
    if dropped.is_empty() {
        return Some(dataset.content_hash(id));
    }
    let Some(raw) = dataset.base.raw.as_ref().filter(|raw| !raw.starts.is_empty()) else {
        return Some(dataset.content_hash_without(id, dropped));
    };
    let row = raw.row(id.row());
    match raw.shape {
        Shape::Delimited(dialect) => {
            let mut fields = Vec::new();
            RowParser::new(&raw.text, dialect.delimiter).row(raw.span(id.row()).start, &mut fields);
            if dropped.iter().any(|column| *column >= fields.len()) {
                return None;
            }
            let kept = fields.iter().enumerate().filter(|(at, _)| !dropped.contains(at));
            let kept: Vec<&[u8]> = kept.map(|(_, field)| &raw.text[field.whole.clone()]).collect();
            Some(xxh3_64(&kept.join(&dialect.delimiter)))
        }
        _ => {
            let mut list = Vec::new();
            members(row, 0, &mut list).ok().filter(|_| row.first() == Some(&b'{'))?;
            let mut cuts: Vec<Range<usize>> = Vec::new();
            for column in dropped {
                let name = dataset.base.columns[*column].name.as_bytes();
                let at = list.iter().position(|member| {
                    let mut own = Vec::new();
                    unescape(&row[member.name.0 - 1..=member.name.1], &mut own);
                    own == name
                })?;
                // With the comma before it; of the first one, with the comma behind it.
                cuts.push(match (at, list.get(at + 1)) {
                    (0, Some(next)) => list[0].name.0 - 1..next.name.0 - 1,
                    (0, None) => list[0].name.0 - 1..list[0].value.1,
                    _ => list[at - 1].value.1..list[at].value.1,
                });
            }
            cuts.sort_unstable_by_key(|cut| cut.start);
            let (mut kept, mut done) = (Vec::with_capacity(row.len()), 0);
            for cut in cuts {
                kept.extend_from_slice(row.get(done..cut.start)?);
                done = cut.end;
            }
            kept.extend_from_slice(&row[done..]);
            Some(xxh3_64(&kept))
        }
    }
}
