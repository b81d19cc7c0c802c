//! What the promises about cleaning are measured with: `cargo bench --bench cleaning`. The peers run here where Python has them (`PYTHON`, else
//! `python3`, with scipy and numpy; umap-learn); else their figures are as noted in the reference's README.

#![allow(clippy::pedantic, clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::collections::HashSet;
use std::path::Path;
use std::process::Command;

use lapidary::job::Progress;
use lapidary::learn::dense::{Dense, normalise};
use lapidary::learn::layout::{layout, principal, trustworthiness};
use lapidary::learn::near::{Grams, Sets};
use lapidary::learn::neighbours::nearest_of;
use lapidary::writing::{Limits, flaws_of};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

mod support;

use support::timed;

fn row(what: &str, ours: String, floor: String, ratio: Option<f64>, promise: &str) {
    let ratio = ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}"));
    println!("{what:<62} {ours:>14} {floor:>26} {ratio:>7}  {promise}");
}

/// Instructions of some sixty words, put together of real questions; one in ten is another with a word or two changed.
fn instructions(n: usize) -> Vec<String> {
    let text = std::fs::read_to_string("assets/samples/banking77.csv").unwrap();
    let lines: Vec<&str> = text.lines().skip(1).map(|line| line.rsplit_once(',').map_or(line, |(text, _)| text)).collect();
    let mut random = StdRng::seed_from_u64(3);
    let mut all: Vec<String> = Vec::with_capacity(n);
    for at in 0..n {
        if at > 100 && random.random_range(0..10) == 0 {
            let mut words: Vec<String> = all[random.random_range(0..at)].split(' ').map(str::to_owned).collect();
            for _ in 0..random.random_range(1..3) {
                let place = random.random_range(0..words.len());
                words[place] = "however".to_owned();
            }
            all.push(words.join(" "));
        } else {
            all.push(
                (0..random.random_range(3..7)).map(|_| lines[random.random_range(0..lines.len())]).collect::<Vec<_>>().join(" "),
            );
        }
    }
    all
}

/// Processor seconds of the exact sparse product, and how many pairs it finds, where Python has scipy.
fn product(texts: &Path, threshold: f64) -> Option<(f64, usize)> {
    let script = format!(
        r#"
import re, time, json, numpy as np, scipy.sparse as sp
texts = json.load(open('{}'))
s = time.process_time()
ids, ind, ptr = {{}}, [], [0]
for t in texts:
    w = re.findall(r"\w+", t.lower())
    ind += [ids.setdefault(g, len(ids)) for g in {{" ".join(w[i:i+5]) for i in range(max(1, len(w)-4))}}]; ptr.append(len(ind))
a = sp.csr_matrix((np.ones(len(ind), np.int32), ind, ptr), shape=(len(texts), len(ids))); n = np.diff(ptr); pairs = 0
for lo in range(0, len(texts), 1000):
    b = (a[lo:lo+1000] @ a.T).tocoo(); i, j, v = b.row + lo, b.col, b.data; k = i < j; i, j, v = i[k], j[k], v[k]
    pairs += int((v / (n[i] + n[j] - v) >= {threshold}).sum())
print(time.process_time() - s, pairs)
"#,
        texts.display()
    );
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let done = Command::new(python)
        .args(["-c", &script])
        .env_remove("OPENBLAS_CORETYPE")
        .env_remove("OPENBLAS_L2_SIZE")
        .output()
        .ok()?;
    let text = String::from_utf8(done.stdout).ok()?;
    let (seconds, pairs) = text.trim().split_once(' ')?;
    Some((seconds.parse().ok()?, pairs.parse().ok()?))
}

