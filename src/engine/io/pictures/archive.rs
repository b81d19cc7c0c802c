//! Archives of images: ZIP, tar, and tar packed with gzip or zstd. Members are listed once and read where they stand; nothing is
//! unpacked to disk. A tar whose files share names before the first dot is read as `WebDataset` has it.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use crate::data::{
    Archive, Base, Column, Dataset, Format, Member, MemberPacking, Origin, Packing, PictureStore, Warning, things,
};
use crate::io::error::IoError;
use crate::io::format::format_of_name;
use crate::io::pictures::folder::{Listed, TABLES, columns_of, left_out};
use crate::io::pictures::images::{read_member, stamp};
use crate::io::read::budget::Budget;
use crate::io::read::columns::text_column;
use crate::io::read::text::{TextBytes, TextFile, open_text};
use crate::io::reading::Reading;
use crate::job::{Progress, guarded};
use crate::pixels::Coding;

/// The most bytes of a member beside an image that are read as text.
const LONGEST: u64 = 1 << 20;
/// The most bytes of a table within an archive.
const TABLE: u64 = 1 << 30;

/// Opens an archive. `held` is its unpacked bytes, where it was packed as a whole.
///
/// # Errors
/// [`IoError`].
pub fn open_archive(
    path: &Path,
    format: Format,
    packing: Packing,
    held: Option<Vec<u8>>,
    reading: &Reading,
    budget: &Budget,
    progress: &Progress,
) -> Result<Dataset, IoError> {
    let broken = |reason: String| IoError::Broken { path: path.to_owned(), format: format.title(), reason };
    let stamp = stamp(path).unwrap_or_default();
    let size = stamp.0;
    let open = || File::open(path).map(BufReader::new).map_err(|error| broken(error.to_string()));
    let list = guarded(|| match (&held, format) {
        (_, Format::Zip) => list_zip(open()?, progress, &broken),
        (Some(bytes), _) => list_tar(Cursor::new(bytes.as_slice()), progress, &broken),
        (None, _) => list_tar(open()?, progress, &broken),
    });
    let listed = list.map_err(&broken)??;
    if listed.iter().any(|(name, _)| name == "[Content_Types].xml") {
        let what = "it is a spreadsheet or a document: save the sheet as CSV".to_owned();
        return Err(IoError::Format { path: path.to_owned(), what });
    }
    let (members, mut names, mut warnings) = shown_members(listed);
    names.sort_unstable();
    let table = names
        .iter()
        .filter(|name| TABLES.iter().take(2).any(|table| *name == table || name.ends_with(&format!("/{table}"))))
        .min_by_key(|name| name.len())
        .cloned();
    let mut archive = Archive { path: path.to_owned(), held, base: String::new(), stamp, members };
    if let Some(table) = table {
        let member = &archive.members[&table];
        let bytes =
            read_member(&archive, member, TABLE.min(budget.left())).map_err(|trouble| broken(format!("{table}: {trouble}")))?;
        table[..table.len() - table.rsplit('/').next().map_or(0, str::len)].clone_into(&mut archive.base);
        let named = format_of_name(Path::new(&table)).0;
        let fingerprint = xxhash_rust::xxh3::xxh3_128(&bytes);
        let place = PictureStore::Archive(Arc::new(archive));
        let file = TextFile { bytes: TextBytes::Held(bytes), named, packing: Packing::None, fingerprint, pictures: Some(place) };
        return open_text(path, file, reading, budget, progress);
    }
    let (images, others): (Vec<String>, Vec<String>) = names.into_iter().partition(|name| Coding::of_name(name).is_some());
    if images.is_empty() {
        let what = "there are no images in the archive: unpack it, and open a file in it".to_owned();
        return Err(IoError::Format { path: path.to_owned(), what });
    }
    let found: Vec<Listed> = images.into_iter().map(|name| Listed { name, odd: None }).collect();
    let mut columns = columns_of(&found);
    if format == Format::Tar {
        columns.extend(beside(&archive, &found, &others, &columns, &mut warnings, progress)?);
    }
    let used = columns.len() > columns_of(&found).len();
    if !others.is_empty() && !used {
        let reason = left_out(others.len(), &others[0]);
        warnings.push(Warning { line: 0, reason });
    }
    let (prints, mut print) = prints_of(&archive, &found, progress)?;
    for column in &columns {
        (0..found.len()).for_each(|row| print.update(column.text(row).unwrap_or_default().as_bytes()));
    }
    let origin = Origin {
        path: path.to_owned(),
        format,
        packing,
        encoding: "UTF-8",
        fingerprint: print.digest128(),
        bytes: size,
        sheets: Vec::new(),
        sheet: None,
        layout: None,
    };
    let rows = found.len();
    let pictures = PictureStore::Archive(Arc::new(archive));
    Ok(Dataset::new(Base {
        columns,
        rows,
        raw: None,
        origin,
        warnings,
        unread: 0,
        wide: 0,
        pictures,
        prints,
        odd_names: HashMap::new(),
        provenance: 0,
        sources: Vec::new(),
        noted: Vec::new(),
    }))
}

