//! Texts beyond half of what a dataset may take lie aside: a copy without a name, on disk, that nobody else can reach, is looked at through the kernel's page cache. Nothing
//! of it stays in memory for long, and a file that changes or goes under the window changes nothing here.
//!
//! The only unsafe code of the house: a mapping is sound for as long as nobody changes or shortens its file. The copies have no name, no other process has them open, and
//! they are only ever appended to, behind what is mapped.
#![allow(unsafe_code)]

use std::fs::File;
use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use memmap2::{Mmap, MmapOptions};
use polars_buffer::Buffer;
use xxhash_rust::xxh3::Xxh3;

use super::decoded::Decoded;
use crate::data::{Packing, Patch};
use crate::io::error::IoError;
use crate::job::{Progress, wait_aside};

/// Mappings begin at multiples of this: a page anywhere.
const PAGE: u64 = 64 << 10;
/// Files are copied in blocks of this size.
const BLOCK: usize = 4 << 20;
/// Smaller texts than this are not laid aside.
const SMALL: usize = 64 << 10;
/// A packed file grows to about so many times its size.
pub const GROWS: u64 = 4;
/// Pages of copies that may be in memory, in bytes, before they are let go: they come again from the page cache.
const RESIDENT: u64 = 256 << 20;
/// How often that is looked at: while little is there, and while much is.
const LOOK: Duration = Duration::from_millis(20);
const LOOK_AGAIN: Duration = Duration::from_millis(2);
/// The folder for copies, where somebody names one.
const FOLDER: &str = "LAPIDARY_ASIDE";

/// A file without a name, that texts are laid into.
#[derive(Clone)]
pub struct Aside(Arc<AsideFile>);

struct AsideFile {
    file: File,
    /// Where the next text begins.
    end: AtomicU64,
}

/// A mapped text.
struct Laid(Arc<Mmap>);

impl AsRef<[u8]> for Laid {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// A file that was laid aside: its text, and what is known of it.
pub struct AsideText {
    pub text: Decoded,
    /// Its bytes, unpacked.
    pub bytes: u64,
    /// Hash (XXH3, 128 bits) of the file as it lies there.
    pub fingerprint: u128,
    /// Where more is laid that is made of it.
    pub aside: Aside,
}

impl Aside {
    /// A new one with room for so many bytes: in the folder that `LAPIDARY_ASIDE` names, else beside the file, else where temporary files go; never in memory.
    ///
    /// # Errors
    /// [`IoError::TooLarge`], with what is missing.
    fn beside(path: &Path, bytes: u64) -> Result<Self, IoError> {
        let named = std::env::var_os(FOLDER).map(PathBuf::from);
        let own = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned();
        let folders = named.map_or_else(|| vec![own, std::env::temp_dir()], |named| vec![named]);
        let mut tried = Vec::new();
        for folder in folders {
            match room(&folder) {
                Ok((file, free)) if free > bytes => return Ok(Self(Arc::new(AsideFile { file, end: AtomicU64::new(0) }))),
                Ok((_, free)) => tried.push(format!("{} has {} MB free", folder.display(), free / 1_000_000)),
                Err(why) => tried.push(format!("{}: {why}", folder.display())),
            }
        }
        let reason = format!(
            "it is more than half of what a dataset may take in memory, so that a copy of {} MB has to lie on disk while it is open, and there is no room for that ({}). Make room, name a folder with {FOLDER}, or work through it file by file with lapidary run",
            bytes / 1_000_000 + 1,
            tried.join("; ")
        );
        Err(IoError::TooLarge { path: path.to_owned(), reason })
    }

    /// Lays a text aside; one that is small, or that the disk has no room for, stays in memory.
    pub fn lay(&self, text: Vec<u8>) -> Buffer<u8> {
        if text.len() < SMALL {
            return text.into();
        }
        let len = text.len() as u64;
        let at = self.0.end.fetch_add(len.next_multiple_of(PAGE), Ordering::Relaxed);
        match write_at(&self.0.file, &text, at).and_then(|()| self.mapped(at, text.len())) {
            Ok(buffer) => buffer,
            Err(_) => text.into(),
        }
    }

