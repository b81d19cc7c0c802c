//! What a project keeps of an edit. Since the second format a body says its own fields (`MessagePack` by name, packed with Zstandard, behind one
//! byte of version), so that a later Lapidary reads it whatever fields it has more; what is not known is passed over.
//!
//! The first format was positional (postcard): its types are frozen here and are never changed again.

use std::cell::RefCell;

use serde::Deserialize;
use zstd::bulk::Compressor;

use super::change::{Change, Edit, Target, Values};
use crate::data::{Batch, Method, SampleId};

/// The version of bodies, their first byte. A body of the first format begins with Zstandard's own mark.
pub const VERSION: u8 = 2;
const FIRST: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// Puts an edit into a body.
///
/// # Errors
/// A line; there is no edit that has one, short of memory.
pub fn encode(edit: &Edit) -> Result<Vec<u8>, String> {
    thread_local! {
        /// Making one anew costs more than packing a small edit.
        static PACKER: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    }
    let bytes = rmp_serde::to_vec_named(edit).map_err(|error| error.to_string())?;
    let packed = PACKER.with_borrow_mut(|packer| {
        let packer = match packer {
            Some(packer) => packer,
            none => none.insert(Compressor::new(1)?),
        };
        packer.compress(&bytes)
    });
    let mut body = vec![VERSION];
    body.extend(packed.map_err(|error| error.to_string())?);
    Ok(body)
}

/// Reads an edit from a body of any version that is known; `None` where it is none.
pub fn decode(body: &[u8]) -> Option<Edit> {
    match body.split_first()? {
        _ if body.starts_with(FIRST) => {
            postcard::from_bytes::<EditV1>(&zstd::stream::decode_all(body).ok()?).ok().map(Edit::from)
        }
        (&VERSION, packed) => rmp_serde::from_slice(&zstd::stream::decode_all(packed).ok()?).ok(),
        _ => None,
    }
}

#[derive(Deserialize)]
struct EditV1 {
    words: String,
    changes: Vec<ChangeV1>,
}

#[derive(Deserialize)]
struct ChangeV1 {
    target: TargetV1,
    /// Each less the one before.
    samples: Vec<i64>,
    before: ValuesV1,
    after: ValuesV1,
}

#[derive(Deserialize)]
enum TargetV1 {
    Cells(String),
    Column(String),
    Role(String),
    Kind(String),
    Excluded,
    Reviewed,
    Tag(String),
    Made(BatchV1),
}

#[derive(Deserialize)]
struct ValuesV1 {
    texts: Vec<Option<String>>,
    codes: Vec<u32>,
}

#[derive(Deserialize)]
struct BatchV1 {
    first: u32,
    method: MethodV1,
    seed: u64,
    parents: Vec<u32>,
    others: Vec<u32>,
    draws: Vec<u64>,
    risks: Vec<u16>,
    distances: Vec<u16>,
}

#[derive(Deserialize)]
enum MethodV1 {
    Augmented(String),
    Repeated,
    Interpolated,
}

impl From<EditV1> for Edit {
    fn from(edit: EditV1) -> Self {
        let changes = edit.changes.into_iter().map(Change::from).collect();
        Self { words: edit.words, operation: None, first_format: true, changes }
    }
}

impl From<ChangeV1> for Change {
    fn from(change: ChangeV1) -> Self {
        let samples = change.samples.into_iter().scan(0_i64, |last, step| {
            *last += step;
            Some(SampleId(u32::try_from(*last).unwrap_or(u32::MAX)))
        });
        Self {
            samples: samples.collect(),
            target: change.target.into(),
            before: change.before.into(),
            after: change.after.into(),
        }
    }
}

impl From<ValuesV1> for Values {
    fn from(values: ValuesV1) -> Self {
        Self { texts: values.texts, codes: values.codes }
    }
}

impl From<TargetV1> for Target {
    fn from(target: TargetV1) -> Self {
        match target {
            TargetV1::Cells(column) => Self::Cells(column),
            TargetV1::Column(column) => Self::Column(column),
            TargetV1::Role(column) => Self::Role(column),
            TargetV1::Kind(column) => Self::Kind(column),
            TargetV1::Excluded => Self::Excluded,
            TargetV1::Reviewed => Self::Reviewed,
            TargetV1::Tag(tag) => Self::Tag(tag),
            TargetV1::Made(batch) => Self::Made(Batch {
                first: SampleId(batch.first),
                method: match batch.method {
                    MethodV1::Augmented(json) => Method::Augmented(json),
                    MethodV1::Repeated => Method::Repeated,
                    MethodV1::Interpolated => Method::Interpolated,
                },
                seed: batch.seed,
                parents: batch.parents.into_iter().map(SampleId).collect(),
                others: batch.others.into_iter().map(SampleId).collect(),
                draws: batch.draws,
                risks: batch.risks,
                distances: batch.distances,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An edit as a later release may write it.
    #[derive(serde::Serialize)]
    struct Later<'e> {
        later: u8,
        #[serde(flatten)]
        edit: &'e Edit,
    }

    #[test]
    fn a_body_comes_back_and_a_field_more_does_no_harm() {
        let change = Change {
            target: Target::Tag("odd".into()),
            samples: vec![SampleId(3), SampleId(1), SampleId(70_000)],
            before: Values::same(None),
            after: Values::same(Some("on")),
        };
        let edit =
            Edit { words: "ü".into(), operation: Some("{\"op\":\"tag\"}".into()), first_format: false, changes: vec![change] };
        let body = encode(&edit).unwrap();
        assert_eq!(decode(&body), Some(edit.clone()));
        // A field that this release does not know is passed over.
        let mut body = vec![VERSION];
        body.extend(zstd::bulk::compress(&rmp_serde::to_vec_named(&Later { later: 1, edit: &edit }).unwrap(), 1).unwrap());
        assert_eq!(decode(&body), Some(edit));
        assert_eq!(decode(&[]), None);
        assert_eq!(decode(&[9, 1, 2]), None);
        assert_eq!(decode(b"\x28\xb5\x2f\xfdxx"), None);
    }
}
