//! Bounding boxes in a cell: lists of four numbers, or objects that name their sides, or both in one structure of lists (as `objects`
//! of a Hugging Face dataset has them). In pixels of the upright picture.

use serde_json::Value;

/// One box.
#[derive(Debug, Clone, PartialEq)]
pub struct BoundingBox {
    /// The left upper corner, and how wide and high it is, in pixels.
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
    /// What is in it; empty where nothing says so.
    pub label: String,
}

/// The names of columns that hold boxes.
const NAMES: [&str; 9] =
    ["bbox", "bboxes", "box", "boxes", "objects", "annotations", "bounding_box", "bounding_boxes", "detections"];
/// The most boxes of one cell.
const MOST: usize = 2_000;

/// The boxes in the cell `json` of the column called `name`, for a picture of `width × height` pixels. Four numbers are `x, y, width,
/// height` (COCO), or two corners where the column's name says `xyxy` or where only that fits. Empty where it holds none.
pub fn boxes_of(name: &str, json: &str, size: (u32, u32)) -> Vec<BoundingBox> {
    let Some((_, written)) = read(name, json, size) else { return Vec::new() };
    written.boxes(size).into_iter().flatten().collect()
}

/// Whether a column of this name may hold boxes.
pub fn names_boxes(name: &str) -> bool {
    let name = name.to_lowercase();
    NAMES.iter().any(|known| name == *known || name.starts_with(&format!("{known}_")) || name.ends_with(&format!("_{known}")))
}

/// Boxes as a cell has them, and in which way.
pub(super) struct Written {
    pub found: Vec<([f64; 4], bool, String)>,
    /// All within 0 to 1, and not all whole: parts of the picture.
    pub parts: bool,
    /// Two corners rather than a corner and a size.
    pub corners: bool,
}

pub(super) fn read(name: &str, json: &str, (width, height): (u32, u32)) -> Option<(Value, Written)> {
    if !names_boxes(name) {
        return None;
    }
    let name = name.to_lowercase();
    let value = serde_json::from_str::<Value>(json).ok()?;
    let mut found: Vec<([f64; 4], bool, String)> = Vec::new();
    gather(&value, &mut found);
    found.truncate(MOST);
    let parts = found.iter().all(|(b, ..)| b.iter().all(|value| (0.0..=1.0).contains(value)))
        && found.iter().any(|(b, ..)| b.iter().any(|value| value.fract() != 0.0));
    let (wide, high) = (f64::from(width), f64::from(height));
    let (most_x, most_y) = if parts { (1.001, 1.001) } else { (wide + 1.0, high + 1.0) };
    // As `x, y, width, height` some would leave the picture, as corners none does: they are corners.
    let leaves = |b: &[f64; 4]| b[0] + b[2] > most_x || b[1] + b[3] > most_y;
    let fits = |b: &[f64; 4]| b[2] >= b[0] && b[3] >= b[1] && b[2] <= most_x && b[3] <= most_y;
    let plain = || found.iter().filter(|(_, corners, _)| !corners);
    let corners = name.contains("xyxy") || plain().any(|(b, ..)| leaves(b)) && plain().all(|(b, ..)| fits(b));
    Some((value, Written { found, parts, corners }))
}

impl Written {
    /// One a place; `None` for what is no box.
    pub fn boxes(&self, (width, height): (u32, u32)) -> Vec<Option<BoundingBox>> {
        let (wide, high) = (f64::from(width), f64::from(height));
        let one = |(b, named_corners, label): &([f64; 4], bool, String)| {
            let scale = |value: f64, side: f64| if self.parts { value * side } else { value };
            let [a, b, c, d] = [scale(b[0], wide), scale(b[1], high), scale(b[2], wide), scale(b[3], high)];
            let (width, height) = if self.corners || *named_corners { (c - a, d - b) } else { (c, d) };
            let sound = [a, b, width, height].iter().all(|value| value.is_finite()) && width > 0.0 && height > 0.0;
            sound.then(|| BoundingBox { x: a, y: b, width, height, label: label.clone() })
        };
        self.found.iter().map(one).collect()
    }
}

