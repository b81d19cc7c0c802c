//! What a typed file says of its columns, looked at before it is read: names that repeat are made different, types that cannot be read are
//! refused by the column's name, and what its writer noted beside the columns (Hugging Face's features, pandas' index) is kept. Pure; works
//! on the bytes of Parquet's footer (Thrift) and of Arrow's schema message (flatbuffers).

use arrow_format::ipc::planus::{Builder, ReadAsRoot as _};
use arrow_format::ipc::{FieldRef, Message, MessageHeader, MessageHeaderRef, MessageRef, TypeRef};
use polars::prelude::TimeZone;
use polars_parquet_format::thrift::protocol::{TCompactInputProtocol, TCompactOutputProtocol};
use polars_parquet_format::{ConvertedType, FileMetaData, LogicalType, SchemaElement};

use crate::io::read::delimited::unique_names;
use crate::io::write::typed_write::MAPS;

/// What was found beside the columns.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Beside {
    /// What was changed so that the file could be read, for a person.
    pub notes: Vec<String>,
    /// What the writer noted, by key, to be kept on saving.
    pub kept: Vec<(String, String)>,
}

impl Beside {
    fn keep_maps(&mut self, maps: &[String]) {
        if !maps.is_empty() {
            self.kept.push((MAPS.to_owned(), serde_json::json!(maps).to_string()));
        }
    }
}

/// Keys of notes that are kept: what they say is about columns by name.
const KEPT: [&str; 2] = ["huggingface", "pandas"];
/// The schema of Arrow inside a Parquet file: the same columns once more.
const ARROW_SCHEMA: &str = "ARROW:schema";
/// The most digits of a decimal.
const DIGITS: i32 = 38;
/// Memory that a footer may ask for: far above any honest one.
const FOOTER: usize = 1 << 30;

/// Looks at a Parquet file, and rewrites its footer where names repeat, or where `plain` asks for types as Parquet alone states them.
///
/// # Errors
/// A line that names the column and its type, where that cannot be read. A footer that is no footer is left to the reader.
pub fn parquet(bytes: &mut Vec<u8>, plain: bool) -> Result<Beside, String> {
    let mut beside = Beside::default();
    let Some((start, mut meta)) = footer(bytes) else { return Ok(beside) };
    let noted = meta.key_value_metadata.iter().flatten();
    beside.kept = noted
        .filter(|noted| KEPT.contains(&noted.key.as_str()))
        .filter_map(|noted| Some((noted.key.clone(), noted.value.clone()?)))
        .collect();
    let mut paths = Vec::new();
    let mut at = 1;
    let tops = meta.schema.first().and_then(|root| root.num_children).unwrap_or(0);
    let Some(renamed) = siblings(&mut meta.schema, &mut at, tops, &[], &mut paths, &mut beside.notes)? else { return Ok(beside) };
    let mut place = 1;
    let mut maps = Vec::new();
    for _ in 0..tops {
        let element = &meta.schema[place];
        let is_map = matches!(element.logical_type, Some(LogicalType::MAP(_)))
            || matches!(element.converted_type, Some(ConvertedType::MAP | ConvertedType::MAP_KEY_VALUE));
        maps.extend(is_map.then(|| element.name.clone()));
        skip(&meta.schema, &mut place, 0);
    }
    beside.keep_maps(&maps);
    if !renamed && !plain {
        return Ok(beside);
    }
    for group in &mut meta.row_groups {
        if group.columns.len() != paths.len() {
            return Ok(beside);
        }
        for (chunk, path) in group.columns.iter_mut().zip(&paths) {
            if let Some(meta) = &mut chunk.meta_data {
                meta.path_in_schema.clone_from(path);
            }
        }
    }
    if let Some(noted) = &mut meta.key_value_metadata {
        noted.retain(|noted| noted.key != ARROW_SCHEMA);
    }
    let mut out = Vec::new();
    let mut protocol = TCompactOutputProtocol::new(&mut out);
    meta.write_to_out_protocol(&mut protocol).map_err(|error| error.to_string())?;
    bytes.truncate(start);
    bytes.extend_from_slice(&out);
    bytes.extend_from_slice(&u32::try_from(out.len()).map_err(|error| error.to_string())?.to_le_bytes());
    bytes.extend_from_slice(b"PAR1");
    Ok(beside)
}

/// Where the footer begins, and what it says.
fn footer(bytes: &[u8]) -> Option<(usize, FileMetaData)> {
    let tail = bytes.len().checked_sub(8)?;
    let long = u32::from_le_bytes(bytes.get(tail..tail + 4)?.try_into().ok()?) as usize;
    let start = tail.checked_sub(long).filter(|start| *start >= 4 && bytes.ends_with(b"PAR1"))?;
    let mut protocol = TCompactInputProtocol::new(&bytes[start..tail], (long * 64).min(FOOTER));
    let meta = FileMetaData::read_from_in_protocol(&mut protocol).ok()?;
    Some((start, meta))
}

