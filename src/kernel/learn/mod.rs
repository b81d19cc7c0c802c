//! What is learned from a dataset: features, models, neighbours, and what they say about labels. Pure: no disk, no clock, seeded.

pub mod annotators;
pub mod appearance;
pub mod confident;
pub mod contamination;
pub mod crossfit;
pub mod dense;
pub mod dsir;
pub mod embedding;
pub mod encoder;
pub mod features;
pub mod fluency;
mod folds;
pub mod isolation;
pub mod layout;
mod logistic;
pub mod near;
pub mod neighbours;
pub mod noise;
pub mod probe;
pub mod risk;
pub mod sentencepiece;
pub mod seq2seq;
pub mod telling;
mod tfidf;
pub mod vision;
mod wordpiece;

pub use logistic::Targets;
