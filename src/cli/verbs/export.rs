//! A dataset with its edits, saved to a new file.

use std::io::Write;
use std::path::Path;

use super::{Verb, dryrun};
use crate::cli::arguments::Arguments;
use crate::cli::opened::open;
use crate::cli::options::{FOR_TRAINER, IMAGES, OWN_COLUMNS, READING, SAFE};
use crate::cli::said::{Done, note, say};
use crate::cli::saved::save;
use crate::data::{Dataset, things};
use crate::eye::{TrainerTarget, UNSEEN, hand_over};
use crate::job::Progress;
use crate::operate::{CardWords, hub_folder, save_each_source};
use crate::session::Workspace;

/// The command.
pub const VERB: Verb = Verb {
    name: "export",
    summary: "save a dataset with its edits to a new file, in any format",
    usage: "PATH -o FILE",
    example: "lapidary export tickets.csv -o clean.parquet",
    options: &[
        &[
            (
                "-o",
                Some("FILE"),
                "the new file; its name says the format (.csv .tsv .json .jsonl .parquet .arrow .arrows, also .gz .zst); or a new folder for images",
            ),
            (
                "--for",
                Some("TRAINER"),
                "for hub: a new folder that Hugging Face's datasets loads, Parquet by part with a card; for a trainer that dryrun lists: a new folder with rows that it takes whole, what reads them, a configuration; rows that it cannot take in a file of their own",
            ),
            ("--licence", Some("NAME"), "for hub: the licence, as Hugging Face names it"),
            ("--language", Some("CODE,…"), "for hub: the languages of the texts"),
            ("--format", Some("NAME"), "the format, where the name does not say it"),
            ("--each-source", None, "of a list of sources: each file by itself, in its own form, below the new folder"),
            ("--with-excluded", None, "write excluded samples too"),
            OWN_COLUMNS,
            ("--utf8", None, "write text as UTF-8, whatever the source's encoding"),
            SAFE,
            IMAGES[0],
            IMAGES[1],
        ],
        &FOR_TRAINER,
        &READING,
    ],
    paths: &["the dataset"],
    also: None,
    more: None,
    run: |arguments, _, err| export(arguments, err).map(|()| false),
};

fn export(arguments: &Arguments, err: &mut dyn Write) -> Done {
    arguments.need_path("-o")?;
    let workspace = open(arguments)?;
    if arguments.has("--for") || arguments.get("--for").is_some() {
        if arguments.get("--for") == Some("hub") {
            return for_hub(arguments, &workspace, err);
        }
        return for_trainer(arguments, workspace.dataset(), err);
    }
    if arguments.has("--each-source") {
        let folder = arguments.need_path("-o")?;
        let words = save_each_source(workspace.dataset(), folder, &Progress::silent()).map_err(say)?;
        words.iter().for_each(|text| note(err, text));
        return Ok(());
    }
    save(arguments, workspace.dataset(), err)
}

/// A folder that Hugging Face's `datasets` loads.
fn for_hub(arguments: &Arguments, workspace: &Workspace, err: &mut dyn Write) -> Done {
    let folder = arguments.need_path("-o")?;
    let languages = arguments.get("--language").map(|list| list.split(',').map(|code| code.trim().to_owned()).collect());
    let words = CardWords {
        licence: arguments.get("--licence").map(str::to_owned),
        languages: languages.unwrap_or_default(),
        made: workspace.history().told(),
        unchecked: true,
        ..CardWords::default()
    };
    let done = hub_folder(workspace.dataset(), &[], &words, Path::new(&folder), &Progress::silent()).map_err(say)?;
    done.words(Path::new(&folder)).iter().for_each(|text| note(err, text));
    Ok(())
}

/// A folder that a trainer takes whole.
fn for_trainer(arguments: &Arguments, dataset: &Dataset, err: &mut dyn Write) -> Done {
    let target = dryrun::target(arguments, "--for")?;
    written_for(dataset, &target, arguments.need_path("-o")?, err)
}

/// Writes it, and says what came of it.
pub(super) fn written_for(dataset: &Dataset, target: &TrainerTarget, folder: &Path, err: &mut dyn Write) -> Done {
    let model = target.open().map_err(say)?;
    let done = hand_over(dataset, target, &model, folder, &Progress::silent()).map_err(say)?;
    for (_, name, n) in &done.files {
        note(err, &format!("{name}: {}", things(*n, "row", "rows")));
    }
    for (reason, n) in &done.left {
        note(err, &format!("left out, {}: {}", reason.words(), things(*n, "row", "rows")));
    }
    if let Some(name) = &done.left_file {
        note(err, &format!("what is left out stands in {name}, with why"));
    }
    done.notes.iter().for_each(|text| note(err, text));
    if done.unseen > 0 {
        note(err, &format!("{UNSEEN}: {}", things(done.unseen, "row", "rows")));
    }
    note(err, &format!("beside them: {}", done.beside.join(", ")));
    let text = if done.learned == done.written {
        format!("read back: {} learns from every one of {}", target.trainer.entry().title, things(done.written, "row", "rows"))
    } else {
        format!(
            "read back: {} learns from {} of {}",
            target.trainer.entry().title,
            done.learned,
            things(done.written, "row", "rows")
        )
    };
    note(err, &text);
    Ok(())
}
