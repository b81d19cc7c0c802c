//! One task of a run, done by whoever is handed it: no command for a person.

use super::Verb;
use crate::cli::said::{print, say};
use crate::job::Progress;
use crate::passes::{PassTask, Work, run_task};

/// The command.
pub const VERB: Verb = Verb {
    name: "task",
    summary: "do one task of a run that is under way (what executors of a cluster call)",
    usage: "FOLDER TASK",
    example: "lapidary task clean/.lapidary-work map/3",
    options: &[&[
        ("--run", Some("PRINT"), "the run that it is a task of: another in that folder is refused"),
        ("--version-of", Some("VERSION"), "the version of whoever asks: another is refused"),
    ]],
    paths: &["the run's folder", "the task"],
    also: None,
    more: None,
    run: |arguments, out, _| {
        let folder = arguments.before.first().ok_or_else(|| "which run? Its folder is missing".to_owned())?;
        if let Some(version) = arguments.get("--version-of").filter(|version| *version != env!("CARGO_PKG_VERSION")) {
            return Err(format!(
                "version {version} asks, and this is {}: every machine needs the same",
                env!("CARGO_PKG_VERSION")
            ));
        }
        let work = Work::of_folder(folder).map_err(say)?;
        if let Some(print) = arguments.get("--run").filter(|print| *print != work.print()) {
            return Err(format!("{} holds run {}, and this is a task of run {print}", folder.display(), work.print()));
        }
        let task: PassTask = arguments.path.to_string_lossy().parse()?;
        run_task(&work, task, &Progress::silent()).map_err(say)?;
        print(out, &format!("done {task}\n")).map(|()| false)
    },
};
