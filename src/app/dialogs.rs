//! Asking for a path: the desktop's dialog where there is one, else our own, else a script in tests.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, unbounded};

use crate::action::PageOf;
use crate::eye::TrainerTarget;
use crate::io::{ImageTarget, Rows, SaveTarget};
use crate::job::wait_aside;

/// What was asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum Asked {
    /// A file to open.
    Open,
    /// A folder of images to open.
    OpenFolder,
    /// A name to save under.
    Save { rows: Rows, target: SaveTarget },
    /// A model's folder.
    Model,
    /// A text model's folder, or the one that translates back.
    TextModel { back: bool },
    /// A name for what was found, as a page.
    Report { of: PageOf },
    /// An encoder's folder, to teach with.
    TrainFolder,
    /// Test texts, or a pack of their fingerprints.
    TestTexts,
    /// A source to add: a file, or a folder.
    Source { folder: bool },
    /// A version to compare with, or what both came from.
    Version { base: bool },
    /// A log of new data, or a folder of them.
    Log { folder: bool },
    /// A folder for Hugging Face's `datasets`.
    Hub,
    /// A folder to save each source to.
    EachSource,
    /// A folder to run the steps over; then one for what comes of it.
    Run { input: Option<PathBuf> },
    /// A file of probabilities.
    Probabilities,
    /// A pipeline's file, to read or to write.
    Pipeline { save: bool },
    /// A folder to save images below.
    Images { rows: Option<Rows>, target: ImageTarget },
    /// A folder to save parts to.
    Parts { target: SaveTarget },
    /// A folder below which a trainer's folder is written.
    HandOver { target: TrainerTarget },
}

impl Asked {
    /// What is asked, where a path is typed in the place of a dialog; `None` where a dataset is opened.
    pub fn heading(&self) -> Option<&'static str> {
        match self {
            Self::Probabilities => Some("Which file has one column of probabilities per class?"),
            Self::TestTexts => Some("Which file has the test texts, or is a pack of fingerprints?"),
            Self::Log { folder: false } => Some("Which file is the log of new data?"),
            Self::Log { folder: true } => Some("Look for new logs in which folder?"),
            Self::Source { folder: false } => Some("Which file is the source to add?"),
            Self::Source { folder: true } => Some("Which folder is the source to add?"),
            Self::Version { base: false } => Some("Which file is another version of this dataset?"),
            Self::Version { base: true } => Some("Which file is the version that both came from?"),
            Self::TrainFolder => Some("Which folder is the encoder?"),
            Self::Pipeline { .. } => Some("Which file is the pipeline?"),
            _ => None,
        }
    }
}

/// What came of it.
pub enum Answer {
    /// A path.
    Path(PathBuf),
    /// The user thought better of it.
    Nothing,
    /// There is no dialog here: ask ourselves.
    Unavailable,
}

/// A way to ask for a path without blocking the window.
pub trait Dialogs {
    /// Begins to ask. `wake` is called when there is an answer.
    fn ask(&mut self, asked: &Asked, wake: Box<dyn Fn() + Send>);
    /// The answer, once there is one.
    fn answer(&mut self) -> Option<Answer>;
}

/// The desktop's own dialogs.
#[derive(Default)]
pub struct System {
    waiting: Option<(Receiver<Option<PathBuf>>, Instant)>,
    unavailable: bool,
}

impl System {
    /// On Linux a dialog comes over the session bus: without one there is none.
    fn has_desktop() -> bool {
        if !cfg!(target_os = "linux") {
            return true;
        }
        let bus = std::env::var_os("XDG_RUNTIME_DIR").map(|folder| PathBuf::from(folder).join("bus"));
        std::env::var_os("DBUS_SESSION_BUS_ADDRESS").is_some() || bus.is_some_and(|bus| bus.exists())
    }
}

