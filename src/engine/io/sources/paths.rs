//! What a source names: a file, a folder, one sheet of a workbook, or all that a pattern finds.

use std::path::{Path, PathBuf};

use crate::io::databases::is_address;

/// The most files that a pattern may find, and how deep `**` looks.
const MOST: usize = 10_000;
const MOST_SEEN: usize = 1_000_000;
const DEEPEST: usize = 20;

/// A file or folder that a source is read from, and the sheet that its name says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourcePath {
    pub path: PathBuf,
    /// As it is told: seen from the folder of the list.
    pub shown: String,
    pub sheet: Option<String>,
}

/// A path as a list in `root` names it: parted by `/`, and seen from there where it lies below it or beside it.
pub fn path_from(root: &Path, path: &Path) -> String {
    if let Some(address) = path.to_str().filter(|path| is_address(path)) {
        return address.to_owned();
    }
    let whole = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let (root, path) = (whole(root), whole(path));
    let tidy = |path: &Path| {
        let mut parts: Vec<std::path::Component<'_>> = Vec::new();
        for part in path.components() {
            match part {
                std::path::Component::CurDir => {}
                std::path::Component::ParentDir if matches!(parts.last(), Some(std::path::Component::Normal(_))) => {
                    parts.pop();
                }
                part => parts.push(part),
            }
        }
        parts.into_iter().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect::<Vec<_>>()
    };
    let (root, own) = (tidy(&root), tidy(&path));
    let shared = root.iter().zip(&own).take_while(|(a, b)| a == b).count();
    let up = root.len() - shared;
    // Far away it is known by its whole path.
    if shared <= 1 || up > 3 {
        return path.to_string_lossy().replace('\\', "/");
    }
    std::iter::repeat_n("..".to_owned(), up).chain(own[shared..].iter().cloned()).collect::<Vec<_>>().join("/")
}

/// What `read` names, seen from `root`; patterns in the order of their bytes, without hidden files.
///
/// # Errors
/// That nothing is there, or too much.
pub fn source_paths(root: &Path, read: &str) -> Result<Vec<SourcePath>, String> {
    if read.contains("://") {
        return Err(format!(
            "{read:?} is an address: of those, databases are read (postgresql://, mysql://); save anything else as a file first"
        ));
    }
    let one = |path: PathBuf, shown: &str, sheet: Option<&str>| SourcePath {
        path,
        shown: shown.to_owned(),
        sheet: sheet.map(ToOwned::to_owned),
    };
    let whole = root.join(read);
    if whole.exists() {
        return Ok(vec![one(whole, read, None)]);
    }
    if let Some((file, sheet)) = read.rsplit_once('#')
        && root.join(file).is_file()
    {
        return Ok(vec![one(root.join(file), read, Some(sheet))]);
    }
    if !read.contains(['*', '?']) {
        return Err(format!("there is no {read:?}"));
    }
    let absolute = Path::new(read).is_absolute();
    let mut parts: Vec<&str> = read.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    parts.dedup_by(|a, b| *a == "**" && *b == "**");
    let mut found = Found::default();
    let (from, shown) = if absolute { (PathBuf::from("/"), "/") } else { (root.to_owned(), "") };
    walk(&from, shown, &parts, 0, &mut found)?;
    let mut found = found.list;
    found.sort_by(|a, b| a.1.as_bytes().cmp(b.1.as_bytes()));
    found.dedup();
    if found.is_empty() {
        return Err(format!("nothing is called {read:?}"));
    }
    Ok(found.into_iter().map(|(path, shown)| one(path, &shown, None)).collect())
}

/// What a pattern has found, and how many names were looked at for it.
#[derive(Default)]
struct Found {
    list: Vec<(PathBuf, String)>,
    seen: usize,
}

fn walk(folder: &Path, shown: &str, parts: &[&str], depth: usize, found: &mut Found) -> Result<(), String> {
    let Some((part, rest)) = parts.split_first() else { return Ok(()) };
    let below =
        |name: &str| if shown.is_empty() || shown.ends_with('/') { format!("{shown}{name}") } else { format!("{shown}/{name}") };
    if *part == "**" {
        walk(folder, shown, rest, depth, found)?;
    } else if !part.contains(['*', '?']) {
        let next = folder.join(part);
        if rest.is_empty() {
            if next.is_file() {
                found.list.push((next, below(part)));
            }
            return Ok(());
        }
        return walk(&next, &below(part), rest, depth + 1, found);
    }
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        // What is hidden, or ours, is named or not meant.
        if name.starts_with('.')
            || name.contains(".lapidary")
            || name.ends_with(".sources.json")
            || (name.starts_with("__") && name.ends_with("__"))
        {
            continue;
        }
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if *part == "**" {
            if is_folder && depth < DEEPEST {
                walk(&entry.path(), &below(&name), parts, depth + 1, found)?;
            }
        } else if fits(part.as_bytes(), name.as_bytes()) {
            if rest.is_empty() {
                if entry.path().is_file() {
                    found.list.push((entry.path(), below(&name)));
                }
            } else if is_folder {
                walk(&entry.path(), &below(&name), rest, depth + 1, found)?;
            }
        }
        found.seen += 1;
        if found.list.len() > MOST || found.seen > MOST_SEEN {
            return Err(format!("more than {MOST} files are called so, or more than {MOST_SEEN} names had to be looked at"));
        }
    }
    Ok(())
}

/// Whether a name is of a pattern: `*` is any letters, `?` one. In time that grows with their product at most.
fn fits(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n, mut star) = (0, 0, None);
    while n < name.len() {
        if p < pattern.len() && pattern[p] == b'*' {
            star = Some((p, n));
            p += 1;
        } else if p < pattern.len() && (pattern[p] == name[n] || pattern[p] == b'?') {
            p += 1;
            n += 1;
        } else if let Some((at, from)) = star {
            p = at + 1;
            n = from + 1;
            star = Some((at, from + 1));
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_find_what_they_name_and_nothing_hidden() {
        let home = tempfile::tempdir().unwrap();
        for file in
            ["b.csv", "a.csv", ".c.csv", "d/e.csv", "d/f/g.csv", "d/.h/i.csv", "x.tsv", "odd#name.csv", "__pycache__/j.csv"]
        {
            let path = home.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "a\n1\n").unwrap();
        }
        let names =
            |read: &str| source_paths(home.path(), read).map(|list| list.into_iter().map(|path| path.shown).collect::<Vec<_>>());
        assert_eq!(names("*.csv").unwrap(), ["a.csv", "b.csv", "odd#name.csv"]);
        assert_eq!(names("**/*.csv").unwrap(), ["a.csv", "b.csv", "d/e.csv", "d/f/g.csv", "odd#name.csv"]);
        assert_eq!(names("d/*.csv").unwrap(), ["d/e.csv"]);
        assert_eq!(names("odd#name.csv").unwrap(), ["odd#name.csv"], "a name is a name before it is a sheet's");
        assert_eq!(source_paths(home.path(), "a.csv#Sheet").unwrap()[0].sheet.as_deref(), Some("Sheet"));
        assert!(names("*.parquet").unwrap_err().contains("nothing is called"));
        assert!(names("https://there/db").unwrap_err().contains("address"));
        assert!(!fits(b"*a*a*a*a*a*a*a*b", &[b'a'; 500]));
    }
}
