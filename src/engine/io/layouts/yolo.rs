//! YOLO: pictures under `images`, a text file of the same name under `labels` with a class number and shares of the picture a line, and class names
//! in `data.yaml` or `classes.txt`. A picture without a text file is one without objects.

use std::collections::HashMap;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::LaidTable;
use super::folder::{LaidFolder, file_stem, has_ending, is_picture};
use super::yaml::yaml;
use crate::io::error::IoError;
use crate::io::read::shards::is_part;
use crate::pixels::read_header;

/// The most lines of label files that are told of one by one.
const TOLD: usize = 200;

/// Whether a folder is laid so.
pub fn is_folder(path: &Path) -> bool {
    let names =
        ["data.yaml", "dataset.yaml", "data.yml", "classes.txt", "obj.names"].iter().any(|name| path.join(name).is_file());
    names
        && (path.join("labels").is_dir() || ["train", "valid", "test"].iter().any(|part| path.join(part).join("labels").is_dir()))
}

/// Reads it.
///
/// # Errors
/// [`IoError`].
pub fn read_folder(folder: &mut LaidFolder<'_>) -> Result<LaidTable, IoError> {
    let files = folder.list("")?;
    let classes = classes(folder, &files)?;
    let mut table = LaidTable { first: vec!["image", "split", "objects"], ..LaidTable::default() };
    let labels: std::collections::HashSet<&String> =
        files.iter().filter(|file| file.contains("labels/") && has_ending(file, "txt")).collect();
    let lists = lists(folder, &files)?;
    let mut used = 0;
    let pictures: Vec<&String> = files.iter().filter(|file| is_picture(file)).collect();
    for picture in &pictures {
        let beside = beside(picture);
        let mut row = Map::new();
        row.insert("image".to_owned(), json!(picture));
        let listed = lists.get(&tail(picture)).cloned();
        let by_folder = picture.split('/').find(|folder| is_part(folder)).map(ToOwned::to_owned);
        if let Some(part) = listed.or(by_folder) {
            row.insert("split".to_owned(), json!(part));
        }
        let (mut objects, mut shapes) = (Vec::new(), Vec::new());
        if labels.contains(&beside) {
            used += 1;
            let size = size_of(folder.root(), picture);
            let text = folder.text(&beside)?;
            match size {
                Some(size) => lines(&text, &beside, &classes, size, (&mut objects, &mut shapes), &mut table),
                None => table.note(0, format!("{picture} is no picture that can be read: its {beside} is left out")),
            }
        }
        row.insert("objects".to_owned(), Value::Array(objects));
        if !shapes.is_empty() {
            row.insert("polygons".to_owned(), Value::Array(shapes));
        }
        table.rows.push(row);
    }
    if labels.len() > used {
        table.note(0, format!("{} label files belong to no picture that is there", labels.len() - used));
    }
    if table.rows.is_empty() {
        return Err(folder.refuse("it holds labels, and no picture"));
    }
    Ok(table)
}

/// The file of labels beside a picture: the last folder called `images` is called `labels` there.
fn beside(picture: &str) -> String {
    let stem = picture.rsplit_once('.').map_or(picture, |(stem, _)| stem);
    let in_images = stem.rfind("/images/").map(|at| (at + 1, at + 7)).or_else(|| stem.starts_with("images/").then_some((0, 6)));
    match in_images {
        Some((from, to)) => format!("{}labels{}.txt", &stem[..from], &stem[to..]),
        None => format!("labels/{}.txt", file_stem(picture)),
    }
}

