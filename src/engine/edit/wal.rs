//! The write-ahead log beside a project, checked before `SQLite` folds it in: it passes over what does not hold without a word, and deletes it
//! afterwards. Format: sqlite.org/fileformat2.html, section 4. Reads; never writes.

/// How far a log holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sound {
    /// Where the last transaction ends before which everything holds, in bytes from the log's beginning.
    pub end: usize,
    /// How many transactions stand behind it that do not.
    pub lost: usize,
}

const HEADER: usize = 32;
const FRAME: usize = 24;

/// One page as a log has it.
pub struct Frame<'l> {
    /// Its number in the database, from 1.
    pub page: u32,
    /// Its bytes.
    pub bytes: &'l [u8],
    /// Whether a transaction ends with it.
    commits: bool,
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// The size of a page; `None` where the log does not say one that can be.
fn page_size(log: &[u8]) -> Option<usize> {
    let size = word(log, 8)? as usize;
    (size.is_power_of_two() && (512..=65_536).contains(&size)).then_some(size)
}

/// Adds `bytes` to a checksum of two words.
fn add(sum: (u32, u32), bytes: &[u8], big: bool) -> (u32, u32) {
    let read = |chunk: &[u8]| {
        let bytes = [chunk[0], chunk[1], chunk[2], chunk[3]];
        if big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    };
    bytes.chunks_exact(8).fold(sum, |(a, b), pair| {
        let a = a.wrapping_add(read(&pair[..4])).wrapping_add(b);
        (a, b.wrapping_add(read(&pair[4..])).wrapping_add(a))
    })
}

/// Every frame of the log that belongs to its last run, whether it holds or not.
pub fn frames(log: &[u8], page: Option<usize>) -> Vec<Frame<'_>> {
    let Some(size) = page_size(log).or(page) else { return Vec::new() };
    let count = log.len().saturating_sub(HEADER) / (FRAME + size);
    let at = |i: usize| HEADER + i * (FRAME + size);
    // Frames behind the run are of an earlier one, and have other salts. Where the log's own cannot be believed, the first frame's are.
    let own = log.get(16..24);
    let first = (count > 0).then(|| &log[at(0) + 8..at(0) + 16]);
    let matching = |salt: Option<&[u8]>| (0..count).filter(|i| Some(&log[at(*i) + 8..at(*i) + 16]) == salt).count();
    let salt = if matching(own) >= matching(first) { own } else { first };
    (0..count)
        .filter(|i| Some(&log[at(*i) + 8..at(*i) + 16]) == salt)
        .filter_map(|i| {
            let page = word(log, at(i))?;
            let commits = word(log, at(i) + 4)? > 0;
            Some(Frame { page, bytes: &log[at(i) + FRAME..at(i) + FRAME + size], commits })
        })
        .collect()
}

/// How far a log holds.
pub fn check(log: &[u8]) -> Sound {
    if log.len() < HEADER {
        return Sound { end: log.len(), lost: 0 };
    }
    let lost = |after: usize, size: usize| {
        let behind =
            frames(log, Some(size)).into_iter().filter(|frame| frame.bytes.as_ptr() as usize >= log.as_ptr() as usize + after);
        behind.filter(|frame| frame.commits).count()
    };
    let magic = word(log, 0).unwrap_or(0);
    let big = magic & 1 == 1;
    let size = page_size(log);
    let mut sum = add((0, 0), &log[..FRAME], big);
    let told = (word(log, 24), word(log, 28));
    let (Some(size), true) = (size, magic & !1 == 0x377f_0682 && told == (Some(sum.0), Some(sum.1))) else {
        return Sound { end: 0, lost: lost(0, size.unwrap_or(4_096)).max(usize::from(log.iter().any(|byte| *byte != 0))) };
    };
    let (mut at, mut end) = (HEADER, HEADER);
    while let Some(frame) = log.get(at..at + FRAME + size) {
        if frame[8..16] != log[16..24] {
            break;
        }
        sum = add(add(sum, &frame[..8], big), &frame[FRAME..], big);
        if (word(frame, 16), word(frame, 20)) != (Some(sum.0), Some(sum.1)) {
            break;
        }
        at += FRAME + size;
        if word(frame, 4).unwrap_or(0) > 0 {
            end = at;
        }
    }
    Sound { end, lost: lost(at, size) }
}
