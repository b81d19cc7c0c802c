//! What the app will do: plain data. Views and commands push actions; the app carries them out, one at a time.

use std::path::PathBuf;

use crate::collect::AlignmentProposal;
use crate::data::SampleId;
use crate::edit::EditId;
use crate::eye::TrainerTarget;
use crate::io::{ImageTarget, Reading, Rows, SaveTarget, SourcesFile, TextModel};
use crate::operate::Operation;
use crate::session::{CarryWay, DiffChoice};
use crate::train::Lesson;
use crate::transform::{Replace, Split};

/// What a page is about.
#[derive(Debug, Clone, PartialEq)]
pub enum PageOf {
    /// What was found.
    Health,
    /// The dataset, as its card.
    Card,
    /// What a trainer makes of it.
    DryRun(TrainerTarget),
    /// The batch of new data that is shown.
    Batch,
    /// What was done here, as a recipe; with a folder for a trainer at its end.
    Recipe(Option<TrainerTarget>),
}

impl PageOf {
    /// What its file is called unless somebody says otherwise.
    pub fn file_name(&self) -> &'static str {
        match self {
            Self::Health => "health.html",
            Self::Card => "README.md",
            Self::DryRun(_) => "dry-run.html",
            Self::Batch => "new-data.html",
            Self::Recipe(_) => "recipe.json",
        }
    }
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Ask for a file, then open it.
    OpenDialog,
    /// Ask for a folder of images, then open it.
    OpenFolderDialog,
    /// Open a file or a folder.
    Open(PathBuf),
    /// Open a bundled sample.
    OpenSample(usize),
    /// Close the dataset and show the start screen.
    Close,
    /// Read the open file again, otherwise.
    Reread(Reading),
    /// Carry the edits of the project over to the file as it is now.
    Carry,
    /// Save what can be read of a damaged project.
    Recover,
    /// Take over a project that was made for what is open under another name.
    Adopt(PathBuf),
    /// Open a file however much memory it takes.
    OpenTrusted(PathBuf),
    /// Have an operation done to the data.
    Do(Operation),
    /// Look for label errors anew.
    CheckLabels,
    /// Show the samples whose meaning is nearest to some words.
    FindMeaning(String),
    /// Read texts with a sentence-transformers folder; without one, ask for it.
    ChooseModel(Option<PathBuf>),
    /// Read texts with the built-in embedding again.
    BuiltInModel,
    /// Judge labels by the dataset's own columns of probabilities.
    ProbabilityColumns,
    /// Ask for a file of probabilities and judge labels by it.
    ProbabilityFile,
    /// Look at what a replacement would do, in the chosen samples or in all that the filter leaves.
    PreviewReplace { column: String, what: Replace },
    /// Make the replacement that is shown an edit.
    ApplyReplace { column: String, what: Replace },
    /// What Train asks for.
    Train(TrainAction),
    /// What Monitor asks for.
    Monitor(MonitorAction),
    /// What Collect asks for.
    Collect(CollectAction),
    /// Ask for a source to add: a file, or a folder.
    SourceDialog { folder: bool },
    /// Ask for a version to compare with, or for what both came from.
    VersionDialog { base: bool },
    /// Ask for a log to be brought in, or a folder to look in for new ones.
    LogDialog { folder: bool },
    /// Ask for the folder of an encoder to teach with.
    TrainFolderDialog,
    /// Ask for a file of test texts, then look for what of the dataset stands in them.
    TestTextsDialog,
    /// Copy a cell, or the rows of samples as CSV where no column is named.
    Copy { samples: Vec<SampleId>, column: Option<String> },
    /// Say what an action would do, and do it when that is confirmed.
    AskFirst { words: String, action: Box<Action> },
    /// Let go of what was typed into samples and is not saved, and go on with this.
    DropTyped(Box<Action>),
    /// Take back the last edit.
    Undo,
    /// Take back one edit: as undo where it is the last, else by an edit of its own, where later ones do not touch its cells.
    Revert(EditId),
    /// Make it again.
    Redo,
    /// Go to a state of the history.
    GoTo(EditId),
    /// Look for problems once more, with the options as they are.
    Check { thoroughly: bool },
    /// Work out a split to look at.
    PreviewSplit(Split),
    /// Make the split that is shown an edit.
    ApplySplit,
    /// Make the samples that Augment shows.
    Augment,
    /// Make those of a batch anew, with another seed, in their place.
    MakeAnew(usize),
    /// Say what the balance that is shown is worth.
    Probe,
    /// Tries several rules of balancing by the probe, and asks for the best.
    TryRules,
    /// Make the balance that is shown an edit.
    ApplyBalance,
    /// Add the class weights as a column of sample weights.
    AddWeights,
    /// Copy the class weights as JSON.
    CopyWeights,
    /// Keep the pipeline under its name.
    KeepPipeline,
    /// Ask for a file, then read a pipeline from it or save it there.
    PipelineDialog { save: bool },
    /// Show what a text model is, to change it; without a name, to name a new one.
    NameTextModel(Option<String>),
    /// Keep a text model, in the place of another; the key is for this run only.
    KeepTextModel { was: Option<String>, model: TextModel, key: String },
    /// Forget a text model.
    RemoveTextModel(String),
    /// Allow texts to be sent to the host that a text model is at.
    AllowTextModel(String),
    /// Ask for a text model's folder, or for the one that translates back.
    TextModelFolder { back: bool },
    /// Ask text models again what they had no answer to.
    AskAgain,
    /// Ask where to, then write a page.
    ReportDialog { of: PageOf },
    /// Ask where to, then save.
    ExportDialog { rows: Rows, target: SaveTarget },
    /// Ask for a folder, then write what a trainer takes whole below it.
    HandOverDialog { target: TrainerTarget },
    /// Ask for a folder, then write what Hugging Face's `datasets` loads below it.
    HubDialog,
    /// Ask for a folder to save each source to.
    EachSourceDialog,
    /// Choose a folder that the steps made here are carried out on; then, where that is known, one for what comes of it.
    RunDialog { input: Option<PathBuf> },
    /// Save each part of the split column to a folder.
    ExportPartsDialog { target: SaveTarget },
    /// Ask for a folder, then save images below it; each part of the split column where no rows are named.
    ExportImagesDialog { rows: Option<Rows>, target: ImageTarget },
    /// Save.
    Export { rows: Rows, target: SaveTarget },
    /// Save, also over files that are there.
    ExportOver(Vec<(Rows, SaveTarget)>),
    /// Stop a job.
    Cancel(&'static str),
    /// A path was typed where the desktop offers no dialog.
    PathTyped(PathBuf),
    /// Take a notice away.
    Dismiss(usize),
    /// Say something.
    Notice(String),
    /// Close the window.
    Quit,
    /// Stop what is being saved, and close the window once it has stopped.
    QuitNow,
    /// Another key for a command, or its usual ones again.
    Rebind { command: String, key: Option<String> },
    /// Read what a path that is being typed may go on with.
    CompletePath(String),
}

