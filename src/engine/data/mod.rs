//! The dataset and the words it is described in: samples, columns, roles, classes, filters, measures.
//!
//! Everything here is data and pure functions of it: no disk, no clock, no screen, no threads of its own.

#![warn(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_possible_wrap)]

mod asks;
mod base;
mod chat;
mod chunked;
mod classes;
mod column;
mod dataset;
mod draws;
mod filter;
mod filter_words;
mod ids;
mod made;
mod marks;
mod measure;
mod name_key;
pub mod native;
mod number;
mod overlay;
mod parts;
mod pictures;
mod properties;
mod raw;
mod recipe;
mod roles;
mod schema;
mod sentences;
mod time;

pub use asks::{AnswerBound, Answers, Ask, AskKey, Choosing, Missing, Task};
pub use base::{Base, Format, Origin, SourceColumn, SourceRead, Warning};
pub use chat::{Chat, Turn, json_fault};
pub use classes::{ClassIndex, Evenness, class_by_digit, classes_of, digit_of_class};
pub use column::{Column, Odd, StandingCells};
pub use dataset::{Dataset, Field, is_held_out};
pub use filter::{Clause, Filter, FilterError, Rule, sort};
pub use filter_words::clause_of;
pub use ids::{SampleId, SampleSet};
pub use made::{Batch, Made, Method, Origins};
pub use marks::Marks;
pub use measure::{Histogram, Measure, Summary, count, count_samples, things, values};
pub use name_key::{bare_name, class_key};
pub use number::{Spelled, number_of, spelled};
pub use parts::{PartSource, Segment, TakenRows};
pub use pictures::{Archive, Member, MemberPacking, PictureStore, paths_of};
pub use properties::{Properties, Property};
pub use raw::{Dialect, Packing, Patch, Raw, Shape};
pub use recipe::{Augmentation, Pipeline, Range, Step};
pub use roles::{label_candidates, propose_roles};
pub use schema::{Kind, Role};
pub use sentences::sentences;
pub use time::{Moment, Times, day_words};
