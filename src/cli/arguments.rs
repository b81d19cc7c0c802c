//! Words after a command, checked against its options.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::options::OptionLine;
use crate::io::Reading;

/// A command's words, sorted out.
#[derive(Debug, Default)]
pub struct Arguments {
    /// The dataset.
    pub path: PathBuf,
    /// What stands before it, where the command takes that.
    pub before: Vec<PathBuf>,
    given: BTreeMap<&'static str, Vec<OsString>>,
}

/// Options that may be given several times.
const MANY: [&str; 6] = ["--role", "--kind", "--is", "--column", "--class", "--connect"];
/// Options whose values are paths, which need not be UTF-8.
const PATHS: [&str; 6] = ["-o", "--pipeline", "--answers", "--model", "--model-back", "--probabilities"];

impl Arguments {
    /// Sorts out `words`; `wanted` are the paths that are needed, by what they are, the dataset's last. Where that ends with `…`, there may be any number.
    ///
    /// # Errors
    /// What is wrong with them, in words.
    pub fn parse(options: &[OptionLine], wanted: &[&str], words: &[OsString]) -> Result<Self, String> {
        let (mut paths, mut given) = (Vec::new(), BTreeMap::<&'static str, Vec<OsString>>::new());
        let (mut words, mut only_paths) = (words.iter(), false);
        while let Some(whole) = words.next() {
            // A word that is no UTF-8 can be nothing but a path.
            let word = whole.to_str().unwrap_or("?");
            if only_paths || !word.starts_with('-') || word == "-" {
                paths.push(whole.clone());
                continue;
            }
            if word == "--" {
                only_paths = true;
                continue;
            }
            let (name, attached) = match word.split_once('=') {
                Some((name, value)) if name.starts_with("--") => (name, Some(OsString::from(value))),
                _ => (word, None),
            };
            let Some((known, takes, _)) = options.iter().find(|(known, ..)| *known == name) else {
                return Err(format!("there is no option {name}"));
            };
            let value = match (takes, attached) {
                (None, None) => OsString::new(),
                (None, Some(_)) => return Err(format!("{name} takes no value")),
                (Some(_), Some(value)) => value,
                (Some(what), None) => words.next().cloned().ok_or_else(|| format!("{name} needs a value: {what}"))?,
            };
            if value.to_str().is_none() && !PATHS.contains(known) {
                return Err(format!("the value of {name} is not UTF-8"));
            }
            let list = given.entry(known).or_default();
            if !list.is_empty() && !MANY.contains(known) {
                return Err(format!("{name} is given twice"));
            }
            list.push(value);
        }
        if wanted.last().is_some_and(|last| last.ends_with('…')) {
            let mut before: Vec<PathBuf> = paths.into_iter().map(PathBuf::from).collect();
            return Ok(Self { path: before.pop().unwrap_or_default(), before, given });
        }
        match paths.as_slice() {
            [before @ .., path] if before.len() + 1 == wanted.len() => {
                Ok(Self { path: PathBuf::from(path), before: before.iter().map(PathBuf::from).collect(), given })
            }
            [] => Err("which file? A path is missing".to_owned()),
            [_, more, ..] if wanted.len() == 1 => Err(format!("one file at a time: what is {}?", more.display())),
            _ => Err(format!(
                "{} paths are needed: {}",
                ["no", "one", "two", "three"][wanted.len().min(3)],
                wanted.join(", then ")
            )),
        }
    }

    /// The value of an option.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.given.get(name).and_then(|list| list.first()?.to_str())
    }

