//! A dataset with its edits, saved to a new file.

use std::io::Write;

use super::Verb;
use crate::cli::arguments::Arguments;
use crate::cli::opened::open;
use crate::cli::options::{IMAGES, OWN_COLUMNS, READING, SAFE};
use crate::cli::said::Done;
use crate::cli::saved::save;

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
            ("--format", Some("NAME"), "the format, where the name does not say it"),
            ("--with-excluded", None, "write excluded samples too"),
            OWN_COLUMNS,
            ("--utf8", None, "write text as UTF-8, whatever the source's encoding"),
            SAFE,
            IMAGES[0],
            IMAGES[1],
        ],
        &READING,
    ],
    takes_recipe: false,
    also: None,
    more: None,
    run: |arguments, _, err| export(arguments, err).map(|()| false),
};

fn export(arguments: &Arguments, err: &mut dyn Write) -> Done {
    arguments.need_path("-o")?;
    let workspace = open(arguments)?;
    save(arguments, workspace.dataset(), err)
}
