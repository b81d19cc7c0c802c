//! COCO: one JSON with pictures, what stands in them, and the classes by number (with gaps). A picture is a sample; one without an annotation is too.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::folder::{LaidFolder, PicturePlaces, file_stem};
use super::{LaidTable, LaidText};
use crate::io::error::IoError;
use crate::io::read::shards::is_part;

/// The most that is told of annotations without a picture, one by one.
const TOLD: usize = 20;

/// Whether a text is annotations in this form: one object with a list of pictures that have numbers and file names, and what is said of them by those numbers.
pub fn is(file: &LaidText<'_>) -> bool {
    let text = file.text.trim_start_matches('\u{feff}').trim_start();
    // Lines of JSON are many objects.
    let first_line = text.lines().next().unwrap_or_default();
    let lines = serde_json::from_str::<serde::de::IgnoredAny>(first_line).is_ok() && text.trim_end().len() > first_line.len();
    if !text.starts_with('{') || lines {
        return false;
    }
    let pictures = text
        .find("\"images\"")
        .is_some_and(|at| text[at + 8..].trim_start().trim_start_matches(':').trim_start().starts_with('['));
    let told = text.contains("\"image_id\"") && (text.contains("\"category_id\"") || text.contains("\"caption\""));
    // The beginning of a large file may hold nothing but pictures.
    pictures && text.contains("\"file_name\"") && (told || text.len() > 60_000)
}

/// Whether a folder holds such a file: in itself, or in its `annotations`.
pub fn is_folder(path: &Path) -> bool {
    !files(path).is_empty()
}

/// The JSON files of a folder that are annotations.
fn files(path: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in [path.join("annotations"), path.to_owned()] {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let file = entry.path();
            let is_json = file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json"));
            if is_json && file.is_file() && beginning(&file).is_some_and(|text| is(&LaidText { name: "", text: &text })) {
                found.push(file);
            }
        }
        if !found.is_empty() {
            break;
        }
    }
    found.sort_unstable();
    found
}

fn beginning(path: &Path) -> Option<String> {
    use std::io::Read as _;
    let mut head = Vec::new();
    std::fs::File::open(path).ok()?.take(1 << 16).read_to_end(&mut head).ok()?;
    Some(String::from_utf8_lossy(&head).into_owned())
}

/// Reads a folder: every file of annotations, its pictures where they lie.
///
/// # Errors
/// [`IoError`].
pub fn read_folder(folder: &mut LaidFolder<'_>) -> Result<LaidTable, IoError> {
    let root = folder.root().to_owned();
    let listed = folder.list("")?;
    let places = PicturePlaces::of(&listed);
    let files: Vec<String> = files(&root)
        .iter()
        .filter_map(|file| file.strip_prefix(&root).ok())
        .map(|file| file.to_string_lossy().replace('\\', "/"))
        .collect();
    let mut table = LaidTable { first: vec!["image", "split"], ..LaidTable::default() };
    let several = files.len() > 1;
    for file in &files {
        let stem = file_stem(file);
        // `instances_train2017`: the folder of its pictures, and its part of the split.
        let folder_name = stem.rsplit_once('_').map_or(stem, |(_, name)| name);
        let part = folder_name.trim_end_matches(|letter: char| letter.is_ascii_digit());
        let text = folder.text(file)?;
        let folders =
            [folder_name, part, "images", &format!("images/{folder_name}"), &format!("images/{part}")].map(str::to_owned);
        let folders: Vec<&str> = folders.iter().map(String::as_str).collect();
        let find = |name: &str| places.find(name, &folders).unwrap_or_else(|| name.to_owned());
        let split = Some(part).filter(|part| is_part(part) && several);
        pictures_of(&text, split, &find, &mut table).map_err(|reason| folder.refuse(format!("{file}: {reason}")))?;
    }
    let absent = table
        .rows
        .iter()
        .filter(|row| row.get("image").and_then(Value::as_str).is_some_and(|path| !root.join(path).is_file()))
        .count();
    if absent > 0 {
        table.note(0, format!("{absent} pictures are named and not there"));
    }
    Ok(table)
}

/// Reads one file of annotations.
///
/// # Errors
/// A line.
pub fn read(file: &LaidText<'_>, _: &str) -> Result<LaidTable, String> {
    let mut table = LaidTable { first: vec!["image"], ..LaidTable::default() };
    pictures_of(file.text.trim_start_matches('\u{feff}'), None, &ToOwned::to_owned, &mut table)?;
    Ok(table)
}

fn pictures_of(text: &str, split: Option<&str>, find: &dyn Fn(&str) -> String, table: &mut LaidTable) -> Result<(), String> {
    let whole: Map<String, Value> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let list = |name: &str| whole.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let key = |value: &Value| value.to_string();
    let classes: HashMap<String, &str> =
        list("categories").iter().filter_map(|class| Some((key(&class["id"]), class["name"].as_str()?))).collect();
    let mut of: HashMap<String, Vec<&Value>> = HashMap::new();
    for annotation in list("annotations") {
        of.entry(key(&annotation["image_id"])).or_default().push(annotation);
    }
    let boxed = list("annotations").iter().any(|annotation| annotation["bbox"].is_array());
    let captioned = list("annotations").iter().any(|annotation| annotation["caption"].is_string());
    let mut strange = 0;
    for picture in list("images") {
        let mut row = Map::new();
        let name = picture["file_name"].as_str().unwrap_or_default();
        row.insert("image".to_owned(), json!(find(name)));
        if let Some(split) = split {
            row.insert("split".to_owned(), json!(split));
        }
        let own = of.remove(&key(&picture["id"])).unwrap_or_default();
        if captioned {
            let said: Vec<&str> = own.iter().filter_map(|annotation| annotation["caption"].as_str()).collect();
            row.insert("captions".to_owned(), json!(said));
        }
        if boxed || !captioned {
            let things = own.iter().filter(|annotation| annotation["caption"].is_null()).map(|annotation| {
                let class = classes.get(&key(&annotation["category_id"]));
                strange += usize::from(class.is_none());
                thing(annotation, class.copied())
            });
            row.insert("objects".to_owned(), things.collect());
        }
        for name in ["id", "width", "height"] {
            if let Some(value) = picture.get(name) {
                row.insert(name.to_owned(), value.clone());
            }
        }
        table.rows.push(row);
    }
    if strange > 0 {
        table
            .note(0, format!("{strange} annotations are of a class that the list of classes does not have: they have none here"));
    }
    let mut left: Vec<(String, String)> = of
        .into_iter()
        .flat_map(|(picture, list)| list.into_iter().map(move |annotation| (key(&annotation["id"]), picture.clone())))
        .collect();
    left.sort();
    let n = left.len();
    for (annotation, picture) in left.into_iter().take(TOLD) {
        table.note(0, format!("annotation {annotation} names image {picture}, which is not there"));
    }
    if n > TOLD {
        table.note(0, format!("{} more annotations name images that are not there", n - TOLD));
    }
    Ok(())
}

/// What stands in a picture: its box, its class, and what else is said of it.
fn thing(annotation: &Value, class: Option<&str>) -> Value {
    let mut thing = Map::new();
    thing.insert("bbox".to_owned(), annotation["bbox"].clone());
    thing.insert("label".to_owned(), json!(class));
    thing.insert("crowd".to_owned(), json!(annotation["iscrowd"].as_i64() == Some(1)));
    for name in ["segmentation", "keypoints", "score"] {
        if let Some(value) = annotation.get(name) {
            thing.insert(name.to_owned(), value.clone());
        }
    }
    Value::Object(thing)
}
