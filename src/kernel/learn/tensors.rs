//! Tensors as a safetensors file: a list of names, shapes and places as JSON, then the numbers. Nothing in it can be run.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// One tensor: its type as the format calls it, its shape, its bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct TensorBytes {
    pub kind: String,
    pub shape: Vec<usize>,
    pub bytes: Vec<u8>,
}

impl TensorBytes {
    /// Numbers in single precision.
    pub fn of(shape: Vec<usize>, numbers: &[f32]) -> Self {
        Self { kind: "F32".to_owned(), shape, bytes: numbers.iter().flat_map(|number| number.to_le_bytes()).collect() }
    }
}

/// Tensors by name.
pub type Tensors = BTreeMap<String, TensorBytes>;

/// The file of some tensors.
pub fn to_file(tensors: &Tensors) -> Vec<u8> {
    let mut header = Map::new();
    header.insert("__metadata__".to_owned(), json!({ "format": "pt" }));
    let mut at = 0;
    for (name, tensor) in tensors {
        let end = at + tensor.bytes.len();
        header.insert(name.clone(), json!({ "dtype": tensor.kind, "shape": tensor.shape, "data_offsets": [at, end] }));
        at = end;
    }
    let mut text = Value::Object(header).to_string();
    // Numbers begin at a multiple of eight.
    text.push_str(&" ".repeat(text.len().next_multiple_of(8) - text.len()));
    let mut out = (text.len() as u64).to_le_bytes().to_vec();
    out.extend_from_slice(text.as_bytes());
    tensors.values().for_each(|tensor| out.extend_from_slice(&tensor.bytes));
    out
}

/// The tensors of a file; `None` where it is none.
pub fn of_file(bytes: &[u8]) -> Option<Tensors> {
    let (length, rest) = bytes.split_first_chunk::<8>()?;
    let (header, data) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
    let header: Map<String, Value> = serde_json::from_slice(header).ok()?;
    let number = |value: &Value| usize::try_from(value.as_u64()?).ok();
    let one = |(name, entry): (&String, &Value)| -> Option<(String, TensorBytes)> {
        let (from, end) = (number(&entry["data_offsets"][0])?, number(&entry["data_offsets"][1])?);
        let shape = entry["shape"].as_array()?.iter().map(number).collect::<Option<Vec<usize>>>()?;
        let kind = entry["dtype"].as_str()?.to_owned();
        Some((name.clone(), TensorBytes { kind, shape, bytes: data.get(from..end)?.to_vec() }))
    };
    header.iter().filter(|(name, _)| *name != "__metadata__").map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let mut tensors = Tensors::new();
        tensors.insert("b".to_owned(), TensorBytes::of(vec![2, 2], &[1.0, -2.0, 0.5, 3.0]));
        tensors
            .insert("a".to_owned(), TensorBytes { kind: "I64".to_owned(), shape: vec![1], bytes: 7i64.to_le_bytes().to_vec() });
        let file = to_file(&tensors);
        assert_eq!(of_file(&file), Some(tensors));
        assert!((0..file.len()).all(|end| of_file(&file[..end]).is_none()), "a torn file is none");
    }
}
