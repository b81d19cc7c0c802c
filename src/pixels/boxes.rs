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
pub fn boxes_of(name: &str, json: &str, (width, height): (u32, u32)) -> Vec<BoundingBox> {
    let name = name.to_lowercase();
    if !NAMES.iter().any(|known| name == *known || name.starts_with(&format!("{known}_")) || name.ends_with(&format!("_{known}")))
    {
        return Vec::new();
    }
    let Ok(value) = serde_json::from_str::<Value>(json) else { return Vec::new() };
    let mut found: Vec<([f64; 4], bool, String)> = Vec::new();
    gather(&value, &mut found);
    found.truncate(MOST);
    // All within 0 to 1, and not all whole: parts of the picture.
    let parts = found.iter().all(|(b, ..)| b.iter().all(|value| (0.0..=1.0).contains(value)))
        && found.iter().any(|(b, ..)| b.iter().any(|value| value.fract() != 0.0));
    let (wide, high) = (f64::from(width), f64::from(height));
    let (most_x, most_y) = if parts { (1.001, 1.001) } else { (wide + 1.0, high + 1.0) };
    // As `x, y, width, height` some would leave the picture, as corners none does: they are corners.
    let leaves = |b: &[f64; 4]| b[0] + b[2] > most_x || b[1] + b[3] > most_y;
    let fits = |b: &[f64; 4]| b[2] >= b[0] && b[3] >= b[1] && b[2] <= most_x && b[3] <= most_y;
    let plain = || found.iter().filter(|(_, corners, _)| !corners);
    let corners = name.contains("xyxy") || plain().any(|(b, ..)| leaves(b)) && plain().all(|(b, ..)| fits(b));
    found
        .into_iter()
        .map(|(b, named_corners, label)| {
            let scale = |value: f64, side: f64| if parts { value * side } else { value };
            let [a, b, c, d] = [scale(b[0], wide), scale(b[1], high), scale(b[2], wide), scale(b[3], high)];
            let (width, height) = if corners || named_corners { (c - a, d - b) } else { (c, d) };
            BoundingBox { x: a, y: b, width, height, label }
        })
        .filter(|found| [found.x, found.y, found.width, found.height].iter().all(|value| value.is_finite()))
        .filter(|found| found.width > 0.0 && found.height > 0.0)
        .collect()
}

fn four(value: &Value) -> Option<[f64; 4]> {
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
