//! One look at a picture: everything that checks and embeddings need of it, worked out from its bytes in one pass.

use xxhash_rust::xxh3::xxh3_128;

use super::decode::{Picture, decode};
use super::gradients::gradients;
use super::ground::{chequered, has_transparency, plain};
use super::header::{Coding, Header, Trouble, read_header};
use super::measure::{Measures, measure, measure_on_ground};
use super::phash::small_grey;

/// What one look tells. About 2.3 kB.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Look {
    /// The file's size.
    pub bytes: u64,
    /// A hash (XXH3, 128 bits) of the file's bytes.
    pub content: u128,
    /// What its header says, where it could be read.
    pub header: Option<Header>,
    /// Why there are no pixels.
    pub trouble: Option<Trouble>,
    /// Whether it ends before its pixels do.
    pub torn: bool,
    /// What its pixels measure; all 0 where there are none.
    pub measures: Measures,
    /// 32 × 32 greys; empty where there are no pixels.
    pub grey: Vec<u8>,
    /// Directions of edges and colours; empty likewise.
    pub gradients: Vec<u8>,
}

/// Pictures are measured at this many pixels a side, or more.
const LEAST: u32 = 256;

impl Look {
    /// A picture without pixels, and why.
    pub fn none(trouble: Trouble) -> Self {
        Self {
            bytes: 0,
            content: 0,
            header: None,
            trouble: Some(trouble),
            torn: false,
            measures: Measures::default(),
            grey: Vec::new(),
            gradients: Vec::new(),
        }
    }

    /// Whether there are pixels.
    pub fn has_pixels(&self) -> bool {
        !self.grey.is_empty()
    }

    /// What the file's name promises, where that is not what it is.
    pub fn misnamed(&self, name: &str) -> Option<(Coding, Coding)> {
        let (is, says) = (self.header.as_ref()?.coding, Coding::of_name(name)?);
        (is != says).then_some((says, is))
    }
}

/// What pixels alone tell: of a picture that has no file.
pub fn look_of(picture: &Picture) -> Look {
    let on_ground;
    let picture = if has_transparency(&picture.rgba) {
        on_ground = plain(picture.clone());
        &on_ground
    } else {
        picture
    };
    let (grey, gradients) = (small_grey(picture).unwrap_or_default(), gradients(picture).unwrap_or_default());
    Look { trouble: None, measures: measure(picture, 3), grey, gradients, ..Look::none(Trouble::Empty) }
}

/// Looks at a picture's bytes. Never fails: what is wrong is part of the answer.
pub fn look(bytes: &[u8]) -> Look {
    let header = match read_header(bytes) {
        Ok(header) => header,
        Err(trouble) => return Look { bytes: bytes.len() as u64, content: xxh3_128(bytes), ..Look::none(trouble) },
    };
    let base = |trouble| Look {
        bytes: bytes.len() as u64,
        content: xxh3_128(bytes),
        header: Some(header.clone()),
        ..Look::none(trouble)
    };
    let picture = match decode(bytes, Some(LEAST)) {
        Ok(picture) => picture,
        Err(trouble) => return base(trouble),
    };
    let see_through = has_transparency(&picture.rgba);
    let torn = picture.torn;
    let measures = if see_through {
        measure_on_ground(&chequered(picture.clone()), &picture, header.channels)
    } else {
        measure(&picture, header.channels)
    };
    let picture = plain(picture);
    let (grey, gradients) = (small_grey(&picture).unwrap_or_default(), gradients(&picture).unwrap_or_default());
    Look { trouble: None, torn, measures, grey, gradients, ..base(Trouble::Empty) }
}
