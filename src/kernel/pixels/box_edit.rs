//! One box of a cell moved, drawn, labelled or removed, in the form that the column has its boxes in.

use serde_json::{Map, Value};

use super::boxes::{BoundingBox, OF_PICTURE, boxes_altered, four, named_sides, names_boxes, number, read};

/// What is done to the boxes of a cell. Places count from 0, among all that the cell lists.
#[derive(Debug, Clone, PartialEq)]
pub enum BoxEdit {
    /// The box at a place gets this corner and size.
    Put(usize, BoundingBox),
    /// It is called otherwise.
    Label(usize, String),
    /// It goes.
    Remove(usize),
    /// Another one, behind the others.
    Add(BoundingBox),
}

/// The names of what says what is in a box, the usual first.
const LABELS: [&str; 7] = ["category", "label", "class", "name", "category_id", "categories", "labels"];
/// The names of the numbers of a box within an object.
const INNER: [&str; 4] = ["bbox", "bboxes", "box", "boxes"];

/// The boxes of a cell, each with its place among all that it lists; what is no box is passed over.
pub fn boxes_at(name: &str, json: &str, size: (u32, u32)) -> Vec<(usize, BoundingBox)> {
    let Some((_, written)) = read(name, json, size) else { return Vec::new() };
    written.boxes(size).into_iter().enumerate().filter_map(|(at, found)| Some((at, found?))).collect()
}

/// The cell after an edit, for a picture of `size` pixels; `like` is another cell of the column, whose form is taken where this one has none.
///
/// # Errors
/// Why the column's form cannot say it.
pub fn boxes_edited(name: &str, json: &str, like: Option<&str>, size: (u32, u32), edit: &BoxEdit) -> Result<String, String> {
    match edit {
        BoxEdit::Put(at, to) => changed(name, json, size, *at, Some(to)),
        BoxEdit::Remove(at) => changed(name, json, size, *at, None),
        BoxEdit::Label(at, label) => {
            let mut value: Value = serde_json::from_str(json).map_err(|error| error.to_string())?;
            let mut left = *at;
            match relabelled(&mut value, &mut left, label) {
                Some(true) => Ok(value.to_string()),
                _ => Err(format!("{name} lists numbers alone: a box has no place for a name there")),
            }
        }
        BoxEdit::Add(new) => added(name, json, like, size, new),
    }
}

fn changed(name: &str, json: &str, size: (u32, u32), at: usize, to: Option<&BoundingBox>) -> Result<String, String> {
    let place = at.to_string();
    let altered = boxes_altered(name, json, size, |boxes| {
        let one = |found: BoundingBox| match (found.label == place, to) {
            (false, _) => Some(found),
            (true, to) => to.map(|to| BoundingBox { label: place.clone(), ..to.clone() }),
        };
        (boxes.into_iter().filter_map(one).collect(), size)
    });
    altered.ok_or_else(|| format!("{name} holds no box that could be moved"))
}

/// Names the box that is the `left`th from here, in the order in which boxes are found; `None` where it does not lie within, whether it could be named
/// where it does.
fn relabelled(value: &mut Value, left: &mut usize, label: &str) -> Option<bool> {
    if four(value).is_some() {
        let here = *left == 0;
        *left = left.wrapping_sub(1);
        return here.then_some(false);
    }
    match value {
        Value::Array(items) => items.iter_mut().find_map(|item| relabelled(item, left, label)),
        Value::Object(fields) => {
            let named = LABELS.iter().find(|name| fields.contains_key(**name)).copied();
            if let Some(inner) = INNER.iter().find(|name| fields.contains_key(**name)) {
                let first = *left;
                let before = fields[*inner].is_object().then(|| fields[*inner].clone());
                let found = relabelled(&mut fields[*inner], left, label)?;
                match (found, named, before) {
                    // Its name stands beside the box, and not in it.
                    (true, Some(_), Some(before)) => fields[*inner] = before,
                    (true, ..) => return Some(true),
                    (false, ..) => {}
                }
                let single = four(&fields[*inner]).is_some();
                let Some(name) = named else {
                    if single {
                        fields.insert("label".to_owned(), label.into());
                    }
                    return Some(single);
                };
                let place = match &mut fields[name] {
                    // One name a box.
                    Value::Array(list) => list.get_mut(first),
                    one => Some(one),
                };
                let Some(place) = place else { return Some(false) };
                *place = label_like(label, place);
                return Some(true);
            }
            named_sides(fields)?;
            let here = *left == 0;
            *left = left.wrapping_sub(1);
            if !here {
                return None;
            }
            let name = named.unwrap_or("label");
            let new = fields.get(name).map_or_else(|| label.into(), |old| label_like(label, old));
            fields.insert(name.to_owned(), new);
            Some(true)
        }
        _ => None,
    }
}

