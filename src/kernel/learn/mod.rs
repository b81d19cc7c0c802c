//! What is learned from a dataset: features, models, neighbours, and what they say about labels. Pure: no disk, no clock, seeded.

pub mod annotators;
pub mod appearance;
pub mod bert;
pub mod calibration;
pub mod confident;
pub mod contamination;
pub mod crossfit;
pub mod dense;
pub mod dsir;
pub mod dynamics;
pub mod embedding;
pub mod encoder;
pub mod features;
pub mod fluency;
mod folds;
pub mod head_choice;
pub mod heads;
pub mod isolation;
pub mod layout;
mod lbfgs;
mod logistic;
pub mod near;
pub mod neighbours;
pub mod noise;
pub mod probe;
pub mod risk;
pub mod scores;
pub mod sentencepiece;
pub mod seq2seq;
pub mod significance;
pub mod telling;
pub mod tfidf;
pub mod tune;
pub mod vision;
mod wordpiece;

pub use logistic::Targets;
