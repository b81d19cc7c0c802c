//! What is remembered between runs, where things are kept, and the bundled samples.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::data::Pipeline;
use crate::io::TextModel;
use crate::ui::TableColumn;

/// A bundled sample.
pub struct Sample {
    pub name: &'static str,
    pub what: &'static str,
    bytes: &'static [u8],
}

/// The bundled samples; their licences stand in `assets/samples`.
pub const SAMPLES: [Sample; 3] = [
    Sample {
        name: "banking77.csv",
        what: "10,003 customer questions, 77 intents (PolyAI, CC BY 4.0)",
        bytes: include_bytes!("../../assets/samples/banking77.csv"),
    },
    Sample {
        name: "gsm8k.jsonl",
        what: "1,319 grade-school maths problems (OpenAI, MIT)",
        bytes: include_bytes!("../../assets/samples/gsm8k.jsonl"),
    },
    Sample {
        name: "signs.zip",
        what: "100 photographs of hand signs, 10 digits (Mavi and Dikle, Apache-2.0)",
        bytes: include_bytes!("../../assets/samples/signs.zip"),
    },
];

/// Where things are kept.
#[derive(Debug, Clone)]
pub struct Folders {
    /// Settings.
    pub config: PathBuf,
    /// Samples, and projects of datasets whose folder cannot be written.
    pub data: PathBuf,
    /// What can be worked out anew at any time.
    pub cache: PathBuf,
}

impl Folders {
    /// The user's own, by the desktop's conventions.
    pub fn of_user() -> Self {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let home = set("HOME").or_else(|| set("USERPROFILE")).unwrap_or_else(std::env::temp_dir);
        let config = set("XDG_CONFIG_HOME").or_else(|| set("APPDATA")).unwrap_or_else(|| home.join(".config"));
        let data = set("XDG_DATA_HOME").or_else(|| set("LOCALAPPDATA")).unwrap_or_else(|| home.join(".local/share"));
        let cache = set("XDG_CACHE_HOME").or_else(|| set("LOCALAPPDATA")).unwrap_or_else(|| home.join(".cache"));
        Self { config: config.join("lapidary"), data: data.join("lapidary"), cache: cache.join("lapidary") }
    }

    /// All in one folder: for tests.
    pub fn within(folder: &Path) -> Self {
        Self { config: folder.join("config"), data: folder.join("data"), cache: folder.join("cache") }
    }

    /// The folder for projects whose source's folder cannot be written.
    pub fn projects(&self) -> PathBuf {
        self.data.join("projects")
    }

    /// The folder of bundled samples.
    pub fn samples(&self) -> PathBuf {
        self.data.join("samples")
    }

    /// What the bundled sample at `path` is, where there is one.
    pub fn bundled(&self, path: &Path) -> Option<&'static str> {
        let name = path.file_name().filter(|_| path.starts_with(self.samples()))?;
        SAMPLES.iter().find(|sample| *sample.name == *name).map(|sample| sample.what)
    }

    /// Puts a bundled sample where its project can live beside it; returns its path.
    ///
    /// # Errors
    /// What the system says.
    pub fn unpack_sample(&self, index: usize) -> std::io::Result<PathBuf> {
        let sample = &SAMPLES[index.min(SAMPLES.len() - 1)];
        let path = self.samples().join(sample.name);
        if fs::metadata(&path).is_ok_and(|meta| meta.len() == sample.bytes.len() as u64) {
            return Ok(path);
        }
        write(&path, sample.bytes)?;
        Ok(path)
    }
}

/// What is remembered between runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    pub dark: bool,
    pub inspector: bool,
    pub lines: usize,
    pub zoom: f32,
    /// The window's size in points.
    pub window: [f32; 2],
    pub inspector_width: f32,
    pub recent: Vec<PathBuf>,
    /// How the table of each dataset was left, the latest first.
    pub tables: Vec<TableLayout>,
    /// Pipelines that were kept, the latest first.
    pub pipelines: Vec<Pipeline>,
    /// Text models that the user named.
    pub text_models: Vec<TextModel>,
    /// What databases may be asked, as the user said: an address and the question, a line each.
    pub connections: Vec<String>,
    /// The keys that the user chose, by command.
    pub keys: BTreeMap<String, String>,
}

