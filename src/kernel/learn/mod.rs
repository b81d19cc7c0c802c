//! What is learned from a dataset: features, models, neighbours, and what they say about labels. Pure: no disk, no clock, seeded.

pub mod appearance;
pub mod confident;
pub mod crossfit;
pub mod dense;
pub mod embedding;
pub mod encoder;
pub mod features;
mod folds;
mod logistic;
pub mod neighbours;
pub mod noise;
pub mod probe;
pub mod risk;
pub mod sentencepiece;
pub mod seq2seq;
mod tfidf;
pub mod vision;
mod wordpiece;

pub use logistic::Targets;
