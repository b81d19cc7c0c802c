//! Plans that change many samples at once: pure; a snapshot in, a plan out. What is done with a plan is an edit.

mod augment;
pub mod balance;
mod split;
mod text;

pub use augment::{Augment, AugmentError, Children, SOFT, second_parent, text_fields, trainable};
pub use split::{HashOf, Method, Plan, Split, SplitError};
pub use text::{TextAugmenter, Waiting};
