//! Pictures: where they lie, what is read of them, what is kept.

pub mod archive;
pub mod folder;
pub mod images;
pub mod made_pictures;
pub mod picture_cache;
pub mod thumbnails;