impl Written {
    /// The four numbers of a box as this cell would have them, as the one at a place is written where one is given.
    pub fn numbers_of(&self, found: &BoundingBox, at: Option<usize>, size: (u32, u32)) -> [f64; 4] {
        let like = at.map_or(&self.found[..], |at| &self.found[at..=at]);
        let whole = !like.is_empty() && like.iter().all(|(b, ..)| b.iter().all(|value| value.fract() == 0.0));
        let corners = self.corners || like.first().is_some_and(|(_, named, _)| *named);
        let (c, d) = if corners { (found.x + found.width, found.y + found.height) } else { (found.width, found.height) };
        let (wide, high) = if self.parts { (f64::from(size.0), f64::from(size.1)) } else { (1.0, 1.0) };
        let digits = match (self.parts, whole) {
            (true, _) => 1e6,
            (_, true) => 1.0,
            _ => 100.0,
        };
        let round = |value: f64| (value * digits).round() / digits;
        [round(found.x / wide), round(found.y / high), round(c / wide), round(d / high)]
    }
}

/// The cell with its boxes altered, in the way that it has them. `alter` is given boxes whose labels are their places, and gives back those
/// that are left and the altered picture's size. What is no box stays; a box that is gone goes with what is said of it. `None` where the
/// cell holds no boxes.
pub fn boxes_altered(
    name: &str,
    json: &str,
    size: (u32, u32),
    alter: impl FnOnce(Vec<BoundingBox>) -> (Vec<BoundingBox>, (u32, u32)),
) -> Option<String> {
    let (value, written) = read(name, json, size)?;
    let known = written.boxes(size);
    if known.iter().all(Option::is_none) {
        return None;
    }
    let numbered = |(at, found): (usize, &Option<BoundingBox>)| {
        found.as_ref().map(|found| BoundingBox { label: at.to_string(), ..found.clone() })
    };
    let (left, now) = alter(known.iter().enumerate().filter_map(numbered).collect());
    let mut places: Vec<Option<[f64; 4]>> = written.found.iter().map(|(b, ..)| Some(*b)).collect();
    for at in (0..known.len()).filter(|at| known[*at].is_some()) {
        let found = left.iter().find(|found| found.label == at.to_string());
        places[at] = found.map(|found| written.numbers_of(found, Some(at), now));
    }
    let mut places = places.into_iter();
    Some(rewritten(&value, &mut places).unwrap_or(Value::Array(Vec::new())).to_string())
}

pub(super) fn number(value: f64, like: &Value) -> Value {
    if like.is_f64() || value.fract() != 0.0 { serde_json::json!(value) } else { serde_json::json!(value as i64) }
}

/// A value with the boxes in it replaced, in the order in which [`gather`] finds them; `None` where it was a box that is gone.
fn rewritten(value: &Value, places: &mut impl Iterator<Item = Option<[f64; 4]>>) -> Option<Value> {
    if four(value).is_some() {
        let (Some(place), Some(old)) = (places.next(), value.as_array()) else { return Some(value.clone()) };
        return place.map(|numbers| numbers.iter().zip(old).map(|(new, old)| number(*new, old)).collect());
    }
    match value {
        Value::Array(items) => Some(items.iter().filter_map(|item| rewritten(item, places)).collect()),
        Value::Object(fields) => {
            let mut fields = fields.clone();
            let key = |names: &[&str]| names.iter().find(|name| fields.contains_key(**name)).map(|name| (*name).to_owned());
            if let Some(inner) = key(&["bbox", "bboxes", "box", "boxes"]) {
                let old = fields[&inner].clone();
                if four(&old).is_some() {
                    fields.insert(inner, rewritten(&old, places)?);
                    return Some(Value::Object(fields));
                }
                let Some(list) = old.as_array() else {
                    fields.insert(inner, rewritten(&old, places)?);
                    return Some(Value::Object(fields));
                };
                let kept: Vec<Option<Value>> = list.iter().map(|item| rewritten(item, places)).collect();
                // Lists beside it say one thing of each box.
                for (name, beside) in &mut fields {
                    if let Value::Array(items) = beside
                        && *name != inner
                        && !OF_PICTURE.contains(&name.as_str())
                        && items.len() == kept.len()
                    {
                        let mut left = kept.iter();
                        items.retain(|_| left.next().is_some_and(Option::is_some));
                    }
                }
                fields.insert(inner, kept.into_iter().flatten().collect());
                return Some(Value::Object(fields));
            }
            if let Some((names, _)) = named_sides(&fields) {
                // Beyond the most that are read, boxes stay as they are.
                let Some(place) = places.next() else { return Some(Value::Object(fields)) };
                let numbers = place?;
                for (name, value) in names.iter().zip(numbers) {
                    let new = number(value, &fields[name]);
                    fields.insert(name.clone(), new);
                }
            }
            Some(Value::Object(fields))
        }
        other => Some(other.clone()),
    }
}

