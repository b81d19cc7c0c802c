//! A file's bytes, unpacked, and its text, decoded. What does not survive decoding is kept as patches.

use std::io::Read;
use std::path::Path;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use xxhash_rust::xxh3::Xxh3;

use crate::data::{Packing, Patch};
use crate::io::error::IoError;
use crate::io::read::budget::{Budget, over};
use crate::io::read::decoded::Decoded;
use crate::job::Progress;

/// Reads all of a file with progress in bytes.
///
/// # Errors
/// [`IoError::Read`], [`IoError::TooLarge`] above what is left of `budget`, [`IoError::Cancelled`].
pub fn read(path: &Path, budget: &Budget, progress: &Progress) -> Result<Vec<u8>, IoError> {
    let fail = |error: std::io::Error| IoError::Read { path: path.to_owned(), reason: reason(&error) };
    let file = std::fs::File::open(path).map_err(fail)?;
    let meta = file.metadata().map_err(fail)?;
    if meta.is_dir() {
        return Err(IoError::Read { path: path.to_owned(), reason: "it is a folder, not a file".to_owned() });
    }
    if meta.len() > budget.left() {
        return Err(too_large(path, budget));
    }
    progress.set_total(meta.len());
    #[cfg(unix)]
    if meta.is_file() && meta.len() > BLOCK as u64 {
        return read_blocks(&file, meta.len(), path, progress);
    }
    fill(file, usize::try_from(meta.len()).unwrap_or(0), budget, path, progress)
}

/// A large file is read in blocks of this size.
const BLOCK: usize = 8 << 20;

/// Reads the `len` bytes of a file in blocks, in parallel: most of the time goes into memory that is touched for the first
/// time, not into the disk.
#[cfg(unix)]
fn read_blocks(file: &std::fs::File, len: u64, path: &Path, progress: &Progress) -> Result<Vec<u8>, IoError> {
    use std::os::unix::fs::FileExt as _;

    use rayon::prelude::*;

    let mut bytes = vec![0; usize::try_from(len).unwrap_or(usize::MAX)];
    bytes.par_chunks_mut(BLOCK).enumerate().try_for_each(|(i, block)| {
        file.read_exact_at(block, (i * BLOCK) as u64).map_err(|error| {
            let reason = match error.kind() {
                std::io::ErrorKind::UnexpectedEof => "it became shorter while it was read".to_owned(),
                _ => reason(&error),
            };
            IoError::Read { path: path.to_owned(), reason }
        })?;
        Ok::<(), IoError>(progress.step(block.len() as u64)?)
    })?;
    Ok(bytes)
}

/// Unpacks `bytes`.
///
/// # Errors
/// As [`read`]; [`IoError::Broken`] where the packing is torn.
pub fn unpack(bytes: &[u8], packing: Packing, path: &Path, budget: &Budget, progress: &Progress) -> Result<Vec<u8>, IoError> {
    let format = if packing == Packing::Gzip { "gzip" } else { "zstd" };
    let broken = |reason: String| IoError::Broken { path: path.to_owned(), format, reason };
    progress.set_total(0);
    let result = match packing {
        Packing::None => return Ok(bytes.to_vec()),
        Packing::Gzip => fill(flate2::read::MultiGzDecoder::new(bytes), bytes.len() * 3, budget, path, progress),
        Packing::Zstd => match zstd::stream::read::Decoder::new(bytes) {
            Ok(decoder) => fill(decoder, bytes.len() * 3, budget, path, progress),
            Err(error) => return Err(broken(error.to_string())),
        },
    };
    result.map_err(|error| match error {
        IoError::Read { reason, .. } => broken(format!("{reason}; the file is torn or was not copied whole")),
        other => other,
    })
}

/// The beginning of a file, unpacked as far as it goes.
pub fn unpacked_head(head: &[u8], packing: Packing) -> Vec<u8> {
    let mut out = vec![0; BLOCK.min(1 << 20)];
    let mut from: Box<dyn Read + '_> = match packing {
        Packing::None => return head.to_vec(),
        Packing::Gzip => Box::new(flate2::read::MultiGzDecoder::new(head)),
        Packing::Zstd => match zstd::stream::read::Decoder::new(head) {
            Ok(decoder) => Box::new(decoder),
            Err(_) => return Vec::new(),
        },
    };
    let mut filled = 0;
    while filled < out.len() {
        match from.read(&mut out[filled..]) {
            // It ends in the middle of the packed file.
            Ok(0) | Err(_) => break,
            Ok(read) => filled += read,
        }
    }
    out.truncate(filled);
    out
}

