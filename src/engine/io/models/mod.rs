//! Models that people have: folders, vectors, and whoever answers at an address.

pub mod answers;
pub mod chat_model;
pub mod checkpoint;
pub mod choosing;
pub mod endpoint;
pub mod kept_again;
pub mod kept_encoder;
pub mod kept_model;
pub mod meaning;
pub mod text_model;
pub mod torch_file;
