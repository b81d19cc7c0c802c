//! Plants label errors and counts how many are found: `cargo run --release --example flips`, or with `-- rates` the larger table: nine rates,
//! both kinds of flips, sharp and blunt models, 200 to 20,000 samples.
//!
//! Reads banking77 from `../shared/data` and, where Debian's `wordnet-base` is installed, glosses with their lexicographer files as labels.
//! Flips are uniform over the other classes or all from one class to the next; several seeds and rates, none of which the check is
//! told. Rows with no flips say how much is flagged in data as it was published (some of which is truly wrong).

#![allow(clippy::pedantic, clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::collections::HashSet;
use std::fmt::Write as _;

use lapidary::checks::label_errors::{Given, LabelModel, LabelQuestion, TextOf};
use lapidary::data::{Dataset, SampleId};
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
    /// To the class that is most like it, as people confuse them.
    Alike(f64),
}

fn main() {
    let only = std::env::args().nth(1).unwrap_or_default();
    if only == "rates" {
        return rates(&std::env::args().nth(2).unwrap_or_default());
    }
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

const RATES: [f64; 9] = [0.0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2];

/// The larger table. Texts are learned from anew at every rate; the published probabilities are taken as they are (sharp: a network that was
/// never shown the flips) and made blunt by chance of their own. What is flagged at 0 is in the data as
/// published, and some of it is truly wrong: at low rates precision and P@n count it as false.
fn rates(only: &str) {
    println!(
        "{:<22} {:>6} {:>4} {:<6} {:>6} {:>7} {:>8} {:>9} {:>7} {:>7}",
        "data", "rows", "k", "flips", "rate %", "planted", "flagged", "precision", "recall", "P@n"
    );
    let print = |name: &str, rows: usize, classes: usize, kind: &str, rate: f64, planted: usize, of: (f64, f64, f64, usize)| {
        let percent = rate * 100.0;
        let (precision, recall, at_n, flagged) = of;
        println!(
            "{name:<22} {rows:>6} {classes:>4} {kind:<6} {percent:>6.1} {planted:>7} {flagged:>8} {precision:>9.3} {recall:>7.3} {at_n:>7.3}"
        );
    };
    let (banking, glosses) = (banking(), glosses());
    let few = |most: usize, classes: usize, seed| {
        let names: Vec<String> =
            banking.iter().map(|row| row.1.clone()).collect::<std::collections::BTreeSet<_>>().into_iter().collect();
        let kept: HashSet<&String> = names.iter().step_by((names.len() / classes).max(1)).take(classes).collect();
        pick(banking.iter().filter(|row| kept.contains(&row.1)).cloned().collect(), most, seed)
    };
    let six = ["05", "20", "13", "18", "06", "15"];
    let mut sets: Vec<(&str, Rows)> = Vec::new();
    if !banking.is_empty() {
        sets.push(("banking 2 classes", few(200, 2, 21)));
        sets.push(("banking 5 classes", few(800, 5, 22)));
        sets.push(("banking 77", pick(banking.clone(), 4_000, 23)));
        sets.push(("banking 77", banking.clone()));
    }
    if !glosses.is_empty() {
        sets.push((
            "glosses six",
            pick(glosses.iter().filter(|row| six.contains(&row.1.as_str())).cloned().collect(), 2_000, 24),
        ));
        sets.push(("glosses all", pick(glosses.clone(), 20_000, 25)));
    }
    for (name, rows) in sets.iter().filter(|set| set.0.contains(only)) {
        let near = alike(rows);
        let classes: HashSet<&String> = rows.iter().map(|(_, label)| label).collect();
        for (kind, of) in [("random", Flips::Uniform as fn(f64) -> Flips), ("alike", Flips::Alike)] {
            for (at, rate) in RATES.into_iter().enumerate().filter(|(_, rate)| kind == "random" || *rate > 0.0) {
                let (labels, wrong) = plant_by(rows, of(rate), 100 + at as u64, &near);
                print(name, rows.len(), classes.len(), kind, rate, wrong.len(), measure(rows, &labels, &wrong));
            }
        }
    }
    for name in ["mnist", "20news"].into_iter().filter(|name| name.contains(only)) {
        let Some((labels, p, k)) = published(name) else { continue };
        for (model, blunt) in [("sharp", 0.0), ("blunt", 3.0)] {
            for rows in [200, 2_000, labels.len()] {
                probabilities(&format!("{name} {model}"), &labels[..rows], &dulled(&p[..rows * k], k, blunt), k, &print);
            }
        }
    }
}

type Print<'p> = dyn Fn(&str, usize, usize, &str, f64, usize, (f64, f64, f64, usize)) + 'p;

/// The table's rows for labels and probabilities of a model that saw none of them.
fn probabilities(name: &str, labels: &[u32], p: &[f32], k: usize, print: &Print) {
    // The class that a model gives most of the rest of its probability to, over the samples of a class.
    let mut rest = vec![vec![0.0_f64; k]; k];
    for (row, label) in labels.iter().enumerate() {
        (0..k).for_each(|class| rest[*label as usize][class] += f64::from(p[row * k + class]));
    }
    let near = |class: usize| {
        (0..k).filter(|other| *other != class).max_by(|a, b| rest[class][*a].total_cmp(&rest[class][*b])).unwrap() as u32
    };
    for kind in ["random", "alike"] {
        for (at, rate) in RATES.into_iter().enumerate().filter(|(_, rate)| kind == "random" || *rate > 0.0) {
            let mut random = StdRng::seed_from_u64(300 + at as u64);
            let mut wrong = HashSet::new();
            let given: Vec<u32> = (0..labels.len())
                .map(|row| {
                    let other = random.random_range(1..k as u32);
                    if !random.random_bool(rate) {
                        return labels[row];
                    }
                    wrong.insert(row as u32);
                    if kind == "random" { (labels[row] + other) % k as u32 } else { near(labels[row] as usize) }
                })
                .collect();
            let mut text = String::from("label\n");
            given.iter().for_each(|label| writeln!(text, "c{label:02}").unwrap());
            let dataset = open(&text);
            let ask = LabelQuestion { label: Some("label".into()), ..LabelQuestion::default() };
            let of = Given { names: (0..k).map(|class| format!("c{class:02}")).collect(), p: p.to_vec() };
            let model = LabelModel::from_probabilities(&dataset, &ask, &of, &Progress::silent()).unwrap();
            print(name, labels.len(), k, kind, rate, wrong.len(), judged(&model, &wrong));
        }
    }
}

/// Probabilities of a worse model: logits halved, with chance of their own added.
fn dulled(p: &[f32], k: usize, by: f32) -> Vec<f32> {
    if by == 0.0 {
        return p.to_vec();
    }
    let mut random = StdRng::seed_from_u64(7);
    let mut out: Vec<f32> = p
        .iter()
        .map(|p| {
            let chance: f32 = (0..4).map(|_| random.random_range(-1.0..1.0f32)).sum();
            (p.max(1e-6).ln() * 0.5 + chance * by * 0.5).exp()
        })
        .collect();
    for row in out.chunks_mut(k) {
        let sum: f32 = row.iter().sum();
        row.iter_mut().for_each(|value| *value /= sum);
    }
    out
}

/// Labels and probabilities of a published test set, by the program's own reader (a child process: this program cannot be it).
fn published(name: &str) -> Option<(Vec<u32>, Vec<f32>, usize)> {
    let path = format!("../shared/reference/published/published_{name}.parquet");
    let program = std::env::current_exe().ok()?.parent()?.parent()?.join("lapidary");
    if !std::path::Path::new(&path).exists() || !program.exists() {
        println!("skipped: {path} or {} is not there", program.display());
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let csv = folder.path().join("table.csv");
    let words = ["export", &path, "--no-project", "-o"];
    assert!(std::process::Command::new(program).args(words).arg(&csv).output().unwrap().status.success());
    let table = io::open(&csv, &Reading::default(), &Progress::silent(), &|_| {}).unwrap();
    let k = (0..).take_while(|class| table.field(&format!("p{class}")).is_some()).count();
    let number = |field: &str, id| table.number(table.field(field).unwrap(), id).unwrap();
    let labels = table.samples().map(|id| number("label", id) as u32).collect();
    let p = table.samples().flat_map(|id| (0..k).map(move |class| (id, class)));
    Some((labels, p.map(|(id, class)| number(&format!("p{class}"), id) as f32).collect(), k))
}

/// For each class (in order of names) the place of the one whose texts are most like its own, by the built-in embedding.
fn alike(rows: &Rows) -> Vec<usize> {
    let names: Vec<&String> = rows.iter().map(|row| &row.1).collect::<std::collections::BTreeSet<_>>().into_iter().collect();
    let mut text = String::from("text,label\n");
    rows.iter().for_each(|(cell, _)| writeln!(text, "\"{}\",x", cell.replace('"', "\"\"")).unwrap());
    let dataset = open(&text);
    let of = TextOf::of(&dataset, Some("text")).unwrap();
    let dense =
        io::embed(0..dataset.rows(), &|row| of.read(&dataset, SampleId::at(row)), &Meaning::BuiltIn, None, &Progress::silent())
            .unwrap();
    let width = dense.row(0).len();
    let mut means = vec![vec![0.0_f32; width]; names.len()];
    for (row, (_, label)) in rows.iter().enumerate() {
        let class = names.binary_search(&label).unwrap();
        means[class].iter_mut().zip(dense.row(row)).for_each(|(mean, value)| *mean += value);
    }
    for mean in &mut means {
        let length = mean.iter().map(|value| value * value).sum::<f32>().sqrt().max(1e-9);
        mean.iter_mut().for_each(|value| *value /= length);
    }
    let cosine = |a: usize, b: usize| means[a].iter().zip(&means[b]).map(|(a, b)| a * b).sum::<f32>();
    (0..names.len())
        .map(|class| {
            let others = (0..names.len()).filter(|other| *other != class);
            others.max_by(|a, b| cosine(class, *a).total_cmp(&cosine(class, *b))).unwrap()
        })
        .collect()
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
    plant_by(rows, flips, seed, &[])
}

/// `near` has the place of the class that each is confused with.
fn plant_by(rows: &Rows, flips: Flips, seed: u64, near: &[usize]) -> (Vec<String>, HashSet<u32>) {
    let names: Vec<&String> =
        rows.iter().map(|(_, label)| label).collect::<std::collections::BTreeSet<_>>().into_iter().collect();
    let mut random = StdRng::seed_from_u64(seed);
    let (mut labels, mut wrong) = (Vec::new(), HashSet::new());
    for (row, (_, label)) in rows.iter().enumerate() {
        let class = names.iter().position(|name| *name == label).unwrap();
        let (rate, by) = match flips {
            Flips::Uniform(rate) => (rate, random.random_range(1..names.len())),
            Flips::Pairs(rate) => (rate, 1),
            Flips::Alike(rate) => (rate, near[class] + names.len() - class),
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
    let ask = LabelQuestion { label: Some("label".into()), text: Some("text".into()), ..LabelQuestion::default() };
    let of = TextOf::of(&dataset, Some("text")).unwrap();
    let dense =
        io::embed(0..dataset.rows(), &|row| of.read(&dataset, SampleId::at(row)), &Meaning::BuiltIn, None, &Progress::silent())
            .unwrap();
    judged(&LabelModel::fit(&dataset, &ask, dense.into(), &Progress::silent()).unwrap(), wrong)
}

/// Precision and recall of what is flagged, precision of as many as were planted, and how many are flagged.
fn judged(model: &LabelModel, wrong: &HashSet<u32>) -> (f64, f64, f64, usize) {
    let flagged: Vec<u32> = model.findings().iter().map(|finding| finding.samples[0].0).collect();
    let right = |list: &[u32]| list.iter().filter(|row| wrong.contains(row)).count() as f64;
    let ranked = model.ranked();
    let top: Vec<u32> = ranked.iter().take(wrong.len()).map(|id| id.0).collect();
    let n = wrong.len().max(1) as f64;
    (right(&flagged) / flagged.len().max(1) as f64, right(&flagged) / n, right(&top) / n, flagged.len())
}
