//! Saving: from columns to bytes.

mod arranged;
pub mod clip;
pub mod export;
pub mod export_images;
pub mod export_text;
pub mod rows;
pub mod save;
pub mod typed_write;
