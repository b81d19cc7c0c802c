//! Reading pictures: from a path, a member of an archive, or a cell. A path never leaves its dataset, and nothing that is no plain file
//! is opened.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{Read, Seek as _, SeekFrom};
use std::path::{Component, Path, PathBuf};

use crate::data::{Archive, Dataset, Member, MemberPacking, PictureStore, SampleId, paths_of};
use crate::io::pictures::picture_cache::PictureKey;
use crate::pixels::Trouble;

/// The most bytes of one picture's file.
const LARGEST: u64 = 256 << 20;
/// Room that is made before anything was read.
const SMALL: usize = 1 << 20;

/// Reads the bytes of a sample's picture: the first, where its cell names several; of a made sample, its parent's.
///
/// # Errors
/// [`Trouble`]: no path, missing, refused, unreadable.
pub fn picture_bytes(dataset: &Dataset, field: usize, id: SampleId) -> Result<Cow<'_, [u8]>, Trouble> {
    if let Some(bytes) = dataset.blob(field, id) {
        return Ok(Cow::Borrowed(bytes));
    }
    let found = find(dataset, field, id)?;
    found.read().map(Cow::Owned)
}

/// Where a picture was found.
pub enum Found<'d> {
    File(PathBuf, fs::Metadata),
    Member(&'d Archive, &'d Member),
}

impl Found<'_> {
    /// Its bytes.
    ///
    /// # Errors
    /// [`Trouble`].
    pub fn read(&self) -> Result<Vec<u8>, Trouble> {
        match self {
            Self::Member(archive, member) => read_member(archive, member, LARGEST),
            Self::File(path, meta) => {
                if meta.len() > LARGEST {
                    return Err(too_large(meta.len()));
                }
                let mut bytes = Vec::with_capacity(usize::try_from(meta.len()).unwrap_or(0).min(SMALL));
                let file = File::open(path).map_err(|error| unreadable(&error))?;
                file.take(LARGEST).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
                Ok(bytes)
            }
        }
    }

    /// What recognises the picture at another time without reading it.
    pub fn key(&self) -> PictureKey {
        match self {
            Self::File(path, meta) => PictureKey::new(path, stamp_of(meta), 0),
            Self::Member(archive, member) => PictureKey::new(&archive.path, archive.stamp, member.start + 1),
        }
    }
}

/// A file's size and when it was changed last.
pub fn stamp(path: &Path) -> Option<(u64, u128)> {
    fs::metadata(path).ok().map(|meta| stamp_of(&meta))
}

fn stamp_of(meta: &fs::Metadata) -> (u64, u128) {
    let changed = meta.modified().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok()).unwrap_or_default();
    (meta.len(), changed.as_nanos())
}

fn too_large(bytes: u64) -> Trouble {
    Trouble::Unreadable(format!("the file has {} MiB, and {} is the most", bytes >> 20, LARGEST >> 20))
}

fn unreadable(error: &std::io::Error) -> Trouble {
    match error.kind() {
        std::io::ErrorKind::NotFound => Trouble::Missing,
        std::io::ErrorKind::PermissionDenied => Trouble::Unreadable("you may not read it".to_owned()),
        _ => Trouble::Unreadable(error.to_string()),
    }
}

pub fn find(dataset: &Dataset, field: usize, id: SampleId) -> Result<Found<'_>, Trouble> {
    let cell = dataset.text(field, id).unwrap_or_default();
    let (base, row) = dataset.home(id);
    let odd = base.odd_names.get(&SampleId::at(row).0).filter(|_| dataset.edited(field, id).is_none());
    let path = paths_of(&cell).into_iter().next().ok_or(Trouble::NoPath)?;
    match &base.pictures {
        PictureStore::Archive(archive) => {
            // Tables made on another system part folders otherwise.
            let names = [path.trim_start_matches("./").to_owned(), path.replace('\\', "/").trim_start_matches("./").to_owned()];
            let (name, member) =
                names.iter().find_map(|name| archive.member(name).map(|member| (name, member))).ok_or(Trouble::Missing)?;
            within(Path::new(name))?;
            Ok(Found::Member(archive, member))
        }
        PictureStore::Folder(root) => match odd {
            Some(name) => file_at(root, Path::new(name)),
            None => match file_at(root, Path::new(&path)) {
                // Tables made on another system part folders otherwise.
                Err(Trouble::Missing) if path.contains('\\') => file_at(root, Path::new(&path.replace('\\', "/"))),
                found => found,
            },
        },
    }
}

