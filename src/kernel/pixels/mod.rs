//! Pictures: what a file's bytes say of one, its pixels, and what is measured of them. Pure: bytes in, numbers out; no disk, no clock.

pub mod alter;
mod box_edit;
mod boxes;
mod decode;
mod exif;
mod gradients;
mod ground;
mod header;
mod jpeg;
mod look;
mod measure;
mod phash;
mod twins;

pub use box_edit::{BoxEdit, boxes_at, boxes_edited};
pub use boxes::{BoundingBox, boxes_altered, boxes_of, names_boxes};
pub use decode::{Picture, decode, fit, scale};
pub use exif::{Facts, facts};
pub use gradients::GRADIENTS;
pub use ground::{chequered, has_transparency};
pub use header::{Coding, Header, Trouble, foreign_name, read_header};
pub use look::{Look, look, look_of};
pub use measure::{Measures, histogram, measure};
pub use twins::{Twins, twins};
