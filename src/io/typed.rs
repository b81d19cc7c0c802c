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
use polars::prelude::{DataFrame, IpcReader, IpcStreamReader, IpcStreamWriter, ParquetReader, SerReader, SerWriter};

use super::error::IoError;
use super::source;
use crate::data::{Column, Format, Packing};
use crate::job::{Progress, guarded};

/// The argument that makes the program a reading child.
pub const CHILD_COMMAND: &str = "--read-typed";

/// Names the program to start as the child, where that is not the running one: for tests.
pub const CHILD_PROGRAM: &str = "LAPIDARY_PROGRAM";

/// Processor seconds that a child may use: far more than any honest file takes, and an end to any other.
const SECONDS: u64 = 900;

/// Memory that the child's own code, stacks and pools take beside the data.
const BASELINE: u64 = 1 << 30;

/// Reads a typed file through a child process.
///
/// # Errors
/// [`IoError`]: broken, too large, unreadable.
pub fn read(path: &Path, format: Format, packing: Packing, limit: u64, progress: &Progress) -> Result<Vec<Column>, IoError> {
    let broken = |reason: String| IoError::Broken { path: path.to_owned(), format: format.title(), reason };
    let program = std::env::var_os(CHILD_PROGRAM).map(PathBuf::from).map_or_else(std::env::current_exe, Ok);
    let program = program.map_err(|error| broken(format!("the reading process could not be found: {error}")))?;
    // Through a file and not a pipe: the stream reader goes back and forth in it.
    let mut passed = tempfile::tempfile().map_err(|error| broken(format!("no temporary file could be made: {error}")))?;
    let mut said = tempfile::tempfile().map_err(|error| broken(format!("no temporary file could be made: {error}")))?;
    let handles = passed.try_clone().and_then(|out| Ok((out, said.try_clone()?)));
    let (out, err) = handles.map_err(|error| broken(error.to_string()))?;
    let mut child = Command::new(program)
        .arg(CHILD_COMMAND)
        .args([format.ending(), packing_name(packing), &limit.to_string()])
        .arg(path)
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
    if !status.success() {
        let mut words = String::new();
        let _ = said.rewind();
        let _ = said.take(4_096).read_to_string(&mut words);
        return Err(verdict(path, format, &words, limit));
    }
    passed.rewind().map_err(|error| broken(error.to_string()))?;
    // What the child wrote it had read whole; a panic here would still be no more than a message.
    let frame = guarded(|| IpcStreamReader::new(std::io::BufReader::new(passed)).finish());
    let frame = frame.map_err(&broken)?.map_err(|error| broken(error.to_string()))?;
    Ok(frame.columns().iter().map(|column| Column::from_series(column.as_materialized_series())).collect())
}

fn verdict(path: &Path, format: Format, said: &str, limit: u64) -> IoError {
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
    IoError::Broken { path: path.to_owned(), format: format.title(), reason }
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
    let [ending, packing, limit, path] = arguments else { return Err("error: four arguments are needed".to_owned()) };
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
    let mut frame = guarded(|| {
        let text = |error: &dyn std::fmt::Display| format!("error: {}", error.to_string().lines().next().unwrap_or_default());
        let bytes = source::read(path, limit, &progress).map_err(|error| text(&error))?;
        let bytes = match packing {
            Packing::None => bytes,
            packed => source::unpack(&bytes, packed, path, limit, &progress).map_err(|error| text(&error))?,
        };
        parse(bytes, &ending, limit).map_err(|error| if error.starts_with("memory:") { error } else { text(&error) })
    })
    .unwrap_or_else(|panic| Err(format!("error: the reader gave up on it: {}", panic.lines().next().unwrap_or_default())))?;
    IpcStreamWriter::new(out).finish(&mut frame).map_err(|error| format!("error: {error}"))
}

fn parse(bytes: Vec<u8>, ending: &str, limit: u64) -> Result<DataFrame, String> {
    let text = |error: polars::error::PolarsError| error.to_string();
    if ending == Format::Parquet.ending() {
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
        return reader.finish().map_err(text);
    }
    if bytes.starts_with(b"ARROW1") {
        return read_arrow(std::io::Cursor::new(bytes)).map_err(text);
    }
    IpcStreamReader::new(std::io::Cursor::new(bytes)).finish().map_err(text)
}

fn read_arrow(bytes: impl MmapBytesReader) -> polars::error::PolarsResult<DataFrame> {
    IpcReader::new(bytes).finish()
}
