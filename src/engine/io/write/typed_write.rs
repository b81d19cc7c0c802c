//! Writes frames as Parquet and Arrow: with texts in the layout that readers of some years ago know (pyarrow 14 knows no views), with what the
//! source's writer noted, and with the maps that a source had, which Polars keeps as lists of pairs.

use std::io::Write;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use polars::prelude::{CompatLevel, DataFrame};
use polars_arrow::array::{Array, ListArray, MapArray, StructArray};
use polars_arrow::datatypes::{ArrowDataType, ArrowSchema, Field, Metadata};
use polars_arrow::io::ipc::read::deserialize_schema;
use polars_arrow::io::ipc::write::{FileWriter, StreamWriter, WriteOptions as ArrowOptions, schema_to_bytes};
use polars_arrow::offset::OffsetsBuffer;
use polars_arrow::record_batch::RecordBatchT;
use polars_parquet::parquet::schema::Repetition;
use polars_parquet::parquet::schema::types::{GroupConvertedType, GroupLogicalType};
use polars_parquet::write::{
    CompressedPage, CompressionOptions, Compressor, DynIter, DynStreamingIterator, Encoding, FileWriter as ParquetFile, KeyValue,
    ParquetType, SchemaDescriptor, StatisticsOptions, Version, WriteOptions, array_to_columns, fallible_streaming_iterator,
    get_dtype_encoding, schema_to_metadata_key, to_parquet_type,
};
use rayon::prelude::*;

use crate::data::Format;

/// Rows of one row group or batch.
const ROWS: usize = 1 << 18;
/// The key under which the names of a source's maps are noted, as a JSON list. Never written.
pub const MAPS: &str = "lapidary:maps";

/// Writes a frame. `noted` is written beside the columns, `maps` names columns of pairs that are written as maps; those that cannot be
/// one (a key is missing; in Parquet, a map is) stay lists, and are returned by name.
///
/// # Errors
/// A line: what the format cannot hold, or the disk.
pub fn write(
    frame: &mut DataFrame,
    format: Format,
    noted: &[(String, String)],
    maps: &[String],
    out: &mut dyn Write,
) -> Result<Vec<String>, String> {
    frame.rechunk_mut();
    let (mut fields, mut arrays, mut lists) = (Vec::new(), Vec::new(), Vec::new());
    for column in frame.columns() {
        let series = column.as_materialized_series();
        let mut array = series.to_arrow(0, CompatLevel::oldest());
        let name = series.name().to_string();
        if maps.contains(&name) {
            // Polars' Parquet encoder mistakes maps that are null.
            let sound = format != Format::Parquet || array.null_count() == 0;
            match map_of(&*array).filter(|_| sound) {
                Some(map) => array = map,
                None => lists.push(name),
            }
        }
        let of = series.field().to_arrow(CompatLevel::oldest());
        let field = Field::new(series.name().clone(), array.dtype().clone(), true);
        fields.push(Field { metadata: of.metadata, ..field });
        arrays.push(array);
    }
    let schema: ArrowSchema = fields.into_iter().collect();
    let text = |error: polars::error::PolarsError| error.to_string();
    let parts = (0..frame.height()).step_by(ROWS).map(|from| (from, ROWS.min(frame.height() - from)));
    let batch = |(from, n): (usize, usize)| -> Vec<Box<dyn Array>> { arrays.iter().map(|array| array.sliced(from, n)).collect() };
    match format {
        Format::Parquet => parquet(schema, parts, batch, noted, out)?,
        Format::Arrow => {
            let mut writer = FileWriter::new(out, Arc::new(schema.clone()), None, ArrowOptions { compression: None });
            writer.set_custom_schema_metadata(metadata(noted));
            writer.start().map_err(text)?;
            for (from, n) in parts {
                let rows = RecordBatchT::try_new(n, Arc::new(schema.clone()), batch((from, n))).map_err(text)?;
                writer.write(&rows, None).map_err(text)?;
            }
            writer.finish().map_err(text)?;
        }
        Format::ArrowStream => {
            let mut writer = StreamWriter::new(out, ArrowOptions { compression: None });
            writer.set_custom_schema_metadata(metadata(noted));
            writer.start(&schema, None).map_err(text)?;
            for (from, n) in parts {
                let rows = RecordBatchT::try_new(n, Arc::new(schema.clone()), batch((from, n))).map_err(text)?;
                writer.write(&rows, None).map_err(text)?;
            }
            writer.finish().map_err(text)?;
        }
        _ => return Err(format!("{} has no types", format.title())),
    }
    Ok(lists)
}

fn metadata(noted: &[(String, String)]) -> Arc<Metadata> {
    Arc::new(noted.iter().map(|(key, value)| (key.as_str().into(), value.as_str().into())).collect())
}