fn fill(mut from: impl Read, expected: usize, budget: &Budget, path: &Path, progress: &Progress) -> Result<Vec<u8>, IoError> {
    let mut bytes = Vec::with_capacity(expected.min(64 << 20));
    loop {
        let before = bytes.len();
        let read = from.by_ref().take(8 << 20).read_to_end(&mut bytes);
        read.map_err(|error| IoError::Read { path: path.to_owned(), reason: reason(&error) })?;
        let got = (bytes.len() - before) as u64;
        if got == 0 {
            return Ok(bytes);
        }
        if bytes.len() as u64 > budget.left() {
            return Err(too_large(path, budget));
        }
        progress.step(got)?;
    }
}

fn too_large(path: &Path, budget: &Budget) -> IoError {
    IoError::TooLarge { path: path.to_owned(), reason: over(budget.limit()) }
}

fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "you may not read it".to_owned(),
        _ => error.to_string(),
    }
}

/// Finds a text's encoding: by its byte-order mark, by where zero bytes stand, by being UTF-8, or by its letters.
pub fn detect(bytes: &[u8]) -> (&'static Encoding, &'static [u8]) {
    if bytes.starts_with(b"\xef\xbb\xbf") {
        return (UTF_8, b"\xef\xbb\xbf");
    }
    if bytes.starts_with(b"\xff\xfe") {
        return (UTF_16LE, b"\xff\xfe");
    }
    if bytes.starts_with(b"\xfe\xff") {
        return (UTF_16BE, b"\xfe\xff");
    }
    let head = &bytes[..bytes.len().min(4_096) & !1];
    let zeros = |parity: usize| head.iter().skip(parity).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    if head.len() >= 4 && odd * 5 >= head.len() && even * 10 < odd {
        return (UTF_16LE, b"");
    }
    if head.len() >= 4 && even * 5 >= head.len() && odd * 10 < even {
        return (UTF_16BE, b"");
    }
    if std::str::from_utf8(bytes).is_ok() {
        return (UTF_8, b"");
    }
    // Almost UTF-8 is UTF-8 with accidents in it: they are patched and reported, and the rest reads well.
    let (mut good, mut bad) = (0_usize, 0_usize);
    for chunk in bytes[..bytes.len().min(16 << 20)].utf8_chunks() {
        good += chunk.valid().chars().filter(|letter| !letter.is_ascii()).count();
        bad += usize::from(!chunk.invalid().is_empty());
    }
    if good >= bad * 10 {
        return (UTF_8, b"");
    }
    let mut detector = chardetng::EncodingDetector::new();
    detector.feed(&bytes[..bytes.len().min(4 << 20)], true);
    (detector.guess(None, false), b"")
}

/// Decodes `bytes`, by the encoding named or detected. Takes the bytes, so that UTF-8 is not copied.
pub fn decode(mut bytes: Vec<u8>, wanted: Option<&'static Encoding>) -> Decoded {
    let (found, found_mark) = detect(&bytes);
    let encoding = wanted.unwrap_or(found);
    let mark: &'static [u8] = if encoding == found { found_mark } else { b"" };
    if encoding == UTF_8 {
        if !mark.is_empty() {
            bytes.drain(..mark.len());
        }
        if std::str::from_utf8(&bytes).is_ok() {
            return Decoded { text: bytes.into(), encoding, mark, patches: Vec::new() };
        }
        let (text, patches) = mend_utf8(&bytes);
        return Decoded { text: text.into(), encoding, mark, patches };
    }
    let body = &bytes[mark.len()..];
    let (text, patches) = if encoding == UTF_16LE || encoding == UTF_16BE {
        decode_utf16(body, encoding == UTF_16BE)
    } else {
        decode_legacy(body, encoding)
    };
    Decoded { text: text.into(), encoding, mark, patches }
}

