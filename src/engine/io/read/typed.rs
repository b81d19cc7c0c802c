//! Parquet and Arrow IPC, read in a child process.
//!
//! Their parsers panic, and once abort, on hostile files, and a few kilobytes can ask for gigabytes. So the same binary is
//! started as [`CHILD_COMMAND`], limits its own memory and processor time, reads the file, and hands the frame over as an
//! Arrow stream. Whatever happens to the child, the window lives on with a message.

use std::ffi::OsString;
use std::io::{Read as _, Seek as _, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use polars::io::mmap::MmapBytesReader;
use polars::prelude::{DataFrame, DataType, IpcReader, IpcStreamReader, IpcStreamWriter, ParquetReader, SerReader, SerWriter};

use crate::data::{Column, Format, Packing};
use crate::io::error::IoError;
use crate::io::read::budget::Budget;
use crate::io::read::sheets::{self, SheetAsked};
use crate::io::read::typed_schema::{self, Beside};
use crate::io::read::{database, pdf, source};
use crate::job::{Progress, guarded};

/// The argument that makes the program a reading child.
pub const CHILD_COMMAND: &str = "--read-typed";

/// Names the program to start as the child, where that is not the running one: for tests.
pub const CHILD_PROGRAM: &str = "LAPIDARY_PROGRAM";

/// Processor seconds that a child may use: far more than any honest file takes, and an end to any other.
const SECONDS: u64 = 900;

/// What is taken of what the child says beside the data, in bytes.
const BESIDE: u64 = 64 << 20;

/// Memory that the child's own code, stacks and pools take beside the data.
const BASELINE: u64 = 1 << 30;

/// Reads a typed file through a child process.
///
/// # Errors
/// [`IoError`]: broken, too large, unreadable.
pub fn read(
    path: &Path,
    format: Format,
    packing: Packing,
    (asked, limit): (&SheetAsked, u64),
    progress: &Progress,
) -> Result<(Vec<Column>, Beside), IoError> {
    let (frame, beside) = by_child(path, (format.ending(), format.title()), packing, (asked, limit), progress)?;
    Ok((frame.columns().iter().map(|column| Column::from_series(column.as_materialized_series())).collect(), beside))
}

/// The name of PDF, for the child and on screen.
pub const PDF: (&str, &str) = ("pdf", "PDF");

/// The text of each page of a PDF with its number, and what was noted: read through a child process.
///
/// # Errors
/// As [`read`].
pub fn pages(path: &Path, packing: Packing, limit: u64, progress: &Progress) -> Result<(Vec<(u32, String)>, Beside), IoError> {
    let (frame, beside) = by_child(path, PDF, packing, (&SheetAsked::default(), limit), progress)?;
    let torn = || IoError::Broken { path: path.to_owned(), format: PDF.1, reason: "the reader stopped unexpectedly".to_owned() };
    let column = |name: &str| frame.column(name).map(polars::prelude::Column::as_materialized_series).map_err(|_| torn());
    let (numbers, texts) = (column("page")?, column("text")?);
    let (numbers, texts) = (numbers.u32().map_err(|_| torn())?, texts.str().map_err(|_| torn())?);
    let rows = numbers.iter().zip(texts.iter()).filter_map(|(number, text)| Some((number?, text?.to_owned())));
    Ok((rows.collect(), beside))
}

/// Has a child read a file.
fn by_child(
    path: &Path,
    (ending, title): (&str, &'static str),
    packing: Packing,
    (asked, limit): (&SheetAsked, u64),
    progress: &Progress,
) -> Result<(DataFrame, Beside), IoError> {
    let broken = |reason: String| IoError::Broken { path: path.to_owned(), format: title, reason };
    let program = std::env::var_os(CHILD_PROGRAM).map(PathBuf::from).map_or_else(std::env::current_exe, Ok);
    let program = program.map_err(|error| broken(format!("the reading process could not be found: {error}")))?;
    // Through a file and not a pipe: the stream reader goes back and forth in it.
    let mut passed = tempfile::tempfile().map_err(|error| broken(format!("no temporary file could be made: {error}")))?;
    let mut said = tempfile::tempfile().map_err(|error| broken(format!("no temporary file could be made: {error}")))?;
    let handles = passed.try_clone().and_then(|out| Ok((out, said.try_clone()?)));
    let (out, err) = handles.map_err(|error| broken(error.to_string()))?;
    let mut child = Command::new(program)
        .arg(CHILD_COMMAND)
        .args([ending, packing_name(packing), &limit.to_string()])
        .arg(path)
        .args(asked.words())
        .stdin(Stdio::null())
        .stdout(Stdio::from(out))
        .stderr(Stdio::from(err))
        .spawn()
        .map_err(|error| broken(format!("the reading process could not be started: {error}")))?;
    let status = loop {
        match child.try_wait().map_err(|error| broken(error.to_string()))? {
            Some(status) => break status,
            None if progress.check().is_err() => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(IoError::Cancelled);
            }
            None => std::thread::sleep(Duration::from_millis(2)),
        }
    };
    let mut words = String::new();
    let _ = said.rewind();
    let _ = said.take(if status.success() { BESIDE } else { 4_096 }).read_to_string(&mut words);
    if !status.success() {
        return Err(verdict(path, title, &words, limit));
    }
    let beside = heard(&words);
    passed.rewind().map_err(|error| broken(error.to_string()))?;
    // What the child wrote it had read whole; a panic here would still be no more than a message.
    let frame = guarded(|| IpcStreamReader::new(std::io::BufReader::new(passed)).finish());
    let frame = frame.map_err(&broken)?.map_err(|error| broken(error.to_string()))?;
    Ok((frame, beside))
}

/// What the child said beside the frame: a line of JSON each.
fn heard(words: &str) -> Beside {
    let lines = words.lines().filter_map(|line| serde_json::from_str::<Vec<String>>(line).ok());
    let mut beside = Beside::default();
    for mut line in lines {
        match (line.len(), line.pop(), line.pop()) {
            (1, Some(note), None) => beside.notes.push(note),
            (2, Some(value), Some(key)) => beside.kept.push((key, value)),
            _ => {}
        }
    }
    beside
}

fn verdict(path: &Path, format: &'static str, said: &str, limit: u64) -> IoError {
    let first = said.lines().find(|line| !line.trim().is_empty()).unwrap_or("").trim().to_owned();
    if said.contains("memory allocation") || said.contains("apacity overflow") || first.starts_with("memory:") {
        let reason = first.strip_prefix("memory: ").map_or_else(
            || format!("reading it takes more than {} MiB, far more than its size warrants; raise the limit with --max-memory if you trust it", limit >> 20),
            ToOwned::to_owned,
        );
        return IoError::TooLarge { path: path.to_owned(), reason };
    }
    let reason = if first.is_empty() {
        "the reader stopped unexpectedly; the file is damaged".to_owned()
    } else {
        first.strip_prefix("error: ").unwrap_or(&first).to_owned()
    };
    IoError::Broken { path: path.to_owned(), format, reason }
}

fn packing_name(packing: Packing) -> &'static str {
    match packing {
        Packing::None => "none",
        Packing::Gzip => "gzip",
        Packing::Zstd => "zstd",
    }
}

