//! Label errors: which labels are probably wrong, what they should be, and why.
//!
//! Out-of-sample logits of two models ([`crate::learn::crossfit`]) under a noise model ([`crate::learn::noise`]); then once more, with
//! every row trusted in training by as much as its label is probably right. cleanlab's filters and scores are there as options.
//! The model stays, so that a decision on one sample changes what it says of the others at once ([`LabelModel::follow`]).

mod asked;
mod given;
mod line;
mod model;
mod report;

pub use asked::{FLAG, LabelMethod, LabelQuestion, Unfit};
pub use given::Given;
pub use model::{LabelModel, MOST_FOLLOWED};
pub use report::{Candidate, LabelReport};

pub use crate::derive::TextOf;
