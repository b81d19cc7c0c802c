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
    // Every value of a hostile block may claim any length: the block itself bounds what is read.
    let read = crate::job::guarded(|| exif::parse_exif(&block[..block.len().min(1 << 20)])).ok().and_then(Result::ok);
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