/// The child's side: reads the file that `arguments` name and writes it to `out` as an Arrow stream.
///
/// # Errors
/// A line for the parent to show.
pub fn read_as_child(arguments: &[OsString], out: &mut dyn Write) -> Result<(), String> {
    let [ending, packing, limit, path, asked @ ..] = arguments else { return Err("error: four arguments are needed".to_owned()) };
    let asked = SheetAsked::of_words(asked);
    let [ending, packing, limit] = [ending, packing, limit].map(|word| word.to_string_lossy().into_owned());
    let limit: u64 = limit.parse().map_err(|_| "error: the limit is not a number".to_owned())?;
    let limits = [(rustix::process::Resource::As, limit + BASELINE), (rustix::process::Resource::Cpu, SECONDS)];
    for (resource, most) in limits {
        let most = rustix::process::Rlimit { current: Some(most), maximum: Some(most) };
        // Where the system has no such limit, the size estimate still stands.
        let _ = rustix::process::setrlimit(resource, most);
    }
    std::panic::set_hook(Box::new(|_| {}));
    let packing = match packing.as_str() {
        "gzip" => Packing::Gzip,
        "zstd" => Packing::Zstd,
        _ => Packing::None,
    };
    let path = Path::new(path);
    let progress = Progress::silent();
    let (mut frame, beside) = guarded(|| {
        let text = |error: &dyn std::fmt::Display| format!("error: {}", error.to_string().lines().next().unwrap_or_default());
        let shortened = |error: String| if error.starts_with("memory:") { error } else { text(&error) };
        if ending == Format::Sqlite.ending() {
            return database::parse(path, asked.sheet.as_deref(), limit).map_err(shortened);
        }
        let budget = Budget::new(limit, 0);
        let of_file = |error: IoError| match error {
            IoError::TooLarge { reason, .. } => format!("memory: {reason}"),
            error => text(&error),
        };
        let bytes = source::read(path, &budget, &progress).map_err(of_file)?;
        let bytes = match packing {
            Packing::None => bytes,
            packed => source::unpack(&bytes, packed, path, &budget, &progress).map_err(of_file)?,
        };
        if ending == PDF.0 {
            return pdf::parse(&bytes, limit).map_err(shortened);
        }
        let sheets = [Format::Xlsx, Format::Xls, Format::Xlsb, Format::Ods];
        if sheets.iter().any(|format| format.ending() == ending) {
            return sheets::parse(bytes, &asked, limit).map_err(shortened);
        }
        parse(bytes, &ending, limit).map_err(shortened)
    })
    .unwrap_or_else(|panic| Err(format!("error: the reader gave up on it: {}", panic.lines().next().unwrap_or_default())))?;
    let said = beside.notes.iter().map(|note| vec![note]).chain(beside.kept.iter().map(|(key, value)| vec![key, value]));
    let mut stderr = std::io::stderr();
    for line in said {
        let line = serde_json::to_string(&line).unwrap_or_default();
        writeln!(stderr, "{line}").map_err(|error| format!("error: {error}"))?;
    }
    IpcStreamWriter::new(out).finish(&mut frame).map_err(|error| format!("error: {error}"))
}