/// A name as the one before it was written: a number stays a number where it can.
fn label_like(label: &str, old: &Value) -> Value {
    match old {
        Value::Number(_) => serde_json::from_str::<Value>(label).ok().filter(Value::is_number).unwrap_or_else(|| label.into()),
        _ => label.into(),
    }
}

fn added(name: &str, json: &str, like: Option<&str>, size: (u32, u32), new: &BoundingBox) -> Result<String, String> {
    if !names_boxes(name) {
        return Err(format!("{name} is no column of boxes"));
    }
    let own = serde_json::from_str::<Value>(json).ok().filter(|value| !value.is_null());
    let known = read(name, json, size).filter(|(_, written)| !written.found.is_empty());
    let other = like.and_then(|like| read(name, like, size)).filter(|(_, written)| !written.found.is_empty());
    // How numbers are written is read off this cell, else off the other, else they are pixels.
    let numbers = match known.as_ref().or(other.as_ref()) {
        Some((_, written)) => written.numbers_of(new, Some(0), size),
        None => [new.x, new.y, new.width, new.height].map(f64::round),
    };
    let mut value = match (own, &other) {
        (Some(Value::Array(list)), Some((like, _))) if list.is_empty() => emptied(like),
        (Some(own), _) => own,
        (None, Some((like, _))) => emptied(like),
        (None, None) => Value::Array(Vec::new()),
    };
    let template = known.as_ref().or(other.as_ref()).map(|(value, _)| value);
    put_behind(&mut value, template, numbers, &new.label, name)?;
    Ok(value.to_string())
}

/// The form of a cell, without its boxes.
fn emptied(value: &Value) -> Value {
    match value {
        Value::Object(fields) if INNER.iter().any(|name| fields.get(*name).is_some_and(|inner| four(inner).is_none())) => {
            let inner = INNER.iter().find_map(|name| fields.get(*name)).and_then(Value::as_array).map_or(0, Vec::len);
            let empty = |(name, value): (&String, &Value)| match value {
                Value::Array(list)
                    if list.len() == inner && !OF_PICTURE.contains(&name.as_str()) || INNER.contains(&name.as_str()) =>
                {
                    (name.clone(), Value::Array(Vec::new()))
                }
                _ => (name.clone(), Value::Null),
            };
            Value::Object(fields.iter().map(empty).collect())
        }
        _ => Value::Array(Vec::new()),
    }
}

fn put_behind(value: &mut Value, template: Option<&Value>, numbers: [f64; 4], label: &str, name: &str) -> Result<(), String> {
    let list_of = |numbers: [f64; 4], like: Option<&Value>| -> Value {
        let old = like.and_then(Value::as_array);
        let one = |(at, value): (usize, &f64)| number(*value, old.and_then(|old| old.get(at)).unwrap_or(&Value::Null));
        numbers.iter().enumerate().map(one).collect()
    };
    match value {
        Value::Array(list) if four(&Value::Array(list.clone())).is_some() => {
            Err(format!("{name} holds one box a picture, in four numbers: a second would be another form"))
        }
        Value::Array(list) => {
            let first = template.and_then(Value::as_array).and_then(|list| list.first());
            let new = match first {
                Some(Value::Object(fields)) => object_like(fields, numbers, label, list, list_of),
                Some(like) if four(like).is_some() => list_of(numbers, Some(like)),
                Some(_) => return Err(format!("{name} lists boxes in a form that none can be put behind")),
                // No box anywhere: numbers alone where the column is called after them, else with what is in it.
                None if name.to_lowercase().contains("box") => list_of(numbers, None),
                None => serde_json::json!({ "bbox": list_of(numbers, None), "label": label }),
            };
            list.push(new);
            Ok(())
        }
        Value::Object(fields) => {
            let Some(inner) = INNER.iter().find(|name| fields.get(**name).is_some_and(|inner| inner.is_array())) else {
                return Err(format!("{name} holds one box a picture: a second would be another form"));
            };
            if four(&fields[*inner]).is_some() {
                return Err(format!("{name} holds one box a picture: a second would be another form"));
            }
            let n = fields[*inner].as_array().map_or(0, Vec::len);
            for (key, beside) in fields.iter_mut() {
                let Value::Array(list) = beside else { continue };
                if *key == **inner {
                    let like = list.first().cloned();
                    list.push(list_of(numbers, like.as_ref()));
                } else if list.len() == n && !OF_PICTURE.contains(&key.as_str()) {
                    let like = list.last().cloned().unwrap_or(Value::Null);
                    list.push(if LABELS.contains(&key.as_str()) { label_like(label, &like) } else { next_of(key, list) });
                }
            }
            Ok(())
        }
        _ => Err(format!("{name} holds no list of boxes")),
    }
}