impl Dialogs for System {
    fn ask(&mut self, asked: &Asked, wake: Box<dyn Fn() + Send>) {
        if !Self::has_desktop() {
            self.unavailable = true;
            return;
        }
        let dialog = rfd::AsyncFileDialog::new();
        // Made here, on the main thread; awaited in a job.
        let future: std::pin::Pin<Box<dyn Future<Output = Option<rfd::FileHandle>> + Send>> = match asked {
            Asked::Open => Box::pin(dialog.set_title("Open a dataset").pick_file()),
            Asked::OpenFolder => Box::pin(dialog.set_title("Open a folder of images").pick_folder()),
            Asked::Save { target, .. } => {
                let name = target.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                Box::pin(dialog.set_title("Save as").set_file_name(name).save_file())
            }
            Asked::Pipeline { save: true } => {
                Box::pin(dialog.set_title("Save the pipeline as").set_file_name("pipeline.json").save_file())
            }
            Asked::Pipeline { save: false } => Box::pin(dialog.set_title("Open a pipeline").pick_file()),
            Asked::Report { of } => Box::pin(dialog.set_title("Save the page as").set_file_name(of.file_name()).save_file()),
            Asked::Probabilities => {
                Box::pin(dialog.set_title("Choose a file with one column of probabilities per class").pick_file())
            }
            Asked::Model | Asked::TextModel { .. } | Asked::TrainFolder => {
                Box::pin(dialog.set_title("Choose a model folder").pick_folder())
            }
            Asked::Images { .. } => Box::pin(dialog.set_title("Save a folder of images in which folder?").pick_folder()),
            Asked::TestTexts => Box::pin(dialog.set_title("Choose test texts, or a pack of fingerprints").pick_file()),
            Asked::Source { folder: false } => Box::pin(dialog.set_title("Choose a file to add as a source").pick_file()),
            Asked::Source { folder: true } => Box::pin(dialog.set_title("Choose a folder to add as a source").pick_folder()),
            Asked::Version { base: false } => Box::pin(dialog.set_title("Choose another version of this dataset").pick_file()),
            Asked::Version { base: true } => Box::pin(dialog.set_title("Choose the version that both came from").pick_file()),
            Asked::Log { folder: false } => Box::pin(dialog.set_title("Choose a log of new data").pick_file()),
            Asked::Log { folder: true } => Box::pin(dialog.set_title("Look for new logs in which folder?").pick_folder()),
            Asked::EachSource => Box::pin(dialog.set_title("Save each source in which folder?").pick_folder()),
            Asked::Run { input: None } => Box::pin(dialog.set_title("Carry the steps out on which folder?").pick_folder()),
            Asked::Run { input: Some(_) } => Box::pin(dialog.set_title("Write what comes of it in which folder?").pick_folder()),
            Asked::Hub => Box::pin(dialog.set_title("Write a Hugging Face folder in which folder?").pick_folder()),
            Asked::HandOver { .. } => Box::pin(dialog.set_title("Write a folder for the trainer in which folder?").pick_folder()),
            Asked::Parts { .. } => Box::pin(dialog.set_title("Save the parts to a folder").pick_folder()),
        };
        let (sender, receiver) = unbounded();
        self.waiting = Some((receiver, Instant::now()));
        let begun = wait_aside("dialog", move || {
            let path = pollster::block_on(future).map(|handle| handle.path().to_owned());
            // A window that is gone needs no answer.
            let _ = sender.send(path);
            wake();
        });
        self.unavailable = begun.is_err();
    }

    fn answer(&mut self) -> Option<Answer> {
        if std::mem::take(&mut self.unavailable) {
            return Some(Answer::Unavailable);
        }
        let (receiver, since) = self.waiting.as_ref()?;
        let answer = receiver.try_recv().ok()?;
        // No person answers this fast: there was no dialog.
        let at_once = since.elapsed() < Duration::from_millis(250);
        self.waiting = None;
        Some(match answer {
            Some(path) => Answer::Path(path),
            None if at_once => Answer::Unavailable,
            None => Answer::Nothing,
        })
    }
}

/// Answers prepared beforehand: for tests.
#[derive(Default)]
pub struct Scripted {
    answers: Vec<PathBuf>,
    asked: bool,
}

impl Scripted {
    /// These answers, the next one last; none left means that there is no dialog.
    pub fn new(answers: Vec<PathBuf>) -> Self {
        Self { answers, asked: false }
    }
}

impl Dialogs for Scripted {
    fn ask(&mut self, _: &Asked, wake: Box<dyn Fn() + Send>) {
        self.asked = true;
        wake();
    }

    fn answer(&mut self) -> Option<Answer> {
        std::mem::take(&mut self.asked).then(|| self.answers.pop().map_or(Answer::Unavailable, Answer::Path))
    }
}
