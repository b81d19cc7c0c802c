//! Class names that Hugging Face notes beside a column of numbers (`ClassLabel`): shown and worked with instead of the numbers, and turned
//! back into them on saving, so that both the column and what is noted of it stay true. −1 is their spelling of "no label".

use std::collections::{BTreeMap, HashMap, HashSet};

use polars::prelude::{
    DataFrame, DataType, Int64Chunked, ListBuilderTrait as _, ListChunked, ListPrimitiveChunkedBuilder, ListStringChunkedBuilder,
    NewChunkedArray as _, PlSmallStr, Series, StringChunked,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::data::Column;
use crate::edit::{Edit, Target};

/// The key under which Hugging Face notes the features of columns.
const FEATURES: &str = "huggingface";
/// Their spelling of a label that is not there.
const NONE: i64 = -1;
/// So many names are filled up before a new one.
const MOST_NAMES: i64 = 100_000;

/// The names of a feature's classes, and whether it is a list of them.
fn names_of(feature: &Value) -> Option<(Vec<String>, bool)> {
    let of = |feature: &Value| {
        (feature.get("_type")?.as_str()? == "ClassLabel").then_some(())?;
        let names = feature.get("names")?.as_array()?;
        names
            .iter()
            .map(|name| name.as_str().map(str::to_owned))
            .collect::<Option<Vec<String>>>()
            .filter(|names| !names.is_empty())
    };
    of(feature).map(|names| (names, false)).or_else(|| feature.get("feature").and_then(of).map(|names| (names, true)))
}

fn features(noted: &[(String, String)]) -> Vec<(String, Vec<String>, bool)> {
    let Some((_, text)) = noted.iter().find(|(key, _)| key == FEATURES) else { return Vec::new() };
    let Ok(value) = serde_json::from_str::<Value>(text) else { return Vec::new() };
    let features = value.pointer("/info/features").and_then(Value::as_object);
    let list = features.into_iter().flatten();
    list.filter_map(|(name, feature)| names_of(feature).map(|(names, many)| (name.clone(), names, many))).collect()
}

/// Whether two files say the same of their classes.
pub fn are_alike(a: &[(String, String)], b: &[(String, String)]) -> bool {
    features(a) == features(b)
}

/// What was found in a column whose numbers were named.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Named {
    /// Whether empty cells are null in the source; else they are −1.
    nulls: bool,
    /// Numbers of the source that have no name: they are shown as they are written.
    unnamed: Vec<i64>,
}

/// The key under which the columns that were named are noted, as JSON. Never written.
const NAMED: &str = "lapidary:named";

/// Puts names in the place of numbers. A number that has no name stays as it is written, −1 becomes an empty cell. Left alone is a column that has
/// both empty cells and −1, or names that are empty, the same, or numbers: they could not be told apart again.
pub fn name(columns: &mut [Column], noted: &mut Vec<(String, String)>) {
    let mut all: BTreeMap<String, Named> = BTreeMap::new();
    for (of, names, many) in features(noted) {
        let distinct: HashSet<&String> = names.iter().collect();
        let plain = |name: &String| !name.is_empty() && name.trim().parse::<i64>().is_err();
        if distinct.len() < names.len() || !names.iter().all(plain) {
            continue;
        }
        let Some(column) = columns.iter_mut().find(|column| *column.name == *of) else { continue };
        let Some(series) = column.series() else { continue };
        let mut found = Named { nulls: series.null_count() > 0, unnamed: Vec::new() };
        let Some(named) = (if many { named_lists(series, &names, &mut found) } else { named(series, &names, &mut found) }) else {
            continue;
        };
        found.unnamed.sort_unstable();
        found.unnamed.dedup();
        all.insert(of, found);
        *column = Column::from_series(&named).in_place_of(column.clone());
    }
    if !all.is_empty() {
        noted.push((NAMED.to_owned(), serde_json::to_string(&all).unwrap_or_default()));
    }
}

fn is_whole(dtype: &DataType) -> bool {
    dtype.is_integer()
}

fn named(series: &Series, names: &[String], found: &mut Named) -> Option<Series> {
    if !is_whole(series.dtype()) {
        return None;
    }
    let cast = series.cast(&DataType::Int64).ok()?;
    let codes = cast.i64().ok()?;
    if codes.null_count() > 0 && codes.iter().flatten().any(|code| code == NONE) {
        return None;
    }
    let text: StringChunked =
        codes.iter().map(|code| code.filter(|code| *code != NONE).map(|code| name_of(code, names, found))).collect();
    Some(Series::from(text.with_name(series.name().clone())))
}

fn name_of(code: i64, names: &[String], found: &mut Named) -> String {
    usize::try_from(code).ok().and_then(|at| names.get(at).cloned()).unwrap_or_else(|| {
        if found.unnamed.last() != Some(&code) {
            found.unnamed.push(code);
        }
        code.to_string()
    })
}

