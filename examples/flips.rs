//! Plants label errors and counts how many are found: `cargo run --release --example flips`.
//!
//! Reads banking77 from `../shared/data` and, where Debian's `wordnet-base` is installed, glosses with their lexicographer files as labels.
//! Flips are uniform over the other classes or all from one class to the next; several seeds and rates, none of which the check is
//! told. Rows with no flips say how much is flagged in data as it was published (some of which is truly wrong).

#![allow(clippy::pedantic, clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::collections::HashSet;
use std::fmt::Write as _;

use lapidary::checks::label_errors::{Ask, LabelModel, TextOf};
use lapidary::data::Dataset;
use lapidary::io::{self, Meaning, Reading};
use lapidary::job::Progress;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};

type Rows = Vec<(String, String)>;

#[derive(Clone, Copy)]
enum Flips {
    Uniform(f64),
    Pairs(f64),
}

fn main() {
    let only = std::env::args().nth(1).unwrap_or_default();
    println!(
        "{:<26} {:>6} {:>4} {:>7} {:>8} {:>9} {:>7} {:>7}",
        "data", "rows", "k", "planted", "flagged", "precision", "recall", "P@n"
    );
    for (name, rows, flips, seed) in sets().into_iter().filter(|set| set.0.contains(&only)) {
        let (labels, wrong) = plant(&rows, flips, seed);
        let (precision, recall, at_n, flagged) = measure(&rows, &labels, &wrong);
        let classes: HashSet<&String> = rows.iter().map(|(_, label)| label).collect();
        println!(
            "{name:<26} {:>6} {:>4} {:>7} {flagged:>8} {precision:>9.3} {recall:>7.3} {at_n:>7.3}",
            rows.len(),
            classes.len(),
            wrong.len()
        );
    }
}

fn sets() -> Vec<(String, Rows, Flips, u64)> {
    let mut sets = Vec::new();
    let banking = banking();
    if !banking.is_empty() {
        for (rate, seed) in [(0.0, 1), (0.02, 2), (0.05, 3), (0.05, 4), (0.1, 5), (0.2, 6)] {
            sets.push((format!("banking77 uniform {rate}"), banking.clone(), Flips::Uniform(rate), seed));
        }
        for (rate, seed) in [(0.05, 7), (0.15, 8)] {
            sets.push((format!("banking77 pairs {rate}"), banking.clone(), Flips::Pairs(rate), seed));
        }
        let ten: HashSet<String> = banking
            .iter()
            .map(|(_, label)| label.clone())
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter()
            .step_by(8)
            .collect();
        let few: Rows = pick(banking.into_iter().filter(|(_, label)| ten.contains(label)).collect(), 1_000, 9);
        sets.push(("banking77 small 0".into(), few.clone(), Flips::Uniform(0.0), 10));
        sets.push(("banking77 small 0.1".into(), few, Flips::Uniform(0.1), 11));
    }
    let glosses = glosses();
    if !glosses.is_empty() {
        for (rate, seed) in [(0.0, 12), (0.05, 13)] {
            sets.push((format!("glosses uniform {rate}"), pick(glosses.clone(), 12_000, seed), Flips::Uniform(rate), seed));
        }
        let six: Rows =
            glosses.into_iter().filter(|(_, label)| ["05", "20", "13", "18", "06", "15"].contains(&label.as_str())).collect();
        let six = pick(six, 3_000, 14);
        for (rate, seed) in [(0.0, 15), (0.05, 16), (0.2, 17)] {
            sets.push((format!("glosses six {rate}"), six.clone(), Flips::Uniform(rate), seed));
        }
        sets.push(("glosses six pairs 0.1".into(), six, Flips::Pairs(0.1), 18));
    }
    sets
}

fn open(text: &str) -> Dataset {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("set.csv");
    std::fs::write(&path, text).unwrap();
    io::open(&path, &Reading::default(), &Progress::silent(), &|_| {}).unwrap()
}

fn banking() -> Rows {
    let mut rows = Vec::new();
    for part in ["train", "test"] {
        let path = std::path::PathBuf::from(format!("../shared/data/banking77/{part}.csv"));
        if !path.exists() {
            println!("skipped: {} is not there", path.display());
            return Vec::new();
        }
        let dataset = io::open(&path, &Reading::default(), &Progress::silent(), &|_| {}).unwrap();
        let read = |field, id| dataset.text(field, id).unwrap_or_default().into_owned();
        rows.extend(dataset.samples().map(|id| (read(0, id), read(1, id))));
    }
    rows
}

fn glosses() -> Rows {
    let mut rows = Vec::new();
    for part in ["noun", "verb"] {
        let Ok(bytes) = std::fs::read(format!("/usr/share/wordnet/data.{part}")) else {
            println!("skipped: WordNet is not installed");
            return Vec::new();
        };
        for line in String::from_utf8_lossy(&bytes).lines().filter(|line| !line.starts_with("  ")) {
            let Some((head, gloss)) = line.split_once(" | ") else { continue };
            let words: Vec<&str> = head.split(' ').collect();
            rows.push((format!("{}: {}", words[4].replace('_', " "), gloss.trim()), words[1].to_owned()));
        }
    }
    rows
}

fn pick(mut rows: Rows, most: usize, seed: u64) -> Rows {
    rows.shuffle(&mut StdRng::seed_from_u64(seed));
    rows.truncate(most);
    rows
}

fn plant(rows: &Rows, flips: Flips, seed: u64) -> (Vec<String>, HashSet<u32>) {
    let names: Vec<&String> =
        rows.iter().map(|(_, label)| label).collect::<std::collections::BTreeSet<_>>().into_iter().collect();
    let mut random = StdRng::seed_from_u64(seed);
    let (mut labels, mut wrong) = (Vec::new(), HashSet::new());
    for (row, (_, label)) in rows.iter().enumerate() {
        let class = names.iter().position(|name| *name == label).unwrap();
        let (rate, by) = match flips {
            Flips::Uniform(rate) => (rate, random.random_range(1..names.len())),
            Flips::Pairs(rate) => (rate, 1),
        };
        let flipped = random.random_bool(rate);
        if flipped {
            wrong.insert(row as u32);
        }
        labels.push(names[(class + if flipped { by } else { 0 }) % names.len()].clone());
    }
    (labels, wrong)
}

fn measure(rows: &Rows, labels: &[String], wrong: &HashSet<u32>) -> (f64, f64, f64, usize) {
    let mut text = String::from("text,label\n");
    for ((cell, _), label) in rows.iter().zip(labels) {
        writeln!(text, "\"{}\",\"{label}\"", cell.replace('"', "\"\"")).unwrap();
    }
    let dataset = open(&text);
    let ask = Ask { label: Some("label".into()), text: Some("text".into()), ..Ask::default() };
    let of = TextOf::of(&dataset, Some("text")).unwrap();
    let dense = io::embed(&dataset, &|id| of.read(&dataset, id), &Meaning::BuiltIn, None, &Progress::silent()).unwrap();
    let model = LabelModel::fit(&dataset, &ask, dense.into(), &Progress::silent()).unwrap();
    let flagged: Vec<u32> = model.findings().iter().map(|finding| finding.samples[0].0).collect();
    let right = |list: &[u32]| list.iter().filter(|row| wrong.contains(row)).count() as f64;
    let ranked = model.ranked();
    let top: Vec<u32> = ranked.iter().take(wrong.len()).map(|id| id.0).collect();
    let n = wrong.len().max(1) as f64;
    (right(&flagged) / flagged.len().max(1) as f64, right(&flagged) / n, right(&top) / n, flagged.len())
}
