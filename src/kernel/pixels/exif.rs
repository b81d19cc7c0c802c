//! What a camera wrote into a picture: for reading, not for sorting. Values as text, by the names of the standard.

use super::header::{Coding, exif_block};

/// Names and values, in the file's order.
pub type Facts = Vec<(String, String)>;

/// The most that is listed.
const MOST: usize = 60;
/// The longest value shown.
const LONGEST: usize = 120;

/// The EXIF fields of a picture; empty where it has none or they are torn.
pub fn facts(bytes: &[u8]) -> Facts {
    let Some(block) = Coding::of_bytes(bytes).and_then(|coding| exif_block(bytes, coding)) else { return Vec::new() };
    let block = &block[..block.len().min(1 << 20)];
    // Every value of a hostile block may claim the same bytes again: what all of them claim together is bounded first.
    if claimed(block).is_none_or(|bytes| bytes > 2 * block.len() as u64) {
        return Vec::new();
    }
    let read = crate::job::guarded(|| exif::parse_exif(block)).ok().and_then(Result::ok);
    let Some((fields, _)) = read else { return Vec::new() };
    fields
        .iter()
        .filter(|field| field.ifd_num == exif::In::PRIMARY)
        .filter(|field| {
            !matches!(
                field.tag,
                exif::Tag::MakerNote | exif::Tag::UserComment | exif::Tag::StripOffsets | exif::Tag::StripByteCounts
            )
        })
        .take(MOST)
        .map(|field| (spaced(&field.tag.to_string()), field.display_value().to_string().chars().take(LONGEST).collect()))
        .collect()
}

/// How many bytes the values of a block claim together, over its directories and those that they point to; `None` where there are more
/// directories than a camera writes.
fn claimed(block: &[u8]) -> Option<u64> {
    let little = block.starts_with(b"II");
    let short = |at: usize| {
        let two: [u8; 2] = block.get(at..at + 2)?.try_into().ok()?;
        Some(if little { u16::from_le_bytes(two) } else { u16::from_be_bytes(two) })
    };
    let long = |at: usize| {
        let four: [u8; 4] = block.get(at..at + 4)?.try_into().ok()?;
        Some(if little { u32::from_le_bytes(four) } else { u32::from_be_bytes(four) })
    };
    let (mut left, mut seen, mut total) = (vec![long(4)? as usize], 0, 0_u64);
    while let Some(start) = left.pop() {
        seen += 1;
        if seen > 12 {
            return None;
        }
        let Some(entries) = short(start).map(usize::from) else { continue };
        for i in 0..entries {
            let at = start + 2 + i * 12;
            let (Some(tag), Some(kind), Some(count)) = (short(at), short(at + 2), long(at + 4)) else { break };
            let unit = match kind {
                3 | 8 => 2,
                4 | 9 | 11 => 4,
                5 | 10 | 12 => 8,
                _ => 1,
            };
            total = total.saturating_add(u64::from(count) * unit + 12);
            if matches!(tag, 0x8769 | 0x8825 | 0xa005) {
                left.extend(long(at + 8).map(|at| at as usize));
            }
        }
        left.extend(long(start + 2 + entries * 12).map(|next| next as usize).filter(|next| *next > 0));
    }
    Some(total)
}

/// `FocalLengthIn35mmFilm` → `Focal length in 35mm film`.
fn spaced(name: &str) -> String {
    let mut out = String::new();
    let mut before = ' ';
    for letter in name.chars() {
        if letter.is_uppercase() && before.is_lowercase() {
            out.push(' ');
            out.extend(letter.to_lowercase());
        } else {
            out.push(letter);
        }
        before = letter;
    }
    out
}
