//! Class names that Hugging Face notes beside a column of numbers (`ClassLabel`): shown and worked with instead of the numbers, and turned
//! back into them on saving, so that both the column and what is noted of it stay true. −1 is their spelling of "no label".

use polars::prelude::{
    DataFrame, DataType, Int64Chunked, ListBuilderTrait as _, ListChunked, ListPrimitiveChunkedBuilder, ListStringChunkedBuilder,
    NewChunkedArray as _, PlSmallStr, Series, StringChunked,
};
use serde_json::Value;

use crate::data::Column;

/// The key under which Hugging Face notes the features of columns.
const FEATURES: &str = "huggingface";
/// Their spelling of a label that is not there.
const NONE: i64 = -1;
/// The key under which the columns are noted whose empty cells are null in the source, as a JSON list. Never written.
const NULLS: &str = "lapidary:nulls";

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

/// Puts names in the place of numbers. A number that has no name stays as it is written, −1 becomes an empty cell; a column that has both
/// empty cells and −1 is left alone, because they could not be told apart again.
pub fn name(columns: &mut [Column], noted: &mut Vec<(String, String)>) {
    let mut with_nulls = Vec::new();
    for (of, names, many) in features(noted) {
        let Some(column) = columns.iter_mut().find(|column| *column.name == *of) else { continue };
        let Some(named) =
            column.series().and_then(|series| if many { named_lists(series, &names) } else { named(series, &names) })
        else {
            continue;
        };
        if column.series().is_some_and(|series| series.null_count() > 0) {
            with_nulls.push(of);
        }
        *column = Column::from_series(&named);
    }
    if !with_nulls.is_empty() {
        noted.push((NULLS.to_owned(), serde_json::json!(with_nulls).to_string()));
    }
}

fn is_whole(dtype: &DataType) -> bool {
    dtype.is_integer()
}

fn named(series: &Series, names: &[String]) -> Option<Series> {
    if !is_whole(series.dtype()) {
        return None;
    }
    let cast = series.cast(&DataType::Int64).ok()?;
    let codes = cast.i64().ok()?;
    if codes.null_count() > 0 && codes.iter().flatten().any(|code| code == NONE) {
        return None;
    }
    let text: StringChunked =
        codes.iter().map(|code| code.filter(|code| *code != NONE).map(|code| name_of(code, names))).collect();
    Some(Series::from(text.with_name(series.name().clone())))
}

fn name_of(code: i64, names: &[String]) -> String {
    usize::try_from(code).ok().and_then(|at| names.get(at).cloned()).unwrap_or_else(|| code.to_string())
}

fn named_lists(series: &Series, names: &[String]) -> Option<Series> {
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
                    codes.i64().ok()?.iter().map(|code| code.map(|code| name_of(code, names))).collect();
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
    let nulls = noted.iter().find(|(key, _)| key == NULLS).map(|(_, list)| serde_json::from_str(list).unwrap_or_default());
    let nulls: Vec<String> = nulls.unwrap_or_default();
    for (of, mut names, many) in features(noted) {
        let Some(place) = frame.get_column_index(&of) else { continue };
        let series = frame.columns()[place].as_materialized_series().clone();
        let code = |name: &str, names: &mut Vec<String>| -> i64 {
            if let Some(at) = names.iter().position(|known| known == name) {
                return at as i64;
            }
            // A number that had no name is still itself.
            if let Ok(code) = name.parse::<i64>() {
                return code;
            }
            names.push(name.to_owned());
            names.len() as i64 - 1
        };
        let numbered = match series.dtype() {
            DataType::String if !many => {
                let none = if nulls.contains(&of) { None } else { Some(NONE) };
                let texts = series.str().map_err(|error| error.to_string())?;
                let codes: Vec<Option<i64>> = texts
                    .iter()
                    .map(|name| name.filter(|name| !name.is_empty()).map_or(none, |name| Some(code(name, &mut names))))
                    .collect();
                Series::from(Int64Chunked::from_slice_options(of.as_str().into(), &codes))
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
                            let codes: Vec<Option<i64>> =
                                texts.iter().map(|name| name.map(|name| code(name, &mut names))).collect();
                            out.append_iter(codes.into_iter());
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
