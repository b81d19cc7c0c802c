//! What of a dataset stands in somebody's test texts, too: the texts themselves or a pack of their fingerprints.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::data::{Dataset, SampleId};
use crate::derive::TextOf;
use crate::io::{self, Reading};
use crate::job::{Cancelled, Progress};
use crate::learn::contamination::{Contaminated, Fingerprints};

/// Words in a run where nobody says otherwise.
pub const RUN: usize = 13;

/// A pack, as it is written.
#[derive(Serialize, Deserialize)]
struct Pack {
    lapidary_fingerprints: u32,
    #[serde(flatten)]
    prints: Fingerprints,
}

/// Why nothing was looked for.
#[derive(Debug, thiserror::Error)]
pub enum ContaminationError {
    #[error("{0}")]
    Unread(String),
    #[error("cancelled")]
    Cancelled,
}

impl From<Cancelled> for ContaminationError {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}

/// Somebody's test texts.
pub struct TestTexts {
    /// The file's name.
    pub name: String,
    pub prints: Fingerprints,
    /// The texts, where they are no pack.
    texts: Option<Dataset>,
}

fn text_of(dataset: &Dataset, column: Option<&str>) -> Result<TextOf, ContaminationError> {
    TextOf::of(dataset, column).map_err(|error| ContaminationError::Unread(error.to_string()))
}

/// The runs of words of a dataset's texts, as a pack that holds not a word of theirs.
///
/// # Errors
/// [`ContaminationError`].
pub fn fingerprint(dataset: &Dataset, column: Option<&str>, n: usize, progress: &Progress) -> Result<String, ContaminationError> {
    let text = text_of(dataset, column)?;
    let ids: Vec<SampleId> = dataset.samples().filter(|id| !dataset.is_excluded(*id)).collect();
    let prints = Fingerprints::of(ids.len(), n, &|at| text.read(dataset, ids[at]), progress)?;
    serde_json::to_string(&Pack { lapidary_fingerprints: 1, prints })
        .map_err(|error| ContaminationError::Unread(error.to_string()))
}

impl TestTexts {
    /// Reads a dataset of test texts, or a pack; `n` words make a run, a pack's own number where none is named. Of a dataset the column of this name is read where it has it.
    ///
    /// # Errors
    /// [`ContaminationError`].
    pub fn open(path: &Path, n: Option<usize>, column: Option<&str>, progress: &Progress) -> Result<Self, ContaminationError> {
        let unread = |why: String| ContaminationError::Unread(why);
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        if let Ok(text) = io::read_text(path, 1 << 30)
            && text.starts_with("{\"lapidary_fingerprints\"")
        {
            let pack: Pack =
                serde_json::from_str(&text).map_err(|error| unread(format!("{} is torn: {error}", path.display())))?;
            if let Some(n) = n.filter(|n| *n != pack.prints.n) {
                let own = pack.prints.n;
                return Err(unread(format!("{} was made of runs of {own} words, and not of {n}", path.display())));
            }
            return Ok(Self { name, prints: pack.prints, texts: None });
        }
        let other = io::open(path, &Reading::default(), progress, &|_| {}).map_err(|error| unread(error.to_string()))?;
        let text = text_of(&other, column.filter(|name| other.field(name).is_some()))?;
        let prints = Fingerprints::of(other.rows(), n.unwrap_or(RUN), &|row| text.read(&other, SampleId::at(row)), progress)?;
        Ok(Self { name, prints, texts: Some(other) })
    }

    /// A test text, where they are no pack.
    pub fn text(&self, test: u32) -> Option<String> {
        let texts = self.texts.as_ref()?;
        let text = TextOf::of(texts, None).ok()?;
        (test as usize).lt(&texts.rows()).then(|| text.read(texts, SampleId(test)).into_owned())
    }
}

/// The samples that share a run of words with a test text, in order.
///
/// # Errors
/// [`ContaminationError`].
pub fn contaminated(
    dataset: &Dataset,
    tests: &TestTexts,
    column: Option<&str>,
    progress: &Progress,
) -> Result<Vec<(SampleId, Contaminated)>, ContaminationError> {
    let text = text_of(dataset, column)?;
    let ids: Vec<SampleId> = dataset.samples().filter(|id| !dataset.is_excluded(*id)).collect();
    progress.set_total(ids.len() as u64);
    let found = tests.prints.found_in(ids.len(), &|at| text.read(dataset, ids[at]), progress)?;
    Ok(found.into_iter().map(|one| (ids[one.row as usize], one)).collect())
}