/// Goes through so many siblings from `at` on: gives those of one name different ones, and gathers the path of every leaf. `None` where the
/// schema is no tree.
fn siblings(
    schema: &mut [SchemaElement],
    at: &mut usize,
    count: i32,
    above: &[String],
    paths: &mut Vec<Vec<String>>,
    notes: &mut Vec<String>,
) -> Result<Option<bool>, String> {
    if above.len() > 64 {
        return Ok(None);
    }
    let (mut places, mut renamed) = (Vec::new(), false);
    let from = *at;
    for _ in 0..count {
        places.push(*at);
        if !skip(schema, at, 0) {
            return Ok(None);
        }
    }
    let names: Vec<String> = places.iter().map(|place| schema[*place].name.clone()).collect();
    let given = if names.iter().any(String::is_empty) && above.is_empty() || repeats(&names) {
        unique_names(&names)
    } else {
        names.clone()
    };
    for ((place, name), old) in places.iter().zip(&given).zip(&names) {
        if name != old {
            let of = if above.is_empty() { "column".to_owned() } else { format!("field of {:?}", above.join(".")) };
            notes.push(format!("another {of} is named {old:?} too: this one is called {name:?}"));
            schema[*place].name.clone_from(name);
            renamed = true;
        }
    }
    *at = from;
    for (place, name) in places.into_iter().zip(given) {
        let path: Vec<String> = above.iter().cloned().chain([name]).collect();
        readable(&schema[place], &path)?;
        let children = schema[place].num_children.unwrap_or(0);
        *at = place + 1;
        if children <= 0 {
            paths.push(path);
            continue;
        }
        match siblings(schema, at, children, &path, paths, notes)? {
            Some(inside) => renamed |= inside,
            None => return Ok(None),
        }
    }
    Ok(Some(renamed))
}

/// Steps over an element and what is in it.
fn skip(schema: &[SchemaElement], at: &mut usize, depth: usize) -> bool {
    let Some(element) = schema.get(*at).filter(|_| depth < 64) else { return false };
    *at += 1;
    (0..element.num_children.unwrap_or(0)).all(|_| skip(schema, at, depth + 1))
}

fn repeats(names: &[String]) -> bool {
    let mut seen = std::collections::HashSet::new();
    !names.iter().all(|name| seen.insert(name))
}

fn readable(element: &SchemaElement, path: &[String]) -> Result<(), String> {
    let digits = match (&element.logical_type, &element.converted_type) {
        (Some(LogicalType::DECIMAL(decimal)), _) => decimal.precision,
        (_, Some(ConvertedType::DECIMAL)) => element.precision.unwrap_or(0),
        _ => return Ok(()),
    };
    if digits <= DIGITS { Ok(()) } else { Err(wide_decimal(&path.join("."), digits)) }
}

fn wide_decimal(column: &str, digits: i32) -> String {
    format!(
        "the column {column:?} is a decimal of {digits} digits (decimal256), and {DIGITS} are the most that can be read: write it with fewer digits, or as text"
    )
}

/// Looks at an Arrow file or stream. Types that only their writer knows are read as what they are stored as.
///
/// # Errors
/// A line that names the column and its type, where that cannot be read. A schema that is none is left to the reader.
pub fn arrow(bytes: &mut Vec<u8>) -> Result<Beside, String> {
    let mut beside = Beside::default();
    name_apart(bytes, &mut beside.notes);
    let Some(message) = message(bytes) else { return Ok(beside) };
    let strange = {
        let Ok(root) = MessageRef::read_as_root(&bytes[message.clone()]) else { return Ok(beside) };
        let Ok(Some(MessageHeaderRef::Schema(schema))) = root.header() else { return Ok(beside) };
        let fields: Vec<FieldRef<'_>> = schema.fields().ok().flatten().into_iter().flatten().filter_map(Result::ok).collect();
        let names: Vec<String> = fields.iter().map(|field| name_of(*field)).collect();
        if let Some(name) = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)).map(|(_, name)| name) {
            return Err(format!("two of its columns are named {name:?}: give one of them another name"));
        }
        let is_map = |field: &FieldRef<'_>| matches!(field.type_(), Ok(Some(TypeRef::Map(_))));
        beside.keep_maps(&fields.iter().filter(|field| is_map(field)).map(|field| name_of(*field)).collect::<Vec<_>>());
        for noted in schema.custom_metadata().ok().flatten().into_iter().flatten().filter_map(Result::ok) {
            if let (Ok(Some(key)), Ok(Some(value))) = (noted.key(), noted.value())
                && KEPT.contains(&key)
            {
                beside.kept.push((key.to_owned(), value.to_owned()));
            }
        }
        let mut strange = Vec::new();
        for field in fields {
            arrow_readable(field, &name_of(field), 0, &mut strange)?;
        }
        strange
    };
    if !strange.is_empty() {
        beside.notes.extend(strange);
        // The schema stands at the beginning, and in a file's footer once more; cells, which lie between, are not touched. Without this key, a
        // type is what it is stored as.
        let tail = arrow_footer(bytes).unwrap_or(0..0);
        for range in [message, tail] {
            let places: Vec<usize> =
                memchr::memmem::find_iter(&bytes[range.clone()], EXTENSION).map(|place| range.start + place).collect();
            places.into_iter().for_each(|place| bytes[place..place + EXTENSION.len()].copy_from_slice(OTHER));
        }
    }
    Ok(beside)
}