/// The members that are shown, their names, and what to say of the others.
fn shown_members(listed: Members) -> (HashMap<String, Member>, Vec<String>, Vec<Warning>) {
    let mut members: HashMap<String, Member> = HashMap::new();
    let (mut names, mut twice) = (Vec::new(), 0_usize);
    for (name, member) in listed {
        let hidden =
            name.split('/').any(|part| part.starts_with('.') && part != ".." && part != ".") || name.starts_with("__MACOSX/");
        if !hidden {
            if members.contains_key(&name) {
                twice += 1;
            } else {
                names.push(name.clone());
            }
            // As in unpacking, the last of a name is the one.
            members.insert(name, member);
        }
    }
    let words = || format!("{twice} names stand in the archive more than once: the last of each was taken");
    let warnings = (twice > 0).then(|| Warning { line: 0, reason: words() }).into_iter().collect();
    (members, names, warnings)
}

/// A print of each picture, and of all: another picture under the same name is another sample, by its checksum where the archive has one, else
/// by its bytes.
fn prints_of(archive: &Archive, found: &[Listed], progress: &Progress) -> Result<(Vec<u64>, Xxh3), IoError> {
    let mut prints = Vec::with_capacity(found.len());
    let mut print = Xxh3::new();
    progress.set_total(found.len() as u64);
    for listed in found {
        progress.step(1)?;
        let member = &archive.members[&listed.name];
        let own = match member.sum {
            Some(sum) => u64::from(sum) << 32 | member.size & 0xffff_ffff,
            None => read_member(archive, member, u64::MAX).map_or(0, |bytes| xxh3_64(&bytes)),
        };
        prints.push(own);
        print.update(listed.name.as_bytes());
        print.update(&own.to_le_bytes());
    }
    Ok((prints, print))
}

type Members = Vec<(String, Member)>;

fn list_zip(file: impl Read + Seek, progress: &Progress, broken: &dyn Fn(String) -> IoError) -> Result<Members, IoError> {
    let mut zip = zip::ZipArchive::new(file).map_err(|error| broken(error.to_string()))?;
    let mut list = Vec::with_capacity(zip.len().min(1 << 20));
    progress.set_total(zip.len() as u64);
    for i in 0..zip.len() {
        progress.step(1)?;
        let Ok(entry) = zip.by_index_raw(i) else { continue };
        if entry.is_dir() {
            continue;
        }
        let packing = match entry.compression() {
            _ if entry.encrypted() => MemberPacking::Refused("it is encrypted".to_owned()),
            _ if entry.is_symlink() => MemberPacking::Refused("it is a link".to_owned()),
            zip::CompressionMethod::Stored => MemberPacking::Stored,
            zip::CompressionMethod::Deflated => MemberPacking::Deflated,
            other => MemberPacking::Refused(format!("it is packed by {other}")),
        };
        let (packed, sum) = (entry.compressed_size(), Some(entry.crc32()));
        let member = Member { start: entry.header_start(), packed, size: entry.size(), sum, packing };
        let name = entry.name().map_or_else(|_| String::from_utf8_lossy(entry.name_raw()).into_owned(), |name| name.into_owned());
        list.push((name.replace('\\', "/"), member));
    }
    Ok(list)
}