/// Lists beside boxes that are of the picture and not of a box each, whatever their length.
pub(super) const OF_PICTURE: [&str; 4] = ["size", "image_size", "shape", "resolution"];

/// The names under which an object has the numbers of a box, and whether they are two corners.
pub(super) fn named_sides(fields: &serde_json::Map<String, Value>) -> Option<(Vec<String>, bool)> {
    let key = |names: &[&str]| names.iter().find(|name| fields.contains_key(**name)).map(|name| (*name).to_owned());
    let corners = [["xmin", "x1", "left"], ["ymin", "y1", "top"], ["xmax", "x2", "right"], ["ymax", "y2", "bottom"]];
    let sides: [&[&str]; 4] = [&["x", "left"], &["y", "top"], &["width", "w"], &["height", "h"]];
    let by_corners: Option<Vec<String>> = corners.iter().map(|names| key(names)).collect();
    let named = match by_corners {
        Some(names) => (names, true),
        None => (sides.iter().map(|names| key(names)).collect::<Option<Vec<_>>>()?, false),
    };
    named.0.iter().all(|name| fields[name].is_number()).then_some(named)
}

pub(super) fn four(value: &Value) -> Option<[f64; 4]> {
    let list = value.as_array().filter(|list| list.len() == 4)?;
    let mut numbers = [0.0; 4];
    for (to, from) in numbers.iter_mut().zip(list) {
        *to = from.as_f64()?;
    }
    Some(numbers)
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| if value.is_null() { String::new() } else { value.to_string() }, ToOwned::to_owned)
}

