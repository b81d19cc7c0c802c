//! A picture's header, read by hand: what it is, how large, how many frames, which way up. Costs its headers and never its pixels, so
//! that a file of a few bytes that claims a hundred thousand pixels a side is refused before anything is allocated.

use std::fmt;

/// How a picture is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Coding {
    Png,
    Jpeg,
    WebP,
    Gif,
    Bmp,
    Tiff,
}

impl Coding {
    /// Every coding.
    pub const ALL: [Self; 6] = [Self::Png, Self::Jpeg, Self::WebP, Self::Gif, Self::Bmp, Self::Tiff];

    /// The name on screen.
    pub fn title(self) -> &'static str {
        match self {
            Self::Png => "PNG",
            Self::Jpeg => "JPEG",
            Self::WebP => "WebP",
            Self::Gif => "GIF",
            Self::Bmp => "BMP",
            Self::Tiff => "TIFF",
        }
    }

    /// The endings of such a file's name, without the dot, the usual one first.
    pub fn endings(self) -> &'static [&'static str] {
        match self {
            Self::Png => &["png", "apng"],
            Self::Jpeg => &["jpg", "jpeg", "jpe", "jfif"],
            Self::WebP => &["webp"],
            Self::Gif => &["gif"],
            Self::Bmp => &["bmp", "dib"],
            Self::Tiff => &["tif", "tiff"],
        }
    }

    /// What a file's name promises.
    pub fn of_name(name: &str) -> Option<Self> {
        let (_, ending) = name.rsplit_once('.')?;
        Self::ALL.into_iter().find(|coding| coding.endings().iter().any(|known| known.eq_ignore_ascii_case(ending)))
    }

    /// What a file's first bytes say.
    pub fn of_bytes(head: &[u8]) -> Option<Self> {
        if head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WEBP") {
            return Some(Self::WebP);
        }
        let known: [(&[u8], Self); 7] = [
            (b"\x89PNG\r\n\x1a\n", Self::Png),
            (b"\xff\xd8\xff", Self::Jpeg),
            (b"GIF87a", Self::Gif),
            (b"GIF89a", Self::Gif),
            (b"BM", Self::Bmp),
            (b"II*\0", Self::Tiff),
            (b"MM\0*", Self::Tiff),
        ];
        known.into_iter().find(|(start, _)| head.starts_with(start)).map(|(_, coding)| coding)
    }
}

/// Kinds of pictures that are known and not read: what they are called, and the endings of their files' names.
const FOREIGN: [(&str, &[&str]); 8] = [
    ("HEIC", &["heic", "heif", "hif"]),
    ("AVIF", &["avif", "avifs"]),
    ("JPEG XL", &["jxl"]),
    ("JPEG 2000", &["jp2", "j2k", "jpx"]),
    ("SVG", &["svg", "svgz"]),
    ("Photoshop", &["psd", "psb"]),
    ("camera raw", &["dng", "cr2", "cr3", "nef", "arw", "orf", "rw2"]),
    ("OpenEXR", &["exr"]),
];

/// The kind of a picture that is not read, by its name.
pub fn foreign_name(name: &str) -> Option<&'static str> {
    let (_, ending) = name.rsplit_once('.')?;
    FOREIGN.iter().find(|(_, endings)| endings.iter().any(|known| known.eq_ignore_ascii_case(ending))).map(|(kind, _)| *kind)
}

/// The same by its first bytes.
fn foreign(head: &[u8]) -> Option<&'static str> {
    if head.get(4..8) == Some(b"ftyp") {
        return match head.get(8..12)? {
            b"avif" | b"avis" => Some("AVIF"),
            b"heic" | b"heix" | b"hevc" | b"hevx" | b"heim" | b"heis" | b"mif1" | b"msf1" => Some("HEIC"),
            _ => None,
        };
    }
    let known: [(&[u8], &str); 6] = [
        (b"\0\0\0\x0cJXL ", "JPEG XL"),
        (b"\xff\x0a", "JPEG XL"),
        (b"\0\0\0\x0cjP  ", "JPEG 2000"),
        (b"8BPS", "Photoshop"),
        (b"\x76\x2f\x31\x01", "OpenEXR"),
        (b"<svg", "SVG"),
    ];
    known.iter().find(|(start, _)| head.starts_with(start)).map(|(_, kind)| *kind)
}