/// Row groups whose columns are encoded and packed side by side, one group at a time.
fn parquet(
    schema: ArrowSchema,
    parts: impl Iterator<Item = (usize, usize)>,
    batch: impl Fn((usize, usize)) -> Vec<Box<dyn Array>>,
    noted: &[(String, String)],
    out: &mut dyn Write,
) -> Result<(), String> {
    let text = |error: polars::error::PolarsError| error.to_string();
    let options = WriteOptions {
        statistics: StatisticsOptions::default(),
        version: Version::V1,
        compression: CompressionOptions::Zstd(None),
        data_page_size: None,
    };
    let encodings: Vec<Vec<Encoding>> = schema.iter_values().map(|field| get_dtype_encoding(&field.dtype)).collect();
    let fields: Vec<&Field> = schema.iter_values().collect();
    let types: Vec<ParquetType> = fields.iter().map(|field| type_of(field, true)).collect::<Result<_, _>>().map_err(text)?;
    let stated: Vec<ParquetType> = fields.iter().map(|field| type_of(field, false)).collect::<Result<_, _>>().map_err(text)?;
    let stated = SchemaDescriptor::new("root".into(), stated);
    let mut file = ParquetFile::new_with_parquet_schema(out, schema, stated, options);
    for (from, n) in parts {
        let packed: Vec<Vec<Vec<CompressedPage>>> = batch((from, n))
            .into_par_iter()
            .zip(&types)
            .zip(&encodings)
            .map(|((array, of), encoding)| {
                let leaves = array_to_columns(array, of.clone(), options, encoding).map_err(text)?;
                leaves.into_iter().map(|pages| packed(pages, options)).collect()
            })
            .collect::<Result<_, String>>()?;
        let columns = packed.iter().flatten().map(|pages| {
            let pages = fallible_streaming_iterator::convert(pages.iter().map(polars::error::PolarsResult::Ok));
            Ok(DynStreamingIterator::new(pages))
        });
        file.write(n as u64, DynIter::new(columns)).map_err(text)?;
    }
    let known = noted_schema(schema_to_metadata_key(file.schema()), noted);
    let own = noted.iter().map(|(key, value)| KeyValue { key: key.clone(), value: Some(value.clone()) });
    file.end(Some(std::iter::once(known).chain(own).collect())).map_err(text)?;
    Ok(())
}

/// Arrow's own schema, as it stands within Parquet, with what is noted in it, where pyarrow and `datasets` look for it: Polars leaves that out where
/// a column is nested. Behind eight bytes of length it is a message of Arrow's, in base 64 (Apache Arrow, `ARROW:schema`).
fn noted_schema(mut key: KeyValue, noted: &[(String, String)]) -> KeyValue {
    let message = key.value.as_ref().and_then(|text| STANDARD.decode(text).ok());
    let schema = message.as_ref().and_then(|message| deserialize_schema(message.get(8..)?).ok());
    let Some((schema, fields, _)) = schema else { return key };
    let bytes = schema_to_bytes(&schema, &fields.fields, Some(&metadata(noted)));
    let mut message = vec![0xff; 4];
    message.extend(u32::try_from(bytes.len()).unwrap_or_default().to_le_bytes());
    message.extend(bytes);
    key.value = Some(STANDARD.encode(message));
    key
}

/// A column's type. Of a map, Parquet states `optional group (MAP) { repeated group key_value { required key; optional value; } }`; who encodes its
/// pages wants the pair as a group of its own within (`paired`), which, being required, has no levels and changes none.
fn type_of(field: &Field, paired: bool) -> polars::error::PolarsResult<ParquetType> {
    let ArrowDataType::Map(entries, _) = &field.dtype else { return to_parquet_type(field) };
    let ArrowDataType::Struct(pair) = &entries.dtype else { return to_parquet_type(field) };
    let pair: Vec<ParquetType> = pair.iter().map(to_parquet_type).collect::<Result<_, _>>()?;
    let group = |name: &str, repetition, fields| ParquetType::from_group(name.into(), repetition, None, None, fields, None);
    let inner = if paired { vec![group("entries", Repetition::Required, pair)] } else { pair };
    let pairs = group("key_value", Repetition::Repeated, inner);
    let (converted, logical) = (Some(GroupConvertedType::Map), Some(GroupLogicalType::Map));
    Ok(ParquetType::from_group(field.name.clone(), Repetition::Optional, converted, logical, vec![pairs], None))
}

fn packed(
    pages: DynIter<'static, polars::error::PolarsResult<polars_parquet::write::Page>>,
    options: WriteOptions,
) -> Result<Vec<CompressedPage>, String> {
    use polars_parquet::read::ParquetError;
    let pages = pages.map(|page| page.map_err(|error| ParquetError::FeatureNotSupported(error.to_string())));
    Compressor::new_from_vec(pages, options.compression, Vec::new()).map(|page| page.map_err(|error| error.to_string())).collect()
}

/// A list of pairs as a map; `None` where it is none: a pair or a key is missing, or there are too many pairs for one.
fn map_of(array: &dyn Array) -> Option<Box<dyn Array>> {
    let list = array.as_any().downcast_ref::<ListArray<i64>>()?;
    let pairs = list.values().as_any().downcast_ref::<StructArray>()?;
    let [keys, values] = pairs.values() else { return None };
    if pairs.null_count() > 0 || keys.null_count() > 0 {
        return None;
    }
    let offsets: Vec<i32> = list.offsets().iter().map(|at| i32::try_from(*at).ok()).collect::<Option<_>>()?;
    let names = pairs.fields();
    let fields = vec![
        Field::new(names[0].name.clone(), names[0].dtype.clone(), false),
        Field::new(names[1].name.clone(), names[1].dtype.clone(), true),
    ];
    let entry = ArrowDataType::Struct(fields);
    let entries = StructArray::new(entry.clone(), pairs.len(), vec![keys.with_validity(None), values.clone()], None);
    let of = ArrowDataType::Map(Box::new(Field::new("entries".into(), entry, false)), false);
    let map = MapArray::try_new(of, OffsetsBuffer::try_from(offsets).ok()?, entries.boxed(), list.validity().cloned()).ok()?;
    Some(map.boxed())
}
