//! An editing session that can be replayed in memory: what the durability tests compare the disk with.

#![allow(dead_code)]

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use lapidary::data::{Dataset, SampleId};
use lapidary::edit::{Change, Direction, Edit, EditId, History, Node, Target};
use lapidary::io::{self, Reading, Rows};
use lapidary::job::Progress;
use lapidary::session::Workspace;
use lapidary::transform::Augment;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use xxhash_rust::xxh3::Xxh3;

/// One step of a session.
#[derive(Debug, Clone)]
pub enum Step {
    Edit(Edit),
    Undo,
    Redo,
    Jump(EditId),
    Reopen,
    Save,
}

/// A small dataset to edit.
pub fn write_dataset(folder: &Path, rows: usize) -> PathBuf {
    let path = folder.join("data.csv");
    let mut text = String::from("text,label,n\n");
    for i in 0..rows {
        text.push_str(&format!("\"sample, number {i}\",class {},{}\n", i % 5, i * 7 % 100));
    }
    std::fs::write(&path, text).unwrap();
    path
}

pub fn read(path: &Path) -> Dataset {
    io::open(path, &Reading::default(), &Progress::silent(), &|_| {}).unwrap()
}

pub fn open(path: &Path) -> Result<Workspace, lapidary::edit::JournalError> {
    Workspace::open(read(path), Reading::default(), None)
}

/// A hash of everything that edits can change, and of where we are in the history.
pub fn state(dataset: &Dataset, head: EditId) -> u64 {
    let mut hasher = Xxh3::new();
    hasher.update(&head.to_le_bytes());
    for field in dataset.fields() {
        hasher.update(format!("{}|{}|{}|", field.name, field.kind.name(), field.role).as_bytes());
    }
    for id in dataset.samples() {
        for field in 0..dataset.fields().len() {
            hasher.update(dataset.text(field, id).map_or("\0null".into(), |text| text).as_bytes());
            hasher.update(b"\0");
        }
        hasher.update(&[u8::from(dataset.is_excluded(id)), u8::from(dataset.is_reviewed(id))]);
    }
    for (tag, set) in dataset.tags() {
        hasher.update(tag.as_bytes());
        set.iter().for_each(|id| hasher.update(&id.0.to_le_bytes()));
    }
    hasher.digest()
}

/// The next step of a session: the same for the same randomness, dataset and history.
pub fn next_step(random: &mut StdRng, dataset: &Dataset, history: &History) -> Step {
    let rows = dataset.rows() as u32;
    loop {
        let some =
            |random: &mut StdRng, n: usize| -> Vec<SampleId> { (0..n).map(|_| SampleId(random.random_range(0..rows))).collect() };
        let column = ["text", "label"][random.random_range(0..2)];
        let word = format!("word \"{}\"\n", random.random_range(0..9));
        let edit = match random.random_range(0..16) {
            0..4 => {
                let samples = some(random, 1);
                Edit::new("one", Change::cells(dataset, column, samples.iter().map(|id| (*id, Some(word.as_str())))).unwrap())
            }
            4 => {
                let mut samples = some(random, 40);
                samples.sort_unstable();
                samples.dedup();
                let value = (random.random_range(0..3) > 0).then_some(word.as_str());
                Edit::new("bulk", Change::cells(dataset, column, samples.iter().map(|id| (*id, value))).unwrap())
            }
            5 => {
                let target = [Target::Excluded, Target::Reviewed, Target::Tag("odd".into())][random.random_range(0..3)].clone();
                let on = random.random_range(0..2) > 0;
                let mut samples = some(random, 5);
                samples.sort_unstable();
                samples.dedup();
                Edit::new("mark", Change::mark(dataset, target, samples, on).unwrap())
            }
            6 if dataset.field("split").is_none() => {
                let add = Change::add_column(dataset, "split", lapidary::data::Kind::Text, lapidary::data::Role::Split).unwrap();
                let fill = Change::fill("split", dataset.samples().map(|id| (id, if id.0 % 3 == 0 { "test" } else { "train" })));
                Edit::new("split", [add, fill])
            }
            7 => {
                let role = lapidary::data::Role::ALL[random.random_range(0..12)];
                Edit::new("role", Change::role(dataset, "n", role).unwrap())
            }
            8 | 9 if history.undo_target().is_some() => return Step::Undo,
            10 if history.redo_target().is_some() => return Step::Redo,
            11 if !history.nodes().is_empty() => {
                let target = random.random_range(0..=history.nodes().len());
                return Step::Jump(target as EditId);
            }
            14 if dataset.made() < 400 => {
                let pipeline = r#"{"steps": [{"op": "typing_errors"}, {"op": "letter_case", "p": 0.5}]}"#;
                let pipeline = lapidary::data::Pipeline::parse(pipeline).unwrap();
                let source = dataset.base.rows as u32;
                let parents = (0..6).map(|_| (SampleId(random.random_range(0..source)), 1)).collect();
                let mut augment = Augment::of(dataset, pipeline, u64::from(random.random::<u32>()), parents).unwrap();
                augment.fields = vec![dataset.field("text").unwrap()];
                let children = augment.run(dataset, &Progress::silent()).unwrap();
                augment.edit(dataset, children, Vec::new(), Vec::new(), &|_| None, "made".to_owned()).unwrap()
            }
            12 => return Step::Reopen,
            13 => return Step::Save,
            _ => None,
        };
        if let Some(edit) = edit {
            return Step::Edit(edit);
        }
    }
}

