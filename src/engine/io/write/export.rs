//! Saving a dataset: in its own text format byte for byte, or in another one cell for cell.

use std::borrow::Cow;
use std::io::Write;

use polars::prelude::{
    AnyValue, Column as PolarsColumn, DataFrame, DataType, Field as PolarsField, IdxCa, NamedFrom as _, PlSmallStr, Series,
};
use serde_json::Value;

use crate::data::{Dataset, Kind, PictureStore, SampleId, native, things};
use crate::io::error::IoError;
use crate::io::read::class_names;
use crate::io::write::arranged::Arranged;
use crate::io::write::export_text;
use crate::io::write::rows::{CellSource, Rows, SaveTarget, cell, changed, columns, own_row};
use crate::io::write::save::{Prepared, is_special, prepare, put_in_place, write_into};
use crate::io::write::typed_write;
use crate::job::Progress;

/// What was saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Samples written.
    pub rows: usize,
    /// The file's size.
    pub bytes: u64,
    /// What the user should know: what could not be kept as it was.
    pub notes: Vec<String>,
}

/// Writes a small text file that is none of the dataset's own, aside first: a page about it, say.
///
/// # Errors
/// [`IoError::Write`]: it is a source, or the disk refuses; what was there before is untouched.
pub fn write_beside(dataset: &Dataset, path: &std::path::Path, text: &str) -> Result<(), IoError> {
    may_write(dataset, path)?;
    super::save::write_small(path, text)
}

/// Refuses a path that is the source, or a project's.
///
/// # Errors
/// [`IoError::Write`].
pub fn may_write(dataset: &Dataset, path: &std::path::Path) -> Result<(), IoError> {
    let same =
        |a: &std::path::Path, b: &std::path::Path| matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b);
    let refuse = |reason: &str| Err(IoError::Write { path: path.to_owned(), reason: reason.to_owned() });
    if same(path, &dataset.base.origin.path) || is_one_file(path, &dataset.base.origin.path) {
        return refuse("it is the source, which Lapidary never writes to; choose another name");
    }
    let within = |own: &std::path::PathBuf| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(std::path::Path::new("."));
        // Where it would truly be written: the nearest folder that is there.
        let real = path.canonicalize().ok().or_else(|| folder.ancestors().find_map(|folder| folder.canonicalize().ok()));
        own.is_dir() && own.canonicalize().is_ok_and(|own| real.is_some_and(|real| real.starts_with(own)))
    };
    let is_source = |own: &std::path::PathBuf| same(path, own) || is_one_file(path, own) || within(own);
    if let Some(source) = dataset.base.sources.iter().find(|source| source.paths.iter().any(is_source)) {
        return refuse(&format!("it is the source {:?}, which Lapidary never writes to; choose another name", source.id));
    }
    let origin = &dataset.base.origin;
    // Where it would truly be written: a link is followed, and a bare name lies here.
    let folder = || path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(std::path::Path::new("."));
    let place = || path.canonicalize().or_else(|_| folder().canonicalize()).ok();
    if !origin.format.is_of_images()
        && origin.path.is_dir()
        && place().is_some_and(|place| origin.path.canonicalize().is_ok_and(|root| place.starts_with(root)))
    {
        return refuse("it lies within the source, whose files are all read as one dataset; choose a folder elsewhere");
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    if name.contains(".lapidary") {
        return refuse("that is the name of a project file, which holds edits; choose another name");
    }
    Ok(())
}

/// Whether two names are of one file, as hard links are.
#[cfg(unix)]
fn is_one_file(a: &std::path::Path, b: &std::path::Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let of = |path: &std::path::Path| std::fs::metadata(path).ok().map(|meta| (meta.dev(), meta.ino()));
    of(a).is_some() && of(a) == of(b)
}

#[cfg(not(unix))]
fn is_one_file(_: &std::path::Path, _: &std::path::Path) -> bool {
    false
}