fn gather(value: &Value, found: &mut Vec<([f64; 4], bool, String)>) {
    if let Some(numbers) = four(value) {
        return found.push((numbers, false, String::new()));
    }
    match value {
        Value::Array(items) => items.iter().take(MOST).for_each(|item| gather(item, found)),
        Value::Object(fields) => {
            let get = |names: &[&str]| names.iter().find_map(|name| fields.get(*name));
            let label = get(&["category", "label", "class", "name", "category_id", "categories", "labels"]);
            let number = |names: &[&str]| get(names).and_then(Value::as_f64);
            if let Some(inner) = get(&["bbox", "bboxes", "box", "boxes"]) {
                let before = found.len();
                gather(inner, found);
                for (i, (_, _, of)) in found[before..].iter_mut().enumerate() {
                    *of = match label {
                        Some(Value::Array(list)) => list.get(i).map(text).unwrap_or_default(),
                        Some(one) => text(one),
                        None => std::mem::take(of),
                    };
                }
            } else if let (Some(a), Some(b), Some(c), Some(d)) = (
                number(&["xmin", "x1", "left"]),
                number(&["ymin", "y1", "top"]),
                number(&["xmax", "x2", "right"]),
                number(&["ymax", "y2", "bottom"]),
            ) {
                found.push(([a, b, c, d], true, label.map(text).unwrap_or_default()));
            } else if let (Some(a), Some(b), Some(c), Some(d)) =
                (number(&["x", "left"]), number(&["y", "top"]), number(&["width", "w"]), number(&["height", "h"]))
            {
                found.push(([a, b, c, d], false, label.map(text).unwrap_or_default()));
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sides(name: &str, json: &str) -> Vec<[f64; 4]> {
        boxes_of(name, json, (100, 80)).iter().map(|b| [b.x, b.y, b.width, b.height]).collect()
    }

    #[test]
    fn altered_boxes_stand_as_they_stood() {
        // Everything 10 to the right; what ends beyond 100 is gone.
        let moved = |name: &str, json: &str| {
            boxes_altered(name, json, (100, 80), |boxes| {
                let left = boxes.into_iter().map(|b| BoundingBox { x: b.x + 10.0, ..b }).filter(|b| b.x + b.width <= 100.0);
                (left.collect(), (100, 80))
            })
        };
        let is = |name: &str, json: &str, wanted: &str| assert_eq!(moved(name, json).as_deref(), Some(wanted), "{name} {json}");
        is("bbox", "[10, 20, 30, 40]", "[20,20,30,40]");
        is("bboxes", "[[10, 20, 30, 40], [90, 0, 5, 5]]", "[[20,20,30,40]]");
        is("boxes_xyxy", "[[10, 20, 30, 40]]", "[[20,20,40,40]]");
        is("bbox", "[0.5, 0.25, 0.3, 0.25]", "[0.6,0.25,0.3,0.25]");
        is("box", r#"{"xmin": 1, "ymin": 2, "xmax": 11, "ymax": 22}"#, r#"{"xmin":11,"ymin":2,"xmax":21,"ymax":22}"#);
        is(
            "objects",
            r#"{"bbox": [[1, 2, 3, 4], [95, 6, 5, 8]], "categories": ["cat", 7], "id": 3}"#,
            r#"{"bbox":[[11,2,3,4]],"categories":["cat"],"id":3}"#,
        );
        is(
            "annotations",
            r#"[{"bbox": [1, 2, 3, 4], "label": "a"}, {"bbox": [95, 2, 3, 4], "label": "b"}]"#,
            r#"[{"bbox":[11,2,3,4],"label":"a"}]"#,
        );
        is("bbox", "[95, 2, 3, 4]", "[]");
        assert_eq!(moved("bbox", "[]"), None);
        assert_eq!(moved("text", "[1, 2, 3, 4]"), None);
    }

    #[test]
    fn boxes_in_the_ways_that_datasets_write_them() {
        assert_eq!(sides("bbox", "[10, 20, 30, 40]"), [[10.0, 20.0, 30.0, 40.0]]);
        assert_eq!(sides("bboxes", "[[10, 20, 30, 40], [0, 0, 5, 5]]").len(), 2);
        assert_eq!(sides("boxes_xyxy", "[[10, 20, 30, 40]]"), [[10.0, 20.0, 20.0, 20.0]]);
        // 60 + 90 leaves the picture: two corners.
        assert_eq!(sides("bbox", "[60, 20, 90, 40]"), [[60.0, 20.0, 30.0, 20.0]]);
        assert_eq!(sides("bbox", "[0.5, 0.25, 0.5, 0.25]"), [[50.0, 20.0, 50.0, 20.0]]);
        let parts = sides("bbox", "[0.6, 0.25, 0.9, 0.5]");
        assert!((parts[0][0] - 60.0).abs() < 1e-9 && (parts[0][2] - 30.0).abs() < 1e-9, "corners, as parts: {parts:?}");
        assert_eq!(sides("box", r#"{"xmin": 1, "ymin": 2, "xmax": 11, "ymax": 22}"#), [[1.0, 2.0, 10.0, 20.0]]);
        let named = boxes_of("objects", r#"{"bbox": [[1, 2, 3, 4], [5, 6, 7, 8]], "categories": ["cat", 7]}"#, (100, 80));
        assert_eq!(named.iter().map(|b| b.label.as_str()).collect::<Vec<_>>(), ["cat", "7"]);
        for (name, json) in
            [("text", "[1, 2, 3, 4]"), ("bbox", "[1, 2, 3]"), ("bbox", "no"), ("bbox", "[1, 2, 0, 4]"), ("bbox", "null")]
        {
            assert!(sides(name, json).is_empty(), "{name} {json}");
        }
    }
}
