//! Train, validation and test without leaks.

use std::io::Write;
use std::path::PathBuf;

use super::Verb;
use crate::cli::arguments::Arguments;
use crate::cli::opened::open;
use crate::cli::options::{IMAGES, READING, SAFE};
use crate::cli::said::{Done, note, say};
use crate::cli::saved::image_target;
use crate::data::count_samples;
use crate::io::{self, Rows, SaveTarget};
use crate::job::Progress;
use crate::operate::{Means, Operation, copies};
use crate::session::Workspace;
use crate::transform::{HashOf, Split, SplitMethod};

/// The command.
pub const VERB: Verb = Verb {
    name: "split",
    summary: "write train, validation and test files without leaks",
    usage: "PATH --ratios 80,10,10 [--stratify COL] [--group COL] [--time COL] [--hash COL] [--seed N] (-o DIR | --as-column)",
    example: "lapidary split tickets.csv --ratios 80,10,10 --stratify category --seed 7 -o parts",
    options: &[
        &[
            ("--ratios", Some("A,B,C"), "the parts' shares: train, validation, test; two are train and test"),
            ("--folds", Some("K"), "write K folds instead"),
            ("--stratify", Some("COL"), "give each part the whole's share of each class"),
            ("--group", Some("COL"), "keep samples with the same value together; goes with --stratify"),
            ("--time", Some("COL"), "the earliest first"),
            ("--hash", Some("COL"), "by a hash of this column (`content` for the text), so that rows added later move none"),
            ("--seed", Some("N"), "the seed of chance (42)"),
            (
                "--copies",
                Some("HOW"),
                "`together` (usual): samples that are the same but for case and white space stay in one part; or `apart`",
            ),
            (
                "--near",
                Some("N"),
                "texts that share this part of their pairs of words (as 0.75) or more are copies, too; 0 (usual) only the same",
            ),
            ("-o", Some("DIR"), "the folder to write to"),
            ("--as-column", None, "write no files, but a column that says which part: an edit, and a step of recipes"),
            SAFE,
            IMAGES[0],
            IMAGES[1],
        ],
        &READING,
    ],
    paths: &["the dataset"],
    also: None,
    more: None,
    run: |arguments, _, err| split(arguments, err).map(|()| false),
};

fn split(arguments: &Arguments, err: &mut dyn Write) -> Done {
    let column = |name: &str| arguments.get(name).map(ToOwned::to_owned);
    let method = match (column("--stratify"), column("--group"), column("--time"), column("--hash")) {
        (None, None, None, None) => SplitMethod::Random,
        (Some(label), None, None, None) => SplitMethod::Stratified { label },
        (None, Some(group), None, None) => SplitMethod::Group { group },
        (Some(label), Some(group), None, None) => SplitMethod::StratifiedGroup { label, group },
        (None, None, Some(time), None) => SplitMethod::Time { time },
        (None, None, None, Some(of)) => SplitMethod::Hash(if of == "content" { HashOf::Content } else { HashOf::Column(of) }),
        _ => return Err("--time and --hash go with nothing else; --stratify and --group go together".to_owned()),
    };
    let seed = arguments.number("--seed")?.unwrap_or(42);
    let folder = if arguments.has("--as-column") { PathBuf::new() } else { arguments.need_path("-o")?.to_owned() };
    let together = match arguments.get("--copies") {
        None | Some("together") => true,
        Some("apart") => false,
        Some(other) => return Err(format!("--copies takes together or apart, not {other:?}")),
    };
    let near = arguments.number::<f64>("--near")?.unwrap_or(0.0);
    if !(0.0..=1.0).contains(&near) {
        return Err("--near takes a similarity from 0 to 1, as 0.75".to_owned());
    }
    let wanted = match (arguments.get("--ratios"), arguments.number::<usize>("--folds")?) {
        (Some(_), Some(_)) => return Err("--ratios or --folds, not both".to_owned()),
        (None, Some(k)) if (2..=1_000).contains(&k) => Split::folds(method, k, seed),
        (None, Some(_)) => return Err("--folds takes a number from 2 to 1,000".to_owned()),
        (None, None) => return Err("--ratios is missing".to_owned()),
        (Some(text), None) => {
            let shares: Option<Vec<f64>> = text.split(',').map(|part| part.trim().parse().ok()).collect();
            let shares = shares.filter(|shares| (2..=3).contains(&shares.len()));
            Split::named(
                method,
                &shares.ok_or_else(|| format!("--ratios takes two or three numbers like 80,10,10, not {text:?}"))?,
                seed,
            )
        }
    };
    let wanted = Split { together, near, ..wanted };
    let workspace = open(arguments)?;
    if arguments.has("--as-column") {
        return as_column(workspace, wanted, err);
    }
    let dataset = workspace.dataset();
    let copies = copies(dataset, near, workspace.derived(), &Progress::silent()).map_err(|_| "cancelled".to_owned())?;
    let plan = wanted.plan(dataset, Option::as_ref(&copies), &Progress::silent()).map_err(say)?;
    let told = |err: &mut dyn Write| {
        plan.notes.iter().for_each(|text| note(err, text));
        if let Some(n) = plan.copies {
            note(err, &format!("{n} copies across parts{}", if near > 0.0 { ", near ones among them" } else { "" }));
        }
        note(err, &format!("seed {seed}"));
    };
    let origin = &dataset.base.origin;
    if let Some(target) = image_target(arguments, dataset, &folder)? {
        let parts: Vec<(String, Rows)> = plan
            .names
            .iter()
            .enumerate()
            .map(|(part, name)| (name.replace(' ', "_"), Rows::These(plan.family(dataset, part))))
            .collect();
        let report = io::export_images(dataset, &parts, &target, &Progress::silent()).map_err(say)?;
        for (name, rows) in &parts {
            note(err, &format!("{}: {}", target.folder.join(name).display(), count_samples(rows.ids(dataset).len())));
        }
        report.notes.iter().for_each(|text| note(err, text));
        told(err);
        return Ok(());
    }
    let target = |name: &String| SaveTarget {
        path: folder.join(io::compressed_name(&name.replace(' ', "_"), origin.format, origin.packing)),
        format: origin.format,
        packing: origin.packing,
        own_columns: false,
        utf8: false,
        safe: arguments.has("--safe-for-spreadsheets"),
    };
    let list: Vec<(Rows, SaveTarget)> =
        plan.names.iter().enumerate().map(|(part, name)| (Rows::These(plan.family(dataset, part)), target(name))).collect();
    let reports = io::export_parts(dataset, &list, &Progress::silent()).map_err(say)?;
    for ((_, target), report) in list.iter().zip(&reports) {
        note(err, &format!("{}: {}", target.path.display(), count_samples(report.rows)));
    }
    // What is true of all of them is said once.
    let mut said: Vec<&String> = Vec::new();
    for text in reports.iter().flat_map(|report| &report.notes) {
        if !said.contains(&text) {
            note(err, text);
            said.push(text);
        }
    }
    told(err);
    Ok(())
}

/// The parts as a column: an edit.
fn as_column(mut workspace: Workspace, split: Split, err: &mut dyn Write) -> Done {
    let planned = Operation::Split(split).plan(workspace.dataset(), &Means::default(), &Progress::silent()).map_err(say)?;
    planned.notes.iter().for_each(|text| note(err, text));
    match planned.edit {
        Some(edit) => {
            workspace.edit(&edit).map_err(say)?;
            note(err, &edit.words);
        }
        None => note(err, "nothing to change: the parts are so already"),
    }
    Ok(())
}