/// Why there are no pixels to look at.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Trouble {
    /// The cell is empty.
    NoPath,
    /// There is no such file.
    Missing,
    /// The path leaves the dataset, or is no plain file; says how.
    Refused(String),
    /// The file cannot be read; says why.
    Unreadable(String),
    /// The file has no bytes.
    Empty,
    /// The bytes are no picture that can be opened.
    Unknown,
    /// It is a picture of a kind that is not read; says which.
    Foreign(String),
    /// It is torn or damaged; says where.
    Broken(String),
    /// It claims more pixels than can be decoded within bounds.
    Huge { width: u64, height: u64 },
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPath => f.write_str("no path is given"),
            Self::Missing => f.write_str("there is no such file"),
            Self::Refused(how) => write!(f, "refused: {how}"),
            Self::Unreadable(why) => write!(f, "it cannot be read: {why}"),
            Self::Empty => f.write_str("the file is empty"),
            Self::Unknown => f.write_str("it is no PNG, JPEG, WebP, GIF, BMP or TIFF"),
            Self::Foreign(what) => write!(f, "it is {what}, which is not read: save it as PNG or JPEG"),
            Self::Broken(why) => write!(f, "it is damaged: {why}"),
            Self::Huge { width, height } => write!(f, "it claims {width} × {height} pixels, too many to decode"),
        }
    }
}

/// What a picture's header says.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Header {
    pub coding: Coding,
    /// Pixels across and down as they are stored, before the orientation is applied; at least 1.
    pub width: u32,
    pub height: u32,
    /// Pictures in it: more than one is an animation, or pages.
    pub frames: u32,
    /// The EXIF orientation, 1 to 8; 1 is upright.
    pub orientation: u8,
    /// Channels as they are stored, 1 to 4: 1 is grey (or a palette), 4 is with transparency, or CMYK.
    pub channels: u8,
    /// Bits of one channel.
    pub bits: u8,
    /// Whether pixels are places in a palette.
    pub palette: bool,
    /// Whether the four channels are cyan, magenta, yellow, black.
    pub cmyk: bool,
}

impl Header {
    /// Pixels across and down once it stands upright.
    pub fn upright(&self) -> (u32, u32) {
        if self.orientation >= 5 { (self.height, self.width) } else { (self.width, self.height) }
    }
}

fn torn(what: &str) -> Trouble {
    Trouble::Broken(what.to_owned())
}

/// Reads a header. `bytes` is the whole file: frames are counted to its end.
///
/// # Errors
/// [`Trouble`]: empty, of no known coding, torn, or no size.
pub fn read_header(bytes: &[u8]) -> Result<Header, Trouble> {
    if bytes.is_empty() {
        return Err(Trouble::Empty);
    }
    let foreign = || foreign(bytes).map_or(Trouble::Unknown, |what| Trouble::Foreign(what.to_owned()));
    let coding = Coding::of_bytes(bytes).ok_or_else(foreign)?;
    let header = match coding {
        Coding::Png => png(bytes),
        Coding::Jpeg => jpeg(bytes),
        Coding::WebP => webp(bytes),
        Coding::Gif => gif(bytes),
        Coding::Bmp => bmp(bytes),
        Coding::Tiff => tiff(bytes),
    };
    let header = header.ok_or_else(|| torn("its header is torn"))?;
    if header.width == 0 || header.height == 0 {
        return Err(torn("it has no size"));
    }
    Ok(header)
}

fn be16(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?)))
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

fn le16(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?)))
}

fn le32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

