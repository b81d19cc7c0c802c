//! The registry of formats: names, endings, and how a file's first bytes tell.

use std::path::{Path, PathBuf};

use crate::data::{Format, Packing};

/// How a format is read and written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    /// Text, saved back byte for byte.
    Text,
    /// Columns with types, read in a child process.
    Typed,
    /// Workbooks and databases: one of their sheets or tables, read in a child process, and never written.
    Sheets,
    /// Files of images, rather than a table.
    Images,
}

/// A format.
struct Entry {
    format: Format,
    /// The name on screen.
    title: &'static str,
    /// Endings of files' names, the usual one first.
    endings: &'static [&'static str],
    family: Family,
}

/// Every format, in the order that menus list them.
static FORMATS: [Entry; 16] = [
    Entry { format: Format::Csv, title: "CSV", endings: &["csv", "txt", "psv", "ssv"], family: Family::Text },
    Entry { format: Format::Tsv, title: "TSV", endings: &["tsv", "tab"], family: Family::Text },
    Entry { format: Format::Json, title: "JSON", endings: &["json"], family: Family::Text },
    Entry { format: Format::JsonLines, title: "JSON Lines", endings: &["jsonl", "ndjson", "jsonlines"], family: Family::Text },
    Entry { format: Format::Parquet, title: "Parquet", endings: &["parquet", "pq", "parq"], family: Family::Typed },
    Entry { format: Format::Arrow, title: "Arrow", endings: &["arrow", "feather", "ipc"], family: Family::Typed },
    Entry { format: Format::ArrowStream, title: "Arrow stream", endings: &["arrows"], family: Family::Typed },
    Entry { format: Format::Folder, title: "folder of images", endings: &[""], family: Family::Images },
    Entry { format: Format::Zip, title: "ZIP archive of images", endings: &["zip"], family: Family::Images },
    Entry { format: Format::Tar, title: "tar archive of images", endings: &["tar"], family: Family::Images },
    Entry { format: Format::Xlsx, title: "Excel workbook", endings: &["xlsx", "xlsm"], family: Family::Sheets },
    Entry { format: Format::Xls, title: "Excel 97 workbook", endings: &["xls"], family: Family::Sheets },
    Entry { format: Format::Xlsb, title: "binary Excel workbook", endings: &["xlsb"], family: Family::Sheets },
    Entry { format: Format::Ods, title: "OpenDocument spreadsheet", endings: &["ods"], family: Family::Sheets },
    Entry { format: Format::DuckDb, title: "DuckDB database", endings: &["duckdb", "ddb"], family: Family::Sheets },
    Entry { format: Format::Sqlite, title: "SQLite database", endings: &["sqlite", "sqlite3", "db"], family: Family::Sheets },
];

impl Format {
    fn entry(self) -> &'static Entry {
        // A test holds that every format has its entry.
        FORMATS.iter().find(|entry| entry.format == self).unwrap_or(&FORMATS[0])
    }

    /// Every format that a table is saved in, in the order that menus list them.
    pub fn tables() -> impl Iterator<Item = Self> {
        FORMATS.iter().filter(|entry| matches!(entry.family, Family::Text | Family::Typed)).map(|entry| entry.format)
    }

    /// The name on screen.
    pub fn title(self) -> &'static str {
        self.entry().title
    }

    /// The usual ending of a file's name, without the dot.
    pub fn ending(self) -> &'static str {
        self.entry().endings[0]
    }

    /// Whether it holds images as files, rather than being a table.
    pub fn is_of_images(self) -> bool {
        self.entry().family == Family::Images
    }

    /// Whether it holds sheets or tables, of which one is read and none is written.
    pub fn has_sheets(self) -> bool {
        self.entry().family == Family::Sheets
    }

    /// Whether the file is JSON.
    pub fn is_json(self) -> bool {
        matches!(self, Self::Json | Self::JsonLines)
    }

    /// Whether the file is text, saved back byte for byte.
    pub fn is_text(self) -> bool {
        self.entry().family == Family::Text
    }
}