/// Saves `rows` of a dataset to a new file.
///
/// # Errors
/// [`IoError::Write`] (what was there before is untouched), [`IoError::Unfit`] where data do not fit the format,
/// [`IoError::Cancelled`].
pub fn export(dataset: &Dataset, rows: &Rows, target: &SaveTarget, progress: &Progress) -> Result<Report, IoError> {
    let (report, new) = prepare_one(dataset, rows, target, progress)?;
    put_in_place(new.into_iter().collect())?;
    Ok(report)
}

/// Saves parts of a dataset to files that belong together: all are written before any takes its place.
///
/// # Errors
/// As [`export`]; then none of them has.
pub fn export_parts(dataset: &Dataset, list: &[(Rows, SaveTarget)], progress: &Progress) -> Result<Vec<Report>, IoError> {
    let (mut reports, mut new) = (Vec::new(), Vec::new());
    for (rows, target) in list {
        let (report, prepared) = prepare_one(dataset, rows, target, progress)?;
        reports.push(report);
        new.extend(prepared);
    }
    put_in_place(new)?;
    Ok(reports)
}

fn prepare_one(
    dataset: &Dataset,
    rows: &Rows,
    target: &SaveTarget,
    progress: &Progress,
) -> Result<(Report, Option<Prepared>), IoError> {
    if target.format.has_sheets() {
        let reason = format!(
            "{} is a format that is read and not written yet: save as csv, jsonl, parquet or arrow",
            target.format.title()
        );
        return Err(IoError::Write { path: target.path.clone(), reason });
    }
    may_write(dataset, &target.path)?;
    let ids = rows.ids(dataset);
    progress.set_total(ids.len() as u64);
    let drawn = |id: &SampleId| dataset.origins(*id).is_some_and(|origins| origins.made.of_pictures().is_some());
    let drawn = if dataset.made() > 0 && dataset.pictures().is_some() { ids.iter().filter(|id| drawn(id)).count() } else { 0 };
    if drawn > 0 {
        let reason = format!(
            "{}, which a table cannot hold: save as a folder of images",
            things(drawn, "sample is an augmented image", "samples are augmented images")
        );
        return Err(IoError::Unfit { format: target.format.title().to_owned(), reason });
    }
    if let Some(name) = Arranged::of(dataset).as_ref().and_then(Arranged::twice) {
        return Err(unfit(target, format!("two columns would be called {name:?}: give one another name")));
    }
    let mut notes = Vec::new();
    let mut frame = if target.format.is_text() {
        None
    } else {
        export_text::unread_note(dataset, false, &mut notes);
        export_text::surplus_note(dataset, &mut notes);
        Some(frame(dataset, &ids, target, &mut notes)?)
    };
    progress.check()?;
    let fill = |out: &mut dyn Write| match &mut frame {
        Some(frame) => write_frame(frame, dataset, target, &mut notes, out),
        None => export_text::write(dataset, &ids, target, progress, &mut notes, out),
    };
    let (bytes, new) = if is_special(&target.path) {
        (write_into(&target.path, target.packing, fill)?, None)
    } else {
        let new = prepare(&target.path, target.packing, fill)?;
        (new.bytes, Some(new))
    };
    notes.extend(picture_note(dataset, target));
    Ok((Report { rows: ids.len(), bytes, notes }, new))
}

/// What a table does not carry of pictures.
fn picture_note(dataset: &Dataset, target: &SaveTarget) -> Option<String> {
    let field = dataset.pictures()?;
    let blobs = dataset.fields()[field].source.is_some_and(|source| dataset.base.columns[source].is_blobs());
    if blobs {
        let text = "a text file names the images and does not hold them: save as Parquet or Arrow, or as a folder of images";
        return target.format.is_text().then(|| text.to_owned());
    }
    match &dataset.base.pictures {
        PictureStore::Archive(archive) => Some(format!("the paths of images lead into {}", archive.path.display())),
        PictureStore::Folder(root) => {
            let beside = target.path.parent().and_then(|folder| folder.canonicalize().ok());
            (beside.as_ref() != Some(root)).then(|| format!("the paths of images are relative to {}", root.display()))
        }
    }
}