/// The orientation in a block of EXIF (a TIFF structure); 1 where it says nothing.
pub fn orientation_of(exif: &[u8]) -> u8 {
    let read = || {
        let little = exif.starts_with(b"II");
        let short = |at| if little { le16(exif, at) } else { be16(exif, at) };
        let long = |at| if little { le32(exif, at) } else { be32(exif, at) };
        let start = long(4)? as usize;
        (0..short(start)? as usize).find_map(|i| {
            let at = start + 2 + i * 12;
            (short(at)? == 0x0112).then(|| short(at + 8)).flatten()
        })
    };
    read().and_then(|value| u8::try_from(value).ok()).filter(|value| (1..=8).contains(value)).unwrap_or(1)
}

fn png(bytes: &[u8]) -> Option<Header> {
    let (mut at, mut frames, mut orientation) = (8_usize, 1, 1);
    let mut size = None;
    while let Some(length) = be32(bytes, at) {
        let kind = bytes.get(at + 4..at + 8)?;
        let body = at + 8;
        match kind {
            b"IHDR" => {
                let (bits, colour) = (*bytes.get(body + 8)?, *bytes.get(body + 9)?);
                size = Some((be32(bytes, body)?, be32(bytes, body + 4)?, bits, colour));
            }
            b"acTL" => frames = be32(bytes, body)?.clamp(1, 1 << 20),
            b"eXIf" => orientation = orientation_of(bytes.get(body..body + length as usize).unwrap_or_default()),
            b"IDAT" | b"IEND" => break,
            _ => {}
        }
        at = body.checked_add(length as usize)?.checked_add(4)?;
    }
    let (width, height, bits, colour) = size?;
    let channels = match colour {
        2 => 3,
        4 => 2,
        6 => 4,
        _ => 1,
    };
    Some(Header { coding: Coding::Png, width, height, frames, orientation, channels, bits, palette: colour == 3, cmyk: false })
}

/// Where each segment of a JPEG begins, and its marker; up to the first scan.
fn segments(bytes: &[u8]) -> impl Iterator<Item = (u8, usize, usize)> + '_ {
    let mut at = 2;
    std::iter::from_fn(move || {
        while *bytes.get(at)? != 0xff {
            at += 1;
        }
        while *bytes.get(at)? == 0xff {
            at += 1;
        }
        let marker = *bytes.get(at)?;
        at += 1;
        if matches!(marker, 0x01 | 0xd0..=0xd8) {
            return Some((marker, at, at));
        }
        if marker == 0xd9 {
            return None;
        }
        let length = be16(bytes, at)? as usize;
        let body = at + 2;
        at += length.max(2);
        Some((marker, body, at))
    })
}

/// Whether a JPEG's end is marked behind the beginning of its first scan: within a scan the mark cannot occur by chance.
pub fn has_end(bytes: &[u8]) -> bool {
    let scan = segments(bytes).find(|(marker, ..)| *marker == 0xda).map(|(_, body, _)| body);
    scan.is_some_and(|body| bytes[body.min(bytes.len())..].windows(2).any(|two| two == [0xff, 0xd9]))
}

/// The block of EXIF in a picture, where it has one.
pub fn exif_block(bytes: &[u8], coding: Coding) -> Option<&[u8]> {
    match coding {
        Coding::Jpeg => segments(bytes).take_while(|(marker, ..)| *marker != 0xda).find_map(|(marker, body, end)| {
            let segment = bytes.get(body..end)?;
            if marker == 0xe1 { segment.strip_prefix(b"Exif\0\0") } else { None }
        }),
        Coding::Png => {
            let mut at = 8_usize;
            while let Some(length) = be32(bytes, at) {
                let end = at.checked_add(8 + length as usize)?;
                if bytes.get(at + 4..at + 8)? == b"eXIf" {
                    return bytes.get(at + 8..end);
                }
                at = end + 4;
            }
            None
        }
        Coding::WebP => chunks(bytes).find(|(kind, _)| kind == b"EXIF").map(|(_, body)| {
            let block = bytes.get(body).unwrap_or_default();
            block.strip_prefix(b"Exif\0\0").unwrap_or(block)
        }),
        Coding::Tiff => Some(bytes),
        Coding::Gif | Coding::Bmp => None,
    }
}