fn list_tar(mut file: impl Read + Seek, progress: &Progress, broken: &dyn Fn(String) -> IoError) -> Result<Members, IoError> {
    // No size is believed that goes beyond the end of the archive.
    let whole = file.seek(SeekFrom::End(0)).and_then(|whole| file.rewind().map(|()| whole));
    let whole = whole.map_err(|error| broken(error.to_string()))?;
    let mut tar = tar::Archive::new(file);
    let entries = tar.entries_with_seek().map_err(|error| broken(error.to_string()))?;
    let mut list = Vec::new();
    for entry in entries {
        progress.step(1)?;
        // Where it is torn, what came before is there all the same.
        let Ok(entry) = entry else { break };
        let kind = entry.header().entry_type();
        if kind.is_dir() {
            continue;
        }
        let name = String::from_utf8_lossy(&entry.path_bytes()).trim_start_matches("./").to_owned();
        let packing = if kind.is_file() {
            MemberPacking::Plain
        } else if kind.is_symlink() || kind.is_hard_link() {
            MemberPacking::Refused("it is a link".to_owned())
        } else {
            continue;
        };
        let (start, size) = (entry.raw_file_position(), entry.size());
        let packing = if start.saturating_add(size) > whole {
            MemberPacking::Refused(format!("it claims {size} bytes, and the archive ends before"))
        } else {
            packing
        };
        list.push((name, Member { start, packed: size, size, sum: None, packing }));
    }
    if list.is_empty() {
        return Err(broken("it is torn, or holds no files".to_owned()));
    }
    Ok(list)
}

/// The most bytes of everything that stands beside images, and the most columns that it becomes.
const BESIDE: u64 = 512 << 20;
const COLUMNS: usize = 256;

/// What stands beside each image under the same name, as `WebDataset` writes it: `key.cls`, `key.txt`, `key.json`. Only text.
fn beside(
    archive: &Archive,
    found: &[Listed],
    others: &[String],
    known: &[Column],
    warnings: &mut Vec<Warning>,
    progress: &Progress,
) -> Result<Vec<Column>, IoError> {
    /// The name up to the first dot of its last part, and what follows.
    fn key(name: &str) -> (&str, &str) {
        let last = name.rfind('/').map_or(0, |at| at + 1);
        name[last..].find('.').map_or((name, ""), |dot| (&name[..last + dot], &name[last + dot + 1..]))
    }
    let mut by_key: HashMap<&str, Vec<(&str, &String)>> = HashMap::new();
    for name in others {
        let (key, ending) = key(name);
        by_key.entry(key).or_default().push((ending, name));
    }
    // Sparse: a name that few images have costs little until it is dropped.
    let mut cells: BTreeMap<String, Vec<(usize, String)>> = BTreeMap::new();
    let (mut read, mut left_out) = (0_u64, 0_usize);
    progress.set_total(found.len() as u64);
    for (row, listed) in found.iter().enumerate() {
        progress.step(1)?;
        for (ending, name) in by_key.get(key(&listed.name).0).into_iter().flatten() {
            let member = &archive.members[*name];
            if read + member.size > BESIDE {
                left_out += 1;
                continue;
            }
            let Ok(bytes) = read_member(archive, member, LONGEST) else { continue };
            let Ok(text) = String::from_utf8(bytes) else { continue };
            if text.contains('\0') {
                continue;
            }
            read += text.len() as u64;
            let mut put = |column: &str, text: String| {
                if cells.len() < COLUMNS * 4 || cells.contains_key(column) {
                    cells.entry(column.to_owned()).or_default().push((row, text));
                }
            };
            match (*ending, serde_json::from_str::<serde_json::Value>(&text)) {
                ("cls", _) => put("label", text.trim().to_owned()),
                ("txt", _) => put("text", text.trim_end_matches(['\r', '\n']).to_owned()),
                ("json", Ok(serde_json::Value::Object(fields))) => {
                    for (name, value) in fields {
                        put(&name, value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned));
                    }
                }
                (other, _) => put(other, text),
            }
        }
    }
    if left_out > 0 {
        warnings.push(Warning {
            line: 0,
            reason: format!(
                "{} left out: together they are too large",
                things(left_out, "file beside images was", "files beside images were")
            ),
        });
    }
    let free = |name: &str| {
        (1..=u32::MAX)
            .map(|n| if n == 1 { name.to_owned() } else { format!("{name} {n}") })
            .find(|name| known.iter().all(|column| *column.name != **name))
            .unwrap_or_default()
    };
    // What says something of few pictures is clutter of another kind (a licence, a list).
    Ok(cells
        .into_iter()
        .filter(|(_, cells)| cells.len() * 2 >= found.len())
        .take(COLUMNS)
        .map(|(name, cells)| {
            let mut all: Vec<Option<&str>> = vec![None; found.len()];
            cells.iter().for_each(|(row, text)| all[*row] = Some(text));
            text_column(&free(&name), &all)
        })
        .collect())
}