fn write_frame(
    frame: &mut DataFrame,
    dataset: &Dataset,
    target: &SaveTarget,
    notes: &mut Vec<String>,
    out: &mut dyn Write,
) -> Result<(), IoError> {
    let fail = |reason: String| IoError::Write { path: target.path.clone(), reason };
    let mut names = class_names::number(frame, &dataset.base.noted).map_err(fail)?;
    let arranged = Arranged::of(dataset);
    if let Some(arranged) = &arranged {
        rename(frame, arranged).map_err(fail)?;
        names.retain_mut(|(name, _)| {
            arranged.name(name).map(ToOwned::to_owned).is_some_and(|to| {
                *name = to;
                true
            })
        });
    }
    let noted = noted(dataset, frame, &names, arranged.as_ref());
    let maps = dataset.base.noted.iter().filter(|(key, _)| key == typed_write::MAPS);
    let maps = maps.filter_map(|(_, list)| serde_json::from_str::<Vec<String>>(list).ok()).flatten();
    let maps: Vec<String> = match &arranged {
        Some(arranged) => maps.filter_map(|name| arranged.name(&name).map(ToOwned::to_owned)).collect(),
        None => maps.collect(),
    };
    let lists = typed_write::write(frame, target.format, &noted, &maps, out).map_err(fail)?;
    notes.extend(
        lists
            .iter()
            .map(|name| format!("{name:?} is saved as a list of pairs: as a map it could not be written with its empty cells")),
    );
    Ok(())
}

/// Gives the columns of a frame, which have the dataset's names, those that they have in the file.
fn rename(frame: &mut DataFrame, arranged: &Arranged) -> Result<(), String> {
    let of = |column: &PolarsColumn| arranged.name(column.name()).map_or_else(|| column.name().clone(), PlSmallStr::from);
    let columns: Vec<PolarsColumn> = frame.columns().iter().map(|column| column.clone().with_name(of(column))).collect();
    *frame = DataFrame::new(frame.height(), columns).map_err(|error| error.to_string())?;
    Ok(())
}

/// What the source's writer noted beside its columns, as it is true of `frame`: Hugging Face's features of the columns that are there, and
/// plain ones for those that were added; pandas' index only where all its columns are there.
fn noted(
    dataset: &Dataset,
    frame: &DataFrame,
    names: &[(String, Vec<String>)],
    arranged: Option<&Arranged>,
) -> Vec<(String, String)> {
    let text = |(key, value): &(String, String)| {
        let mut value: Value = serde_json::from_str(value).ok()?;
        if key == "pandas" {
            let stored = |column: &Value| column.get("field_name").or_else(|| column.get("name"))?.as_str().map(PlSmallStr::from);
            let all = value
                .get("columns")?
                .as_array()?
                .iter()
                .all(|column| stored(column).is_some_and(|name| frame.schema().contains(&name)));
            return all.then(|| (key.clone(), value.to_string()));
        }
        if let (Some(arranged), Some(features)) = (arranged, value.pointer_mut("/info/features").and_then(Value::as_object_mut)) {
            let old = std::mem::take(features);
            let named = |(name, feature): (String, Value)| arranged.name(&name).map(|to| (to.to_owned(), feature));
            features.extend(old.into_iter().filter_map(named));
        }
        class_names::note(&mut value, names);
        let features = value.pointer_mut("/info/features")?.as_object_mut()?;
        features.retain(|name, _| frame.schema().contains(name));
        for column in frame.columns() {
            let plain = match column.dtype() {
                DataType::Boolean => "bool",
                DataType::Int64 => "int64",
                DataType::UInt64 => "uint64",
                DataType::Float64 => "float64",
                DataType::String => "large_string",
                _ => "null",
            };
            let known = features.contains_key(column.name().as_str());
            if !known && plain == "null" {
                // What cannot be said of every column is better not said.
                return None;
            }
            if !known {
                features.insert(column.name().to_string(), serde_json::json!({ "dtype": plain, "_type": "Value" }));
            }
        }
        Some((key.clone(), value.to_string()))
    };
    dataset.base.noted.iter().filter(|(key, _)| !key.starts_with("lapidary:")).filter_map(text).collect()
}

fn unfit(target: &SaveTarget, reason: String) -> IoError {
    IoError::Unfit { format: target.format.title().to_owned(), reason }
}