fn jpeg(bytes: &[u8]) -> Option<Header> {
    let mut orientation = 1;
    for (marker, body, end) in segments(bytes) {
        match marker {
            0xe1 => {
                let segment = bytes.get(body..end).unwrap_or_default();
                if let Some(exif) = segment.strip_prefix(b"Exif\0\0") {
                    orientation = orientation_of(exif);
                }
            }
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                let (bits, channels) = (*bytes.get(body)?, *bytes.get(body + 5)?);
                let (height, width) = (be16(bytes, body + 1)?, be16(bytes, body + 3)?);
                return Some(Header {
                    coding: Coding::Jpeg,
                    width,
                    height,
                    frames: 1,
                    orientation,
                    channels: channels.clamp(1, 4),
                    bits,
                    palette: false,
                    cmyk: channels == 4,
                });
            }
            0xda => return None,
            _ => {}
        }
    }
    None
}

/// The chunks of a RIFF file: name, and where the body stands.
fn chunks(bytes: &[u8]) -> impl Iterator<Item = ([u8; 4], std::ops::Range<usize>)> + '_ {
    let mut at = 12_usize;
    std::iter::from_fn(move || {
        let kind: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
        let length = le32(bytes, at + 4)? as usize;
        let body = at + 8;
        let end = body.checked_add(length)?;
        at = end.checked_add(length % 2)?;
        Some((kind, body..end.min(bytes.len())))
    })
}

fn webp(bytes: &[u8]) -> Option<Header> {
    let (mut size, mut frames, mut orientation, mut channels) = (None, 0, 1, 3);
    let le24 = |at: usize| Some(le16(bytes, at)? | u32::from(*bytes.get(at + 2)?) << 16);
    for (kind, body) in chunks(bytes) {
        let at = body.start;
        match &kind {
            b"VP8X" => {
                size = Some((le24(at + 4)? + 1, le24(at + 7)? + 1));
                if bytes.get(at)? & 0x10 != 0 {
                    channels = 4;
                }
            }
            b"VP8 " if size.is_none() => size = Some((le16(bytes, at + 6)? & 0x3fff, le16(bytes, at + 8)? & 0x3fff)),
            b"VP8L" if size.is_none() => {
                let packed = le32(bytes, at + 1)?;
                size = Some(((packed & 0x3fff) + 1, (packed >> 14 & 0x3fff) + 1));
                if packed >> 28 & 1 == 1 {
                    channels = 4;
                }
            }
            b"ANMF" => frames += 1,
            b"EXIF" => {
                let block = bytes.get(body).unwrap_or_default();
                orientation = orientation_of(block.strip_prefix(b"Exif\0\0").unwrap_or(block));
            }
            _ => {}
        }
    }
    let (width, height) = size?;
    let frames = frames.max(1);
    Some(Header { coding: Coding::WebP, width, height, frames, orientation, channels, bits: 8, palette: false, cmyk: false })
}

fn gif(bytes: &[u8]) -> Option<Header> {
    let (width, height) = (le16(bytes, 6)?, le16(bytes, 8)?);
    let flags = *bytes.get(10)?;
    let table = |flags: u8| if flags & 0x80 != 0 { 3 << ((flags & 7) + 1) } else { 0 };
    let mut at = 13 + table(flags);
    let mut frames = 0;
    // The blocks are walked over, not decoded.
    loop {
        match bytes.get(at) {
            Some(0x2c) => {
                frames += 1;
                let Some(flags) = bytes.get(at + 9) else { break };
                at += 11 + table(*flags);
            }
            Some(0x21) => at += 2,
            _ => break,
        }
        while let Some(length) = bytes.get(at).copied().filter(|length| *length > 0) {
            at += usize::from(length) + 1;
        }
        at += 1;
    }
    let frames = frames.max(1);
    let (orientation, channels) = (1, 1);
    Some(Header { coding: Coding::Gif, width, height, frames, orientation, channels, bits: 8, palette: true, cmyk: false })
}

