//! What the promises about made samples are measured with: `cargo bench --bench making`. The peer runs here where Python has it (`PYTHON`,
//! else `python3`, with albumentations); else its figure is as noted in the reference's README.

#![allow(clippy::pedantic, clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use candle_core::{DType, Device, Tensor};
use egui_kittest::Harness;
use lapidary::app::{App, Begin, Folders, Scripted};
use lapidary::data::{Augmentation, Batch, Pipeline, SampleId, Step};
use lapidary::derive::risk_model;
use lapidary::io::{self, Reading};
use lapidary::job::Progress;
use lapidary::learn::seq2seq::{Seq2Seq, Seq2SeqFiles};
use lapidary::pixels::{Picture, decode};
use lapidary::session::Workspace;
use lapidary::transform::{Augment, TextAugmenter};
use lapidary::ui::View;

mod support;

use support::{photographs, timed};

fn row(what: &str, ours: String, floor: String, ratio: Option<f64>, promise: &str) {
    let ratio = ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}"));
    println!("{what:<62} {ours:>12} {floor:>22} {ratio:>7}  {promise}");
}

fn pipeline(steps: &[(Augmentation, f64, f64)]) -> Pipeline {
    let mut pipeline = Pipeline::empty("bench");
    pipeline.steps = steps.iter().map(|(op, low, high)| Step::with(*op, *low, *high)).collect();
    pipeline
}

/// Rotate, scale, crop and flip whole photographs, one core.
fn pictures(folder: &Path) {
    let paths = photographs(folder, 120);
    let bytes: Vec<Vec<u8>> = paths.iter().map(|path| std::fs::read(path).unwrap()).collect();
    let n = bytes.len() as f64;
    let script = format!(
        r#"
import glob, time, cv2, albumentations as A
cv2.setNumThreads(1)
t = A.Compose([A.Rotate(limit=(-15, 15), p=1), A.RandomScale((-0.2, 0.2), p=1), A.RandomCrop(768, 768, p=1, pad_if_needed=True), A.HorizontalFlip(p=1)])
files = sorted(glob.glob('{}/*.jpg'))
for f in files[:5]:
    t(image=cv2.cvtColor(cv2.imread(f), cv2.COLOR_BGR2RGB))
s = time.process_time()
for f in files:
    t(image=cv2.cvtColor(cv2.imread(f), cv2.COLOR_BGR2RGB))
print((time.process_time() - s) / len(files))
"#,
        folder.display()
    );
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    // Some kernels of an older library are switched off by the machine's environment: the peer is to be at its best.
    let out = Command::new(python).env_remove("OPENBLAS_CORETYPE").args(["-c", &script]).output();
    let peer: Option<f64> = out.ok().and_then(|out| String::from_utf8_lossy(&out.stdout).lines().last()?.trim().parse().ok());
    let steps = pipeline(&[
        (Augmentation::Rotate, -15.0, 15.0),
        (Augmentation::Scale, 0.8, 1.2),
        (Augmentation::RandomCrop, 0.7, 0.7),
        (Augmentation::FlipHorizontal, 0.0, 0.0),
    ]);
    let draw = |at: usize| Batch::draw(7, SampleId::at(at), 0);
    let (_, _, decoding) = timed(|| bytes.iter().for_each(|bytes| drop(decode(bytes, None).unwrap())));
    let (_, _, seconds) = timed(|| {
        for (at, bytes) in bytes.iter().enumerate() {
            let picture = decode(bytes, None).unwrap();
            steps.alter(draw(at), 4, picture, 1.0, None, Vec::new());
        }
    });
    let (floor, from) = peer.map_or((0.0032, "noted"), |each| (each, "this run"));
    row(
        "JPEG of 1,280 × 960: rotate, scale, crop, flip (albumentations)",
        format!("{:.2} ms", seconds / n * 1e3),
        format!("{:.2} ms ({from})", floor * 1e3),
        Some(seconds / n / floor),
        "≤ 1, one core",
    );
    row("  of which decoding", format!("{:.2} ms", decoding / n * 1e3), String::new(), None, "");
    let whole: Vec<Picture> = bytes.iter().take(20).map(|bytes| decode(bytes, None).unwrap()).collect();
    for op in Augmentation::ALL.into_iter().filter(|op| op.is_of_pictures()) {
        let one = Pipeline { steps: vec![Step { p: 1.0, ..Step::new(op) }], ..Pipeline::empty("one") };
        let copies: Vec<Picture> = whole.clone();
        let (_, _, seconds) = timed(|| {
            for _ in 0..2 {
                for (at, picture) in copies.iter().enumerate() {
                    one.alter(draw(at), 1, picture.clone(), 1.0, Some(&whole[0]), Vec::new());
                }
            }
        });
        row(&format!("  {} of 1.2 megapixels", op.title()), format!("{:.2} ms", seconds / 40.0 * 1e3), String::new(), None, "");
    }
}

