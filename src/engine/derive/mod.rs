//! What is worked out of a dataset and needed by several: embeddings, what samples look like, what their labels depend on. Each is worked
//! out once for the versions of what it reads ([`Store`]). Never: the screen, an edit.

mod embedding;
mod likeness;
mod risk;
mod store;
mod texts;

pub use embedding::{embedding, embedding_key, embedding_of_made};
pub use likeness::{Likeness, is_of_numbers, likeness, likeness_key, number_fields};
pub use risk::{risk_key, risk_model};
pub use store::{Artifact, Key, Store};
pub use texts::{NoText, TextOf};
