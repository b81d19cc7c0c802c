//! Reads the rows of a project page by page, without `SQLite`: what can be read of a file that is cut, altered, or whose log is. Each edit is
//! believed by its own hash alone, wherever it stands. Format: sqlite.org/fileformat2.html, section 1. Never writes.

use std::collections::{BTreeMap, HashMap};

use super::wal;

/// A value of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    Null,
    Integer(i64),
    Blob(Vec<u8>),
    Text(String),
}

impl Cell {
    /// The number, where it is one.
    pub fn integer(&self) -> Option<i64> {
        if let Self::Integer(value) = self { Some(*value) } else { None }
    }

    /// The text, where it is one.
    pub fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The bytes, where it is some.
    pub fn blob(&self) -> Option<&[u8]> {
        if let Self::Blob(bytes) = self { Some(bytes) } else { None }
    }
}

/// A row as it stands on some page: its number and its cells.
pub type Row = (i64, Vec<Cell>);

const USUAL_PAGE: usize = 4_096;

/// Every row on every page of a database and its log, in no order, some of them twice.
pub fn rows(database: &[u8], log: &[u8]) -> Vec<Row> {
    let stated = database.get(16..18).map(|two| usize::from(u16::from_be_bytes([two[0], two[1]])));
    let size = match stated {
        Some(1) => 65_536,
        Some(size) if size.is_power_of_two() && size >= 512 => size,
        _ => USUAL_PAGE,
    };
    let spare = database.get(20).map_or(0, |spare| usize::from(*spare)).min(64);
    let mut versions: HashMap<u32, Vec<&[u8]>> = HashMap::new();
    for (i, page) in database.chunks(size).enumerate() {
        versions.entry(u32::try_from(i + 1).unwrap_or(u32::MAX)).or_default().push(page);
    }
    for frame in wal::frames(log, Some(size)) {
        versions.entry(frame.page).or_default().push(frame.bytes);
    }
    let pages = Pages { versions: &versions, usable: size - spare };
    let mut found: BTreeMap<(i64, Vec<u8>), Row> = BTreeMap::new();
    for (number, list) in &versions {
        for page in list {
            for (row, payload) in pages.leaf(page, *number == 1) {
                if let Some(cells) = record(&payload) {
                    found.entry((row, payload)).or_insert((row, cells));
                }
            }
        }
    }
    found.into_values().collect()
}

struct Pages<'p> {
    versions: &'p HashMap<u32, Vec<&'p [u8]>>,
    usable: usize,
}

impl Pages<'_> {
    /// The rows of a leaf of a table: number and payload. Where pages that a payload goes on in have several versions, it is there once for the
    /// newest of them and once for the oldest.
    fn leaf(&self, page: &[u8], first: bool) -> Vec<(i64, Vec<u8>)> {
        let at = if first { 100 } else { 0 };
        let mut rows = Vec::new();
        if page.get(at) != Some(&0x0d) {
            return rows;
        }
        let two = |at: usize| page.get(at..at + 2).map(|two| usize::from(u16::from_be_bytes([two[0], two[1]])));
        let count = two(at + 3).unwrap_or(0);
        for i in 0..count.min(page.len() / 2) {
            let Some(cell) = two(at + 8 + i * 2) else { break };
            for newest in [true, false] {
                rows.extend(self.cell(page, cell, newest));
            }
        }
        rows.dedup();
        rows
    }

    fn cell(&self, page: &[u8], at: usize, newest: bool) -> Option<(i64, Vec<u8>)> {
        let (size, at) = varint(page, at)?;
        let (row, at) = varint(page, at)?;
        let size = usize::try_from(size).ok()?;
        let most = self.usable - 35;
        let local = if size <= most {
            size
        } else {
            let least = (self.usable - 12) * 32 / 255 - 23;
            let fit = least + (size - least) % (self.usable - 4);
            if fit <= most { fit } else { least }
        };
        let mut payload = page.get(at..at + local)?.to_vec();
        let mut next = if size > local { number(page, at + local)? } else { 0 };
        while payload.len() < size {
            let versions = self.versions.get(&next).filter(|_| next > 0)?;
            let page = if newest { versions.last()? } else { versions.first()? };
            let room = (size - payload.len()).min(self.usable - 4);
            payload.extend_from_slice(page.get(4..4 + room)?);
            next = number(page, 0)?;
        }
        Some((row, payload))
    }
}

fn number(page: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(page.get(at..at + 4)?.try_into().ok()?))
}

fn varint(bytes: &[u8], at: usize) -> Option<(i64, usize)> {
    let mut value = 0_u64;
    for i in 0..9 {
        let byte = *bytes.get(at + i)?;
        if i == 8 {
            return Some(((value << 8 | u64::from(byte)).cast_signed(), at + 9));
        }
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((value.cast_signed(), at + i + 1));
        }
    }
    None
}

/// The cells of a record.
fn record(payload: &[u8]) -> Option<Vec<Cell>> {
    let (header, mut at) = varint(payload, 0)?;
    let header = usize::try_from(header).ok().filter(|header| *header <= payload.len())?;
    let (mut body, mut cells) = (header, Vec::new());
    while at < header {
        let (kind, next) = varint(payload, at)?;
        at = next;
        let integer = |bytes: usize| {
            let part = payload.get(body..body + bytes)?;
            let start = if part[0] & 0x80 > 0 { -1_i64 } else { 0 };
            Some((Cell::Integer(part.iter().fold(start, |value, byte| value << 8 | i64::from(*byte))), bytes))
        };
        let (cell, taken) = match kind {
            0 => (Cell::Null, 0),
            1..=4 => integer(usize::try_from(kind).ok()?)?,
            5 => integer(6)?,
            6 => integer(8)?,
            8 | 9 => (Cell::Integer(kind - 8), 0),
            12.. => {
                let length = usize::try_from((kind - 12) / 2).ok()?;
                let part = payload.get(body..body.checked_add(length)?)?.to_vec();
                (if kind % 2 == 0 { Cell::Blob(part) } else { Cell::Text(String::from_utf8(part).ok()?) }, length)
            }
            _ => return None,
        };
        body += taken;
        cells.push(cell);
    }
    Some(cells)
}
