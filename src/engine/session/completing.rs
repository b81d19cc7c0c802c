//! What a path that is being typed may go on with: the entries of its folder, read beside the window.

use std::path::{MAIN_SEPARATOR, Path};

use super::asked::News;
use crate::io;
use crate::job::{AnySlot, Came, Desk, Lane, Slot};

/// So many entries are listed.
const MOST: usize = 200;

/// The path that is being completed.
pub struct Completing {
    run: Slot<String, Vec<String>>,
}

impl Default for Completing {
    fn default() -> Self {
        Self { run: Slot::new("paths", Lane::Screen) }
    }
}

impl Completing {
    pub fn slot(&self) -> &dyn AnySlot {
        &self.run
    }

    pub fn slot_mut(&mut self) -> &mut dyn AnySlot {
        &mut self.run
    }

    /// The whole paths that go on from what is typed, folders with a separator behind them; the last known, while newer are read.
    pub fn paths(&self) -> &[String] {
        self.run.shown().map_or(&[], |(_, paths)| paths.as_slice())
    }

    /// Reads the folder of what is typed.
    pub fn ask(&mut self, typed: &str, desk: &Desk) {
        let typed = typed.to_owned();
        if self.run.needs(&typed) {
            self.run.ask(desk, typed.clone(), "Reading a folder", move |_| Ok(entries(&typed)));
        }
    }

    /// Takes in what has come.
    pub fn work(&mut self, desk: &Desk, news: &mut Vec<News>) {
        if let Some(Came::Failed(why)) = self.run.take(desk) {
            news.push(News::Failed("paths", why));
        }
    }
}

/// The entries of the folder of `typed` that begin with its last part, whatever their case; hidden ones where that begins with a dot.
fn entries(typed: &str) -> Vec<String> {
    let (folder, begun) = match typed.rfind(['/', MAIN_SEPARATOR]) {
        Some(at) => (&typed[..=at], &typed[at + 1..]),
        None => ("", typed),
    };
    let at = if folder.is_empty() { Path::new(".") } else { Path::new(folder) };
    let begun = begun.to_lowercase();
    let fits = |name: &str| name.to_lowercase().starts_with(&begun) && (begun.starts_with('.') || !name.starts_with('.'));
    let whole = |(name, is_folder): (String, bool)| {
        let end = if is_folder { MAIN_SEPARATOR.to_string() } else { String::new() };
        (!is_folder, format!("{folder}{name}{end}"))
    };
    let mut list: Vec<(bool, String)> = io::entries_of(at).into_iter().filter(|(name, _)| fits(name)).map(whole).collect();
    list.sort();
    list.truncate(MOST);
    list.into_iter().map(|(_, path)| path).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_goes_on_with_what_is_in_its_folder() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        std::fs::create_dir(at("Data")).unwrap();
        for name in ["data.csv", "other.csv", ".data"] {
            std::fs::write(at(name), "x").unwrap();
        }
        let say = |end: &str| format!("{}{MAIN_SEPARATOR}{end}", home.path().display());
        assert_eq!(entries(&say("da")), [say(&format!("Data{MAIN_SEPARATOR}")), say("data.csv")]);
        assert_eq!(entries(&say(".d")), [say(".data")]);
        assert_eq!(entries(&say("nowhere/x")), Vec::<String>::new());
    }
}
