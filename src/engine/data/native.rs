//! Between Polars' typed values and the text that a person sees and edits. Pure; knows nothing of datasets.

use std::borrow::Cow;
use std::fmt::Write as _;

use polars::prelude::{AnyValue, DataType, IntoSeries as _, NamedFrom as _, Series};

use super::schema::Kind;

/// The kind that a Polars type is shown as.
pub fn kind_of(dtype: &DataType) -> Kind {
    match dtype {
        DataType::Boolean => Kind::Boolean,
        DataType::Float16 | DataType::Float32 | DataType::Float64 | DataType::Decimal(..) => Kind::Number,
        DataType::Date | DataType::Datetime(..) | DataType::Duration(_) | DataType::Time => Kind::Time,
        DataType::List(_) | DataType::Array(..) => Kind::List,
        DataType::Struct(_) => Kind::Struct,
        other if other.is_integer() => Kind::Integer,
        _ => Kind::Text,
    }
}

/// A value as a cell's text: JSON for lists and structs, hexadecimal for bytes, ISO 8601 for times. `None` is null.
pub fn text<'a>(value: &AnyValue<'a>) -> Option<Cow<'a, str>> {
    Some(match value {
        AnyValue::Null => return None,
        AnyValue::String(text) => Cow::Borrowed(*text),
        AnyValue::StringOwned(text) => Cow::Owned(text.to_string()),
        AnyValue::List(_) | AnyValue::Array(..) | AnyValue::Struct(..) | AnyValue::StructOwned(_) => {
            let mut out = String::new();
            json(value, &mut out);
            Cow::Owned(out)
        }
        AnyValue::Binary(bytes) => Cow::Owned(hex(bytes)),
        AnyValue::BinaryOwned(bytes) => Cow::Owned(hex(bytes)),
        AnyValue::Datetime(..) | AnyValue::DatetimeOwned(..) => Cow::Owned(value.to_string().replacen(' ', "T", 1)),
        other => Cow::Owned(scalar(other)),
    })
}

fn scalar(value: &AnyValue<'_>) -> String {
    match value {
        AnyValue::Float64(number) => float(*number),
        AnyValue::Float32(number) => {
            if number.is_finite() && number.fract() == 0.0 && number.abs() < 1e9 {
                format!("{number:.1}")
            } else {
                format!("{number}")
            }
        }
        // A half's shortest text: its value as a double is exact.
        AnyValue::Float16(number) => float(f64::from(f32::from(*number))),
        AnyValue::Int8(n) => n.to_string(),
        AnyValue::Int16(n) => n.to_string(),
        AnyValue::Int32(n) => n.to_string(),
        AnyValue::Int64(n) => n.to_string(),
        AnyValue::Int128(n) => n.to_string(),
        AnyValue::UInt8(n) => n.to_string(),
        AnyValue::UInt16(n) => n.to_string(),
        AnyValue::UInt32(n) => n.to_string(),
        AnyValue::UInt64(n) => n.to_string(),
        AnyValue::UInt128(n) => n.to_string(),
        AnyValue::Boolean(flag) => flag.to_string(),
        other => other.get_str().map_or_else(|| other.to_string(), ToOwned::to_owned),
    }
}

/// A double as its shortest text that reads back the same, with a point or an exponent so that it stays a double.
pub fn float(number: f64) -> String {
    if number.is_finite() && number.fract() == 0.0 && number.abs() < 1e15 { format!("{number:.1}") } else { number.to_string() }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// Writes a value as JSON. Numbers that JSON lacks (`NaN`, infinities) become null.
pub fn json(value: &AnyValue<'_>, out: &mut String) {
    match value {
        AnyValue::Null => out.push_str("null"),
        AnyValue::Boolean(flag) => out.push_str(if *flag { "true" } else { "false" }),
        AnyValue::Float64(number) if !number.is_finite() => out.push_str("null"),
        AnyValue::Float16(number) if !f32::from(*number).is_finite() => out.push_str("null"),
        AnyValue::Float32(number) if !number.is_finite() => out.push_str("null"),
        AnyValue::List(items) | AnyValue::Array(items, _) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                json(&item, out);
            }
            out.push(']');
        }
        AnyValue::Struct(_, _, fields) => {
            object(fields.iter().map(|field| field.name.as_str()).zip(value._iter_struct_av()), out);
        }
        AnyValue::StructOwned(payload) => {
            object(payload.1.iter().map(|field| field.name.as_str()).zip(payload.0.iter().cloned()), out);
        }
        other if other.dtype().is_primitive_numeric() || matches!(other, AnyValue::Decimal(..)) => {
            out.push_str(&scalar(other));
        }
        other => quote(&text(other).unwrap_or_default(), out),
    }
}