/// The dataset as a typed frame: a typed source keeps its types, text becomes what its column is read as.
fn frame(dataset: &Dataset, ids: &[SampleId], target: &SaveTarget, notes: &mut Vec<String>) -> Result<DataFrame, IoError> {
    let mut series = Vec::new();
    for (written, kind, source) in columns(dataset, target.own_columns) {
        // Under the dataset's own names first: by them the rest is known.
        let name = match source {
            CellSource::Field(field) => dataset.fields()[field].name.to_string(),
            CellSource::Own(_) => written,
        };
        let native = match source {
            CellSource::Field(field) => {
                dataset.fields()[field].source.and_then(|at| dataset.base.columns[at].series()).map(|base| (field, base))
            }
            CellSource::Own(_) => None,
        };
        series.push(if let Some((field, base)) = native {
            edited_native(dataset, field, base, ids).map_err(|reason| unfit(target, reason))?
        } else {
            let texts: Vec<_> = ids.iter().map(|id| cell(dataset, &source, *id)).collect();
            typed(&name, kind, &texts, notes)
        });
    }
    let columns: Vec<PolarsColumn> = series.into_iter().map(PolarsColumn::from).collect();
    DataFrame::new(ids.len(), columns).map_err(|error| unfit(target, error.to_string()))
}

/// A typed column with its edits: the edited cells are put behind the source's, and each sample takes one of the two.
fn edited_native(dataset: &Dataset, field: usize, base: &Series, ids: &[SampleId]) -> Result<Series, String> {
    let (mut edits, mut take) = (Vec::new(), Vec::with_capacity(ids.len()));
    // One beyond what Polars counts to is refused by `take`.
    let place = |row: usize| u32::try_from(row).unwrap_or(u32::MAX);
    for id in ids {
        // What another source has is written as if it had been typed in.
        let (own, edit) = (own_row(dataset, *id), changed(dataset, field, *id));
        match (own, edit) {
            (Some(row), None) => take.push(place(row)),
            (_, edit) => {
                take.push(place(base.len() + edits.len()));
                edits.push(edit.unwrap_or_else(|| dataset.text(field, *id)));
            }
        }
    }
    let mut all = base.clone();
    if !edits.is_empty() {
        let texts = native::series(base.name(), &edits, base.dtype())
            .map_err(|(_, text)| format!("{text:?} does not fit the column {:?}", base.name()))?;
        all.append(&texts).map_err(|error| error.to_string())?;
    }
    all.take(&IdxCa::from_vec(PlSmallStr::EMPTY, take)).map_err(|error| error.to_string())
}

/// A column of text cells as a typed one. What the type cannot hold exactly stays text, and a note says so.
fn typed(name: &str, kind: Kind, texts: &[Option<Cow<'_, str>>], notes: &mut Vec<String>) -> Series {
    let filled = || texts.iter().flatten().filter(|text| !text.is_empty());
    let as_text =
        || native::series(name, texts, &DataType::String).unwrap_or_else(|_| Series::new_null(name.into(), texts.len()));
    let dtype = match kind {
        Kind::Boolean => DataType::Boolean,
        Kind::Integer if filled().all(|text| text.parse::<i64>().is_ok()) => DataType::Int64,
        Kind::Integer => DataType::UInt64,
        Kind::Number | Kind::Comma => {
            let whole = |text: &str| text.trim().bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'+'));
            // Whole numbers beyond 2^53 would change in a double.
            let exact = |text: &str| !whole(text) || text.trim().parse::<i128>().is_ok_and(|n| n.abs() <= 1 << 53);
            if !filled().all(|text| exact(text)) {
                notes.push(format!("{name:?} is saved as text: it has numbers that no typed column holds exactly"));
                return as_text();
            }
            if let Some(odd) = filled().find(|text| kind.number(text).is_none()) {
                notes.push(format!("{name:?} is saved as text: {odd:?} is no number"));
                return as_text();
            }
            let value = |text: &Option<Cow<'_, str>>| text.as_ref().and_then(|text| kind.number(text));
            return Series::new(name.into(), texts.iter().map(value).collect::<Vec<Option<f64>>>());
        }
        Kind::List | Kind::Struct => return nested(name, texts, notes),
        Kind::Text | Kind::Time | Kind::Json => DataType::String,
    };
    native::series(name, texts, &dtype).unwrap_or_else(|(_, text)| {
        notes.push(format!("{name:?} is saved as text: {text:?} is no {}", kind.name()));
        as_text()
    })
}

