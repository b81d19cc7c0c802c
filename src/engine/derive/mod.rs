//! What is worked out of a dataset and needed by several: embeddings, what samples look like, what their labels depend on. Each is worked
//! out once for the versions of what it reads ([`Store`]). Never: the screen, an edit.

mod embedding;
mod flaws;
mod fluency;
mod likeness;
mod relevance;
mod risk;
mod shingles;
mod store;
mod texts;
mod votes;

pub use embedding::{embedding, embedding_key, embedding_of_made};
pub use flaws::{FlawAt, Flaws, flaws, texts_of};
pub use fluency::fluency;
pub use likeness::{Likeness, is_of_numbers, likeness, likeness_key, number_fields};
pub use relevance::{Relevance, RelevanceBy, relevance_of, told_apart};
pub use risk::{risk_key, risk_model};
pub use shingles::near_texts;
pub use store::{Artifact, Key, Store};
pub use texts::{NoText, TextOf};
pub use votes::{LongVotes, MOST_VOTED, VotesOf, annotators_of, long_votes_of, votes_of, votes_of_long};
