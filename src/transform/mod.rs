//! Plans that change many samples at once: pure; a snapshot in, a plan out. What is done with a plan is an edit.

mod split;
mod text;

pub use split::{HashOf, Method, Plan, Split, SplitError};
pub use text::TextAugmenter;
