//! Datasets as commands save them: to where `-o` says, as the other options say.

use std::io::Write;
use std::path::Path;

use super::Failure;
use super::arguments::Arguments;
use super::said::{Done, note, say};
use crate::data::{Dataset, Format, Role};
use crate::io::{self, ImageTarget, Layout, Rows, SaveTarget, Transfer};
use crate::job::{Progress, guarded};

/// How images are to be saved as folders; `None` where a table is meant.
///
/// # Errors
/// An option's value is off.
pub fn image_target(arguments: &Arguments, dataset: &Dataset, folder: &Path) -> Result<Option<ImageTarget>, Failure> {
    let layout = match arguments.get("--images") {
        Some("classes") => Layout::Classes,
        Some("paths") => Layout::Paths,
        Some(other) => return Err(format!("--images takes classes or paths, not {other:?}")),
        None if !dataset.base.origin.format.is_of_images() => return Ok(None),
        None if dataset.with_role(Role::is_label).is_some() => Layout::Classes,
        None => Layout::Paths,
    };
    let transfer = if arguments.has("--link") { Transfer::Link } else { Transfer::Copy };
    Ok(Some(ImageTarget { folder: folder.to_owned(), layout, transfer }))
}

/// Saves a dataset to where `-o` says, as the other options say.
///
/// # Errors
/// Why it cannot be saved.
pub fn save(arguments: &Arguments, dataset: &Dataset, err: &mut dyn Write) -> Done {
    let path = arguments.need_path("-o")?.to_owned();
    let (named, packing) = io::format_to_save(&path, dataset.base.origin.format);
    let format = match arguments.get("--format") {
        Some(name) => {
            Format::tables().find(|format| format.ending() == name || format.title().eq_ignore_ascii_case(name)).ok_or_else(
                || format!("there is no format called {name:?}; there are csv, tsv, json, jsonl, parquet, arrow, arrows"),
            )?
        }
        // What promises nothing keeps the source's format; so does `.txt`, which CSV files are often called.
        None => named.unwrap_or(dataset.base.origin.format),
    };
    let rows = if arguments.has("--with-excluded") { Rows::All } else { Rows::Kept };
    let table = named.is_some() || arguments.has("--format");
    let images = if arguments.has("--images") || !table { image_target(arguments, dataset, &path)? } else { None };
    if let Some(target) = images {
        let report = io::export_images(dataset, &[(String::new(), rows)], &target, &Progress::silent()).map_err(say)?;
        note(err, &format!("{}: {} samples, {} bytes", target.folder.display(), report.rows, report.bytes));
        report.notes.iter().for_each(|text| note(err, text));
        return Ok(());
    }
    let target = SaveTarget {
        path,
        format,
        packing,
        own_columns: arguments.has("--own-columns"),
        utf8: arguments.has("--utf8"),
        safe: arguments.has("--safe-for-spreadsheets"),
    };
    let report = guarded(|| io::export(dataset, &rows, &target, &Progress::silent())).map_err(say)?.map_err(say)?;
    note(err, &format!("{}: {} samples, {} bytes", target.path.display(), report.rows, report.bytes));
    report.notes.iter().for_each(|text| note(err, text));
    Ok(())
}