/// An object of the form of another, with a box of its own: what else that says is not said of the new one.
fn object_like(
    like: &Map<String, Value>,
    numbers: [f64; 4],
    label: &str,
    others: &[Value],
    list_of: impl Fn([f64; 4], Option<&Value>) -> Value,
) -> Value {
    let sides = named_sides(like);
    let mut new = Map::new();
    for (name, old) in like {
        let side = sides.as_ref().and_then(|(names, _)| names.iter().position(|side| side == name));
        let value = match side {
            Some(at) => number(numbers[at], old),
            None if INNER.contains(&name.as_str()) => list_of(numbers, Some(old)),
            None if LABELS.contains(&name.as_str()) => label_like(label, old),
            None => next_of(name, &others.iter().filter_map(|other| other.get(name)).cloned().collect::<Vec<_>>()),
        };
        new.insert(name.clone(), value);
    }
    if !label.is_empty() && !LABELS.iter().any(|name| new.contains_key(*name)) {
        new.insert("label".to_owned(), label.into());
    }
    Value::Object(new)
}

/// What a new box says of `key`, where others say what `list` holds: an id is the next one, what is the same of all is so of it, and of anything else it says nothing.
fn next_of(key: &str, list: &[Value]) -> Value {
    if key == "id" {
        let most = list.iter().map(Value::as_i64).collect::<Option<Vec<i64>>>().and_then(|ids| ids.into_iter().max());
        return most.map_or(Value::Null, |most| most.saturating_add(1).into());
    }
    match list {
        [first, rest @ ..] if !rest.is_empty() && rest.iter().all(|other| other == first) => first.clone(),
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: (u32, u32) = (100, 80);

    fn a_box(x: f64, y: f64, width: f64, height: f64, label: &str) -> BoundingBox {
        BoundingBox { x, y, width, height, label: label.to_owned() }
    }

    fn is(name: &str, json: &str, edit: BoxEdit, wanted: &str) {
        assert_eq!(boxes_edited(name, json, None, SIZE, &edit).as_deref(), Ok(wanted), "{name} {json} {edit:?}");
    }

    #[test]
    fn a_box_is_moved_named_and_removed_where_it_stands() {
        let hf = r#"{"id":[7,9],"bbox":[[1,2,3,4],[50,6,5,8]],"category":[0,1]}"#;
        is(
            "objects",
            hf,
            BoxEdit::Put(1, a_box(40.0, 10.0, 20.0, 30.0, "")),
            r#"{"id":[7,9],"bbox":[[1,2,3,4],[40,10,20,30]],"category":[0,1]}"#,
        );
        is("objects", hf, BoxEdit::Label(1, "3".to_owned()), r#"{"id":[7,9],"bbox":[[1,2,3,4],[50,6,5,8]],"category":[0,3]}"#);
        is("objects", hf, BoxEdit::Remove(0), r#"{"id":[9],"bbox":[[50,6,5,8]],"category":[1]}"#);
        is(
            "objects",
            hf,
            BoxEdit::Add(a_box(10.0, 11.0, 12.0, 13.0, "1")),
            r#"{"id":[7,9,10],"bbox":[[1,2,3,4],[50,6,5,8],[10,11,12,13]],"category":[0,1,1]}"#,
        );
        let list = r#"[{"bbox":[1,2,3,4],"label":"cat"},{"bbox":[5,6,7,8],"label":"dog"}]"#;
        is(
            "annotations",
            list,
            BoxEdit::Label(1, "fox".to_owned()),
            r#"[{"bbox":[1,2,3,4],"label":"cat"},{"bbox":[5,6,7,8],"label":"fox"}]"#,
        );
        is("annotations", list, BoxEdit::Remove(1), r#"[{"bbox":[1,2,3,4],"label":"cat"}]"#);
        let corners = r#"[{"xmin":1,"ymin":2,"xmax":11,"ymax":22,"class":"a"}]"#;
        is(
            "boxes",
            corners,
            BoxEdit::Add(a_box(5.0, 6.0, 10.0, 20.0, "b")),
            r#"[{"xmin":1,"ymin":2,"xmax":11,"ymax":22,"class":"a"},{"xmin":5,"ymin":6,"xmax":15,"ymax":26,"class":"b"}]"#,
        );
        is(
            "bboxes",
            "[[0.5,0.25,0.3,0.25]]",
            BoxEdit::Add(a_box(10.0, 8.0, 50.0, 40.0, "")),
            "[[0.5,0.25,0.3,0.25],[0.1,0.1,0.5,0.5]]",
        );
        is("boxes_xyxy", "[[10,20,30,40]]", BoxEdit::Put(0, a_box(0.0, 0.0, 9.0, 9.0, "")), "[[0,0,9,9]]");
    }

    #[test]
    fn an_empty_cell_takes_the_form_of_another_and_what_no_form_says_is_refused() {
        let add = BoxEdit::Add(a_box(10.0, 11.0, 12.0, 13.0, "cat"));
        let like = |json: &str, like: &str| boxes_edited("objects", json, Some(like), SIZE, &add);
        let hf = r#"{"bbox":[[1,2,3,4]],"category":["dog"]}"#;
        assert_eq!(like("", hf).as_deref(), Ok(r#"{"bbox":[[10,11,12,13]],"category":["cat"]}"#));
        assert_eq!(
            like("[]", r#"[{"bbox":[1,2,3,4],"label":"dog","score":0.5}]"#).as_deref(),
            Ok(r#"[{"bbox":[10,11,12,13],"label":"cat","score":null}]"#)
        );
        assert_eq!(boxes_edited("objects", "", None, SIZE, &add).as_deref(), Ok(r#"[{"bbox":[10,11,12,13],"label":"cat"}]"#));
        assert_eq!(boxes_edited("bboxes", "null", None, SIZE, &add).as_deref(), Ok("[[10,11,12,13]]"));
        assert!(boxes_edited("bbox", "[1,2,3,4]", None, SIZE, &add).unwrap_err().contains("one box a picture"));
        assert!(boxes_edited("text", "[]", None, SIZE, &add).is_err());
        let named = BoxEdit::Label(0, "cat".to_owned());
        assert!(boxes_edited("bboxes", "[[1,2,3,4]]", None, SIZE, &named).unwrap_err().contains("no place for a name"));
        assert!(boxes_edited("bboxes", "no", None, SIZE, &named).is_err());
        // Places count what is no box too.
        let odd = "[[1,2,0,4],[5,6,7,8]]";
        assert_eq!(boxes_at("bboxes", odd, SIZE).iter().map(|(at, _)| *at).collect::<Vec<_>>(), [1]);
        assert_eq!(boxes_edited("bboxes", odd, None, SIZE, &BoxEdit::Remove(1)).as_deref(), Ok("[[1,2,0,4]]"));
    }

    #[test]
    fn a_new_box_says_nothing_that_nobody_said_of_it() {
        let add = || BoxEdit::Add(a_box(1.0, 2.0, 10.0, 10.0, "0"));
        let coco = r#"{"id":[114,115],"area":[3796,1596],"bbox":[[1,2,3,4],[5,6,7,8]],"category":[4,0],"size":[100,80]}"#;
        let wanted = r#"{"id":[114,115,116],"area":[3796,1596,null],"bbox":[[1,2,3,4],[5,6,7,8],[1,2,10,10]],"category":[4,0,0],"size":[100,80]}"#;
        is("objects", coco, add(), wanted);
        let list =
            r#"[{"id":1,"image_id":7,"bbox":[1,2,3,4],"category_id":1},{"id":2,"image_id":7,"bbox":[5,6,7,8],"category_id":2}]"#;
        let one = r#",{"id":3,"image_id":7,"bbox":[1,2,10,10],"category_id":0}]"#;
        is("annotations", list, add(), &format!("{}{one}", list.trim_end_matches(']')));
        let gone = r#"{"id":[115],"area":[1596],"bbox":[[5,6,7,8]],"category":[0],"size":[100,80]}"#;
        is("objects", coco, BoxEdit::Remove(0), gone);
    }

    #[test]
    fn a_name_stands_where_it_stood() {
        let found = r#"[{"score":0.9,"label":"cat","box":{"xmin":1,"ymin":2,"xmax":9,"ymax":9}}]"#;
        let wanted = r#"[{"score":0.9,"label":"dog","box":{"xmin":1,"ymin":2,"xmax":9,"ymax":9}}]"#;
        is("objects", found, BoxEdit::Label(0, "dog".to_owned()), wanted);
    }

    #[test]
    fn boxes_beyond_those_that_are_read_stay() {
        let all: Vec<String> = (0..3_000).map(|at| format!(r#"{{"x1":1,"y1":2,"x2":3,"y2":{}}}"#, 4 + at % 7)).collect();
        let json = format!("[{}]", all.join(","));
        let edited = boxes_edited("boxes", &json, None, SIZE, &BoxEdit::Remove(0)).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&edited).unwrap().as_array().map(Vec::len), Some(2_999));
    }
}
