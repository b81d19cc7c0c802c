//! Pascal VOC: an XML file a picture under `Annotations`, parts of the split as lists of names under `ImageSets/Main`. Corners count from 1 and include
//! the last pixel there; they are turned into boxes from 0.

use std::collections::HashMap;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::LaidTable;
use super::folder::{LaidFolder, PicturePlaces, file_stem, has_ending, is_picture};
use super::xml::{XmlElement, parse_xml};
use crate::io::error::IoError;
use crate::io::read::shards::is_part;

/// Whether a folder is laid so.
pub fn is_folder(path: &Path) -> bool {
    let entries = std::fs::read_dir(path.join("Annotations"));
    entries.is_ok_and(|entries| entries.flatten().any(|entry| entry.path().extension().is_some_and(|ending| ending == "xml")))
}

/// Reads it. A picture that no file tells of is a sample without objects.
///
/// # Errors
/// [`IoError`].
pub fn read_folder(folder: &mut LaidFolder<'_>) -> Result<LaidTable, IoError> {
    let files = folder.list("")?;
    let places = PicturePlaces::of(&files);
    let mut parts: HashMap<String, String> = HashMap::new();
    for list in
        files.iter().filter(|file| file.starts_with("ImageSets/Main/") && has_ending(file, "txt") && is_part(file_stem(file)))
    {
        for name in folder.text(list)?.lines().filter_map(|line| line.split_whitespace().next()) {
            parts.insert(name.to_owned(), file_stem(list).to_owned());
        }
    }
    let mut table = LaidTable { first: vec!["image", "split", "objects"], ..LaidTable::default() };
    let mut told: std::collections::HashSet<String> = std::collections::HashSet::new();
    for file in files.iter().filter(|file| file.starts_with("Annotations/") && has_ending(file, "xml")) {
        let text = folder.text(file)?;
        let picture = match parse_xml(&text) {
            Ok(picture) => picture,
            Err(reason) => {
                table.note(0, format!("{file}: {reason}: it is left out"));
                continue;
            }
        };
        let named = picture.child("filename").map(XmlElement::text).filter(|name| !name.is_empty());
        let stem = file_stem(file).to_owned();
        let found = named.as_deref().and_then(|name| places.find(name, &["JPEGImages", "images"]));
        let found = found.or_else(|| {
            ["jpg", "jpeg", "png"].iter().find_map(|ending| places.find(&format!("{stem}.{ending}"), &["JPEGImages", "images"]))
        });
        let path = found.clone().or(named).unwrap_or_else(|| format!("{stem}.jpg"));
        if found.is_none() {
            table.note(0, format!("{file} names {path}, which is not there"));
        }
        told.insert(path.clone());
        let objects: Vec<Value> = picture.children_of("object").filter_map(object).collect();
        table.rows.push(row(&path, parts.get(&stem), objects));
    }
    // Masks lie in folders of their own.
    let own = files.iter().any(|file| file.starts_with("JPEGImages/"));
    let is_own = |file: &&String| is_picture(file) && (!own || file.starts_with("JPEGImages/")) && !told.contains(*file);
    let untold: Vec<&String> = files.iter().filter(is_own).collect();
    if !untold.is_empty() {
        table.note(0, format!("{} pictures have no annotation: they are samples without objects", untold.len()));
    }
    for path in untold {
        table.rows.push(row(path, parts.get(file_stem(path)), Vec::new()));
    }
    Ok(table)
}

fn row(path: &str, part: Option<&String>, objects: Vec<Value>) -> Map<String, Value> {
    let mut row = Map::new();
    row.insert("image".to_owned(), json!(path));
    if let Some(part) = part {
        row.insert("split".to_owned(), json!(part));
    }
    row.insert("objects".to_owned(), Value::Array(objects));
    row
}

/// An object as a box from 0 with its size.
fn object(element: &XmlElement) -> Option<Value> {
    let corners = element.child("bndbox")?;
    let side = |name: &str| corners.child(name).and_then(|side| side.text().trim().parse::<f64>().ok());
    let (left, top, right, bottom) = (side("xmin")?, side("ymin")?, side("xmax")?, side("ymax")?);
    let yes = |name: &str| element.child(name).is_some_and(|said| said.text().trim() == "1");
    let label = element.child("name").map(XmlElement::text).unwrap_or_default();
    Some(json!({
        "bbox": [left - 1.0, top - 1.0, right - left + 1.0, bottom - top + 1.0],
        "label": label, "difficult": yes("difficult"), "truncated": yes("truncated"),
    }))
}