fn object<'a>(fields: impl Iterator<Item = (&'a str, AnyValue<'a>)>, out: &mut String) {
    out.push('{');
    for (i, (name, field)) in fields.enumerate() {
        if i > 0 {
            out.push_str(", ");
        }
        quote(name, out);
        out.push_str(": ");
        json(&field, out);
    }
    out.push('}');
}

/// Writes `text` as a JSON string: only what must be escaped is.
pub fn quote(text: &str, out: &mut String) {
    // Writing to a string cannot fail.
    out.push_str(&serde_json::to_string(text).unwrap_or_default());
}

/// Reads a cell's text as a value of `dtype`; `None` where it is not one. The empty text is null.
pub fn parse(text: &str, dtype: &DataType) -> Option<AnyValue<'static>> {
    if text.is_empty() {
        return Some(AnyValue::Null);
    }
    match dtype {
        DataType::String => Some(AnyValue::StringOwned(text.into())),
        DataType::Boolean => text.parse().ok().map(AnyValue::Boolean),
        DataType::Float64 | DataType::Float32 | DataType::Float16 if matches!(text, "NaN" | "inf" | "-inf") => {
            text.parse().ok().map(AnyValue::Float64)
        }
        DataType::List(inner) | DataType::Array(inner, _) => {
            let value: serde_json::Value = serde_json::from_str(text).ok()?;
            let items: Option<Vec<AnyValue<'static>>> = value.as_array()?.iter().map(|item| from_json(item, inner)).collect();
            let series = Series::from_any_values_and_dtype("".into(), &items?, inner, true).ok()?;
            match dtype {
                DataType::Array(_, width) if series.len() != *width => None,
                DataType::Array(_, width) => Some(AnyValue::Array(series, *width)),
                _ => Some(AnyValue::List(series)),
            }
        }
        DataType::Struct(_) => from_json(&serde_json::from_str(text).ok()?, dtype),
        other => {
            let one = Series::new("".into(), [text]);
            let cast = one.strict_cast(other).ok()?;
            let value = cast.get(0).ok()?.into_static();
            (!value.is_null()).then_some(value)
        }
    }
}

/// A JSON value as a value of `dtype`; `None` where it does not fit.
pub fn from_json(value: &serde_json::Value, dtype: &DataType) -> Option<AnyValue<'static>> {
    use serde_json::Value;
    match (value, dtype) {
        (Value::Null, _) => Some(AnyValue::Null),
        (Value::Object(fields), DataType::Struct(wanted)) => {
            if fields.keys().any(|name| !wanted.iter().any(|field| field.name.as_str() == name)) {
                return None;
            }
            let values: Option<Vec<AnyValue<'static>>> = wanted
                .iter()
                .map(|field| from_json(fields.get(field.name.as_str()).unwrap_or(&Value::Null), &field.dtype))
                .collect();
            Some(AnyValue::StructOwned(Box::new((values?, wanted.clone()))))
        }
        (Value::Array(_), DataType::List(_) | DataType::Array(..)) => parse(&value.to_string(), dtype),
        (Value::String(text), DataType::String) => Some(AnyValue::StringOwned(text.as_str().into())),
        (Value::String(text), _) => parse(text, dtype),
        (other, DataType::String) => Some(AnyValue::StringOwned(other.to_string().as_str().into())),
        (Value::Bool(flag), DataType::Boolean) => Some(AnyValue::Boolean(*flag)),
        (Value::Number(number), DataType::Float64) => number.as_f64().map(AnyValue::Float64),
        (Value::Number(number), DataType::Int64) => number.as_i64().map(AnyValue::Int64),
        (Value::Number(number), _) => parse(&number.to_string(), dtype),
        _ => None,
    }
}

/// A series of `dtype` from cell texts; the first text that does not fit is the error.
///
/// # Errors
/// The place in `texts` and the text that is not a value of `dtype`.
pub fn series(name: &str, texts: &[Option<Cow<'_, str>>], dtype: &DataType) -> Result<Series, (usize, String)> {
    if matches!(dtype, DataType::String) {
        let strings: polars::prelude::StringChunked = texts.iter().map(Option::as_deref).collect();
        let mut series = strings.into_series();
        series.rename(name.into());
        return Ok(series);
    }
    let mut values = Vec::with_capacity(texts.len());
    for (at, text) in texts.iter().enumerate() {
        let value = match text {
            None => AnyValue::Null,
            Some(text) => parse(text, dtype).ok_or_else(|| (at, text.to_string()))?,
        };
        values.push(value);
    }
    Series::from_any_values_and_dtype(name.into(), &values, dtype, false).map_err(|error| (0, error.to_string()))
}
