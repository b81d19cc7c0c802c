//! Files in and out: [`open()`] reads any supported file into a dataset, [`export()`] writes one.
//!
//! One file per format. Text formats keep their own text, so that a save gives back what was not edited byte for byte.
//! Parquet and Arrow files are parsed in a child process ([`typed`]), because a hostile one can abort its parser.

mod answers;
mod archive;
mod budget;
mod class_names;
mod columns;
mod delimited;
mod endpoint;
mod error;
mod export;
mod export_images;
mod export_text;
mod faults;
mod folder;
mod format;
pub mod images;
pub mod json;
mod json_columns;
mod json_read;
mod json_rows;
mod made_pictures;
mod meaning;
mod narrower;
mod open;
mod picture_cache;
mod preamble;
mod save;
mod shards;
mod sniff;
mod source;
mod text_model;
mod torch_file;
mod typed;
mod typed_schema;
mod typed_write;

pub use answers::AnswerStore;
pub use budget::{machine_memory, set_max_memory};
pub use class_names::named_edit;
pub use delimited::write_field;
pub use error::IoError;
pub use export::{Report, Rows, Target, export, export_parts, may_write};
pub use export_images::{ImageTarget, Layout, Transfer, export_images};
pub use folder::dataset_path;
pub use format::{compressed_name, format_to_save};
pub use images::{look_at_all, picture_bytes, picture_prints, stamp as file_stamp, thumbnail};
pub use made_pictures::{altered_by, altered_picture, made_picture, picture_size, picture_to_alter};
pub use meaning::{Meaning, MeaningError, embed, embed_pictures, embed_words};
pub use narrower::narrower;
pub use open::{Reading, fingerprint, open};
pub use picture_cache::PictureCache;
pub use save::{free_name, read_small, read_text, remove_torn, write_aside, write_small};
pub use text_model::{MOST_AT_ONCE, Place, TextModel, Writer, WriterError, is_variable};
pub use torch_file::read_torch;
pub use typed::{CHILD_COMMAND, CHILD_PROGRAM, read_as_child};