    /// Every value of an option.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.given.get(name).into_iter().flatten().filter_map(|value| value.to_str())
    }

    /// The value of an option that is a path.
    pub fn path(&self, name: &str) -> Option<&Path> {
        self.given.get(name).and_then(|list| list.first()).map(Path::new)
    }

    /// Every value of an option of the form `COL=WHAT`.
    ///
    /// # Errors
    /// One that is not.
    pub fn pairs(&self, name: &str) -> Result<Vec<(&str, &str)>, String> {
        let list = self.given.get(name).map(Vec::as_slice).unwrap_or_default();
        list.iter()
            .map(|value| {
                let found = value.to_str().and_then(|text| text.rsplit_once('='));
                found.ok_or_else(|| format!("{name} takes COLUMN=WHAT, not {}", value.display()))
            })
            .collect()
    }

    /// Whether an option was given.
    pub fn has(&self, name: &str) -> bool {
        self.given.contains_key(name)
    }

    /// The path that an option must name.
    ///
    /// # Errors
    /// It does not.
    pub fn need_path(&self, name: &str) -> Result<&Path, String> {
        self.path(name).ok_or_else(|| format!("{name} is missing"))
    }

    /// The value of an option that must be there.
    ///
    /// # Errors
    /// It is not.
    pub fn need(&self, name: &str) -> Result<&str, String> {
        self.get(name).ok_or_else(|| format!("{name} is missing"))
    }

    /// The value of an option as a number.
    ///
    /// # Errors
    /// It is none.
    pub fn number<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, String> {
        self.get(name).map(|text| text.parse().map_err(|_| format!("{name} takes a number, not {text:?}"))).transpose()
    }

    /// How the file is to be read.
    ///
    /// # Errors
    /// An option's value is off.
    pub fn reading(&self) -> Result<Reading, String> {
        let delimiter = match self.get("--delimiter") {
            None => None,
            Some("\\t" | "tab") => Some(b'\t'),
            Some(text) => match text.as_bytes() {
                [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => Some(*byte),
                _ => return Err("--delimiter takes one ASCII character other than a quote".to_owned()),
            },
        };
        let header = match self.get("--header") {
            None => None,
            Some("yes" | "true") => Some(true),
            Some("no" | "false") => Some(false),
            Some(other) => return Err(format!("--header takes yes or no, not {other:?}")),
        };
        let skip = self.number::<usize>("--skip")?;
        let encoding = self.get("--encoding").map(ToOwned::to_owned);
        let sheet = self.get("--sheet").map(ToOwned::to_owned);
        let layout = self.get("--as").map(ToOwned::to_owned);
        Ok(Reading { encoding, delimiter, header, skip, surplus: self.has("--surplus"), sheet, layout })
    }
}

/// Samples as in `3,17,20-25`.
///
/// # Errors
/// Which part of it is no number.
pub fn rows(text: &str) -> Result<Vec<u32>, String> {
    let number =
        |part: &str| part.trim().parse::<u32>().map_err(|_| format!("--rows takes numbers like 3,17,20-25, not {part:?}"));
    let mut rows = Vec::new();
    for part in text.split(',') {
        match part.split_once('-') {
            Some((first, last)) => {
                let (first, last) = (number(first)?, number(last)?);
                if last < first {
                    return Err(format!("--rows {part:?} runs backwards"));
                }
                if last - first > 50_000_000 {
                    return Err(format!("--rows {part:?} is longer than any dataset here"));
                }
                rows.extend(first..=last);
            }
            None => rows.push(number(part)?),
        }
    }
    rows.sort_unstable();
    rows.dedup();
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: [OptionLine; 3] =
        [("--ratios", Some("A,B"), "shares"), ("--seed", Some("N"), "a seed"), ("-o", Some("DIR"), "where to")];

    #[test]
    fn words_are_checked() {
        let parse =
            |line: &str| Arguments::parse(&OPTIONS, &["the dataset"], &line.split(' ').map(OsString::from).collect::<Vec<_>>());
        let good = parse("x.csv --ratios=80,20 -o out").unwrap();
        assert_eq!((good.get("--ratios"), good.get("-o")), (Some("80,20"), Some("out")));
        for bad in ["--ratios 1", "x.csv y.csv", "x.csv --nope", "x.csv --ratios", "x.csv --seed 1 --seed 2"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        assert_eq!(rows("3,17,5-7,3").unwrap(), [3, 5, 6, 7, 17]);
        for bad in ["", "a", "3,", "7-5", "-1", "1-4000000000"] {
            assert!(rows(bad).is_err(), "{bad}");
        }
    }
}