fn parse(mut bytes: Vec<u8>, ending: &str, limit: u64) -> Result<(DataFrame, Beside), String> {
    let text = |error: polars::error::PolarsError| error.to_string();
    if ending == Format::Parquet.ending() {
        let mut beside = typed_schema::parquet(&mut bytes, false)?;
        // Types that only Arrow knows are read as Parquet itself has them.
        let frame = match guarded(|| parse_parquet(&bytes, limit)) {
            Ok(Ok(frame)) => frame,
            Ok(Err(reason)) if reason.starts_with("memory:") => return Err(reason),
            refused => {
                let reason = refused.unwrap_or_else(Err).err().unwrap_or_default();
                typed_schema::parquet(&mut bytes, true)?;
                let frame = guarded(|| parse_parquet(&bytes, limit)).unwrap_or_else(Err).map_err(|_| reason.clone())?;
                beside.notes.push(format!(
                    "its columns are read as they are stored, without what the writer says of their types ({reason})"
                ));
                frame
            }
        };
        return Ok((frame, beside));
    }
    let beside = typed_schema::arrow(&mut bytes)?;
    let frame = if bytes.starts_with(b"ARROW1") {
        read_arrow(std::io::Cursor::new(bytes))
    } else {
        IpcStreamReader::new(std::io::Cursor::new(bytes)).finish()
    };
    Ok((frame.map_err(text)?, beside))
}

fn parse_parquet(bytes: &[u8], limit: u64) -> Result<DataFrame, String> {
    let text = |error: polars::error::PolarsError| error.to_string().lines().next().unwrap_or_default().to_owned();
    let mut reader = ParquetReader::new(std::io::Cursor::new(bytes));
    let meta = reader.get_metadata().map_err(text)?;
    let stated: u64 = meta.row_groups.iter().map(|group| group.total_byte_size() as u64).sum();
    let leaves = meta.row_groups.first().map_or(0, |group| group.parquet_columns().len() as u64);
    // A run of one value costs a few bytes in the file and a cell each in memory.
    let estimate = stated.max(meta.num_rows as u64 * leaves);
    if estimate > limit {
        return Err(format!(
            "memory: it says that it holds {} MiB and the limit is {} MiB; raise it with --max-memory if you trust the file",
            estimate >> 20,
            limit >> 20
        ));
    }
    reader.finish().map_err(text)
}

fn read_arrow(bytes: impl MmapBytesReader) -> polars::error::PolarsResult<DataFrame> {
    IpcReader::new(bytes).finish()
}
/// The columns of a Parquet file that was written here, with their types; `None` where it cannot be read. Strangers' files are read in the child.
pub fn types_of(path: &Path) -> Option<Vec<(String, DataType)>> {
    let mut reader = ParquetReader::new(std::fs::File::open(path).ok()?);
    let schema = reader.schema().ok()?;
    Some(schema.iter_values().map(|field| (field.name.to_string(), DataType::from_arrow_field(field))).collect())
}