/// Every text operation over real questions, one core.
fn texts() {
    let dataset = io::open(Path::new("assets/samples/banking77.csv"), &Reading::default(), &Progress::silent(), &|_| {}).unwrap();
    let field = dataset.field("text").unwrap();
    let texts: Vec<String> = dataset.samples().map(|id| dataset.text(field, id).unwrap().into_owned()).collect();
    let bytes: usize = texts.iter().map(String::len).sum();
    println!("texts: {:.1} MB of questions, processor time of one core", bytes as f64 / 1e6);
    let mut worst = f64::INFINITY;
    for op in Augmentation::ALL.into_iter().filter(|op| !op.is_of_pictures() && !op.asks()) {
        let mut step = Step { p: 1.0, ..Step::new(op) };
        if op == Augmentation::EntitySwap {
            step.list = ["card", "account", "transfer", "PIN"].map(str::to_owned).to_vec();
        }
        let one = Pipeline { steps: vec![step], ..Pipeline::empty("one") };
        let augmenter = TextAugmenter::new(&one);
        augmenter.alter(1, 1, &texts[0]);
        let rounds = 8;
        let (_, _, seconds) = timed(|| {
            for round in 0..rounds {
                for (at, text) in texts.iter().enumerate() {
                    assert!(augmenter.alter(Batch::draw(round, SampleId::at(at), 0), 1, text).len() < 1 << 20);
                }
            }
        });
        let rate = bytes as f64 * rounds as f64 / 1e6 / seconds;
        worst = worst.min(rate);
        row(&format!("  {}", op.title()), format!("{rate:.0} MB/s"), String::new(), None, "> 20 MB/s");
    }
    let asked = Augment::all(
        &dataset,
        pipeline(&[(Augmentation::SynonymReplacement, 0.1, 0.2), (Augmentation::TypingErrors, 0.05, 0.1)]),
        7,
        10,
    )
    .unwrap();
    let (_, wall, _) = timed(|| asked.run(&dataset, &Progress::silent()).unwrap());
    row("  100,030 children by two steps", format!("{:.2} s", wall.as_secs_f64()), String::new(), None, "");
    let (model, wall, _) = timed(|| risk_model(&dataset, None, &Default::default(), &Progress::silent()).unwrap().unwrap());
    row("  learned what labels depend on, 10,003 × 77", format!("{:.2} s", wall.as_secs_f64()), String::new(), None, "");
    let (done, wall, _) = timed(|| {
        lapidary::operate::augmented(&dataset, &asked, Some(&model), 0.3, &Default::default(), &Progress::silent()).unwrap()
    });
    row(
        "  100,030 children made, judged, and planned as one edit",
        format!("{:.2} s", wall.as_secs_f64()),
        String::new(),
        None,
        "",
    );
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("banking77.csv");
    std::fs::copy("assets/samples/banking77.csv", &path).unwrap();
    let dataset = io::open(&path, &Reading::default(), &Progress::silent(), &|_| {}).unwrap();
    let mut workspace = Workspace::open(dataset, Reading::default(), None).unwrap();
    workspace.read_classes(&Progress::silent()).unwrap();
    let edit = done.edit.unwrap();
    let (_, wall, _) = timed(|| workspace.edit(&edit).unwrap());
    let made = workspace.dataset().made();
    row(
        &format!("  that edit of {made} samples, on disk and in place"),
        format!("{:.2} s", wall.as_secs_f64()),
        String::new(),
        None,
        "",
    );
}

