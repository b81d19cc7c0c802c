//! What trainers make of a sample: which tokens they see, which they learn, where they cut, and which samples they leave out; each by its own code's rules, with
//! its version.

pub mod axolotl;
pub mod chat_rows;
pub mod convert;
pub mod convert_pairs;
pub mod llamafactory;
pub mod llamafactory_rows;
mod llamafactory_templates;
pub mod masks;
pub mod mlx;
pub mod openai;
pub mod packing;
pub mod pairs;
pub mod repair;
pub mod rows;
pub mod torchtune;
pub mod trl;
pub mod unsloth;

/// A sample as a model sees it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SeenTokens {
    pub ids: Vec<u32>,
    /// Whether each token is learned.
    pub trained: Vec<bool>,
}

impl SeenTokens {
    /// How many tokens are learned.
    pub fn learned(&self) -> usize {
        self.trained.iter().filter(|on| **on).count()
    }

    /// Cut after so many tokens.
    #[must_use]
    pub fn cut(mut self, most: usize) -> Self {
        self.ids.truncate(most);
        self.trained.truncate(most);
        self
    }
}

/// One turn of a conversation, in the roles that all trainers come down to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    pub role: String,
    pub content: String,
}