    fn mapped(&self, at: u64, len: usize) -> std::io::Result<Buffer<u8>> {
        // SAFETY: the file has no name and is never shortened, and what was written is never written again (see the head of this file).
        let map = Arc::new(unsafe { MmapOptions::new().offset(at).len(len).map(&self.0.file) }?);
        // A page that is touched brings itself, and not the megabytes about it.
        #[cfg(target_os = "linux")]
        let _ = map.advise(memmap2::Advice::NoHugePage);
        keep_small(&map);
        Ok(Buffer::from_owner(Laid(map)))
    }
}

#[cfg(unix)]
fn write_at(file: &File, bytes: &[u8], at: u64) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, at)
}

#[cfg(not(unix))]
fn write_at(_: &File, _: &[u8], _: u64) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}

/// A file without a name in a folder, and how many bytes are free there.
#[cfg(unix)]
fn room(folder: &Path) -> Result<(File, u64), String> {
    let file = tempfile::tempfile_in(folder).map_err(|error| error.to_string())?;
    #[cfg(target_os = "linux")]
    {
        const IN_MEMORY: [i64; 2] = [0x0102_1994, 0x8584_58f6];
        let kind = rustix::fs::fstatfs(&file).map_err(|error| error.to_string())?.f_type;
        #[allow(clippy::useless_conversion)]
        if IN_MEMORY.contains(&i64::from(kind)) {
            return Err("it lies in memory itself".to_owned());
        }
    }
    let stat = rustix::fs::fstatvfs(&file).map_err(|error| error.to_string())?;
    Ok((file, stat.f_bavail.saturating_mul(stat.f_frsize)))
}

#[cfg(not(unix))]
fn room(_: &Path) -> Result<(File, u64), String> {
    Err("texts are not laid aside on this system".to_owned())
}

/// Copies a file, unpacked, and mends what is no UTF-8 in it on the way, as it is mended of a text in memory. `mark` is the byte-order mark that it begins with.
///
/// # Errors
/// [`IoError`].
pub fn lay_aside(path: &Path, packing: Packing, mark: &'static [u8], progress: &Progress) -> Result<AsideText, IoError> {
    let fail = |error: &std::io::Error| IoError::Read { path: path.to_owned(), reason: error.to_string() };
    let file = File::open(path).map_err(|error| fail(&error))?;
    let size = file.metadata().map_err(|error| fail(&error))?.len();
    let expected = if packing == Packing::None { size } else { size.saturating_mul(GROWS) };
    let aside = Aside::beside(path, expected.saturating_add(expected / 8))?;
    progress.set_total(size);
    let counted = Counted { from: file, hasher: Xxh3::new(), progress, stopped: false };
    let shared = Mutex::new(counted);
    let from = Shared(&shared);
    let torn = |error: &std::io::Error| match packing {
        Packing::None => fail(error),
        packed => IoError::Broken {
            path: path.to_owned(),
            format: if packed == Packing::Gzip { "gzip" } else { "zstd" },
            reason: format!("{error}; the file is torn or was not copied whole"),
        },
    };
    let mut from: Box<dyn Read + '_> = match packing {
        Packing::None => Box::new(from),
        Packing::Gzip => Box::new(flate2::read::MultiGzDecoder::new(from)),
        Packing::Zstd => Box::new(zstd::stream::read::Decoder::new(from).map_err(|error| torn(&error))?),
    };
    let mut mending = Mending { out: &aside.0.file, written: 0, patches: Vec::new(), mended: Vec::new() };
    let (mut block, mut held, mut bytes) = (vec![0; BLOCK], 0, 0u64);
    let copied = loop {
        match from.read(&mut block[held..]) {
            Ok(0) => break mending.take(&block[..held], true).map(|_| ()),
            Ok(read) => {
                let first = bytes == 0;
                bytes += read as u64;
                let filled = held + read;
                let from = if first { mark.len().min(filled) } else { 0 };
                match mending.take(&block[from..filled], false) {
                    Ok(used) => {
                        block.copy_within(from + used..filled, 0);
                        held = filled - from - used;
                    }
                    Err(error) => break Err(error),
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => {
                let stopped = shared.lock().is_ok_and(|counted| counted.stopped);
                return Err(if stopped { IoError::Cancelled } else { torn(&error) });
            }
        }
    };
    let (written, patches) = (mending.written, mending.patches);
    drop(from);
    copied.map_err(|error| IoError::TooLarge {
        path: path.to_owned(),
        reason: format!("the copy of it that lies on disk while it is open could not be written: {error}"),
    })?;
    let fingerprint = shared.into_inner().map_or(0, |counted| counted.hasher.digest128());
    aside.0.end.store(written.next_multiple_of(PAGE), Ordering::Relaxed);
    if written == 0 {
        return Err(IoError::Empty(path.to_owned()));
    }
    let text = aside.mapped(0, usize::try_from(written).unwrap_or(usize::MAX)).map_err(|error| fail(&error))?;
    let text = Decoded { text, encoding: encoding_rs::UTF_8, mark, patches };
    Ok(AsideText { text, bytes, fingerprint, aside })
}

/// Reads a file, hashes it, and hears the wish to stop.
struct Counted<'p> {
    from: File,
    hasher: Xxh3,
    progress: &'p Progress,
    stopped: bool,
}