/// What Train asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum TrainAction {
    /// Teach models, one after the other.
    Teach(Vec<Lesson>),
    /// Make three steps of a lesson, and say how long all would take.
    Try(Box<Lesson>),
    /// Say what more samples are worth to a lesson.
    Grow(Box<Lesson>),
    /// Say which judge finds wrong labels better, by a lesson.
    Judge(Box<Lesson>),
    /// Say which columns are finer than a label.
    Finer(String),
    /// Give up a run that was stopped.
    GiveUp(PathBuf),
    /// Give a run another name.
    Rename { id: i64, name: String },
    /// Make what a run says of every sample columns.
    WritePredictions(i64),
    /// Ask again as a run was asked.
    UseSettings(i64),
}

/// What Collect asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum CollectAction {
    /// Add sources to what is open.
    Add(Vec<PathBuf>),
    /// Show the form for a database.
    NameDatabase,
    /// Show what the list at a path asks of databases: nothing was sent to them.
    OfferDatabases(PathBuf),
    /// Ask what the form says: add it as a source, or open the list.
    Connect,
    /// Join columns and classes as it is proposed.
    Join(Vec<AlignmentProposal>),
    /// Have the list of sources say this from now on; how samples are where they were.
    Change { list: SourcesFile, way: CarryWay },
    /// Compare with another version.
    Compare(PathBuf),
    /// Compare with the open file as it is on the disk now.
    CompareChanged,
    /// With what both versions came from.
    CompareFrom(PathBuf),
    /// Choose whose version of the difference that is looked at.
    Choose(DiffChoice),
    /// Take over what was chosen.
    TakeVersion,
    /// Compare no more.
    LeaveVersions,
}

/// What Monitor asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum MonitorAction {
    /// Read a log, to be brought in.
    Offer(PathBuf),
    /// Do not bring in the log that is offered.
    Decline,
    /// Watch the log that is offered, as the form says.
    Watch,
    /// Look for new logs in a folder from now on.
    LookIn(PathBuf),
    /// Take the rows over that are worth a label.
    Take,
    /// Go where what was taken over is labelled.
    Label,
}