fn duplicates() {
    let progress = Progress::silent();
    for n in [5_000, 50_000, 500_000] {
        let texts = instructions(n);
        let (near, clock, processor) = timed(|| {
            let sets = Sets::of_texts(n, &|row| texts[row].as_str(), Grams::Words(5), &progress).unwrap();
            sets.near(0.7, &progress).unwrap()
        });
        let mut floor = String::new();
        let mut ratio = None;
        if n == 50_000 {
            let home = tempfile::tempdir().unwrap();
            let path = home.path().join("texts.json");
            std::fs::write(&path, serde_json::to_string(&texts).unwrap()).unwrap();
            let (seconds, pairs) = match product(&path, 0.7) {
                Some((seconds, pairs)) => (seconds, format!("{pairs} pairs")),
                None => (2.8, "noted".to_owned()),
            };
            floor = format!("{seconds:.2} s scipy, {pairs}");
            ratio = Some(processor / seconds);
        }
        // Pairs of rows with the same set count too.
        let mut many = vec![0usize; n];
        near.same.iter().for_each(|first| many[*first as usize] += 1);
        let same: usize = many.iter().map(|k| k * k.saturating_sub(1) / 2).sum();
        let spread: usize = near.pairs.iter().map(|(a, b, _)| many[*a as usize] * many[*b as usize]).sum();
        let ours = format!("{processor:.2} s ({:.2})", clock.as_secs_f64());
        row(
            &format!("near duplicates of {n} texts, {} pairs", same + spread),
            ours,
            floor,
            ratio,
            "a quarter; ten times the rows, ten times the work",
        );
    }
}

fn noise() {
    let texts = instructions(60_000);
    let bytes: usize = texts.iter().map(String::len).sum();
    let limits = Limits::default();
    let (found, clock, _) = timed(|| {
        use rayon::prelude::*;
        let look = |part: &[String]| {
            let mut seen = Vec::new();
            part.iter()
                .map(|text| {
                    flaws_of(text, &limits, &mut seen);
                    seen.len()
                })
                .sum::<usize>()
        };
        texts.par_chunks(1_024).map(look).sum::<usize>()
    });
    let speed = bytes as f64 / 1e6 / clock.as_secs_f64();
    row(
        &format!("noise and personal data, {found} found"),
        format!("{speed:.0} MB/s"),
        "100 MB/s".to_owned(),
        Some(speed / 100.0),
        "above 1",
    );
}

/// Rows in clouds, as embeddings of texts lie.
fn clouds(n: usize, dims: usize) -> Dense {
    let mut random = StdRng::seed_from_u64(11);
    let middles: Vec<Vec<f32>> = (0..60).map(|_| (0..dims).map(|_| random.random_range(-1.0..1.0f32)).collect()).collect();
    let mut rows = Dense::zeros(n, dims);
    for at in 0..n {
        let middle = &middles[random.random_range(0..60)];
        let out = rows.row_mut(at);
        out.iter_mut().zip(middle).for_each(|(value, middle)| *value = middle * 0.6 + random.random_range(-1.0..1.0f32));
        normalise(out);
    }
    rows
}

fn map() {
    let progress = Progress::silent();
    let rows = clouds(10_000, 384);
    let (begin, clock, _) = timed(|| principal(&rows, &progress).unwrap());
    row(
        "the map by components, 10,000 × 384",
        format!("{:.2} s", clock.as_secs_f64()),
        "2.4 s scikit-learn, noted".to_owned(),
        None,
        "",
    );
    let (places, _, processor) = timed(|| {
        let all: Vec<u32> = (0..10_000).collect();
        let near = nearest_of(&rows, &all, 15, &progress).unwrap();
        layout(begin.clone(), &near, 42, &progress).unwrap()
    });
    let trust = trustworthiness(&rows, &places, 15, 20);
    row(
        &format!("the map laid out, trustworthiness {trust:.3}"),
        format!("{processor:.2} s"),
        "40 s umap-learn, noted".to_owned(),
        Some(processor / 40.0),
        "a quarter, at 0.88 and above",
    );
}

fn main() {
    let wanted: HashSet<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let all: [(&str, fn()); 3] = [("duplicates", duplicates), ("noise", noise), ("map", map)];
    println!("{:<62} {:>14} {:>26} {:>7}", "", "Lapidary", "floor", "ratio");
    for (name, run) in all {
        if wanted.is_empty() || wanted.contains(name) {
            run();
        }
    }
}