struct Shared<'c, 'p>(&'c Mutex<Counted<'p>>);

impl Read for Shared<'_, '_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let mut counted = self.0.lock().map_err(|_| std::io::Error::other("a reader is gone"))?;
        let read = counted.from.read(out)?;
        counted.hasher.update(&out[..read]);
        if counted.progress.step(read as u64).is_err() {
            counted.stopped = true;
            return Err(std::io::Error::other("stopped"));
        }
        Ok(read)
    }
}

/// Writes text on, with what is no UTF-8 replaced and remembered.
struct Mending<'f> {
    out: &'f File,
    written: u64,
    patches: Vec<Patch>,
    mended: Vec<u8>,
}

impl Mending<'_> {
    /// Takes what it can of a block: all, or up to a letter that the next block may end. How many bytes that were.
    fn take(&mut self, block: &[u8], last: bool) -> std::io::Result<usize> {
        let (mut rest, mut used) = (block, 0);
        loop {
            let (valid, bad) = match std::str::from_utf8(rest) {
                Ok(_) => (rest.len(), None),
                Err(error) => (error.valid_up_to(), Some(error.error_len())),
            };
            self.mended.extend_from_slice(&rest[..valid]);
            used += valid;
            let odd = match bad {
                None => break,
                Some(None) if !last => break,
                Some(None) => rest.len() - valid,
                Some(Some(n)) => n,
            };
            let at = usize::try_from(self.written).unwrap_or(usize::MAX) + self.mended.len();
            self.patches.push(Patch { at, len: 3, bytes: rest[valid..valid + odd].to_vec() });
            self.mended.extend_from_slice("\u{fffd}".as_bytes());
            used += odd;
            rest = &rest[valid + odd..];
        }
        self.out.write_all(&self.mended)?;
        self.written += self.mended.len() as u64;
        self.mended.clear();
        Ok(used)
    }
}

/// Texts that are mapped, and whether somebody keeps them small.
static MAPS: Mutex<(Vec<Weak<Mmap>>, bool)> = Mutex::new((Vec::new(), false));

/// Lets pages of mapped texts go where too many are in memory, for as long as there are such texts.
fn keep_small(map: &Arc<Mmap>) {
    let Ok(mut maps) = MAPS.lock() else { return };
    maps.0.push(Arc::downgrade(map));
    LAID.store(maps.0.len(), Ordering::Relaxed);
    if !maps.1 {
        maps.1 = wait_aside("pages", keeper).is_ok();
    }
}

fn keeper() {
    let mut busy = false;
    loop {
        std::thread::sleep(if busy { LOOK_AGAIN } else { LOOK });
        {
            let Ok(mut maps) = MAPS.lock() else { return };
            maps.0.retain(|map| map.strong_count() > 0);
            LAID.store(maps.0.len(), Ordering::Relaxed);
            if maps.0.is_empty() {
                maps.1 = false;
                return;
            }
        }
        busy = breathe();
    }
}