/// How a dataset's table was left.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableLayout {
    pub path: PathBuf,
    pub columns: Vec<TableColumn>,
}

/// The most tables remembered.
const MOST_TABLES: usize = 40;

impl Default for Settings {
    fn default() -> Self {
        Self {
            dark: true,
            inspector: true,
            lines: 1,
            zoom: 1.0,
            window: [1440.0, 900.0],
            inspector_width: 0.0,
            recent: Vec::new(),
            tables: Vec::new(),
            pipelines: Vec::new(),
            text_models: Vec::new(),
            connections: Vec::new(),
            keys: BTreeMap::new(),
        }
    }
}

impl Settings {
    /// Reads them. What cannot be read is set aside, never overwritten, and said.
    pub fn load(folders: &Folders) -> (Self, Option<String>) {
        let path = folders.config.join("settings.json");
        let Ok(bytes) = fs::read(&path) else { return (Self::default(), None) };
        match serde_json::from_slice(&bytes) {
            Ok(settings) => (settings, None),
            Err(error) => {
                let names = (1..1_000).map(|n| {
                    if n == 1 { "settings.unreadable.json".to_owned() } else { format!("settings.unreadable-{n}.json") }
                });
                let aside = names.map(|name| folders.config.join(name)).find(|path| !path.exists());
                let aside = aside.unwrap_or_else(|| folders.config.join("settings.unreadable.json"));
                let kept = fs::rename(&path, &aside).map_or_else(
                    |error| format!("and could not be set aside ({error})"),
                    |()| format!("and are kept as {}", aside.display()),
                );
                (Self::default(), Some(format!("Your settings could not be read ({error}) {kept}; everything is as at first")))
            }
        }
    }

    /// What was arranged as it was at first: the size, the zoom, the tables. What was named and kept stays.
    pub fn plain(self) -> Self {
        let Self { dark, recent, pipelines, text_models, connections, keys, .. } = self;
        Self { dark, recent, pipelines, text_models, connections, keys, ..Self::default() }
    }

    /// Keeps them.
    ///
    /// # Errors
    /// What the system says.
    pub fn save(&self, folders: &Folders) -> std::io::Result<()> {
        write(&folders.config.join("settings.json"), &serde_json::to_vec_pretty(self)?)
    }

    /// How the table of the dataset at `path` was left.
    pub fn table(&self, path: &Path) -> Option<&[TableColumn]> {
        self.tables.iter().find(|layout| layout.path == path).map(|layout| layout.columns.as_slice())
    }

    /// Remembers how a table is left; says whether that is news.
    pub fn leave_table(&mut self, path: &Path, columns: &[TableColumn]) -> bool {
        if columns.is_empty() || self.table(path) == Some(columns) {
            return false;
        }
        self.tables.retain(|layout| layout.path != path);
        self.tables.insert(0, TableLayout { path: path.to_owned(), columns: columns.to_vec() });
        self.tables.truncate(MOST_TABLES);
        true
    }

    /// Puts a file at the head of those opened before.
    pub fn opened(&mut self, path: &Path) {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        self.recent.retain(|known| *known != path);
        self.recent.insert(0, path);
        self.recent.truncate(12);
    }
}

/// Stands in the settings' folder from a start until its window has been drawn some times: who finds it knows that the last start died.
const STARTING: &str = "starting";

/// Notes that a start has begun; says whether the last one died before its window was there.
pub fn begin_start(folders: &Folders) -> bool {
    let mark = folders.config.join(STARTING);
    let died = mark.exists();
    // Where nothing can be written, nothing can be remembered either.
    let _ = write(&mark, std::process::id().to_string().as_bytes());
    died
}

/// Notes that the window is there.
pub fn end_start(folders: &Folders) {
    let _ = fs::remove_file(folders.config.join(STARTING));
}

fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut aside = tempfile::NamedTempFile::new_in(folder)?;
    aside.write_all(bytes)?;
    aside.persist(path).map_err(|error| error.error)?;
    Ok(())
}
