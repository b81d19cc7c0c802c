//! What the promises about Train are measured with: `cargo bench --bench train`. torch, transformers and scikit-learn run in the same run where Python has them (`PYTHON`, else `python3`); else that is said. Models have MiniLM's shape and random numbers: what they cost is the same.

#![allow(clippy::pedantic, clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::process::Command;

use lapidary::chance::Chance;
use lapidary::job::Progress;
use lapidary::learn::bert::{Activation, Adapted, BertLayout, BertShape, TokenRows};
use lapidary::learn::dense::{Dense, normalise};
use lapidary::learn::head_choice::{HeadRows, choose_head};
use lapidary::learn::heads::{HeadFit, HeadInput};
use lapidary::learn::lora::LoraFit;
use lapidary::learn::tune::{HeadTask, TuneFit, Tuned};

mod support;

use support::timed;

fn row(what: &str, ours: f64, floor: Option<f64>, promise: &str) {
    let floor_text = floor.map_or_else(|| "not measured".to_owned(), |floor| format!("{floor:.2} s"));
    let ratio = floor.map_or_else(String::new, |floor| format!("{:.2}", ours / floor));
    println!("{what:<66} {ours:>8.2} s {floor_text:>14} {ratio:>7}  {promise}");
}

/// What a script of Python prints: processor seconds.
fn python(script: &str) -> Option<f64> {
    let program = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let done = Command::new(program).args(["-W", "ignore", "-c", script]).output().ok().filter(|done| done.status.success())?;
    String::from_utf8_lossy(&done.stdout).lines().last()?.trim().parse().ok()
}

const TORCH: &str = "
import time, torch, warnings
torch.manual_seed(0); torch.set_num_threads(2)
from transformers import BertConfig, BertModel
c = BertConfig(vocab_size=30522, hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536, max_position_embeddings=512)
m = BertModel(c, add_pooling_layer=False); head = torch.nn.Linear(384, 77)
ids = torch.randint(1000, 30000, (32, 32)); y = torch.randint(0, 77, (32,))
";

/// The size of MiniLM.
fn layout() -> BertLayout {
    BertLayout::new(BertShape {
        layers: 6,
        hidden: 384,
        heads: 12,
        inner: 1_536,
        words: 30_522,
        positions: 512,
        kinds: 2,
        epsilon: 1e-12,
        first_position: 0,
        distances: 0,
        activation: Activation::Gelu,
        pooler: false,
    })
}

