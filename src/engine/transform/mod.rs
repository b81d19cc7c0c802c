//! Plans that change many samples at once: pure; a snapshot in, a plan out. What is done with a plan is an edit.

mod augment;
pub mod balance;
mod copies;
mod formula;
mod replace;
mod shares;
mod split;
mod split_groups;
mod split_time;
mod text;

pub use augment::{Augment, AugmentError, Children, SOFT, second_parent, text_fields, trainable};
pub use copies::Copies;
pub use formula::{CellValue, FUNCTIONS, Formula, FormulaError, FormulaRow};
pub use replace::{Replace, Replaced, rewritten};
pub use shares::SplitError;
pub use split::{HashOf, Plan, Split, SplitMethod};
pub use text::{TextAugmenter, Waiting};
