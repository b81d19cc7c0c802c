//! Names of samples that hold in another version of the data: the hash of what a row says, and which of those that say the same it is; of a made
//! sample its parent's name and its draw.

use std::collections::HashMap;

use rayon::prelude::*;

use crate::data::{Dataset, SampleId};

/// Names of the samples of a source, and samples by name.
#[derive(Default)]
pub struct Names {
    prints: Vec<u64>,
    of: HashMap<u64, Vec<SampleId>>,
}

impl Names {
    /// Reads every row. O(bytes).
    pub fn of(dataset: &Dataset) -> Self {
        let prints: Vec<u64> = (0..dataset.extent()).into_par_iter().map(|row| dataset.content_hash(SampleId::at(row))).collect();
        let mut of: HashMap<u64, Vec<SampleId>> = HashMap::new();
        for id in dataset.source_samples() {
            of.entry(prints[id.row()]).or_default().push(id);
        }
        Self { prints, of }
    }

    /// The name of a sample.
    pub fn name(&self, dataset: &Dataset, id: SampleId) -> String {
        if let Some(origins) = dataset.origins(id) {
            let parent = self.name(dataset, origins.parent);
            let place = drawn(dataset, origins.parent, origins.draw).position(|other| other == id).unwrap_or(0) + 1;
            return format!("{parent}/{:016x}/{place}", origins.draw);
        }
        // What was taken over is named by what was taken, and its place there: the data before it do not have it.
        if let Some((source, _, place)) = dataset.taken(id) {
            return format!("+{:016x}#{}", source.key(), place + 1);
        }
        let print = self.prints.get(id.row()).copied().unwrap_or(0);
        let place = self.of.get(&print).and_then(|list| list.binary_search(&id).ok()).unwrap_or(0);
        if place == 0 { format!("{print:016x}") } else { format!("{print:016x}#{}", place + 1) }
    }

    /// The sample of that name; `None` where there is none.
    pub fn sample(&self, dataset: &Dataset, name: &str) -> Option<SampleId> {
        if let Some((parent, child)) = name.split_once('/') {
            let parent = self.sample(dataset, parent)?;
            let (draw, place) = child.split_once('/')?;
            let place: usize = place.parse().ok()?;
            return drawn(dataset, parent, u64::from_str_radix(draw, 16).ok()?).nth(place.checked_sub(1)?);
        }
        let (print, place) = name.split_once('#').unwrap_or((name, "1"));
        let place: usize = place.parse().ok()?;
        if let Some(key) = print.strip_prefix('+') {
            let key = u64::from_str_radix(key, 16).ok()?;
            let (source, _) = dataset.taken_parts().find(|(source, _)| source.key() == key)?;
            return source.ids().nth(place.checked_sub(1)?);
        }
        let list = self.of.get(&u64::from_str_radix(print, 16).ok()?)?;
        list.get(place.checked_sub(1)?).copied()
    }
}

/// The children of a sample that were made by one draw: by several runs with one seed there are several.
fn drawn(dataset: &Dataset, parent: SampleId, draw: u64) -> impl Iterator<Item = SampleId> + '_ {
    let by = move |id: &SampleId| dataset.origins(*id).is_some_and(|of| of.parent == parent && of.draw == draw);
    dataset.children(parent).iter().copied().filter(by)
}
