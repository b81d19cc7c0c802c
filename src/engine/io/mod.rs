//! Files in and out: [`open()`] reads any supported file into a dataset, [`export()`] writes one.
//!
//! One file per format. Text formats keep their own text, so that a save gives back what was not edited byte for byte.
//! Parquet and Arrow files are parsed in a child process ([`typed`]), because a hostile one can abort its parser.

#![warn(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_possible_wrap)]

mod databases;
mod error;
mod format;
mod layouts;
mod listing;
mod models;
mod open;
mod pictures;
mod read;
mod reading;
mod sources;
mod work_folder;
mod write;

pub use databases::{
    DatabaseAddress, DatabaseAsked, allow_connection, allow_host, connection_line, is_address, open_database_alone, set_password,
};
pub use error::{IoError, WriterError};
pub use format::{compressed_name, format_to_save, is_table_name};
pub use layouts::{PLAIN, layout_names, layout_title};
pub use listing::entries_of;
pub use models::answers::AnswerStore;
pub use models::chat_model::{BUILT_IN, ChatModel, ChatModelError, ChatModelOf, open_chat_model, usual_tokenizer};
pub use models::checkpoint::{checkpoint_path, checkpoints, read_checkpoint, remove_checkpoint, write_checkpoint};
pub use models::choosing::ChoiceAnswer;
pub use models::kept_again::{KeptModel, open_kept};
pub use models::kept_encoder::{KeptHeads, keep_encoder};
pub use models::kept_model::{ModelWords, keep_head, keep_prompt};
pub use models::meaning::{Meaning, MeaningError, embed, embed_pictures, embed_words, open_encoder};
pub use models::text_model::{MOST_AT_ONCE, Place, TextModel, Writer, is_variable};
pub use models::torch_file::read_torch;
pub use open::{open, taken_base};
pub use pictures::folder::dataset_path;
pub use pictures::images::picture_bytes;
pub use pictures::made_pictures::{altered_by, altered_picture, made_picture, picture_size, picture_to_alter};
pub use pictures::picture_cache::PictureCache;
pub use pictures::thumbnails::{look_at_all, picture_prints, thumbnail};
pub use read::budget::{machine_memory, set_max_memory};
pub use read::class_names::named_edit;
pub use read::delimited::write_field;
pub use read::narrower::narrower;
pub use read::source::fingerprint;
pub use read::typed::{CHILD_COMMAND, CHILD_PROGRAM, read_as_child, types_of};
pub use reading::Reading;
pub use sources::{SourceEntry, SourceOptions, SourcesFile, dataset_stamp, path_from, read_sources, write_sources};
pub use work_folder::{
    RowsCut, cut_text, file_stamp, is_there, join_pieces, move_work, open_piece, read_section, remove_work, tables_below,
    write_sections,
};
pub use write::clip::rows_as_csv;
pub use write::export::{Report, export, export_parts, may_write, write_beside};
pub use write::export_images::{ImageTarget, Layout, Transfer, export_images};
pub use write::rows::{Rows, SaveTarget};
pub use write::save::{free_name, make_folder, read_small, read_text, remove_torn, write_aside, write_small};
