//! `LabelMe`: a JSON file a picture, with shapes: rectangles (two corners in any order), circles (centre and rim), polygons, lines, points.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::folder::{LaidFolder, PicturePlaces, has_ending};
use super::{LaidTable, LaidText};
use crate::io::error::IoError;

/// Whether a text is one of them.
pub fn is(file: &LaidText<'_>) -> bool {
    let head = file.text.trim_start();
    let first_line = head.lines().next().unwrap_or_default();
    let lines = serde_json::from_str::<serde::de::IgnoredAny>(first_line).is_ok() && head.trim_end().len() > first_line.len();
    head.starts_with('{')
        && !lines
        && head.contains("\"shapes\"")
        && head.contains("\"imagePath\"")
        && head.contains("\"points\"")
}

/// Whether a folder holds them.
pub fn is_folder(path: &Path) -> bool {
    let own = |path: &Path| {
        use std::io::Read as _;
        let mut head = Vec::new();
        let read = std::fs::File::open(path).and_then(|file| file.take(1 << 16).read_to_end(&mut head));
        read.is_ok() && is(&LaidText { name: "", text: &String::from_utf8_lossy(&head) })
    };
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|ending| ending == "json") && path.is_file()).collect();
    files.sort();
    files.iter().take(3).any(|path| own(path))
}

/// Reads a folder of them.
///
/// # Errors
/// [`IoError`].
pub fn read_folder(folder: &mut LaidFolder<'_>) -> Result<LaidTable, IoError> {
    let files = folder.list("")?;
    let places = PicturePlaces::of(&files);
    let mut table = LaidTable { first: vec!["image"], ..LaidTable::default() };
    for file in files.iter().filter(|file| has_ending(file, "json")) {
        let text = folder.text(file)?;
        if !is(&LaidText { name: file, text: &text }) {
            table.note(0, format!("{file} is none of LabelMe's: it is left out"));
            continue;
        }
        let within = file.rsplit_once('/').map_or("", |(folder, _)| folder);
        match picture(&text, &|name| places.find(name, &[within]).unwrap_or_else(|| name.to_owned())) {
            Ok(row) => table.rows.push(row),
            Err(reason) => table.note(0, format!("{file}: {reason}: it is left out")),
        }
    }
    Ok(table)
}

/// Reads one file.
///
/// # Errors
/// A line.
pub fn read(file: &LaidText<'_>, _: &str) -> Result<LaidTable, String> {
    let row = picture(file.text, &|name| name.replace('\\', "/"))?;
    Ok(LaidTable { rows: vec![row], first: vec!["image"], ..LaidTable::default() })
}

fn picture(text: &str, find: &dyn Fn(&str) -> String) -> Result<Map<String, Value>, String> {
    let whole: Map<String, Value> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let mut row = Map::new();
    row.insert("image".to_owned(), json!(find(whole.get("imagePath").and_then(Value::as_str).unwrap_or_default())));
    let mut lists: Map<String, Value> = Map::new();
    lists.insert("objects".to_owned(), Value::Array(Vec::new()));
    for shape in whole.get("shapes").and_then(Value::as_array).into_iter().flatten() {
        let points: Vec<(f64, f64)> = shape["points"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|point| Some((point[0].as_f64()?, point[1].as_f64()?)))
            .collect();
        let kind = shape["shape_type"].as_str().unwrap_or("polygon");
        let (column, mut thing) = match (kind, points.as_slice()) {
            ("rectangle", [a, b]) => {
                ("objects", json!({"bbox": [a.0.min(b.0), a.1.min(b.1), (a.0 - b.0).abs(), (a.1 - b.1).abs()]}))
            }
            ("circle", [centre, rim]) => {
                let radius = (rim.0 - centre.0).hypot(rim.1 - centre.1);
                ("objects", json!({"bbox": [centre.0 - radius, centre.1 - radius, radius * 2.0, radius * 2.0], "circle": true}))
            }
            ("point", [point]) => ("points", json!({"xy": [point.0, point.1]})),
            ("polygon", _) => ("polygons", json!({"points": shape["points"]})),
            _ => ("shapes", json!({"kind": kind, "points": shape["points"]})),
        };
        thing["label"] = shape["label"].clone();
        for name in ["group_id", "description"] {
            if let Some(value) = shape.get(name).filter(|value| !value.is_null() && value.as_str() != Some("")) {
                thing[name] = value.clone();
            }
        }
        if let Some(list) = lists.entry(column).or_insert_with(|| Value::Array(Vec::new())).as_array_mut() {
            list.push(thing);
        }
    }
    row.extend(lists);
    for (name, flag) in whole.get("flags").and_then(Value::as_object).into_iter().flatten() {
        super::put(&mut row, name, "flag", flag.clone());
    }
    for (from, name) in [("imageWidth", "width"), ("imageHeight", "height")] {
        if let Some(value) = whole.get(from).filter(|value| !value.is_null()) {
            row.insert(name.to_owned(), value.clone());
        }
    }
    Ok(row)
}