fn nested(name: &str, texts: &[Option<Cow<'_, str>>], notes: &mut Vec<String>) -> Series {
    let parsed: Vec<Option<Value>> = texts
        .iter()
        .map(|text| text.as_ref().filter(|text| !text.is_empty()).and_then(|text| serde_json::from_str(text).ok()))
        .collect();
    let mut shape = Shape::Unknown;
    parsed.iter().flatten().for_each(|value| shape.widen(value));
    let mut as_text = |why: &str| {
        notes.push(format!("{name:?} is saved as JSON text: {why}"));
        native::series(name, texts, &DataType::String).unwrap_or_else(|_| Series::new_null(name.into(), texts.len()))
    };
    if shape.is_mixed() {
        return as_text("its values are of several kinds");
    }
    let dtype = shape.dtype();
    let values: Option<Vec<AnyValue<'static>>> = parsed
        .iter()
        .map(|value| value.as_ref().map_or(Some(AnyValue::Null), |value| native::from_json(value, &dtype)))
        .collect();
    match values.map(|values| Series::from_any_values_and_dtype(name.into(), &values, &dtype, false)) {
        Some(Ok(series)) => series,
        _ => as_text("its values do not fit one type"),
    }
}

/// What JSON values have in common.
#[derive(Debug, Clone, PartialEq)]
enum Shape {
    Unknown,
    Boolean,
    Integer,
    Number,
    Text,
    List(Box<Self>),
    Struct(Vec<(String, Self)>),
    Mixed,
}

impl Shape {
    fn widen(&mut self, value: &Value) {
        match (&mut *self, value) {
            (_, Value::Null) => {}
            (Self::List(inner), Value::Array(items)) => items.iter().for_each(|item| inner.widen(item)),
            (Self::Struct(fields), Value::Object(members)) => {
                for (name, member) in members {
                    let place = fields.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
                        fields.push((name.clone(), Self::Unknown));
                        fields.len() - 1
                    });
                    fields[place].1.widen(member);
                }
            }
            (Self::Unknown, Value::Array(_)) => {
                *self = Self::List(Box::new(Self::Unknown));
                self.widen(value);
            }
            (Self::Unknown, Value::Object(_)) => {
                *self = Self::Struct(Vec::new());
                self.widen(value);
            }
            (old, scalar) => {
                let new = match scalar {
                    Value::Bool(_) => Self::Boolean,
                    Value::String(_) => Self::Text,
                    Value::Number(number) if number.as_i64().is_some() => Self::Integer,
                    Value::Number(_) => Self::Number,
                    _ => Self::Mixed,
                };
                *old = match (&*old, new) {
                    (Self::Unknown, new) => new,
                    (old, new) if *old == new => new,
                    (Self::Integer, Self::Number) | (Self::Number, Self::Integer) => Self::Number,
                    _ => Self::Mixed,
                };
            }
        }
    }

    fn is_mixed(&self) -> bool {
        match self {
            Self::Mixed => true,
            Self::List(inner) => inner.is_mixed(),
            Self::Struct(fields) => fields.is_empty() || fields.iter().any(|(_, field)| field.is_mixed()),
            _ => false,
        }
    }

    fn dtype(&self) -> DataType {
        match self {
            Self::Boolean => DataType::Boolean,
            Self::Integer => DataType::Int64,
            Self::Number => DataType::Float64,
            Self::List(inner) => DataType::List(Box::new(inner.dtype())),
            Self::Struct(fields) => DataType::Struct(
                fields.iter().map(|(name, field)| PolarsField::new(name.as_str().into(), field.dtype())).collect(),
            ),
            Self::Unknown | Self::Text | Self::Mixed => DataType::String,
        }
    }
}