/// The names of classes, by number.
fn classes(folder: &mut LaidFolder<'_>, files: &[String]) -> Result<Vec<Option<String>>, IoError> {
    for name in ["data.yaml", "dataset.yaml", "data.yml"] {
        if files.iter().any(|file| file == name) {
            let text = folder.text(name)?;
            let value = yaml(&text).map_err(|reason| folder.refuse(format!("{name}: {reason}")))?;
            let name = |value: &Value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
            match &value["names"] {
                Value::Array(list) => return Ok(list.iter().map(|class| Some(name(class))).collect()),
                Value::Object(map) => {
                    let numbered = map.iter().filter_map(|(number, class)| {
                        Some((number.parse::<usize>().ok().filter(|n| *n < 100_000)?, name(class)))
                    });
                    let mut names = Vec::new();
                    for (number, class) in numbered {
                        names.resize(names.len().max(number + 1), None);
                        names[number] = Some(class);
                    }
                    return Ok(names);
                }
                _ => {}
            }
        }
    }
    for name in ["classes.txt", "obj.names"] {
        if files.iter().any(|file| file == name) {
            let text = folder.text(name)?;
            return Ok(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(|line| Some(line.to_owned())).collect());
        }
    }
    Ok(Vec::new())
}

/// The last two parts of a path: names come again in the folders of other parts.
fn tail(path: &str) -> String {
    let mut parts: Vec<&str> = path.rsplit(['/', '\\']).take(2).collect();
    parts.reverse();
    parts.join("/")
}

/// The part of the split of each picture that a list names: `train.txt`.
fn lists(folder: &mut LaidFolder<'_>, files: &[String]) -> Result<HashMap<String, String>, IoError> {
    let mut lists = HashMap::new();
    for file in files.iter().filter(|file| !file.contains('/') && has_ending(file, "txt") && is_part(file_stem(file))) {
        let text = folder.text(file)?;
        for name in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            lists.entry(tail(name)).or_insert_with(|| file_stem(file).to_owned());
        }
    }
    Ok(lists)
}

fn size_of(root: &Path, picture: &str) -> Option<(f64, f64)> {
    use std::io::Read as _;
    // A plain file of the folder, and nothing that a link leads to elsewhere.
    let path = root.join(picture).canonicalize().ok().filter(|path| path.starts_with(root) && path.is_file())?;
    let mut head = Vec::new();
    std::fs::File::open(path).ok()?.take(1 << 18).read_to_end(&mut head).ok()?;
    let header = read_header(&head).ok()?;
    let (width, height) = header.upright();
    Some((f64::from(width), f64::from(height)))
}

/// Reads label lines: five numbers are class, centre and size; an even count of coordinates from six on is a polygon.
fn lines(
    text: &str,
    file: &str,
    classes: &[Option<String>],
    (wide, high): (f64, f64),
    (objects, shapes): (&mut Vec<Value>, &mut Vec<Value>),
    table: &mut LaidTable,
) {
    let round = |value: f64| (value * 1e4).round() / 1e4;
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let numbers: Option<Vec<f64>> =
            line.split_whitespace().map(|word| word.parse().ok().filter(|number: &f64| number.is_finite())).collect();
        let odd = |table: &mut LaidTable, why: String| {
            if table.warnings.len() < TOLD {
                table.note(0, format!("{file} line {}: {why}", at + 1));
            }
        };
        let Some(numbers) = numbers.filter(|numbers| numbers.len() >= 5) else {
            odd(table, "no class with numbers behind it".to_owned());
            continue;
        };
        let class = classes
            .iter()
            .zip(0u32..)
            .find(|(_, number)| (f64::from(*number) - numbers[0]).abs() < f64::EPSILON)
            .and_then(|(class, _)| class.clone());
        let Some(class) = class.or_else(|| classes.is_empty().then(|| numbers[0].to_string())) else {
            odd(table, format!("class {} of {}", numbers[0], classes.len()));
            continue;
        };
        let rest = &numbers[1..];
        match rest.len() {
            4 => {
                let (w, h) = (rest[2] * wide, rest[3] * high);
                objects.push(json!({"bbox": [round(rest[0] * wide - w / 2.0), round(rest[1] * high - h / 2.0), round(w), round(h)], "label": class}));
            }
            n if n >= 6 && n % 2 == 0 => {
                let points: Vec<Value> =
                    rest.chunks_exact(2).map(|point| json!([round(point[0] * wide), round(point[1] * high)])).collect();
                shapes.push(json!({"label": class, "points": points}));
            }
            n => odd(table, format!("{n} numbers behind the class: neither a box nor a polygon")),
        }
    }
}