fn named_lists(series: &Series, names: &[String], found: &mut Named) -> Option<Series> {
    let DataType::List(inner) = series.dtype() else { return None };
    if !is_whole(inner) {
        return None;
    }
    let lists: &ListChunked = series.list().ok()?;
    let mut out = ListStringChunkedBuilder::new(series.name().clone(), lists.len(), lists.len());
    for at in 0..lists.len() {
        match lists.get_as_series(at) {
            None => out.append_null(),
            Some(list) => {
                let codes = list.cast(&DataType::Int64).ok()?;
                let text: Vec<Option<String>> =
                    codes.i64().ok()?.iter().map(|code| code.map(|code| name_of(code, names, found))).collect();
                out.append_series(&Series::from(StringChunked::from_iter_options(PlSmallStr::EMPTY, text.into_iter()))).ok()?;
            }
        }
    }
    Some(Series::from(out.finish()))
}

/// Puts numbers in the place of names in the columns that had them, and gives the names of each such column, new ones at the end. A label
/// that is not there is null again where the source had it so, and −1 elsewhere.
///
/// # Errors
/// A line of Polars'.
pub fn number(frame: &mut DataFrame, noted: &[(String, String)]) -> Result<Vec<(String, Vec<String>)>, String> {
    let mut all = Vec::new();
    let named = noted.iter().find(|(key, _)| key == NAMED).and_then(|(_, text)| serde_json::from_str(text).ok());
    let named: BTreeMap<String, Named> = named.unwrap_or_default();
    for (of, mut names, many) in features(noted) {
        // Only what was named is numbered again.
        let (Some(known), Some(place)) = (named.get(&of), frame.get_column_index(&of)) else { continue };
        let series = frame.columns()[place].as_materialized_series().clone();
        let mut codes: HashMap<String, i64> = names.iter().cloned().zip(0..).collect();
        codes.extend(known.unnamed.iter().map(|code| (code.to_string(), *code)));
        // New names stand behind every number that is used.
        let last = known.unnamed.iter().copied().max().unwrap_or(NONE);
        let code = |name: &str, names: &mut Vec<String>, codes: &mut HashMap<String, i64>| -> i64 {
            if let Some(code) = codes.get(name) {
                return *code;
            }
            while i64::try_from(names.len()).is_ok_and(|n| n <= last.min(MOST_NAMES)) {
                names.push(format!("unnamed {}", names.len()));
            }
            let fresh = i64::try_from(names.len()).unwrap_or(i64::MAX);
            names.push(name.to_owned());
            codes.insert(name.to_owned(), fresh);
            fresh
        };
        let numbered = match series.dtype() {
            DataType::String if !many => {
                let none = if known.nulls { None } else { Some(NONE) };
                let texts = series.str().map_err(|error| error.to_string())?;
                let numbers: Vec<Option<i64>> = texts
                    .iter()
                    .map(|name| {
                        name.filter(|name| !name.is_empty()).map_or(none, |name| Some(code(name, &mut names, &mut codes)))
                    })
                    .collect();
                Series::from(Int64Chunked::from_slice_options(of.as_str().into(), &numbers))
            }
            DataType::List(inner) if many && **inner == DataType::String => {
                let lists = series.list().map_err(|error| error.to_string())?;
                let mut out = ListPrimitiveChunkedBuilder::<polars::prelude::Int64Type>::new(
                    of.as_str().into(),
                    lists.len(),
                    lists.len(),
                    DataType::Int64,
                );
                for at in 0..lists.len() {
                    match lists.get_as_series(at) {
                        None => out.append_null(),
                        Some(list) => {
                            let texts = list.str().map_err(|error| error.to_string())?;
                            let numbers: Vec<Option<i64>> =
                                texts.iter().map(|name| name.map(|name| code(name, &mut names, &mut codes))).collect();
                            out.append_iter(numbers.into_iter());
                        }
                    }
                }
                Series::from(out.finish())
            }
            _ => continue,
        };
        frame.replace_column(place, numbered.into()).map_err(|error| error.to_string())?;
        all.push((of, names));
    }
    Ok(all)
}