fn main() {
    let layout = layout();
    let mut chance = Chance::new(1);
    let params: Vec<f32> = (0..layout.size).map(|_| chance.within(-0.04, 0.04) as f32).collect();
    let texts: Vec<Vec<u32>> = (0..32).map(|_| (0..32).map(|_| 1_000 + chance.below(29_000) as u32).collect()).collect();
    let rows: Vec<&[u32]> = texts.iter().map(Vec::as_slice).collect();
    let truth: Vec<u32> = (0..32).map(|_| chance.below(77) as u32).collect();
    let head: Vec<f32> = (0..77 * 385).map(|_| chance.within(-0.03, 0.03) as f32).collect();
    println!("{:<66} {:>10} {:>14} {:>7}  promise", "processor time", "ours", "reference", "ratio");
    let steps = |fit: TuneFit| {
        let mut tuned = Tuned::new(params.clone(), head.clone(), vec![HeadTask::plain(77)]).adapted(&layout, &fit);
        tuned.learn(&layout, &rows, &truth, &fit);
        timed(|| (0..5).for_each(|_| drop(tuned.learn(&layout, &rows, &truth, &fit)))).2 / 5.0
    };
    let fit = TuneFit { steps: 99, ..TuneFit::default() };
    let step = "
p = [q for n, q in m.named_parameters() if 'word_embeddings' not in n] + list(head.parameters()); m.embeddings.word_embeddings.weight.requires_grad_(WORDS)
o = torch.optim.AdamW(m.parameters() if WORDS else p, lr=5e-5)
def go():
    x = m(input_ids=ids).last_hidden_state.mean(1); l = torch.nn.functional.cross_entropy(head(x), y); o.zero_grad(); l.backward(); torch.nn.utils.clip_grad_norm_(p, 1.0); o.step()
go(); t = time.process_time(); [go() for _ in range(5)]; print((time.process_time() - t) / 5)
";
    let torch = |words: &str| python(&format!("{TORCH}WORDS = {words}{step}"));
    row("a training step, MiniLM, 32 texts of 32 tokens, words frozen", steps(fit), torch("False"), "at most 1.3 of torch's");
    let all = TuneFit { frozen_words: false, ..fit };
    row("the same, the table of words learns, too", steps(all), torch("True"), "");
    let lora = TuneFit { lora: Some(LoraFit { rank: 8, alpha: 16.0, adapted: Adapted::QueryValue }), ..fit };
    row("the same with LoRA, rank 8, against all of it in torch", steps(lora), torch("False"), "");

    // Encoding: texts as long as questions are, in one go here, padded by length in batches there.
    let lengths: Vec<usize> = (0..1_024).map(|at| 6 + at % 30).collect();
    let many: Vec<Vec<u32>> = lengths.iter().map(|n| (0..*n).map(|_| 1_000 + chance.below(29_000) as u32).collect()).collect();
    let encoding = timed(|| {
        many.chunks(48).for_each(|part| drop(layout.said(&params, &TokenRows::of(part.iter().map(Vec::as_slice)))));
    });
    let torch = python(&format!(
        "{TORCH}
m.eval(); L = sorted([6 + i % 30 for i in range(1024)])
with torch.no_grad():
    b = [(torch.randint(1000, 30000, (len(p), max(p))), torch.tensor([[1] * n + [0] * (max(p) - n) for n in p])) for p in [L[i:i + 32] for i in range(0, 1024, 32)]]
    m(input_ids=b[0][0], attention_mask=b[0][1]); t = time.process_time(); [m(input_ids=i, attention_mask=a) for i, a in b]; print(time.process_time() - t)
"
    ));
    row("encoding 1,024 texts of 6 to 35 tokens", encoding.2, torch, "at most torch's");

    // A head over its whole grid, held out five times, against one fit of scikit-learn's.
    let (n, classes, dims) = (4_000, 40, 384);
    let mut means = Dense::zeros(classes, dims);
    means.data.iter_mut().for_each(|x| *x = chance.within(-1.0, 1.0) as f32);
    let mut dense = Dense::zeros(n, dims);
    for at in 0..n {
        let mean = means.row(at % classes).to_vec();
        dense.row_mut(at).iter_mut().zip(mean).for_each(|(x, mean)| *x = mean + chance.within(-2.5, 2.5) as f32);
        normalise(dense.row_mut(at));
    }
    let places: Vec<u32> = (0..n as u32).collect();
    let truth: Vec<u32> = places.iter().map(|at| at % classes as u32).collect();
    let of = HeadRows { rows: &places, truth: &truth, together: &places, classes };
    let grid = timed(|| choose_head(HeadInput::Dense(&dense), of, HeadFit::default(), None, 1, &Progress::silent()).unwrap());
    let scikit = python(
        "
import numpy as np, time
from sklearn.linear_model import LogisticRegression
r = np.random.default_rng(1); m = r.uniform(-1, 1, (40, 384)); y = np.arange(4000) % 40; x = m[y] + r.uniform(-2.5, 2.5, (4000, 384)); x = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype('f')
t = time.process_time(); LogisticRegression(C=10, max_iter=1000).fit(x, y); print(time.process_time() - t)
",
    );
    row("a head over its grid, 4,000 × 384, 40 classes, against one fit", grid.2, scikit, "at most a quarter");
}
