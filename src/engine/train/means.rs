//! What teaching may use beside the data, and what it lets others see of it.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::run::EpochSeen;
use crate::data::{Ask, AskKey};
use crate::derive::Store;
use crate::job::Progress;
use crate::learn::dense::Dense;

/// What teaching may use beside the data.
#[derive(Clone, Copy)]
pub struct TeachMeans<'m> {
    pub store: &'m Store,
    /// The project file, beside which a chosen encoder's vectors are kept.
    pub project: Option<&'m Path>,
    /// How pictures look, a row a sample of the source, where somebody has looked.
    pub looks: Option<&'m Arc<Dense>>,
    /// The folder that the model is written to, to be taken away; one that is not there yet.
    pub keep: Option<&'m Path>,
    /// Whether what was learned so far is kept beside the project, so that a run that was stopped or killed goes on.
    pub goes_on: bool,
    /// Where what a run has come to is seen while it goes on.
    pub watch: Option<&'m Watch>,
    /// Who asks language models.
    pub asker: Option<&'m dyn Asker>,
}

/// Who asks language models: of what was asked once the answer is kept.
pub trait Asker: Sync {
    /// Gets answers to all of these questions.
    ///
    /// # Errors
    /// Why there is none to one of them; what was answered is kept.
    fn ask(&self, asks: Vec<Ask>, progress: &Progress) -> Result<(), String>;

    /// The answer to a question, where there is one.
    fn kept_answer(&self, key: AskKey) -> Option<Arc<str>>;
}

impl<'m> TeachMeans<'m> {
    /// The store alone.
    pub fn of(store: &'m Store) -> Self {
        Self { store, project: None, looks: None, keep: None, goes_on: false, watch: None, asker: None }
    }
}

/// What a run has come to while it is taught.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TeachSeen {
    /// What is taught.
    pub words: String,
    /// The loss of every step.
    pub losses: Vec<f32>,
    /// Steps in all, at most, and of one epoch.
    pub steps: usize,
    pub epoch: usize,
    /// What each epoch came to.
    pub epochs: Vec<EpochSeen>,
    /// The bytes that it takes at most, about.
    pub bytes: u64,
}

/// A run seen while it goes on.
#[derive(Debug, Clone, Default)]
pub struct Watch(Arc<Mutex<TeachSeen>>);

impl Watch {
    /// What it has come to.
    pub fn seen(&self) -> MutexGuard<'_, TeachSeen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
