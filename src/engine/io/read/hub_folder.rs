//! A folder as Hugging Face lays a dataset out: its card says which files are which configuration and part, else their folders and names do
//! (`datasets` 5.2.0, `data_files.py`).

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::io::error::IoError;
use crate::io::layouts::yaml::front_matter;
use crate::io::sources::source_paths;

/// Words of names that say a part, by its usual name.
const PARTS: [(&str, &[&str]); 3] = [
    ("train", &["train", "training"]),
    ("validation", &["validation", "valid", "dev", "val"]),
    ("test", &["test", "testing", "eval", "evaluation"]),
];

/// One configuration of a card: the files that it names, in order, each with its part.
pub struct HubConfig {
    /// The names of all configurations, and of this one.
    pub names: Vec<String>,
    pub name: String,
    /// Where its files lie, where it names a folder and no files.
    pub folder: Option<PathBuf>,
    pub files: Vec<(PathBuf, Option<String>)>,
    /// The byte between fields, where it says one.
    pub delimiter: Option<u8>,
}

/// The configuration that a folder's card names `wanted`, or calls its default, or names first; `None` where there is no card, or none that names files.
///
/// # Errors
/// [`IoError`]: it has no such configuration, or files that it names are not there.
pub fn configured(root: &Path, wanted: Option<&str>) -> Result<Option<HubConfig>, IoError> {
    let card = root.join("README.md");
    // No card is longer; a pipe of that name is none.
    let small = std::fs::metadata(&card).is_ok_and(|meta| meta.is_file() && meta.len() < 4 << 20);
    let Some(text) = small.then(|| std::fs::read_to_string(&card).ok()).flatten() else { return Ok(None) };
    let Some(configs) =
        front_matter(&text).0.and_then(|front| front["configs"].as_array().cloned()).filter(|list| !list.is_empty())
    else {
        return Ok(None);
    };
    let name_of = |config: &Value| config["config_name"].as_str().unwrap_or("default").to_owned();
    let names: Vec<String> = configs.iter().map(name_of).collect();
    let refuse = |what: String| IoError::Format { path: root.to_owned(), what };
    let chosen = match wanted {
        Some(wanted) => configs
            .iter()
            .find(|config| name_of(config) == wanted)
            .ok_or_else(|| refuse(format!("its card has no configuration {wanted:?}; it has {}", names.join(", "))))?,
        None => configs
            .iter()
            .find(|config| config["default"] == Value::Bool(true))
            .or_else(|| configs.iter().find(|config| name_of(config) == "default"))
            .unwrap_or(&configs[0]),
    };
    let within = chosen["data_dir"].as_str().map(|folder| root.join(folder.trim_matches('/')));
    if within.as_ref().is_some_and(|folder| !is_below(root, folder)) {
        return Err(refuse("its card names a folder outside of it".to_owned()));
    }
    let base = within.clone().unwrap_or_else(|| root.to_owned());
    let patterns = patterns(&chosen["data_files"]);
    let several = patterns.iter().any(|(part, _)| part.is_some());
    let mut files: Vec<(PathBuf, Option<String>)> = Vec::new();
    for (part, pattern) in patterns {
        let found = source_paths(&base, &pattern).map_err(|why| refuse(format!("its card names {pattern:?}: {why}")))?;
        if let Some(out) = found.iter().find(|found| !is_below(root, &found.path)) {
            return Err(refuse(format!("its card names {}, which lies outside of it", out.shown)));
        }
        files.extend(found.into_iter().map(|found| (found.path, part.clone().or_else(|| several.then(|| "train".to_owned())))));
    }
    if files.is_empty() && within.is_none() {
        return Ok(None);
    }
    let delimiter = ["sep", "delimiter"].iter().find_map(|name| chosen[*name].as_str()).and_then(|text| match text.as_bytes() {
        [byte] => Some(*byte),
        _ => None,
    });
    Ok(Some(HubConfig { name: name_of(chosen), names, folder: within.filter(|_| files.is_empty()), files, delimiter }))
}

