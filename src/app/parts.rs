//! The parts of a split as they are saved: which samples, and to which files.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use crate::data::{Dataset, Role, SampleId, count_samples};
use crate::io::{Rows, SaveTarget, compressed_name};

/// What to say where there are none.
const NONE: &str = "There is no split to save; make one in Split first";

/// The samples of each part of the split column; `excluded`: those that are excluded among them.
///
/// # Errors
/// There is no split, or samples are in no part of it: saving the parts would lose them.
pub fn of_split(dataset: &Dataset, excluded: bool) -> Result<BTreeMap<String, Vec<SampleId>>, String> {
    let field = dataset.with_role(|role| role == Role::Split).ok_or(NONE)?;
    let mut parts: BTreeMap<String, Vec<SampleId>> = BTreeMap::new();
    let (mut kept, mut saved) = (0_usize, 0_usize);
    for id in dataset.samples().filter(|id| excluded || !dataset.is_excluded(*id)) {
        let part = dataset.text(field, id).filter(|name| !name.is_empty());
        // What was made of samples that are tested on is in no part, and is not missed there.
        kept += usize::from(part.is_some() || !dataset.is_made(id));
        if let Some(name) = part {
            saved += 1;
            parts.entry(name.into_owned()).or_default().push(id);
        }
    }
    match (parts.is_empty(), kept - saved) {
        (true, _) => Err(NONE.to_owned()),
        (false, 0) => Ok(parts),
        (false, left) => Err(format!("{} are in no part of the split: split again, or exclude them", count_samples(left))),
    }
}

/// A file in `folder` for each part.
pub fn files(parts: BTreeMap<String, Vec<SampleId>>, folder: &Path, target: &SaveTarget) -> Vec<(Rows, SaveTarget)> {
    let file = |name: &str| {
        name.chars().map(|letter| if letter.is_alphanumeric() || letter == '-' { letter } else { '_' }).collect::<String>()
    };
    // Two parts whose names differ only in what a file's name cannot hold must not share a file.
    let mut taken = HashSet::new();
    let mut to = |name: &str| {
        let names = (1..=u32::MAX).map(|n| if n == 1 { file(name) } else { format!("{}_{n}", file(name)) });
        let name = names.into_iter().find(|name| taken.insert(name.to_lowercase())).unwrap_or_default();
        SaveTarget { path: folder.join(compressed_name(&name, target.format, target.packing)), ..target.clone() }
    };
    parts.into_iter().map(|(name, ids)| (Rows::These(ids), to(&name))).collect()
}

/// What to ask before files are replaced; `None` where none are there.
pub fn replaces(list: &[(Rows, SaveTarget)]) -> Option<String> {
    let there = list.iter().filter(|(_, target)| target.path.exists()).count();
    let folder = list.first().and_then(|(_, target)| target.path.parent()).unwrap_or(Path::new("."));
    let files = if there == 1 { "1 file".to_owned() } else { format!("{there} files") };
    (there > 0).then(|| format!("Replace {files} in {}", folder.display()))
}
