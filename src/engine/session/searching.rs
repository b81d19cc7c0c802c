//! Searches by meaning: what is like a sample, or like some words.

use std::sync::Arc;

use super::Workspace;
use super::asked::News;
use super::checking::Checking;
use super::embedded::embedded;
use super::labels::Labels;
use crate::data::SampleId;
use crate::derive::{TextOf, embedding_of_made};
use crate::io;
use crate::job::{AnySlot, Came, Desk, Lane, Slot};
use crate::learn::neighbours::{Neighbour, nearest};

/// How many samples a search shows.
const SIMILAR: usize = 100;

/// What is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sought {
    /// What is like a sample.
    Like(SampleId),
    /// What means some words.
    Words(String),
}

/// The search under way.
pub struct Searching {
    run: Slot<Sought, Vec<SampleId>>,
}

impl Default for Searching {
    fn default() -> Self {
        Self { run: Slot::new("similar", Lane::Learning) }
    }
}

impl Searching {
    pub fn slot(&self) -> &dyn AnySlot {
        &self.run
    }

    pub fn slot_mut(&mut self) -> &mut dyn AnySlot {
        &mut self.run
    }

    /// Looks for samples; a second search takes the first one's place.
    pub fn ask(&mut self, workspace: &Workspace, labels: &Labels, checking: &Checking, sought: Sought, desk: &Desk) {
        let (snapshot, store) = (workspace.dataset().clone(), Arc::clone(workspace.derived()));
        let (meaning, project) = (labels.meaning(&snapshot).clone(), workspace.project().0.to_path_buf());
        let (scan, question) = (checking.scan(&snapshot).cloned(), sought.clone());
        self.run.ask(desk, question, "Finding similar samples", move |progress| {
            let dense = embedded(&snapshot, &meaning, &store, &project, scan.as_deref(), progress)?;
            let query = match &sought {
                Sought::Words(words) => io::embed_words(words, &meaning)?,
                // What was made of a sample is looked for as that one is: it may be younger than what is known of the others.
                Sought::Like(id) => {
                    let like = snapshot.origins(*id).map_or(*id, |origins| origins.parent);
                    dense.row(like.row()).to_vec()
                }
            };
            let mut found = nearest(&dense, &query, SIMILAR, |row| snapshot.is_excluded(SampleId(row)));
            // What was made of texts is of the dataset too.
            if snapshot.made() > 0
                && snapshot.pictures().is_none()
                && let Ok(text) = TextOf::of(&snapshot, None)
            {
                let first = snapshot.extent() as u32;
                let made = embedding_of_made(&snapshot, &text, &meaning, &store, progress)?;
                let near = nearest(&made, &query, SIMILAR, |row| snapshot.is_excluded(SampleId(first + row)));
                found.extend(near.into_iter().map(|near| Neighbour { row: first + near.row, ..near }));
                found.sort_by(|a, b| b.likeness.total_cmp(&a.likeness).then(a.row.cmp(&b.row)));
                found.truncate(SIMILAR);
            }
            Ok(found.iter().filter(|found| found.likeness > 0.0).map(|found| SampleId(found.row)).collect())
        });
    }

    /// Takes in what has come.
    pub fn work(&mut self, desk: &Desk, news: &mut Vec<News>) {
        match self.run.take(desk) {
            Some(Came::Answer) => {
                if let Some((sought, ids)) = self.run.take_answer() {
                    let title = match sought {
                        Sought::Like(id) => format!("like sample {}", id.0),
                        Sought::Words(words) => format!("means “{words}”"),
                    };
                    news.push(News::Similar(title, ids));
                }
            }
            Some(Came::Failed(why)) => news.push(News::Failed("similar", why)),
            None => {}
        }
    }
}
