//! Archives of images: ZIP, tar, and tar packed with gzip or zstd. Members are listed once and read where they stand; nothing is
//! unpacked to disk. A tar whose files share names before the first dot is read as `WebDataset` has it.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek};
use std::path::Path;
use std::sync::Arc;

use super::error::IoError;
use super::folder::{Listed, TABLES, columns_of, fingerprint, text_column};
use super::open::{Reading, open_text};
use crate::data::{Archive, Base, Column, Dataset, Format, Member, MemberPacking, Origin, Packing, PictureStore, Warning};
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
    progress: &Progress,
) -> Result<Dataset, IoError> {
    let broken = |reason: String| IoError::Broken { path: path.to_owned(), format: format.title(), reason };
    let size = std::fs::metadata(path).map_or(0, |meta| meta.len());
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
    let mut members: HashMap<String, Member> = HashMap::new();
    let (mut names, mut warnings, mut twice) = (Vec::new(), Vec::new(), 0_usize);
    for (name, member) in listed {
        let hidden =
            name.split('/').any(|part| part.starts_with('.') && part != ".." && part != ".") || name.starts_with("__MACOSX/");
        if !hidden {
            if !members.contains_key(&name) {
                names.push(name.clone());
            } else {
                twice += 1;
            }
            // As in unpacking, the last of a name is the one.
            members.insert(name, member);
        }
    }
    let note = |reason: String| Warning { line: 0, reason };
    if twice > 0 {
        warnings.push(note(format!("{twice} names stand in the archive more than once: the last of each was taken")));
    }
    names.sort_unstable();
    let table = names
        .iter()
        .filter(|name| TABLES.iter().take(2).any(|table| *name == table || name.ends_with(&format!("/{table}"))))
        .min_by_key(|name| name.len())
        .cloned();
    let mut archive = Archive { path: path.to_owned(), held, base: String::new(), members };
    if let Some(table) = table {
        let member = &archive.members[&table];
        let bytes =
            super::images::read_member(&archive, member, TABLE).map_err(|trouble| broken(format!("{table}: {trouble}")))?;
        archive.base = table[..table.len() - table.rsplit('/').next().map_or(0, str::len)].to_owned();
        let named = super::format_of_name(Path::new(&table)).0;
        let fingerprint = xxhash_rust::xxh3::xxh3_128(&bytes);
        let place = PictureStore::Archive(Arc::new(archive));
        return open_text(path, bytes, named, Packing::None, reading, fingerprint, Some(place), progress);
    }
    let (images, others): (Vec<String>, Vec<String>) = names.into_iter().partition(|name| Coding::of_name(name).is_some());
    if images.is_empty() {
        let what = "there are no images in the archive: unpack it, and open a file in it".to_owned();
        return Err(IoError::Format { path: path.to_owned(), what });
    }
    let found: Vec<Listed> = images.into_iter().map(|name| Listed { name, odd: None }).collect();
    let mut columns = columns_of(&found);
    if format == Format::Tar {
        columns.extend(beside(&archive, &found, &others, &columns));
    }
    let used = columns.len() > columns_of(&found).len();
    if !others.is_empty() && !used {
        warnings.push(note(format!("{} files whose names are no image's were left out: {} …", others.len(), others[0])));
    }
    let origin =
        Origin { path: path.to_owned(), format, packing, encoding: "UTF-8", fingerprint: fingerprint(&found), bytes: size };
    let rows = found.len();
    let pictures = PictureStore::Archive(Arc::new(archive));
    Ok(Dataset::new(Base { columns, rows, raw: None, origin, warnings, pictures, odd_names: HashMap::new() }))
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
        let member = Member { start: entry.header_start(), packed: entry.compressed_size(), size: entry.size(), packing };
        let name = entry.name().map_or_else(|_| String::from_utf8_lossy(entry.name_raw()).into_owned(), |name| name.into_owned());
        list.push((name.replace('\\', "/"), member));
    }
    Ok(list)
}

fn list_tar(file: impl Read + Seek, progress: &Progress, broken: &dyn Fn(String) -> IoError) -> Result<Members, IoError> {
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
        let size = entry.size();
        list.push((name, Member { start: entry.raw_file_position(), packed: size, size, packing }));
    }
    if list.is_empty() {
        return Err(broken("it is torn, or holds no files".to_owned()));
    }
    Ok(list)
}

/// What stands beside each image under the same name, as `WebDataset` writes it: `key.cls`, `key.txt`, `key.json`.
fn beside(archive: &Archive, found: &[Listed], others: &[String], known: &[Column]) -> Vec<Column> {
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
    let mut cells: BTreeMap<String, Vec<Option<String>>> = BTreeMap::new();
    for (row, listed) in found.iter().enumerate() {
        for (ending, name) in by_key.get(key(&listed.name).0).into_iter().flatten() {
            let Ok(bytes) = super::images::read_member(archive, &archive.members[*name], LONGEST) else { continue };
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let mut put = |column: &str, text: String| {
                cells.entry(column.to_owned()).or_insert_with(|| vec![None; found.len()])[row] = Some(text);
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
    let free = |name: &str| {
        (1..=u32::MAX)
            .map(|n| if n == 1 { name.to_owned() } else { format!("{name} {n}") })
            .find(|name| known.iter().all(|column| *column.name != **name))
            .unwrap_or_default()
    };
    // What says something of few pictures is clutter of another kind (a licence, a list).
    cells
        .into_iter()
        .filter(|(_, cells)| cells.iter().flatten().count() * 2 >= found.len())
        .take(super::columns::MAX_COLUMNS)
        .map(|(name, cells)| text_column(&free(&name), &cells.iter().map(Option::as_deref).collect::<Vec<_>>()))
        .collect()
}