fn mend_utf8(bytes: &[u8]) -> (Vec<u8>, Vec<Patch>) {
    let (mut text, mut patches) = (Vec::with_capacity(bytes.len()), Vec::new());
    for chunk in bytes.utf8_chunks() {
        text.extend_from_slice(chunk.valid().as_bytes());
        if !chunk.invalid().is_empty() {
            patches.push(Patch { at: text.len(), len: 3, bytes: chunk.invalid().to_vec() });
            text.extend_from_slice("\u{fffd}".as_bytes());
        }
    }
    (text, patches)
}

fn decode_utf16(body: &[u8], big: bool) -> (Vec<u8>, Vec<Patch>) {
    let unit = |pair: &[u8]| if big { u16::from_be_bytes([pair[0], pair[1]]) } else { u16::from_le_bytes([pair[0], pair[1]]) };
    let (mut text, mut patches) = (String::with_capacity(body.len() / 2), Vec::new());
    for item in char::decode_utf16(body.chunks_exact(2).map(unit)) {
        match item {
            Ok(letter) => text.push(letter),
            Err(lone) => {
                let bytes = if big { lone.unpaired_surrogate().to_be_bytes() } else { lone.unpaired_surrogate().to_le_bytes() };
                patches.push(Patch { at: text.len(), len: 3, bytes: bytes.to_vec() });
                text.push('\u{fffd}');
            }
        }
    }
    if body.len() % 2 == 1 {
        patches.push(Patch { at: text.len(), len: 3, bytes: body[body.len() - 1..].to_vec() });
        text.push('\u{fffd}');
    }
    (text.into_bytes(), patches)
}

fn decode_legacy(body: &[u8], encoding: &'static Encoding) -> (Vec<u8>, Vec<Patch>) {
    let (text, _) = encoding.decode_without_bom_handling(body);
    if encoding.encode(&text).0 == body {
        return (text.into_owned().into_bytes(), Vec::new());
    }
    // Some bytes do not come back as they were: keep them, letter by letter where the encoding has letters that stand
    // for themselves, else line by line.
    let (mut text, mut patches) = (Vec::with_capacity(body.len()), Vec::new());
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        let (decoded, _) = encoding.decode_without_bom_handling(line);
        if encoding.encode(&decoded).0 == line {
            text.extend_from_slice(decoded.as_bytes());
        } else if encoding == encoding_rs::ISO_2022_JP {
            let kept = line.strip_suffix(b"\n").unwrap_or(line);
            let (decoded, _) = encoding.decode_without_bom_handling(kept);
            patches.push(Patch { at: text.len(), len: decoded.len(), bytes: kept.to_vec() });
            text.extend_from_slice(decoded.as_bytes());
            text.extend_from_slice(&line[kept.len()..]);
        } else {
            decode_letters(line, encoding, &mut text, &mut patches);
        }
    }
    (text, patches)
}

/// Decodes letter by letter: the shortest bytes that are one; bytes that are none, or that would come back otherwise, are
/// patched.
fn decode_letters(line: &[u8], encoding: &'static Encoding, text: &mut Vec<u8>, patches: &mut Vec<Patch>) {
    let mut at = 0;
    while at < line.len() {
        let letter = (1..=4.min(line.len() - at)).find_map(|n| {
            let decoded = encoding.decode_without_bom_handling_and_without_replacement(&line[at..at + n])?;
            Some((n, decoded))
        });
        let Some((n, decoded)) = letter else {
            patches.push(Patch { at: text.len(), len: 3, bytes: vec![line[at]] });
            text.extend_from_slice("\u{fffd}".as_bytes());
            at += 1;
            continue;
        };
        if *encoding.encode(&decoded).0 != line[at..at + n] {
            patches.push(Patch { at: text.len(), len: decoded.len(), bytes: line[at..at + n].to_vec() });
        }
        text.extend_from_slice(decoded.as_bytes());
        at += n;
    }
}