/// Refuses a path that leaves the dataset by its words.
fn within(path: &Path) -> Result<(), Trouble> {
    if path.to_str().is_some_and(|text| text.contains("://") || text.starts_with("data:")) {
        return Err(Trouble::Refused("it is an address, and nothing is fetched".to_owned()));
    }
    for part in path.components() {
        match part {
            Component::Normal(_) | Component::CurDir => {}
            Component::ParentDir => return Err(Trouble::Refused("the path climbs out of the dataset".to_owned())),
            Component::RootDir | Component::Prefix(_) => {
                return Err(Trouble::Refused("the path is absolute, not within the dataset".to_owned()));
            }
        }
    }
    Ok(())
}

fn file_at(root: &Path, path: &Path) -> Result<Found<'static>, Trouble> {
    within(path)?;
    let full = root.join(path);
    let real = full.canonicalize().map_err(|error| unreadable(&error))?;
    if !real.starts_with(root) {
        return Err(Trouble::Refused("a link leads out of the dataset".to_owned()));
    }
    let meta = fs::metadata(&real).map_err(|error| unreadable(&error))?;
    // A pipe or a device would be read for ever.
    if !meta.is_file() {
        return Err(Trouble::Refused("it is no plain file".to_owned()));
    }
    Ok(Found::File(real, meta))
}

/// The true path of a picture that is a file; `None` where it is none, or is refused.
pub fn picture_file(dataset: &Dataset, field: usize, id: SampleId) -> Option<PathBuf> {
    match find(dataset, field, id) {
        Ok(Found::File(path, _)) if dataset.blob(field, id).is_none() => Some(path),
        _ => None,
    }
}

/// Reads one member of an archive, up to `most` bytes.
///
/// # Errors
/// [`Trouble`].
pub fn read_member(archive: &Archive, member: &Member, most: u64) -> Result<Vec<u8>, Trouble> {
    if let MemberPacking::Refused(why) = &member.packing {
        return Err(Trouble::Refused(why.clone()));
    }
    if member.size > most || member.packed > most {
        return Err(too_large(member.size.max(member.packed)));
    }
    let (size, packed) = (usize::try_from(member.size).unwrap_or(0), usize::try_from(member.packed).unwrap_or(0));
    if let Some(held) = &archive.held {
        let start = usize::try_from(member.start).unwrap_or(usize::MAX);
        let bytes = start.checked_add(size).and_then(|end| held.get(start..end));
        return bytes.map(<[u8]>::to_vec).ok_or_else(|| Trouble::Broken("the archive is torn".to_owned()));
    }
    if stamp(&archive.path) != Some(archive.stamp) {
        return Err(Trouble::Unreadable("the archive was changed since it was opened: open it again".to_owned()));
    }
    let torn = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::UnexpectedEof => Trouble::Broken("the archive is torn".to_owned()),
        _ => unreadable(&error),
    };
    let mut file = File::open(&archive.path).map_err(torn)?;
    let mut start = member.start;
    if member.packing != MemberPacking::Plain {
        let mut header = [0; 30];
        file.seek(SeekFrom::Start(start)).and_then(|_| file.read_exact(&mut header)).map_err(torn)?;
        if !header.starts_with(b"PK\x03\x04") {
            return Err(Trouble::Broken("its entry in the archive is damaged".to_owned()));
        }
        let two = |at: usize| u64::from(u16::from_le_bytes([header[at], header[at + 1]]));
        start += 30 + two(26) + two(28);
    }
    file.seek(SeekFrom::Start(start)).map_err(torn)?;
    if member.packing == MemberPacking::Deflated {
        let mut bytes = Vec::with_capacity(size.min(packed.saturating_mul(8) + 1_024).min(SMALL));
        let inflate = flate2::read::DeflateDecoder::new(file.take(member.packed));
        // What it says it unpacks to is the most that it may.
        let read = inflate.take(member.size.saturating_add(1)).read_to_end(&mut bytes);
        read.map_err(|_| Trouble::Broken("its packing in the archive is damaged".to_owned()))?;
        if bytes.len() != size {
            return Err(Trouble::Broken("it unpacks to another size than the archive says".to_owned()));
        }
        return checked(bytes, member);
    }
    // What is claimed is believed no further than it has arrived.
    let mut bytes = Vec::with_capacity(packed.min(SMALL));
    file.take(member.packed).read_to_end(&mut bytes).map_err(torn)?;
    if bytes.len() == packed { checked(bytes, member) } else { Err(Trouble::Broken("the archive is torn".to_owned())) }
}

/// Holds a member's bytes against its checksum.
fn checked(bytes: Vec<u8>, member: &Member) -> Result<Vec<u8>, Trouble> {
    let mut sum = flate2::Crc::new();
    sum.update(&bytes);
    if member.sum.is_some_and(|wanted| wanted != sum.sum()) {
        return Err(Trouble::Broken("its bytes do not fit the archive's checksum".to_owned()));
    }
    Ok(bytes)
}