/// A T5 of the small one's shape, with random weights, writes 40 tokens: all cores, as a person waits for it.
fn writer() {
    let (wide, inner, deep, words, layers) = (512, 512, 2_048, 32_128, 6);
    let random = |shape: (usize, usize)| Tensor::randn(0.0_f32, 0.05, shape, &Device::Cpu).unwrap();
    let mut weights: HashMap<String, Tensor> = HashMap::from([("shared.weight".to_owned(), random((words, wide)))]);
    for side in ["encoder", "decoder"] {
        let last = if side == "encoder" { 1 } else { 2 };
        let mut put = |name: &str, tensor: Tensor| drop(weights.insert(format!("{side}.{name}.weight"), tensor));
        put("final_layer_norm", Tensor::ones(wide, DType::F32, &Device::Cpu).unwrap());
        put("block.0.layer.0.SelfAttention.relative_attention_bias", random((32, 8)));
        for block in 0..layers {
            for layer in 0..=last {
                put(&format!("block.{block}.layer.{layer}.layer_norm"), Tensor::ones(wide, DType::F32, &Device::Cpu).unwrap());
            }
            for (layer, name) in [(0, "SelfAttention"), (1, "EncDecAttention")].into_iter().take(last) {
                for part in ["q", "k", "v", "o"] {
                    put(&format!("block.{block}.layer.{layer}.{name}.{part}"), random((wide, inner)));
                }
            }
            put(&format!("block.{block}.layer.{last}.DenseReluDense.wi"), random((deep, wide)));
            put(&format!("block.{block}.layer.{last}.DenseReluDense.wo"), random((wide, deep)));
        }
    }
    let config = r#"{"model_type": "t5", "vocab_size": 32128, "d_model": 512, "d_kv": 64, "d_ff": 2048, "num_layers": 6, "num_heads": 8,
        "relative_attention_num_buckets": 32, "dropout_rate": 0.1, "layer_norm_epsilon": 1e-6, "initializer_factor": 1.0,
        "is_encoder_decoder": true, "pad_token_id": 0, "eos_token_id": 1, "decoder_start_token_id": 0}"#;
    let files = Seq2SeqFiles {
        config: config.as_bytes().to_vec(),
        weights,
        tokenizer: None,
        pieces: Some(std::fs::read("tests/data/seq2seq/t5/spiece.model").unwrap()),
        vocabulary: None,
    };
    let mut model = Seq2Seq::new(files).unwrap();
    let ids: Vec<u32> = (3..27).collect();
    let mut best = f64::INFINITY;
    for _ in 0..4 {
        let (written, wall, _) = timed(|| model.likeliest(&ids, 40).unwrap().len().max(1));
        best = best.min(wall.as_secs_f64() / written as f64);
    }
    let script = "
import time, torch
from transformers import T5Config, T5ForConditionalGeneration
m = T5ForConditionalGeneration(T5Config(vocab_size=32128, d_model=512, d_kv=64, d_ff=2048, num_layers=6, num_heads=8, decoder_start_token_id=0)).eval()
best = 1e9
with torch.no_grad():
    for _ in range(4):
        s = time.time()
        m.generate(input_ids=torch.arange(3, 27)[None], max_new_tokens=40, min_new_tokens=40, do_sample=False, num_beams=1)
        best = min(best, (time.time() - s) / 40)
print(best)
";
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let out = Command::new(python).env_remove("OPENBLAS_CORETYPE").args(["-c", script]).output();
    let peer: Option<f64> = out.ok().and_then(|out| String::from_utf8_lossy(&out.stdout).lines().last()?.trim().parse().ok());
    row(
        "T5 of the small shape: a token written",
        format!("{:.1} ms", best * 1e3),
        peer.map_or_else(|| "no transformers here".to_owned(), |peer| format!("transformers {:.1} ms", peer * 1e3)),
        peer.map(|peer| best / peer),
        "",
    );
}

/// From a slider's move to the frame that shows what it does to twelve pictures.
fn sliders(folder: &Path) {
    let home = tempfile::tempdir().unwrap();
    let begin = Begin::File(folder.to_owned());
    let folders = Folders::within(home.path());
    let mut harness = Harness::builder()
        .with_size([1440.0, 900.0])
        .allow_missing_glyphs()
        .build_eframe(|creation| App::new(&creation.egui_ctx, begin, folders, Box::new(Scripted::default())));
    let settle = |harness: &mut Harness<'_, App>| {
        let deadline = Instant::now() + Duration::from_secs(120);
        while harness.state().workspace().is_none() || harness.state().is_busy() {
            harness.step();
            assert!(Instant::now() < deadline);
            std::thread::sleep(Duration::from_millis(2));
        }
    };
    settle(&mut harness);
    harness.state_mut().state_mut().view = View::Augment;
    settle(&mut harness);
    harness.run_steps(3);
    settle(&mut harness);
    let mut times: Vec<Duration> = Vec::new();
    for i in 0..60 {
        harness.state_mut().state_mut().augment.pipeline.steps[0].high = 5.0 + f64::from(i) * 0.2;
        let begun = Instant::now();
        harness.step();
        while harness.state().session().is_draft_stale() {
            std::thread::sleep(Duration::from_micros(200));
            harness.step();
        }
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    let ms = |at: usize| format!("{:.1} ms", times[at].as_secs_f64() * 1e3);
    row("a slider moved, until 12 images of 256 pixels show it: median", ms(30), String::new(), None, "< 33 ms");
    row("  57 of 60", ms(56), String::new(), None, "< 33 ms");
}

fn main() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    println!("{:<62} {:>12} {:>22} {:>7}  promise", "", "Lapidary", "floor", "ratio");
    let photos = folder.path().join("photos");
    std::fs::create_dir(&photos).unwrap();
    if std::env::args().any(|word| word == "writer") {
        return writer();
    }
    pictures(&photos);
    texts();
    sliders(&photos);
    writer();
}