/// Encodes a piece of decoded text back, giving patched places their own bytes. `at` is where the piece begins in it.
/// A patch that the piece holds only a part of is encoded like everything else.
///
/// # Errors
/// The first character that the encoding does not have.
pub fn encode(piece: &[u8], at: usize, encoding: &'static Encoding, patches: &[Patch], out: &mut Vec<u8>) -> Result<(), char> {
    let end = at + piece.len();
    let mut done = at;
    let first = patches.partition_point(|patch| patch.at < at);
    for patch in patches[first..].iter().take_while(|patch| patch.at + patch.len <= end) {
        encode_plain(&piece[done - at..patch.at - at], encoding, out)?;
        out.extend_from_slice(&patch.bytes);
        done = patch.at + patch.len;
    }
    encode_plain(&piece[done - at..], encoding, out)
}

/// Encodes text without patches.
///
/// # Errors
/// The first character that the encoding does not have.
pub fn encode_plain(piece: &[u8], encoding: &'static Encoding, out: &mut Vec<u8>) -> Result<(), char> {
    if encoding == UTF_8 {
        out.extend_from_slice(piece);
        return Ok(());
    }
    // Pieces are cut at row and cell borders of valid text.
    let text = String::from_utf8_lossy(piece);
    if encoding == UTF_16LE || encoding == UTF_16BE {
        for unit in text.encode_utf16() {
            out.extend_from_slice(&if encoding == UTF_16BE { unit.to_be_bytes() } else { unit.to_le_bytes() });
        }
        return Ok(());
    }
    let (bytes, _, unmappable) = encoding.encode(&text);
    if unmappable {
        let missing = text.chars().find(|letter| encoding.encode(letter.encode_utf8(&mut [0; 4])).2);
        return Err(missing.unwrap_or('\u{fffd}'));
    }
    out.extend_from_slice(&bytes);
    Ok(())
}

/// The fingerprint of a file's content: XXH3, 128 bits.
///
/// # Errors
/// [`IoError::Read`].
pub fn fingerprint(path: &Path) -> Result<u128, IoError> {
    use std::io::Read as _;
    let fail = |error: std::io::Error| IoError::Read { path: path.to_owned(), reason: error.to_string() };
    let mut file = std::fs::File::open(path).map_err(fail)?;
    let (mut hasher, mut block) = (Xxh3::new(), vec![0; 1 << 20]);
    loop {
        match file.read(&mut block).map_err(fail)? {
            0 => return Ok(hasher.digest128()),
            read => hasher.update(&block[..read]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(bytes: &[u8]) -> (String, &'static str) {
        let decoded = decode(bytes.to_vec(), None);
        let mut out = decoded.mark.to_vec();
        encode(&decoded.text, 0, decoded.encoding, &decoded.patches, &mut out).unwrap();
        assert_eq!(out, bytes, "{} does not come back", decoded.encoding.name());
        (String::from_utf8(decoded.text.to_vec()).unwrap(), decoded.encoding.name())
    }

    #[test]
    fn every_encoding_comes_back_byte_for_byte() {
        assert_eq!(round_trip("häuser, 家, 🏠".as_bytes()), ("häuser, 家, 🏠".into(), "UTF-8"));
        assert_eq!(round_trip(b"\xef\xbb\xbfa,b").0, "a,b");
        let wide: Vec<u8> = "id,naïve\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(round_trip(&wide), ("id,naïve\n".into(), "UTF-16LE"));
        let marked: Vec<u8> = [0xfe, 0xff].into_iter().chain("x,🏠".encode_utf16().flat_map(u16::to_be_bytes)).collect();
        assert_eq!(round_trip(&marked), ("x,🏠".into(), "UTF-16BE"));
        assert_eq!(round_trip(b"caf\xe9,d\xe9j\xe0 vu, na\xefve\n").1, "windows-1252");
        // Torn: a lone surrogate, an odd byte, a cut sequence.
        round_trip(b"\xff\xfea\0\x00\xd8b\0c");
        let mut torn = "日本語のテキスト、とても長い文章です".repeat(3).into_bytes();
        torn.push(0xe6);
        torn.extend_from_slice(b",x\n");
        assert!(round_trip(&torn).0.contains("\u{fffd},x"));
        let (japanese, _, _) = encoding_rs::SHIFT_JIS.encode("これは日本語の文章です。カタカナも使います。\n漢字");
        assert_eq!(round_trip(&japanese).1, "Shift_JIS");
    }
}