/// An edit of a time when classes were shown by their numbers, with their names in its cells; any other as it is.
pub fn named_edit(mut edit: Edit, noted: &[(String, String)]) -> Edit {
    if !edit.first_format || !noted.iter().any(|(key, _)| key == NAMED) {
        return edit;
    }
    edit.first_format = false;
    let named = noted.iter().find(|(key, _)| key == NAMED).and_then(|(_, text)| serde_json::from_str(text).ok());
    let named: BTreeMap<String, Named> = named.unwrap_or_default();
    for (of, names, many) in features(noted).into_iter().filter(|(of, ..)| named.contains_key(of)) {
        let name = |text: &str| -> Option<String> {
            let code: i64 = text.parse().ok()?;
            (code != NONE).then(|| name_of(code, &names, &mut Named::default()))
        };
        let list = |text: &str| -> Option<String> {
            let codes: Vec<i64> = serde_json::from_str(text).ok()?;
            let name = |code: &i64| Value::from(name_of(*code, &names, &mut Named::default())).to_string();
            Some(format!("[{}]", codes.iter().map(name).collect::<Vec<_>>().join(", ")))
        };
        for change in edit.changes.iter_mut().filter(|change| change.target == Target::Cells(of.clone())) {
            for text in change.before.texts.iter_mut().chain(&mut change.after.texts) {
                *text = match text.take() {
                    Some(text) if many => list(&text).or(Some(text)),
                    // The empty text takes a label away, and what is no number stays what it is.
                    Some(text) if text.parse::<i64>().is_err() => Some(text),
                    Some(text) => name(&text),
                    None => None,
                };
            }
        }
    }
    edit
}

/// Brings what is noted up to the names that [`number`] gave.
pub fn note(value: &mut Value, names: &[(String, Vec<String>)]) {
    for (of, names) in names {
        let Some(feature) = value.pointer_mut("/info/features").and_then(|features| features.get_mut(of)) else { continue };
        let feature = if feature.get("names").is_some() { feature } else { &mut feature["feature"] };
        feature["names"] = names.iter().cloned().map(Value::from).collect();
        if let Some(count) = feature.get_mut("num_classes") {
            *count = names.len().into();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names numbers, changes some cells, numbers them again: the numbers, and the names that are noted then.
    fn there_and_back(
        names: &[&str],
        codes: &[Option<i64>],
        change: &[(usize, Option<&str>)],
    ) -> (Vec<Option<i64>>, Vec<String>) {
        let feature = serde_json::json!({"info": {"features": {"label": {"names": names, "_type": "ClassLabel"}}}});
        let mut noted = vec![(FEATURES.to_owned(), feature.to_string())];
        let series = Series::from(Int64Chunked::from_slice_options("label".into(), codes));
        let mut columns = [Column::from_series(&series)];
        name(&mut columns, &mut noted);
        let mut texts: Vec<Option<String>> =
            (0..codes.len()).map(|row| columns[0].text(row).map(|text| text.into_owned())).collect();
        change.iter().for_each(|(row, text)| texts[*row] = text.map(str::to_owned));
        if columns[0].series().is_some() {
            return (texts.iter().map(|text| text.as_ref().and_then(|text| text.parse().ok())).collect(), Vec::new());
        }
        let texts = StringChunked::from_iter_options("label".into(), texts.into_iter());
        let mut frame = DataFrame::new(codes.len(), vec![Series::from(texts).into()]).unwrap();
        let given = number(&mut frame, &noted).unwrap();
        let column = frame.columns()[0].as_materialized_series().clone();
        (column.i64().unwrap().iter().collect(), given.into_iter().next().map(|(_, names)| names).unwrap_or_default())
    }

    #[test]
    fn numbers_come_back_whatever_they_are_and_whatever_names_are_called() {
        let some = |list: &[i64]| list.iter().map(|code| Some(*code)).collect::<Vec<_>>();
        assert_eq!(there_and_back(&["neg", "pos"], &some(&[0, 1, -1]), &[]).0, some(&[0, 1, -1]));
        assert_eq!(there_and_back(&["neg", "pos"], &[Some(0), None, Some(1)], &[]).0, [Some(0), None, Some(1)]);
        // A class that is called like a number is a new one.
        let (codes, names) = there_and_back(&["neg", "pos"], &some(&[0, 1, 0]), &[(2, Some("1"))]);
        assert_eq!((codes, names), (some(&[0, 1, 2]), vec!["neg".to_owned(), "pos".into(), "1".into()]));
        // A number without a name stays itself, and a new class takes another.
        let (codes, names) = there_and_back(&["neg", "pos"], &some(&[0, 1, 2, 1]), &[(0, Some("new"))]);
        assert_eq!(codes, some(&[3, 1, 2, 1]));
        assert_eq!(names, ["neg", "pos", "unnamed 2", "new"]);
        // What could not be told apart again is left alone.
        for names in [["", "pos"], ["a", "a"], ["1", "0"]] {
            assert_eq!(there_and_back(&names, &some(&[0, 1, 0]), &[]).0, some(&[0, 1, 0]), "{names:?}");
        }
        assert_eq!(there_and_back(&["neg", "pos"], &[Some(0), None, Some(-1)], &[]).0, [Some(0), None, Some(-1)]);
        // A label that is taken away is −1.
        assert_eq!(there_and_back(&["neg", "pos"], &some(&[0, 1]), &[(1, None)]).0, some(&[0, -1]));
    }
}