fn bmp(bytes: &[u8]) -> Option<Header> {
    let (width, height, depth) = if le32(bytes, 14)? == 12 {
        (le16(bytes, 18)?, le16(bytes, 20)?, le16(bytes, 24)?)
    } else {
        let side = |at| Some(le32(bytes, at)?.cast_signed().unsigned_abs());
        (side(18)?, side(22)?, le16(bytes, 28)?)
    };
    let channels = match depth {
        0..=8 => 1,
        32 => 4,
        _ => 3,
    };
    let (frames, orientation, palette) = (1, 1, depth <= 8);
    Some(Header { coding: Coding::Bmp, width, height, frames, orientation, channels, bits: 8, palette, cmyk: false })
}

/// The most pages of a TIFF that are counted: a chain that bites its tail ends there.
const PAGES: u32 = 10_000;

fn tiff(bytes: &[u8]) -> Option<Header> {
    let little = bytes.starts_with(b"II");
    let short = |at| if little { le16(bytes, at) } else { be16(bytes, at) };
    let long = |at| if little { le32(bytes, at) } else { be32(bytes, at) };
    let first = long(4)? as usize;
    let entries = short(first)? as usize;
    let (mut width, mut height, mut bits, mut channels, mut photometric) = (0, 0, 1, 1, 1);
    for i in 0..entries {
        let at = first + 2 + i * 12;
        let Some((tag, kind, count)) = short(at).zip(short(at + 2)).zip(long(at + 4)).map(|((a, b), c)| (a, b, c)) else { break };
        let value = || if kind == 3 { short(at + 8) } else { long(at + 8) };
        match tag {
            256 => width = value()?,
            257 => height = value()?,
            258 if count > 2 => bits = short(long(at + 8)? as usize).unwrap_or(8),
            258 => bits = value()?,
            262 => photometric = value()?,
            277 => channels = value()?,
            _ => {}
        }
    }
    let (mut frames, mut at) = (1, first);
    let mut seen = std::collections::HashSet::from([first]);
    while let Some(next) = short(at).and_then(|entries| long(at + 2 + entries as usize * 12)) {
        if next == 0 || frames >= PAGES || !seen.insert(next as usize) {
            break;
        }
        at = next as usize;
        frames += 1;
    }
    Some(Header {
        coding: Coding::Tiff,
        width,
        height,
        frames,
        orientation: orientation_of(bytes),
        channels: u8::try_from(channels).unwrap_or(4).clamp(1, 4),
        bits: u8::try_from(bits).unwrap_or(8),
        palette: photometric == 3,
        cmyk: photometric == 5,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_by_hand() {
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\x01\x86\xa0\0\x01\x86\xa0\x08\x06\0\0\0\0\0\0\0";
        let header = read_header(png).unwrap();
        assert_eq!((header.width, header.height, header.channels, header.frames), (100_000, 100_000, 4, 1));
        let gif = b"GIF89a\x02\0\x03\0\0\0\0\x2c\0\0\0\0\x02\0\x03\0\0\x02\x01\0\0\x2c\0\0\0\0\x02\0\x03\0\0\x02\x01\0\0\x3b";
        let header = read_header(gif).unwrap();
        assert_eq!((header.width, header.height, header.frames), (2, 3, 2));
        // A TIFF whose page points at itself has one page.
        let tiff = b"II*\0\x08\0\0\0\x02\0\0\x01\x03\0\x01\0\0\0\x05\0\0\0\x01\x01\x03\0\x01\0\0\0\x07\0\0\0\x08\0\0\0";
        let header = read_header(tiff).unwrap();
        assert_eq!((header.width, header.height, header.frames), (5, 7, 1));
        assert_eq!(read_header(b""), Err(Trouble::Empty));
        assert_eq!(read_header(b"hello"), Err(Trouble::Unknown));
        for whole in [&png[..], gif, tiff] {
            for cut in 0..whole.len() {
                let _ = read_header(&whole[..cut]);
            }
        }
    }

    #[test]
    fn names_and_bytes_say_what_it_is() {
        assert_eq!(Coding::of_name("a/b.c/x.JPEG"), Some(Coding::Jpeg));
        assert_eq!(Coding::of_name("x.txt"), None);
        assert_eq!(Coding::of_name("jpg"), None);
        assert_eq!(Coding::of_bytes(b"RIFF\0\0\0\0WEBPVP8 "), Some(Coding::WebP));
    }
}