/// How many texts are mapped.
static LAID: AtomicUsize = AtomicUsize::new(0);

/// Lets pages of mapped texts go where too many are in memory: whoever scans a text says so now and then, since a scan maps gigabytes before anybody else looks. Whether much is
/// there. It costs nothing where no text lies aside.
pub fn breathe() -> bool {
    if LAID.load(Ordering::Relaxed) == 0 {
        return false;
    }
    let there = resident().unwrap_or(u64::MAX);
    if there < RESIDENT {
        return there > RESIDENT / 3;
    }
    let alive: Vec<Arc<Mmap>> = MAPS.lock().map(|maps| maps.0.iter().filter_map(Weak::upgrade).collect()).unwrap_or_default();
    for map in alive {
        // SAFETY: the mapping is read only and of a file: a page that is let go comes again as it was.
        #[cfg(unix)]
        let _ = unsafe { map.unchecked_advise(memmap2::UncheckedAdvice::DontNeed) };
        drop(map);
    }
    true
}

/// How many bytes of files this process has in memory; `None` where the system does not say.
fn resident() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find(|line| line.starts_with("RssFile:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1_024)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::read::source;

    /// A file with what comes wrong: torn letters at the border of blocks and at its end, and bytes that are none.
    fn odd_text() -> Vec<u8> {
        let mut bytes = b"text,label\n".to_vec();
        while bytes.len() < BLOCK * 2 + 100 {
            bytes.extend_from_slice("häuser 家 🏠,a\n".as_bytes());
        }
        bytes[BLOCK + 7] = 0xff;
        bytes.extend_from_slice(b"caf\xe9,b\n\xf0\x9f");
        bytes
    }

    #[test]
    fn a_text_laid_aside_is_what_it_is_in_memory() {
        let home = tempfile::tempdir().unwrap();
        for (packing, name) in [(Packing::None, "a.csv"), (Packing::Gzip, "a.csv.gz"), (Packing::Zstd, "a.csv.zst")] {
            for mark in [&b""[..], b"\xef\xbb\xbf"] {
                let plain = [mark, &odd_text()].concat();
                let packed = match packing {
                    Packing::None => plain.clone(),
                    Packing::Gzip => {
                        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                        out.write_all(&plain).unwrap();
                        out.finish().unwrap()
                    }
                    Packing::Zstd => zstd::encode_all(&plain[..], 1).unwrap(),
                };
                let path = home.path().join(name);
                std::fs::write(&path, &packed).unwrap();
                let held = source::decode(plain.clone(), None);
                let laid = lay_aside(&path, packing, held.mark, &Progress::silent()).unwrap();
                assert_eq!(held.mark, mark);
                assert!(*laid.text.text == *held.text, "{name}");
                assert_eq!(laid.text.patches, held.patches);
                assert_eq!(laid.bytes, plain.len() as u64);
                assert_eq!(laid.fingerprint, xxhash_rust::xxh3::xxh3_128(&packed));
                // What is made of it lies there, too, and stays when the file goes.
                let more = laid.aside.lay(vec![7; SMALL * 3]);
                std::fs::remove_file(&path).unwrap();
                assert!(more.len() == SMALL * 3 && more.iter().all(|byte| *byte == 7));
                assert!(*laid.text.text == *held.text);
            }
        }
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0, "nothing is left behind");
    }

    #[test]
    fn a_torn_file_says_so_and_a_wish_to_stop_is_heard() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a.csv.zst");
        let packed = zstd::encode_all(&odd_text()[..], 1).unwrap();
        std::fs::write(&path, &packed[..packed.len() / 2]).unwrap();
        let torn = lay_aside(&path, Packing::Zstd, b"", &Progress::silent()).err().unwrap();
        assert!(torn.to_string().contains("torn"), "{torn}");
        let progress = Progress::silent();
        progress.cancel();
        assert!(matches!(lay_aside(&path, Packing::None, b"", &progress), Err(IoError::Cancelled)));
    }
}