/// The format and packing that a file's name promises; `None` where it promises nothing that we know.
pub fn format_of_name(path: &Path) -> (Option<Format>, Packing) {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let (name, packing) = if let Some(stem) = name.strip_suffix(".gz") {
        (stem.to_owned(), Packing::Gzip)
    } else if let Some(stem) = name.strip_suffix(".zst").or_else(|| name.strip_suffix(".zstd")) {
        (stem.to_owned(), Packing::Zstd)
    } else {
        (name, Packing::None)
    };
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    // Archives are known by what they hold, not by their names.
    let table = |entry: &&Entry| entry.family != Family::Images && entry.endings.contains(&ending);
    let format = FORMATS.iter().find(table).map(|entry| entry.format);
    (format, packing)
}

/// Whether a file is a table, by its name.
pub fn is_table_name(path: &Path) -> bool {
    format_of_name(path).0.is_some()
}

/// The same for saving a dataset that came in the format `own`: what is called `.arrow` is mostly a file, and a stream where it came as one.
pub fn format_to_save(path: &Path, own: Format) -> (Option<Format>, Packing) {
    match format_of_name(path) {
        (Some(Format::Arrow), packing) if own == Format::ArrowStream => (Some(Format::ArrowStream), packing),
        found => found,
    }
}

/// `stem` with the ending of a format and packing: `train` → `train.csv.gz`.
pub fn compressed_name(stem: &str, format: Format, packing: Packing) -> PathBuf {
    let end = match packing {
        Packing::None => "",
        Packing::Gzip => ".gz",
        Packing::Zstd => ".zst",
    };
    PathBuf::from(format!("{stem}.{}{end}", format.ending()))
}