/// A session in memory alone.
pub struct Model {
    pub dataset: Dataset,
    pub history: History,
    edits: HashMap<EditId, Edit>,
    random: StdRng,
}

impl Model {
    pub fn new(dataset: Dataset, seed: u64) -> Self {
        Self { dataset, history: History::default(), edits: HashMap::new(), random: StdRng::seed_from_u64(seed) }
    }

    pub fn state(&self) -> u64 {
        state(&self.dataset, self.history.head())
    }

    /// Takes the next step.
    pub fn step(&mut self) {
        match next_step(&mut self.random, &self.dataset, &self.history) {
            Step::Edit(edit) => {
                edit.apply(&mut self.dataset, Direction::Forward);
                let id = self.history.nodes().len() as EditId + 1;
                self.history.push(Node {
                    id,
                    parent: self.history.head(),
                    at: 0,
                    words: edit.words.clone(),
                    count: edit.count(),
                });
                self.edits.insert(id, edit);
            }
            Step::Undo => {
                self.edits[&self.history.head()].apply(&mut self.dataset, Direction::Back);
                self.history.step_back();
            }
            Step::Redo => {
                let id = self.history.redo_target().unwrap();
                self.edits[&id].apply(&mut self.dataset, Direction::Forward);
                self.history.step_forward();
            }
            Step::Jump(target) => {
                for (id, direction) in self.history.path_to(target) {
                    self.edits[&id].apply(&mut self.dataset, direction);
                }
                // As the journal does: a neighbour is a step, anything else a jump.
                if self.history.undo_target() == Some(target) {
                    self.history.step_back();
                } else if self.history.redo_target() == Some(target) {
                    self.history.step_forward();
                } else {
                    self.history.go(target);
                }
            }
            Step::Reopen | Step::Save => {}
        }
    }
}

/// Takes one step on a real workspace; returns it, opened again where the step says so.
pub fn take(mut workspace: Workspace, random: &mut StdRng, path: &Path) -> (Workspace, Result<(), String>) {
    let result = match next_step(random, workspace.dataset(), workspace.history()) {
        Step::Edit(edit) => workspace.edit(&edit).map(|_| ()).map_err(|error| error.to_string()),
        Step::Undo => workspace.undo().map(|_| ()).map_err(|error| error.to_string()),
        Step::Redo => workspace.redo().map(|_| ()).map_err(|error| error.to_string()),
        Step::Jump(target) => workspace.go(target).map_err(|error| error.to_string()),
        Step::Reopen => {
            drop(workspace);
            workspace = open(path).unwrap();
            Ok(())
        }
        Step::Save => {
            let origin = &workspace.dataset().base.origin;
            let target = io::SaveTarget {
                path: path.with_file_name("saved.csv"),
                format: origin.format,
                packing: origin.packing,
                own_columns: false,
                utf8: false,
                safe: false,
            };
            io::export(workspace.dataset(), &Rows::All, &target, &Progress::silent())
                .map(|_| ())
                .map_err(|error| error.to_string())
        }
    };
    (workspace, result)
}

impl Model {
    /// Takes back everything, edit by edit.
    #[allow(dead_code)]
    pub fn undo_all(&mut self) {
        while let Some(parent) = self.history.undo_target() {
            self.edits[&self.history.head()].apply(&mut self.dataset, Direction::Back);
            self.history.go(parent);
        }
    }
}
