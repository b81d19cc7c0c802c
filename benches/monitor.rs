//! What the promises about Monitor are measured with: `cargo bench --bench monitor`. evidently runs in the same run where Python has it (`PYTHON`, else `python3`); else that is said.

#![allow(clippy::pedantic, clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::fmt::Write as _;
use std::process::Command;

use lapidary::chance::Chance;
use lapidary::data::{Dataset, SampleId};
use lapidary::io::{self, Reading};
use lapidary::job::Progress;
use lapidary::learn::slices::{SliceColumn, slices, telling_slices};
use lapidary::monitor::{Against, LogColumns, LogCut};
use lapidary::operate::{LookBy, look_at};

mod support;

use support::{processor_seconds, timed};

/// Six columns of numbers and four of classes, as the reference's script makes them.
fn table(n: usize, shift: f64, seed: u64) -> Dataset {
    let mut chance = Chance::new(seed);
    let mut text = "n0,n1,n2,n3,n4,n5,c0,c1,c2,c3\n".to_owned();
    for _ in 0..n {
        let mut normal = |by: f64| (0..12).map(|_| chance.part()).sum::<f64>() - 6.0 + by;
        let (a, b, c, d) = (normal(0.0), normal(shift / 20.0), normal(shift / 10.0), normal(0.0));
        let (e, f) = ((20.0 + 4.5 * normal(0.0)).round().max(0.0), chance.part());
        let pick = [2, 10, 77, 500].map(|k| chance.below(k));
        let _ = writeln!(text, "{a},{b},{c},{},{e},{f},a{},k{},v{},z{}", d.exp(), pick[0], pick[1], pick[2], pick[3]);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    std::fs::write(&path, text).unwrap();
    io::open(&path, &Reading::default(), &Progress::silent(), &|_| {}).unwrap()
}

/// What a script of Python prints: processor seconds of evidently's drift report on as many rows.
fn evidently(n: usize) -> Option<f64> {
    let script = format!(
        "
import os, resource, warnings
os.environ['DO_NOT_TRACK'] = '1'; warnings.filterwarnings('ignore')
import numpy as np, pandas as pd
def cpu(): r = resource.getrusage(resource.RUSAGE_SELF); return r.ru_utime + r.ru_stime
r = np.random.default_rng(0); n = {n}
def make(shift):
    d = {{f'n{{i}}': r.normal(shift * i / 20, 1, n) for i in range(3)}}; d |= {{'n3': r.lognormal(0, 1, n), 'n4': r.poisson(20, n).astype(float), 'n5': r.random(n)}}
    d |= {{'c0': r.choice(['a', 'b'], n), 'c1': r.choice([f'k{{i}}' for i in range(10)], n), 'c2': r.choice([f'v{{i}}' for i in range(77)], n), 'c3': r.choice([f'z{{i}}' for i in range(500)], n)}}
    return pd.DataFrame(d)
ref, cur = make(0), make(1)
from evidently import Report, Dataset, DataDefinition
from evidently.presets import DataDriftPreset
num, cat = [c for c in ref if c[0] == 'n'], [c for c in ref if c[0] == 'c']
dd = DataDefinition(numerical_columns=num, categorical_columns=cat); c0 = cpu()
run = Report([DataDriftPreset()]).run(Dataset.from_pandas(cur, data_definition=dd), Dataset.from_pandas(ref, data_definition=dd)); run.dict(); print(cpu() - c0)
"
    );
    let program = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let done = Command::new(program).args(["-W", "ignore", "-c", &script]).output().ok().filter(|done| done.status.success())?;
    String::from_utf8_lossy(&done.stdout).lines().last()?.trim().parse().ok()
}

fn main() {
    println!("{:<58} {:>10} {:>14} {:>7}", "what (processor seconds)", "ours", "evidently", "ratio");
    for n in [10_000, 100_000, 1_000_000] {
        let (dataset, batch) = (table(n, 0.0, 1), table(n, 1.0, 2));
        let columns = LogColumns::default();
        let rows: Vec<SampleId> = batch.samples().collect();
        let by = LookBy {
            log: &batch,
            columns: &columns,
            rows: &rows,
            run: None,
            against: &Against::All,
            before: None,
            kept: &[],
            cut: &LogCut::Whole,
            seed: 1,
        };
        let before = processor_seconds();
        let look = look_at(&dataset, &by, &Progress::silent()).unwrap();
        let ours = processor_seconds() - before;
        let theirs = evidently(n);
        let floor = theirs.map_or_else(|| "not measured".to_owned(), |theirs| format!("{theirs:.2} s"));
        let ratio = theirs.map_or_else(String::new, |theirs| format!("{:.2}", ours / theirs));
        let what = format!("drift of {n} rows a side × {} columns", look.report.columns.len());
        println!("{what:<58} {ours:>8.2} s {floor:>14} {ratio:>7}  promised 0.1");
    }
    println!("\n{:<58} {:>10}", "what (seconds)", "ours");
    for n in [100_000, 1_000_000] {
        let mut chance = Chance::new(5);
        let columns: Vec<SliceColumn> =
            (0..10).map(|_| SliceColumn { codes: (0..n).map(|_| chance.below(10) as u32).collect(), values: 10 }).collect();
        let wrong: Vec<bool> = (0..n)
            .map(|row| chance.happens(if columns[0].codes[row] == 1 && columns[1].codes[row] == 2 { 0.5 } else { 0.1 }))
            .collect();
        let (found, seconds, _) = timed(|| {
            let all = slices(&columns, &wrong, None, (n / 1_000).max(30), &Progress::silent()).unwrap();
            telling_slices(&columns, &wrong, all, 20)
        });
        let what = format!("worst slices of {n} rows × 10 columns ({} shown)", found.len());
        println!("{what:<58} {:>8.2} s", seconds.as_secs_f64());
    }
}