const EXTENSION: &[u8] = b"ARROW:extension:name";
const OTHER: &[u8] = b"arrow:extension:name";

/// Gives columns of one name different ones: by another schema message. A file becomes the stream that lies within it, because its footer says
/// where everything stands.
fn name_apart(bytes: &mut Vec<u8>, notes: &mut Vec<String>) {
    let Some(place) = message(bytes) else { return };
    let Ok(Ok(mut schema)) = MessageRef::read_as_root(&bytes[place.clone()]).map(Message::try_from) else { return };
    let Some(MessageHeader::Schema(header)) = &mut schema.header else { return };
    let fields = header.fields.as_deref_mut().unwrap_or_default();
    let names: Vec<String> = fields.iter().map(|field| field.name.clone().unwrap_or_default()).collect();
    if !repeats(&names) {
        return;
    }
    for ((field, name), old) in fields.iter_mut().zip(unique_names(&names)).zip(&names) {
        if name != *old {
            notes.push(format!("another column is named {old:?} too: this one is called {name:?}"));
            field.name = Some(name);
        }
    }
    let mut builder = Builder::new();
    let written = builder.finish(&schema, None);
    let long = written.len().next_multiple_of(8);
    let mut out = Vec::with_capacity(bytes.len() + long);
    out.extend_from_slice(&u32::MAX.to_le_bytes());
    out.extend_from_slice(&u32::try_from(long).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(written);
    out.resize(8 + long, 0);
    out.extend_from_slice(&bytes[place.end..]);
    *bytes = out;
}

fn name_of(field: FieldRef<'_>) -> String {
    field.name().ok().flatten().unwrap_or_default().to_owned()
}

/// The first message's place.
fn message(bytes: &[u8]) -> Option<std::ops::Range<usize>> {
    let mut at = if bytes.starts_with(b"ARROW1") { 8 } else { 0 };
    let word = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    if word(at)? == u32::MAX {
        at += 4;
    }
    let long = word(at)? as usize;
    let end = (at + 4).checked_add(long)?;
    (end <= bytes.len()).then_some(at + 4..end)
}

/// The place of a file's footer; a stream has none.
fn arrow_footer(bytes: &[u8]) -> Option<std::ops::Range<usize>> {
    let end = bytes.len().checked_sub(10).filter(|_| bytes.starts_with(b"ARROW1") && bytes.ends_with(b"ARROW1"))?;
    let long = u32::from_le_bytes(bytes[end..end + 4].try_into().ok()?) as usize;
    Some(end.checked_sub(long)?..end)
}

fn arrow_readable(field: FieldRef<'_>, path: &str, depth: usize, strange: &mut Vec<String>) -> Result<(), String> {
    let refuse = |what: &str| {
        Err(format!("the column {path:?} is of the type {what}, which cannot be read: write it as another type, or leave it out"))
    };
    for noted in field.custom_metadata().ok().flatten().into_iter().flatten().filter_map(Result::ok) {
        if let (Ok(Some("ARROW:extension:name")), Ok(Some(name))) = (noted.key(), noted.value()) {
            strange.push(format!("{path:?} is of its writer's own type {name:?}: it is shown as it is stored"));
        }
    }
    match field.type_() {
        Ok(Some(TypeRef::Decimal(decimal))) => {
            let digits = decimal.precision().unwrap_or(0);
            if decimal.bit_width().is_ok_and(|bits| bits > 128) || digits > DIGITS {
                return Err(wide_decimal(path, digits));
            }
        }
        Ok(Some(TypeRef::Union(_))) => return refuse("union"),
        Ok(Some(TypeRef::Interval(_))) => return refuse("interval"),
        Ok(Some(TypeRef::RunEndEncoded(_))) => return refuse("run-end encoded"),
        Ok(Some(TypeRef::ListView(_) | TypeRef::LargeListView(_))) => return refuse("list view"),
        Ok(Some(TypeRef::FloatingPoint(float))) if float.precision().is_err() => {
            return refuse("floating point of unknown width");
        }
        Ok(Some(TypeRef::Timestamp(time))) => {
            let zone = time.timezone().ok().flatten().unwrap_or_default();
            if !zone.is_empty() && TimeZone::opt_try_new(Some(zone)).is_err() {
                return refuse(&format!("timestamp of {zone:?}, a time zone that is not known"));
            }
        }
        Ok(_) => {}
        Err(_) => return refuse("one newer than this program"),
    }
    if depth > 64 {
        return refuse("too deeply nested");
    }
    let children: Vec<FieldRef<'_>> = field.children().ok().flatten().into_iter().flatten().filter_map(Result::ok).collect();
    let names: Vec<String> = children.iter().map(|child| name_of(*child)).collect();
    if matches!(field.type_(), Ok(Some(TypeRef::Struct(_)))) && repeats(&names) {
        return refuse("struct with two fields of one name");
    }
    children
        .into_iter()
        .zip(names)
        .try_for_each(|(child, name)| arrow_readable(child, &format!("{path}.{name}"), depth + 1, strange))
}