fn is_below(root: &Path, path: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    real(path).starts_with(border(&real(root)))
}

/// The folder that links may not leave: that of the dataset, or of a hub's cache, where snapshots are links into blobs beside them.
pub fn border(root: &Path) -> PathBuf {
    let hub = root.ancestors().find(|folder| {
        let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        name.starts_with("datasets--") && folder.join("blobs").is_dir()
    });
    hub.unwrap_or(root).to_owned()
}

/// Patterns of files, each with the part that is said beside it.
fn patterns(said: &Value) -> Vec<(Option<String>, String)> {
    match said {
        Value::String(pattern) => vec![(None, pattern.clone())],
        Value::Array(list) => list.iter().flat_map(patterns).collect(),
        Value::Object(fields) => {
            let part = fields.get("split").and_then(Value::as_str).map(ToOwned::to_owned);
            let inner = fields.get("path").map(patterns).unwrap_or_default();
            inner.into_iter().map(|(_, pattern)| (part.clone(), pattern)).collect()
        }
        _ => Vec::new(),
    }
}

/// The part that the path of a file within its folder says: of the innermost folder that names one, else of its name; or what stands before the numbers of a
/// shard (`hard-00000-of-00002`).
pub fn part_of(file: &str) -> Option<String> {
    let (folders, name) = file.rsplit_once('/').unwrap_or(("", file));
    let word_of = |text: &str| -> Option<&'static str> {
        let words: Vec<String> = text
            .split(|letter: char| matches!(letter, '-' | '.' | '_' | ' ') || letter.is_ascii_digit())
            .map(str::to_lowercase)
            .collect();
        PARTS.iter().find(|(_, known)| words.iter().any(|word| known.contains(&word.as_str()))).map(|(part, _)| *part)
    };
    let by_folder = folders.split('/').rev().find_map(word_of);
    by_folder.or_else(|| word_of(name)).map(ToOwned::to_owned).or_else(|| before_numbers(name))
}

/// What stands before `-00000-of-00002`.
fn before_numbers(name: &str) -> Option<String> {
    let (before, rest) = name.split_once("-of-")?;
    let digits = |text: &str| text.len() == 5 && text.bytes().all(|byte| byte.is_ascii_digit());
    let (part, number) = before.rsplit_once('-')?;
    (digits(number) && rest.get(..5).is_some_and(digits) && !part.is_empty()).then(|| part.to_owned())
}

/// Why a folder that `save_to_disk` wrote cannot be read as its files stand: old ones keep which rows are left in a file of its own.
pub fn kept_aside(folder: &Path) -> Option<String> {
    let state = folder.join("state.json");
    let meta = std::fs::metadata(&state).ok().filter(|meta| meta.is_file() && meta.len() < 4 << 20);
    let text = meta.and_then(|_| std::fs::read_to_string(&state).ok())?;
    let state: Value = serde_json::from_str(&text).ok()?;
    let indices = state["_indices_files"].as_array().or_else(|| state["_indices_data_files"].as_array())?;
    (!indices.is_empty()).then(|| {
        "which of its rows are left, and in which order, stands in a file of indices: save it again with flatten_indices()"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::part_of;

    #[test]
    fn names_say_their_part_as_the_hub_reads_them() {
        for (file, part) in [
            ("train.csv", Some("train")),
            ("dev_0.csv", Some("validation")),
            ("my-test-file.csv", Some("test")),
            ("eval/x.csv", Some("test")),
            ("test/train.csv", Some("test")),
            ("contest.csv", None),
            ("testfile.csv", None),
            ("latest.csv", None),
            ("data/hard-00000-of-00002.csv", Some("hard")),
            ("data/train-00000-of-00001.csv", Some("train")),
        ] {
            assert_eq!(part_of(file).as_deref(), part, "{file}");
        }
    }
}