/// What a file's first bytes say for certain: a format, a packing, or something that we cannot open.
#[derive(Debug, PartialEq, Eq)]
pub enum Magic {
    Format(Format),
    /// An archive: [`Format::Zip`] or [`Format::Tar`].
    Archive(Format),
    Packed(Packing),
    Other(&'static str),
    Unknown,
}

/// Reads a file's first bytes.
pub fn magic(head: &[u8]) -> Magic {
    if head.get(257..262) == Some(b"ustar") {
        return Magic::Archive(Format::Tar);
    }
    if head.get(8..12) == Some(b"DUCK") {
        return Magic::Format(Format::DuckDb);
    }
    // A box of MP4 or HEIF begins with its length; Windows programs with two letters that a text may begin with, too.
    if head.get(4..8) == Some(b"ftyp") && head.starts_with(&[0, 0]) {
        return Magic::Other(match head.get(8..12) {
            Some(b"avif" | b"avis") => "it is an AVIF picture, which is not read: save it as PNG or JPEG",
            Some(b"heic" | b"heix" | b"hevc" | b"hevx" | b"mif1" | b"msf1") => {
                "it is a HEIC picture, which is not read: save it as PNG or JPEG"
            }
            Some(b"M4A " | b"M4B ") => "it is a sound recording (M4A)",
            _ => "it is a film (MP4)",
        });
    }
    if head.starts_with(b"RIFF") {
        match head.get(8..12) {
            Some(b"WEBP") => return Magic::Other("it is a WebP picture: open the folder that it lies in"),
            Some(b"WAVE") => return Magic::Other("it is a sound recording (WAV)"),
            Some(b"AVI ") => return Magic::Other("it is a film (AVI)"),
            _ => {}
        }
    }
    let program = head.starts_with(b"MZ")
        && head.get(60..64).is_some_and(|at| {
            let at = u32::from_le_bytes([at[0], at[1], at[2], at[3]]) as usize;
            head.get(at..).is_some_and(|rest| rest.starts_with(b"PE\0\0"))
        });
    if program {
        return Magic::Other("it is a program");
    }
    // A frame of MPEG sound: eleven set bits, then a layer and a rate that there are.
    let mpeg = |head: &[u8]| {
        head.len() > 3
            && head[0] == 0xff
            && head[1] & 0xe6 == 0xe2
            && head[2] & 0xf0 != 0xf0
            && head[2] & 0x0c != 0x0c
            && head[1] >= 0xf2
    };
    if mpeg(head) {
        return Magic::Other("it is a sound recording (MP3)");
    }
    let known: [(&[u8], Magic); 39] = [
        (b"PAR1", Magic::Format(Format::Parquet)),
        (b"ARROW1", Magic::Format(Format::Arrow)),
        (b"\xff\xff\xff\xff", Magic::Format(Format::ArrowStream)),
        (b"\x1f\x8b", Magic::Packed(Packing::Gzip)),
        (b"\x28\xb5\x2f\xfd", Magic::Packed(Packing::Zstd)),
        (b"PARE", Magic::Other("it is an encrypted Parquet file")),
        (b"PK\x03\x04", Magic::Archive(Format::Zip)),
        (b"PK\x05\x06", Magic::Archive(Format::Zip)),
        (b"\x89PNG", Magic::Other("it is a PNG picture: open the folder that it lies in")),
        (b"\xff\xd8\xff", Magic::Other("it is a JPEG picture: open the folder that it lies in")),
        (b"GIF8", Magic::Other("it is a GIF picture: open the folder that it lies in")),
        (b"\x7fELF", Magic::Other("it is a program")),
        (b"BZh", Magic::Other("it is packed with bzip2: unpack it first")),
        (b"\xfd7zXZ", Magic::Other("it is packed with xz: unpack it first")),
        (b"7z\xbc\xaf", Magic::Other("it is a 7-Zip archive: unpack it first")),
        (b"SQLite format 3\0", Magic::Format(Format::Sqlite)),
        (b"ID3\x03", Magic::Other("it is a sound recording (MP3)")),
        (b"ID3\x04", Magic::Other("it is a sound recording (MP3)")),
        (b"OggS\0", Magic::Other("it is a sound recording (Ogg)")),
        (b"fLaC\0", Magic::Other("it is a sound recording (FLAC)")),
        (b"\x1aE\xdf\xa3", Magic::Other("it is a film (Matroska, WebM)")),
        (b"Rar!\x1a\x07", Magic::Other("it is a RAR archive: unpack it first")),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Magic::Other("it is an old Office document: save it as CSV")),
        (b"{\\rtf", Magic::Other("it is a rich text document: save it as plain text")),
        (b"II*\0", Magic::Other("it is a TIFF picture: open the folder that it lies in")),
        (b"MM\0*", Magic::Other("it is a TIFF picture: open the folder that it lies in")),
        (b"8BPS\0\x01", Magic::Other("it is a Photoshop document: save it as PNG or JPEG")),
        (b"\0\0\0\x0cJXL ", Magic::Other("it is a JPEG XL picture, which is not read: save it as PNG or JPEG")),
        (b"\0\0\0\x0cjP  ", Magic::Other("it is a JPEG 2000 picture, which is not read: save it as PNG or JPEG")),
        (b"\x89HDF\r\n\x1a\n", Magic::Other("it is an HDF5 file: save it as Parquet")),
        (b"\x93NUMPY", Magic::Other("it is a NumPy array: save it as Parquet or CSV")),
        (b"\x80\x04\x95", Magic::Other("it is a Python pickle, which may run programs: save it as Parquet or CSV")),
        (b"\x80\x05\x95", Magic::Other("it is a Python pickle, which may run programs: save it as Parquet or CSV")),
        (b"Obj\x01", Magic::Other("it is an Avro file: save it as Parquet")),
        (b"\xca\xfe\xba\xbe", Magic::Other("it is a program")),
        (b"\xcf\xfa\xed\xfe", Magic::Other("it is a program")),
        (b"\0asm", Magic::Other("it is a program")),
        (b"wOF2\0\x01", Magic::Other("it is a font")),
        (b"FEA1", Magic::Other("it is a Feather file of version 1: save it as version 2 (Arrow)")),
    ];
    known.into_iter().find(|(start, _)| head.starts_with(start)).map_or(Magic::Unknown, |(_, magic)| magic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_has_its_entry() {
        let all = [
            Format::Csv,
            Format::Tsv,
            Format::Json,
            Format::JsonLines,
            Format::Parquet,
            Format::Arrow,
            Format::ArrowStream,
            Format::Folder,
            Format::Zip,
            Format::Tar,
            Format::Xlsx,
            Format::Xls,
            Format::Xlsb,
            Format::Ods,
            Format::DuckDb,
            Format::Sqlite,
        ];
        assert!(FORMATS.iter().map(|entry| entry.format).eq(all));
        for format in Format::tables() {
            let name = compressed_name("train", format, Packing::Gzip);
            assert_eq!(format_of_name(&name), (Some(format), Packing::Gzip), "{}", name.display());
        }
        assert_eq!(format_of_name(Path::new("photos.zip")).0, None);
    }
}
