//! A text as it was decoded.

use encoding_rs::Encoding;
use polars_buffer::Buffer;

use crate::data::Patch;

/// Decoded text and how it was decoded.
pub struct Decoded {
    /// Valid UTF-8 without byte-order mark.
    pub text: Buffer<u8>,
    pub encoding: &'static Encoding,
    pub mark: &'static [u8],
    pub patches: Vec<Patch>,
}
