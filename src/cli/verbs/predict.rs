//! What a model that was taught says of other samples.

use std::io::Write;
use std::path::Path;

use serde_json::{Value, json};

use super::Verb;
use super::train::{chosen, looks};
use crate::cli::arguments::Arguments;
use crate::cli::opened::{open, read};
use crate::cli::options::READING;
use crate::cli::said::{Done, note, print, print_json, say};
use crate::data::{Dataset, count_samples};
use crate::derive::TextOf;
use crate::io::{Reading, may_write, open_kept, write_beside, write_field};
use crate::job::Progress;
use crate::train::{TeachMeans, predicted};

/// The command.
pub const VERB: Verb = Verb {
    name: "predict",
    summary: "say what a model that was taught from a dataset says of other samples",
    usage: "PATH [--run NAME] --of FILE [-o FILE] [--json]",
    example: "lapidary predict tickets.csv --of new.csv -o predicted.csv",
    options: &[
        &[
            ("--run", Some("NAME"), "the run, by its name or number (the last)"),
            ("--kept", Some("DIR"), "a fine-tuned encoder that `train --keep` wrote, in the place of a run"),
            ("--text", Some("COL"), "with --kept: the column that is read (those with the role text)"),
            ("--of", Some("FILE"), "the samples that something is to be said of"),
            ("-o", Some("FILE"), "write CSV: the row, the class, how sure; to the terminal where no file is named"),
            ("--json", None, "print JSON"),
        ],
        &READING,
    ],
    paths: &["the dataset"],
    also: None,
    more: None,
    run: |arguments, out, err| predict(arguments, out, err).map(|()| false),
};

fn predict(arguments: &Arguments, out: &mut dyn Write, err: &mut dyn Write) -> Done {
    let workspace = open(arguments)?;
    let path = arguments.get("--of").ok_or("of which samples? name their file with --of")?;
    let other = read(Path::new(path), &Reading::default())?;
    if let Some(to) = arguments.path("-o") {
        may_write(workspace.dataset(), to).map_err(say)?;
    }
    if let Some(folder) = arguments.path("--kept") {
        let model = open_kept(folder).map_err(say)?;
        let text = TextOf::of(&other, arguments.get("--text")).map_err(say)?;
        let texts: Vec<String> = other.samples().map(|id| text.read(&other, id).into_owned()).collect();
        let said = model.say(&texts, &Progress::silent()).map_err(say)?;
        let k = model.classes.len().max(1);
        #[allow(clippy::cast_possible_truncation)]
        let best = |row: &[f64]| {
            let at = (0..row.len()).fold(0, |best, at| if row[at] > row[best] { at } else { best });
            (at as u32, row[at] as f32)
        };
        let said: Vec<(u32, f32)> = said.chunks(k).map(best).collect();
        return say_predictions((&folder.display().to_string(), &model.classes, &said), &other, arguments, out, err);
    }
    let kept = chosen(&workspace, arguments.get("--run"))?;
    let looks = looks(&other, &kept.run.lesson)?;
    let store = crate::derive::Store::default();
    let means = TeachMeans { looks: looks.as_ref(), ..TeachMeans::of(&store) };
    let said = predicted(&other, &kept.run, means, &Progress::silent()).map_err(say)?;
    say_predictions((&kept.name, &kept.run.classes, &said), &other, arguments, out, err)
}

/// Says what something says of samples: a row a sample, the class, how sure.
fn say_predictions(
    (name, classes, said): (&str, &[String], &[(u32, f32)]),
    other: &Dataset,
    arguments: &Arguments,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Done {
    let class = |at: u32| classes.get(at as usize).map_or("", String::as_str);
    if arguments.has("--json") {
        let list: Vec<Value> = said
            .iter()
            .enumerate()
            .map(|(row, (at, sure))| json!({ "row": row, "class": class(*at), "confidence": sure }))
            .collect();
        return print_json(out, &json!({ "run": name, "predictions": list }));
    }
    let mut text = "row,class,confidence\n".to_owned();
    for (row, (at, sure)) in said.iter().enumerate() {
        let mut cell = Vec::new();
        write_field(class(*at), b',', false, &mut cell);
        text.push_str(&format!("{row},{},{sure:.6}\n", String::from_utf8_lossy(&cell)));
    }
    match arguments.get("-o") {
        Some(to) => {
            write_beside(other, Path::new(to), &text).map_err(say)?;
            note(err, &format!("{to}: what {name} says of {}", count_samples(said.len())));
            Ok(())
        }
        None => print(out, &text),
    }
}
