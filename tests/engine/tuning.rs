//! Fine-tuning: torch's gradients and steps met to the digit in every shape, runs that are stopped and go on to the same model, several label columns at once, and what is taken away. Reads `../shared` and says so where it is not there.

use std::path::Path;
use std::process::{Command, Stdio};

use lapidary::data::Dataset;
use lapidary::io::{checkpoints, open_encoder};
use lapidary::job::Progress;
use lapidary::learn::bert::{Activation, Adapted, BertLayout, BertShape, TokenRows};
use lapidary::learn::dynamics::Dynamics;
use lapidary::learn::lora::LoraFit;
use lapidary::learn::mlp::{Mlp, MlpFit, MlpTeaching};
use lapidary::learn::scores::auroc;
use lapidary::learn::tune::{HeadTask, NO_CLASS, Pooling, TuneFit, Tuned};
use lapidary::train::{
    Approach, HeadKind, Lesson, LoraAsked, RunPart, TaskAsked, TeachMeans, TrainParts, TuneAsked, Watch, finer_columns,
    learning_curve, run_is_kept, stopped_runs, teach, try_steps,
};
use serde_json::{Value, json};

use super::train::{Place, near, opened, table, tickets};
use super::trainers::{read, shared};

/// The numbers of a safetensors file by name: whole numbers and single precision, as numbers.
struct Tensors {
    header: Value,
    bytes: Vec<u8>,
}

impl Tensors {
    fn open(path: &Path) -> Self {
        let bytes = std::fs::read(path).unwrap();
        let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        Self { header: serde_json::from_slice(&bytes[8..8 + length]).unwrap(), bytes: bytes[8 + length..].to_vec() }
    }

    fn get(&self, name: &str) -> Vec<f32> {
        let entry = &self.header[name];
        let at = |place: usize| entry["data_offsets"][place].as_u64().unwrap() as usize;
        let four = self.bytes[at(0)..at(1)].chunks_exact(4).map(|four| four.try_into().unwrap());
        match entry["dtype"].as_str().unwrap() {
            "F32" => four.map(f32::from_le_bytes).collect(),
            "I32" => four.map(|four| i32::from_le_bytes(four) as f32).collect(),
            other => panic!("{name} is {other}"),
        }
    }

    fn fill(&self, layout: &BertLayout, prefix: &str) -> Vec<f32> {
        let mut params = vec![0.0; layout.size];
        for (name, place) in &layout.names {
            let numbers = self.get(&format!("{prefix}{name}"));
            params[place.at..place.at + numbers.len()].copy_from_slice(&numbers);
        }
        params
    }
}

/// The small random BERT of the reference.
fn small(pooler: bool) -> BertLayout {
    BertLayout::new(BertShape {
        layers: 2,
        hidden: 32,
        heads: 4,
        inner: 64,
        words: 101,
        positions: 24,
        kinds: 2,
        epsilon: 1e-12,
        first_position: 0,
        distances: 0,
        activation: Activation::Gelu,
        pooler,
    })
}

fn farthest(ours: &[f32], theirs: &[f32]) -> f32 {
    assert_eq!(ours.len(), theirs.len());
    ours.iter().zip(theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// One shape of the reference: what stands before names, the heads, and how it is taught.
struct Case {
    name: &'static str,
    before: &'static str,
    heads: &'static [(&'static str, usize, f32)],
    fit: TuneFit,
}

fn cases() -> [Case; 5] {
    let plain = TuneFit {
        rate: 1e-3,
        head_rate: 1e-3,
        decay: 0.01,
        spared: false,
        scheduled: false,
        clip: 0.0,
        dropout: 0.0,
        frozen_words: false,
        ..TuneFit::default()
    };
    let recipe = TuneFit {
        rate: 2e-3,
        head_rate: 2e-3,
        decay: 0.05,
        spared: true,
        rising: 2,
        steps: 5,
        scheduled: true,
        clip: 1.0,
        smoothing: 0.1,
        ..plain
    };
    let lora = Some(LoraFit { rank: 4, alpha: 8.0, adapted: Adapted::QueryValue });
    let one: &[(&str, usize, f32)] = &[("head", 5, 1.0)];
    let both: &[(&str, usize, f32)] = &[("head.intent", 5, 1.0), ("head.group", 3, 0.5)];
    [
        Case { name: "mean", before: "", heads: one, fit: plain },
        Case { name: "recipe", before: "", heads: one, fit: recipe },
        Case {
            name: "cls",
            before: "bert.",
            heads: &[("classifier", 5, 1.0)],
            fit: TuneFit { pooling: Pooling::Pooler, ..plain },
        },
        Case { name: "multitask", before: "", heads: both, fit: plain },
        Case { name: "lora", before: "", heads: one, fit: TuneFit { decay: 0.0, lora, ..plain } },
    ]
}

impl Case {
    /// The encoder and its heads as they begin.
    fn begun(&self, file: &Tensors, folder: &Path) -> (BertLayout, Tuned) {
        let layout = small(self.fit.pooling == Pooling::Pooler);
        let params = if self.fit.lora.is_some() {
            Tensors::open(&folder.join("model/model.safetensors")).fill(&layout, "")
        } else {
            file.fill(&layout, &format!("param0.{}", self.before))
        };
        let tasks =
            self.heads.iter().map(|(_, classes, weight)| HeadTask { weight: *weight, ..HeadTask::plain(*classes) }).collect();
        let mut tuned = Tuned::new(params, self.head(file, 0), tasks).adapted(&layout, &self.fit);
        if let Some(lora) = &mut tuned.lora {
            let given = |map: &str, letter: char| file.get(&format!("param0.{map}.lora_{letter}.weight"));
            let numbers: Vec<f32> = lora.matrices().flat_map(|one| given(one.map, one.letter)).collect();
            lora.numbers = numbers;
            lora.merge(&mut tuned.params);
        }
        (layout, tuned)
    }

    fn head(&self, file: &Tensors, after: usize) -> Vec<f32> {
        let of = |name: &str, kind: &str| file.get(&format!("param{after}.{name}.{kind}"));
        self.heads.iter().flat_map(|(name, ..)| [of(name, "weight"), of(name, "bias")].concat()).collect()
    }

    /// After one step and after five every number is torch's.
    fn is_met(&self, layout: &BertLayout, tuned: &Tuned, file: &Tensors, after: usize) {
        let name = self.name;
        assert!(farthest(&tuned.head, &self.head(file, after)) < 1e-5, "{name}: the heads after {after}");
        if let Some(lora) = &tuned.lora {
            for one in lora.matrices() {
                let theirs = file.get(&format!("param{after}.{}.lora_{}.weight", one.map, one.letter));
                assert!(farthest(one.numbers, &theirs) < 1e-5, "{name}: {} {} after {after}", one.map, one.letter);
            }
            return;
        }
        for (param, place) in layout.names.iter().filter(|(param, _)| !param.contains("key.bias")) {
            let apart = farthest(&tuned.params[place.range()], &file.get(&format!("param{after}.{}{param}", self.before)));
            assert!(apart < 1e-5, "{name}: {param} after {after} is {apart} away");
        }
    }
}

#[test]
fn fine_tuning_is_torchs_to_the_parameter_in_every_shape() {
    let Some(folder) = shared("reference/train/exact") else { return };
    let golden = read(&folder.join("exact.json"));
    let encoder = open_encoder(&folder.join("model")).unwrap();
    let texts: Vec<String> = golden["texts"].as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect();
    let tokens = encoder.tokens(&texts, &Progress::silent()).unwrap();
    let classes = |key: &str| -> Vec<u32> {
        let list = golden[key].as_array().unwrap().iter().map(|class| class.as_i64().unwrap());
        list.map(|class| u32::try_from(class).unwrap_or(NO_CLASS)).collect()
    };
    let truth = [classes("y1"), classes("y2")];
    for case in cases() {
        let name = case.name;
        let file = Tensors::open(&folder.join(name).with_extension("safetensors"));
        let (layout, mut tuned) = case.begun(&file, &folder);
        let (fit, of) = (&case.fit, &golden["cases"][name]);
        let batches = of["batches"].as_array().unwrap();
        for step in 0..5 {
            let list: Vec<usize> =
                batches[step % batches.len()].as_array().unwrap().iter().map(|at| at.as_u64().unwrap() as usize).collect();
            let rows: Vec<&[u32]> = list.iter().map(|at| tokens[*at].as_slice()).collect();
            let classes: Vec<u32> =
                list.iter().flat_map(|at| (0..case.heads.len()).map(|task| truth[task][*at]).collect::<Vec<_>>()).collect();
            if step == 0 && ["mean", "cls", "lora"].contains(&name) {
                let together = TokenRows::of(rows.iter().copied());
                let logits = tuned.logits(&layout, &together, (fit.pooling, false));
                assert!(farthest(&logits, &file.get("logits")) < 1e-5, "{name}");
                // A text alone says what it says among others.
                let alone = tuned.logits(&layout, &TokenRows::of([rows[1]]), (fit.pooling, false));
                assert!(farthest(&alone, &logits[5..10]) < 1e-6);
            }
            let before = tuned.params.clone();
            let done = tuned.learn(&layout, &rows, &classes, fit);
            near(done.loss, &of["losses"][step], 2e-6, &format!("{name}: loss of step {step}"));
            near(done.gradient, &of["gradient_norms"][step], 1e-5, &format!("{name}: gradient of step {step}"));
            near(done.rate, &of["learning_rates"][step], 1e-9, &format!("{name}: rate of step {step}"));
            if step == 0 && ["mean", "cls", "multitask"].contains(&name) {
                let still = layout
                    .names
                    .iter()
                    .filter(|(name, place)| before[place.range()] == tuned.params[place.range()] && !name.contains("key.bias"));
                assert_eq!(still.count(), 0, "{name}: every parameter learns");
            }
            if step == 0 && name == "multitask" {
                for (task, key) in ["loss.intent", "loss.group"].into_iter().enumerate() {
                    assert!((done.losses[task] as f32 - file.get(key)[0]).abs() < 2e-6, "{key}");
                }
            }
            if [0, 4].contains(&step) {
                case.is_met(&layout, &tuned, &file, step + 1);
            }
        }
    }
}

#[test]
fn what_is_frozen_stays_and_nothing_else_does() {
    let Some(folder) = shared("reference/train/exact") else { return };
    let case = &cases()[0];
    let file = Tensors::open(&folder.join("mean.safetensors"));
    let tokens: Vec<Vec<u32>> = (0..6).map(|at| vec![2, 10 + at, 20 + at, 30, 3]).collect();
    let rows: Vec<&[u32]> = tokens.iter().map(Vec::as_slice).collect();
    let truth = [0, 1, 2, 3, 4, 0];
    let moved = |fit: TuneFit| -> Vec<(String, bool)> {
        let (layout, tuned) = case.begun(&file, &folder);
        let mut tuned = tuned.adapted(&layout, &fit);
        let before = tuned.params.clone();
        tuned.learn(&layout, &rows, &truth, &fit);
        // Matrices of which one is nothing move only the other at first.
        tuned.learn(&layout, &rows, &truth, &fit);
        layout.names.iter().map(|(name, place)| (name.clone(), before[place.range()] != tuned.params[place.range()])).collect()
    };
    let steps = TuneFit { steps: 9, dropout: 0.1, ..TuneFit::default() };
    for (name, moved) in moved(TuneFit { frozen: 1, ..steps }) {
        assert!(moved == name.contains("layer.1.") || name.contains("key.bias"), "{name}");
    }
    for (name, moved) in moved(TuneFit { frozen: 0, frozen_words: true, ..steps }) {
        assert!(moved != name.contains("word_embeddings") || name.contains("key.bias"), "{name}");
    }
    let lora = |adapted| Some(LoraFit { rank: 2, alpha: 4.0, adapted });
    for (name, moved) in moved(TuneFit { frozen: 1, lora: lora(Adapted::All), ..steps }) {
        let map = name.ends_with(".weight") && !name.contains("LayerNorm");
        assert_eq!(moved, name.contains("layer.1.") && map, "{name}");
    }
    for (name, moved) in moved(TuneFit { lora: lora(Adapted::Attention), ..steps }) {
        assert_eq!(moved, ["query.weight", "key.weight", "value.weight"].iter().any(|end| name.ends_with(end)), "{name}");
    }
}

/// The loss of a model on some texts, and by how much it moves where a number does: what gradients of class weights and of learned task weights are held against.
#[test]
fn class_weights_and_learned_task_weights_have_the_gradients_of_their_losses() {
    let Some(folder) = shared("reference/train/exact") else { return };
    let case = &cases()[3];
    let file = Tensors::open(&folder.join("multitask.safetensors"));
    let tokens: Vec<Vec<u32>> = (0..4).map(|at| vec![2, 10 + at, 20 + at, 30, 3]).collect();
    let rows: Vec<&[u32]> = tokens.iter().map(Vec::as_slice).collect();
    let truth = [0, 1, 2, NO_CLASS, 4, 2, 0, 0];
    let begun = || {
        let (layout, mut tuned) = case.begun(&file, &folder);
        tuned.tasks[0].balance = vec![0.5, 1.0, 2.0, 1.0, 3.0];
        tuned.uncertainty = vec![0.3, -0.2];
        (layout, tuned)
    };
    // A rate of nothing: what is looked at is the loss alone.
    let fit = TuneFit { uncertain: true, rate: 0.0, head_rate: 0.0, ..case.fit };
    let loss = |at: usize, by: f32, of: fn(&mut Tuned) -> &mut Vec<f32>| {
        let (layout, mut tuned) = begun();
        of(&mut tuned)[at] += by;
        tuned.learn(&layout, &rows, &truth, &fit).loss
    };
    // A step of plain descent says what its gradient was: the first moment is a tenth of it.
    let (layout, mut tuned) = begun();
    tuned.learn(&layout, &rows, &truth, &fit);
    let moments = &tuned.moments[0];
    let head = moments.len() - 2 - tuned.head.len();
    type Numbers = fn(&mut Tuned) -> &mut Vec<f32>;
    let lists: [(usize, usize, Numbers); 2] =
        [(head, tuned.head.len(), |tuned| &mut tuned.head), (moments.len() - 2, 2, |tuned| &mut tuned.uncertainty)];
    for (from, n, of) in lists {
        for at in (0..n).step_by(n.div_ceil(25)) {
            let by = 2e-3;
            let slope = (loss(at, by, of) - loss(at, -by, of)) / f64::from(2.0 * by);
            let ours = f64::from(moments[from + at]) * 10.0;
            assert!((slope - ours).abs() < 2e-3, "number {at}: {ours} and not {slope}");
        }
    }
    // Weights of classes are shares: all of them doubled changes nothing.
    let (layout, mut doubled) = begun();
    doubled.tasks[0].balance.iter_mut().for_each(|weight| *weight *= 2.0);
    let (_, mut plain) = begun();
    assert!((doubled.learn(&layout, &rows, &truth, &fit).loss - plain.learn(&layout, &rows, &truth, &fit).loss).abs() < 1e-6);
    // A batch in which nobody has a label of a task has no loss of it.
    let (layout, mut tuned) = begun();
    let done = tuned.learn(&layout, &rows[..2], &[0, NO_CLASS, 1, NO_CLASS], &fit);
    assert!(done.loss.is_finite() && done.losses[1].is_nan() && done.losses[0].is_finite());
}

#[test]
fn a_small_network_is_torchs_to_the_parameter() {
    let Some(folder) = shared("reference/train/exact") else { return };
    let golden = read(&folder.join("exact.json"));
    let file = Tensors::open(&folder.join("mlp.safetensors"));
    let all = |before: &str| ["w1", "b1", "w2", "b2"].iter().flat_map(|name| file.get(&format!("{before}.{name}"))).collect();
    let mut teaching = MlpTeaching::new(Mlp { dims: 32, hidden: 16, classes: 5, numbers: all("param0") });
    let features = file.get("features");
    let truth: Vec<u32> = golden["y1"].as_array().unwrap().iter().map(|class| class.as_u64().unwrap() as u32).collect();
    assert!(farthest(&teaching.mlp.logits(&features), &file.get("logits")) < 1e-5);
    for step in 0..5 {
        let (loss, gradient) = teaching.learn(&features, &truth, MlpFit { rate: 0.01, decay: 0.01 });
        near(loss, &golden["cases"]["mlp"]["losses"][step], 1e-6, "loss");
        near(gradient, &golden["cases"]["mlp"]["gradient_norms"][step], 1e-6, "gradient");
        if [0, 4].contains(&step) {
            let theirs: Vec<f32> = all(&format!("param{}", step + 1));
            assert!(farthest(&teaching.mlp.numbers, &theirs) < 1e-5, "after {}", step + 1);
        }
    }
}

/// Tickets with a coarse column: card and login are one thing, and some have no coarse label.
fn grouped(n: usize) -> String {
    let mut out = String::new();
    for (at, line) in tickets(n).lines().enumerate() {
        let group = match (at, line.contains(",refund,")) {
            (0, _) => "topic",
            (at, _) if at % 7 == 0 => "",
            (_, true) => "money",
            _ => "access",
        };
        out.push_str(&format!("{line},{group}\n"));
    }
    out
}

fn tuned_lesson(folder: &Path, epochs: u32) -> Lesson {
    let tune = TuneAsked { epochs, batch: 8, rate: 1e-3, ..TuneAsked::default() };
    Lesson { approach: Approach::Encoder { folder: folder.to_owned(), tune }, ..Lesson::usual("category") }
}

/// Teaches until so many steps are made, and stops it as a person would.
fn stop_after(steps: usize, dataset: &Dataset, lesson: &Lesson, means: TeachMeans<'_>) {
    let watch = Watch::default();
    let progress = Progress::silent();
    let means = TeachMeans { watch: Some(&watch), ..means };
    std::thread::scope(|scope| {
        let teaching = scope.spawn(|| teach(dataset, lesson, means, &progress));
        while watch.seen().losses.len() < steps && !teaching.is_finished() {
            std::thread::yield_now();
        }
        progress.cancel();
        drop(teaching.join());
    });
}

#[test]
fn a_run_that_is_stopped_goes_on_to_the_same_model() {
    let place = Place::new();
    let Some(folder) = shared("reference/train/exact/model") else { return };
    std::fs::write(place.path("tickets.csv"), tickets(40)).unwrap();
    let workspace = opened(&place.path("tickets.csv"));
    let dataset = workspace.dataset();
    let project = place.path("tickets.csv.lapidary");
    let lesson = tuned_lesson(&folder, 3);
    let means = TeachMeans { project: Some(&project), goes_on: true, ..TeachMeans::of(workspace.derived()) };
    let whole = teach(dataset, &lesson, means, &Progress::silent()).unwrap().remove(0);
    assert_eq!(checkpoints(&project).len(), 1, "until a run is kept it could be gone on with");
    run_is_kept(&project, &lesson, whole.print);
    assert!(checkpoints(&project).is_empty(), "a run that is kept leaves nothing behind");
    // 72 samples are nine steps an epoch: it is stopped in the first, and in the second.
    for stop in [3, 14] {
        stop_after(stop, dataset, &lesson, means);
        let stopped = stopped_runs(&project);
        // Whoever is quick has made it before the wish was heard.
        if let [(_, run)] = stopped.as_slice() {
            assert!(run.lesson == lesson && run.step >= stop && run.steps == 27, "{run:?}");
        }
        // A kill in the midst of writing leaves what was there before: half a file is none.
        let again = teach(dataset, &lesson, means, &Progress::silent()).unwrap().remove(0);
        assert_eq!((&again.predictions, &again.epochs, &again.seen), (&whole.predictions, &whole.epochs, &whole.seen));
        assert_eq!(again.notes.iter().any(|note| note.contains("went on from there")), !stopped.is_empty());
        run_is_kept(&project, &lesson, again.print);
        assert!(checkpoints(&project).is_empty());
    }
}

#[test]
fn a_state_that_is_torn_or_of_another_run_is_not_gone_on_with() {
    let place = Place::new();
    let Some(folder) = shared("reference/train/exact/model") else { return };
    std::fs::write(place.path("tickets.csv"), tickets(40)).unwrap();
    let workspace = opened(&place.path("tickets.csv"));
    let dataset = workspace.dataset();
    let project = place.path("tickets.csv.lapidary");
    let lesson = tuned_lesson(&folder, 2);
    let means = TeachMeans { project: Some(&project), goes_on: true, ..TeachMeans::of(workspace.derived()) };
    let stop = || {
        stop_after(2, dataset, &lesson, means);
        checkpoints(&project).first().map(|(path, _)| path.clone())
    };
    let Some(path) = stop() else { return };
    let bytes = std::fs::read(&path).unwrap();
    let fresh = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        let run = teach(dataset, &lesson, means, &Progress::silent()).unwrap().remove(0);
        !run.notes.iter().any(|note| note.contains("went on from there"))
    };
    let mut flipped = bytes.clone();
    let middle = bytes.len() - 100;
    flipped[middle] ^= 0x40;
    assert!(fresh(&bytes[..bytes.len() / 2]) && fresh(&flipped) && fresh(b"") && fresh(&[0xff; 64]), "what is not whole is none");
    assert!(!fresh(&bytes), "what is whole is gone on with");
    // Other epochs are another run, with a state of its own.
    std::fs::write(&path, &bytes).unwrap();
    let other = tuned_lesson(&folder, 1);
    let run = teach(dataset, &other, means, &Progress::silent()).unwrap().remove(0);
    assert!(!run.notes.iter().any(|note| note.contains("went on")) && path.exists(), "and takes nobody else's away");
    let found = try_steps(dataset, &lesson, means, &|| 1.0, &Progress::silent()).unwrap();
    assert!(found.steps == 18 && found.bytes > 100_000);
}

#[test]
fn several_label_columns_are_learned_by_one_encoder_wherever_a_sample_has_them() {
    let place = Place::new();
    let Some(folder) = shared("reference/train/exact/model") else { return };
    std::fs::write(place.path("tickets.csv"), grouped(40)).unwrap();
    let workspace = opened(&place.path("tickets.csv"));
    let task = |label: &str, weight| TaskAsked { label: label.to_owned(), weight };
    let Approach::Encoder { folder, tune } = tuned_lesson(&folder, 3).approach else { unreachable!() };
    let tasks = vec![task("category", 1.0), task("topic", 0.5)];
    let approach = Approach::Multitask { folder: folder.clone(), tune: tune.clone(), tasks, uncertain: false };
    let lesson = Lesson { approach, ..Lesson::usual("category") };
    let means = TeachMeans::of(workspace.derived());
    let runs = teach(workspace.dataset(), &lesson, means, &Progress::silent()).unwrap();
    let labels: Vec<&str> = runs.iter().map(|run| run.lesson.label.as_str()).collect();
    assert_eq!(labels, ["category", "topic"]);
    assert_eq!((runs[0].classes.len(), runs[1].classes.len()), (3, 2));
    assert!(runs[1].sizes[0] < runs[0].sizes[0] && runs[0].sizes[0] == 72, "{:?}", runs[1].sizes);
    // Each run's lesson makes both again, and finds its own parts the same.
    for run in &runs {
        let parts = TrainParts::of(workspace.dataset(), &run.lesson, &Progress::silent()).unwrap();
        assert_eq!((parts.print, parts.test_print, parts.learned), (run.print, run.test_print, run.learned));
        let mut lesson = run.lesson.clone();
        if let Approach::Multitask { tune, .. } = &mut lesson.approach {
            tune.lora = Some(LoraAsked { rank: 3, alpha: 0.1, maps: 2 });
        }
        let text = serde_json::to_string(&lesson).unwrap();
        assert_eq!(serde_json::from_str::<Lesson>(&text).unwrap(), lesson, "{text}");
        assert_eq!(lapidary::train::Run::from_bytes(&run.to_bytes().unwrap()).as_ref(), Some(run));
        assert!(!run.seen.is_empty() && run.predictions.tested.len() == run.sizes[2]);
    }
    // Without a split column one sample is in one part, whichever column is looked at.
    let drawn = Lesson { split: None, ..lesson.clone() };
    std::fs::write(
        place.path("plain.csv"),
        grouped(40)
            .lines()
            .map(|line| {
                let mut cells: Vec<&str> = line.split(',').collect();
                cells.remove(2);
                cells.join(",") + "\n"
            })
            .collect::<String>(),
    )
    .unwrap();
    let plain = opened(&place.path("plain.csv"));
    let all = TrainParts::all(plain.dataset(), &drawn, &Progress::silent()).unwrap();
    let part = |parts: &TrainParts, row: usize| parts.of[row].map(|(part, _)| part);
    let differing = (0..120).filter(|row| part(&all[1], *row).is_some_and(|other| part(&all[0], *row) != Some(other)));
    assert_eq!(differing.count(), 0);
    assert!(all[1].members(RunPart::Test).count() > 10);
    // What is no set of tasks is said.
    let refused = |tasks: Vec<TaskAsked>| {
        let approach = Approach::Multitask { folder: folder.clone(), tune: tune.clone(), tasks, uncertain: true };
        teach(workspace.dataset(), &Lesson { approach, ..lesson.clone() }, means, &Progress::silent()).unwrap_err().to_string()
    };
    assert!(refused(vec![task("category", 1.0)]).contains("two label columns or more"));
    assert!(refused(vec![task("category", 1.0), task("category", 1.0)]).contains("each once"));
    assert!(refused(vec![task("category", 1.0), task("nowhere", 1.0)]).contains("no column called"));
    assert!(refused(Vec::new()).contains("two label columns or more"));
}

#[test]
fn a_coarse_column_is_learned_through_a_finer_one() {
    let place = Place::new();
    std::fs::write(place.path("tickets.csv"), grouped(40)).unwrap();
    let workspace = opened(&place.path("tickets.csv"));
    let dataset = workspace.dataset();
    let silent = Progress::silent();
    assert_eq!(finer_columns(dataset, "topic", &silent).unwrap(), ["category"]);
    assert!(finer_columns(dataset, "category", &silent).unwrap().is_empty(), "what is coarser is not finer");
    let lesson = Lesson { through: Some("category".to_owned()), ..Lesson::usual("topic") };
    let run = teach(dataset, &lesson, TeachMeans::of(workspace.derived()), &silent).unwrap().remove(0);
    assert_eq!((run.learned, run.finer.len(), run.classes.len()), (2, 3, 2));
    let found = lapidary::train::figures(dataset, &run, &silent).unwrap();
    assert!(!found.stale && found.scores.accuracy > 0.9, "{}", found.scores.accuracy);
    // Each row's probabilities are still a whole.
    let matrix = run.predictions.matrix(2);
    assert!(matrix.chunks(2).all(|row| (row[0] + row[1] - 1.0).abs() < 1e-9));
    let said = lapidary::train::predicted(dataset, &run, TeachMeans::of(workspace.derived()), &silent).unwrap();
    assert!(said.len() == 120 && said.iter().all(|(class, _)| *class < 2));
    let wrong = Lesson { through: Some("part".to_owned()), ..Lesson::usual("topic") };
    let why = teach(dataset, &wrong, TeachMeans::of(workspace.derived()), &silent).unwrap_err().to_string();
    assert!(why.contains("part is not finer") || why.contains("classes"), "{why}");
}

#[test]
fn more_samples_are_worth_what_the_curve_says_and_shares_are_nested() {
    let place = Place::new();
    std::fs::write(place.path("tickets.csv"), tickets(100)).unwrap();
    let workspace = opened(&place.path("tickets.csv"));
    let silent = Progress::silent();
    let means = TeachMeans::of(workspace.derived());
    let curve = learning_curve(workspace.dataset(), &Lesson::usual("category"), means, &silent).unwrap();
    let samples: Vec<usize> = curve.points.iter().map(|point| point.samples).collect();
    assert_eq!(samples, [18, 45, 90, 180]);
    assert!(curve.points.iter().all(|point| point.range.0 <= point.accuracy && point.accuracy <= point.range.1));
    let members = |share| {
        let lesson = Lesson { share, ..Lesson::usual("category") };
        let parts = TrainParts::of(workspace.dataset(), &lesson, &silent).unwrap();
        parts.members(RunPart::Train).map(|(id, _)| id.0).collect::<Vec<u32>>()
    };
    let (tenth, half, all) = (members(Some(0.1)), members(Some(0.5)), members(None));
    assert!(tenth.iter().all(|id| half.contains(id)) && half.iter().all(|id| all.contains(id)));
    let network = Lesson {
        approach: Approach::Features {
            encoder: lapidary::train::FrozenEncoder::BuiltIn,
            head: HeadKind::Network { hidden: 32 },
            balanced: false,
        },
        ..Lesson::usual("category")
    };
    let run = teach(workspace.dataset(), &network, means, &silent).unwrap().remove(0);
    let found = lapidary::train::figures(workspace.dataset(), &run, &silent).unwrap();
    assert!(found.scores.accuracy > 0.9 && !run.epochs.is_empty(), "{}", found.scores.accuracy);
    let said = lapidary::train::predicted(workspace.dataset(), &run, means, &silent).unwrap();
    let at = run.predictions.ids.iter().zip(&run.predictions.said);
    assert!(at.into_iter().all(|(id, class)| said[*id as usize].0 == *class), "it says the same of the same samples");
}

#[test]
fn wrong_labels_are_found_by_what_training_saw_and_it_is_measured_which_judge_finds_more() {
    let place = Place::new();
    let Some(folder) = shared("reference/train/exact/model") else { return };
    std::fs::write(place.path("tickets.csv"), tickets(120)).unwrap();
    let folder = folder.display().to_string();
    let words = ["train", "tickets.csv", "--label", "category", "--approach", "encoder", "--encoder", folder.as_str()];
    let more = ["--epochs", "6", "--batch", "8", "--rate", "0.001", "--judge", "--json"];
    let found = place.json(&[words.as_slice(), &more].concat());
    assert_eq!((&found["planted"], &found["rows"]), (&json!(10), &json!(216)), "{found}");
    for judge in ["noise_model", "training", "both"] {
        let auroc = found[judge]["auroc"].as_f64().unwrap();
        // The encoder is tiny and knows no words: better than chance is what it can be.
        assert!((0.65..=1.0).contains(&auroc), "{judge}: {auroc}");
    }
    // Nothing of it stays: the labels are what they were, and no run is kept.
    assert_eq!(place.json(&["runs", "tickets.csv", "--json"])["runs"], json!([]));
    let head = ["train", "tickets.csv", "--label", "category", "--judge", "--json"];
    assert!(place.refused(&head).contains("fine-tune an encoder"), "a head sees nothing of its samples");
    std::fs::write(place.path("few.csv"), tickets(20)).unwrap();
    let few = [["train", "few.csv"].as_slice(), &words[2..], &more].concat();
    assert!(place.refused(&few).contains("too few to make labels wrong"));
}

#[test]
fn texts_and_classes_become_questions_that_a_trainer_takes() {
    let place = Place::new();
    std::fs::write(place.path("tickets.csv"), tickets(10)).unwrap();
    place.run(&["instruct", "tickets.csv", "--label", "category"]);
    place.run(&["export", "tickets.csv", "-o", "out.jsonl"]);
    let text = std::fs::read_to_string(place.path("out.jsonl")).unwrap();
    let first: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    let question = first["prompt"].as_str().unwrap();
    assert!(question.contains("- refund") && question.ends_with(first["text"].as_str().unwrap()), "{question}");
    assert_eq!(first["completion"], first["category"]);
    let said = place.json(&["dryrun", "tickets.csv", "--target", "trl", "--model", "qwen2.5", "--json"]).to_string();
    assert!(said.contains("\"kept\":30") || said.contains("\"learned\":30") || said.contains("30"), "{said}");
    assert!(place.refused(&["instruct", "tickets.csv", "--label", "category"]).contains("prompt"), "the columns are there");
    place.run(&["undo", "tickets.csv"]);
    assert!(place.refused(&["instruct", "tickets.csv", "--label", "nowhere"]).contains("nowhere"));
}

#[test]
fn a_kept_encoder_says_what_its_run_said_and_intervals_go_by_groups() {
    let place = Place::new();
    let Some(folder) = shared("reference/train/exact/model") else { return };
    // Every ticket four times over, from one person each: a column says so.
    let mut text = String::new();
    for (at, line) in tickets(60).lines().enumerate() {
        text.push_str(&format!("{line},{}\n", if at == 0 { "person".to_owned() } else { format!("p{}", (at - 1) / 60) }));
    }
    std::fs::write(place.path("tickets.csv"), text).unwrap();
    let folder = folder.display().to_string();
    for (name, more) in [("st", &[][..]), ("cls", &["--pooler"][..])] {
        let words = ["train", "tickets.csv", "--label", "category", "--approach", "encoder", "--encoder", folder.as_str()];
        let how = ["--epochs", "2", "--rate", "0.001", "--keep", name, "--into", name, "--json"];
        let found = place.json(&[words.as_slice(), &how, more].concat());
        assert!(found["metrics"]["temperature"].as_f64().unwrap() > 0.0, "36 samples validate: {found}");
        let said = place.json(&["predict", "tickets.csv", "--kept", name, "--text", "text", "--of", "tickets.csv", "--json"]);
        place.run(&["export", "tickets.csv", "-o", "out.jsonl"]);
        let text = std::fs::read_to_string(place.path("out.jsonl")).unwrap();
        let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let mut met = 0;
        for (row, one) in rows.iter().zip(said["predictions"].as_array().unwrap()) {
            if row[name].is_string() {
                assert_eq!(row[name], one["class"]);
                met += 1;
            }
        }
        assert_eq!(met, 72, "validation and test");
    }
    // Groups: three persons in the test part make an interval wider than 36 samples would.
    let lesson = ["train", "tickets.csv", "--label", "category", "--no-project", "--head", "knn", "--k", "1", "--json"];
    let plain = place.json(&lesson);
    let grouped = place.json(&[lesson.as_slice(), &["--role", "person=group"]].concat());
    assert_eq!(plain["metrics"]["accuracy"], grouped["metrics"]["accuracy"]);
    let refused = place.refused(&["predict", "tickets.csv", "--kept", "nowhere", "--of", "tickets.csv"]);
    assert!(refused.contains("labels.json"), "{refused}");
}

#[test]
fn every_way_is_there_without_a_window() {
    let place = Place::new();
    let Some(folder) = shared("reference/train/exact/model") else { return };
    std::fs::write(place.path("tickets.csv"), grouped(40)).unwrap();
    let folder = folder.display().to_string();
    let words = ["train", "tickets.csv", "--label", "category", "--encoder", folder.as_str(), "--epochs", "2", "--json"];
    let run = |more: &[&str]| place.json(&[words.as_slice(), more].concat());
    let both = run(&["--approach", "multitask", "--with", "topic:0.5"]);
    assert_eq!(both["runs"].as_array().unwrap().len(), 2, "{both}");
    assert!(both["metrics"]["accuracy"].is_number() && both["runs"][1]["lesson"]["label"] == "topic");
    let lora = run(&["--approach", "encoder", "--lora", "--rank", "2", "--keep", "adapter"]);
    assert!(lora["run"].as_str().unwrap().contains("LoRA"));
    let config = read(&place.path("adapter/adapter_config.json"));
    assert_eq!(
        (&config["peft_type"], &config["r"], &config["task_type"]),
        (&json!("LORA"), &json!(2), &json!("FEATURE_EXTRACTION"))
    );
    let adapter = Tensors::open(&place.path("adapter/adapter_model.safetensors"));
    let name = "base_model.model.encoder.layer.1.attention.self.value.lora_B.weight";
    assert_eq!(adapter.header[name]["shape"], json!([32, 2]));
    assert!(adapter.get(name).iter().any(|number| *number != 0.0), "it has learned");
    run(&["--approach", "encoder", "--pooler", "--keep", "classifier"]);
    let config = read(&place.path("classifier/config.json"));
    assert_eq!(config["architectures"], json!(["BertForSequenceClassification"]));
    assert_eq!(config["id2label"].as_object().unwrap().len(), 3);
    let file = Tensors::open(&place.path("classifier/model.safetensors"));
    assert_eq!(file.header["classifier.weight"]["shape"], json!([3, 32]));
    assert_eq!(file.header["bert.pooler.dense.bias"]["shape"], json!([32]));
    let seeds = run(&["--approach", "encoder", "--seeds", "2"]);
    assert_eq!(seeds["runs"].as_array().unwrap().len(), 2);
    let estimate = run(&["--approach", "encoder", "--estimate"]);
    assert_eq!(estimate["steps"], json!(6));
    let curve = place.json(&["train", "tickets.csv", "--label", "category", "--curve", "--json"]);
    assert_eq!(curve["curve"].as_array().unwrap().len(), 4, "{curve}");
    let network = place.json(&["train", "tickets.csv", "--label", "category", "--head", "mlp", "--hidden", "16", "--json"]);
    assert!(network["metrics"]["accuracy"].as_f64().unwrap() > 0.8);
    let through = place.json(&["train", "tickets.csv", "--label", "topic", "--through", "category", "--json"]);
    assert!(through["run"].as_str().unwrap().contains("through category"));
    let refused = |more: &[&str]| place.refused(&[words.as_slice(), more].concat());
    assert!(refused(&["--approach", "multitask"]).contains("--with"));
    assert!(refused(&["--approach", "multitask", "--with", "topic:-1"]).contains("a weight above 0"));
    assert!(refused(&["--approach", "encoder", "--lora", "--maps", "none"]).contains("query-value"));
    assert!(refused(&["--approach", "encoder", "--dropout", "1.5"]).contains("from 0 up to 1"));
    assert!(refused(&["--approach", "prompting"]).contains("multitask"));
    // What another approach has, or nobody can have, is not left out without a word.
    assert!(refused(&["--with", "topic"]).contains("--approach multitask"));
    assert!(refused(&["--approach", "multitask", "--with", "topic", "--through", "topic"]).contains("finer"));
    assert!(refused(&["--approach", "multitask", "--with", "topic", "--pooler", "--keep", "no"]).contains("several heads"));
    assert!(refused(&["--approach", "encoder", "--lora", "--frozen", "9"]).contains("no map of the encoder learns"));
    assert!(refused(&["--approach", "encoder", "--batch", "5000"]).contains("1 to 1024"));
    assert!(refused(&["--approach", "encoder", "--seeds", "0"]).contains("1 to 100"));
    let last =
        place.json(&["train", "tickets.csv", "--label", "category", "--seed", "18446744073709551615", "--seeds", "2", "--json"]);
    assert_eq!(last["runs"].as_array().unwrap().len(), 2);
}

#[test]
fn what_is_taken_away_says_the_same_in_its_own_library() {
    let Some(folder) = shared("reference/train/exact/model") else { return };
    let python = std::env::var("LAPIDARY_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let needs = "import torch, transformers, sentence_transformers, peft, sklearn";
    let has = Command::new(&python).args(["-c", needs]).stderr(Stdio::null()).status();
    if !has.is_ok_and(|status| status.success()) {
        println!(
            "skipped: no Python with torch, transformers, sentence-transformers, peft and scikit-learn (LAPIDARY_PYTHON names one)"
        );
        return;
    }
    let place = Place::new();
    for (to, pooling) in [("m", false), ("mf", true)] {
        std::fs::create_dir_all(place.path(to).join("1_Pooling")).unwrap();
        for file in std::fs::read_dir(&folder).unwrap().flatten().filter(|file| file.path().is_file()) {
            std::fs::copy(file.path(), place.path(to).join(file.file_name())).unwrap();
        }
        let of =
            json!({ "word_embedding_dimension": 32, "pooling_mode_cls_token": pooling, "pooling_mode_mean_tokens": !pooling });
        std::fs::write(place.path(to).join("1_Pooling/config.json"), of.to_string()).unwrap();
    }
    let tuned = ["--approach", "encoder", "--epochs", "2", "--batch", "8", "--rate", "0.001"];
    let several = ["--approach", "multitask", "--with", "topic", "--epochs", "2", "--batch", "8", "--rate", "0.001"];
    let with = |more: &[&'static str]| [tuned.as_slice(), more].concat();
    for (name, encoder, how) in [
        ("st", "m", with(&[])),
        ("first", "mf", with(&[])),
        ("cls", "m", with(&["--pooler"])),
        ("lora", "m", with(&["--lora", "--maps", "all"])),
        ("lora_cls", "m", with(&["--lora", "--pooler"])),
        ("multi", "m", several.to_vec()),
        ("head", "m", Vec::new()),
    ] {
        // Each by itself: a project remembers what was written into it.
        let table = format!("of-{name}.csv");
        std::fs::write(place.path(&table), grouped(40)).unwrap();
        let words = ["train", &table, "--label", "category", "--encoder", encoder, "--keep", name, "--into", "said", "--json"];
        place.json(&[words.as_slice(), &how].concat());
        place.run(&["export", &table, "-o", &format!("{name}.csv")]);
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/exported.py");
    let done = Command::new(&python).arg(script).arg(place.path("")).output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(said.lines().filter(|line| line.contains(" 0 said otherwise")).count(), 7, "{said}");
}

#[test]
fn what_training_saw_is_the_references() {
    let Some(folder) = shared("reference/train/dynamics") else { return };
    let rows = table(&folder.join("dynamics.parquet"));
    let file = Tensors::open(&folder.join("logits.safetensors"));
    let names: Vec<&String> = file.header.as_object().unwrap().keys().collect();
    let logits = file.get("logits");
    let given: Vec<usize> = rows.iter().map(|row| row["label"].as_u64().unwrap() as usize).collect();
    let (n, classes) = (rows.len(), 10);
    let epochs = logits.len() / n / classes;
    assert_eq!((n, epochs), (300, 8), "{names:?}");
    let mut seen = Dynamics::new(n);
    for epoch in 0..epochs {
        for (row, given) in given.iter().enumerate() {
            let at = (epoch * n + row) * classes;
            seen.see(row, &logits[at..at + classes], *given);
        }
    }
    for (at, row) in rows.iter().enumerate() {
        let ours = seen.of(at).unwrap();
        near(f64::from(ours.confidence), &row["confidence"], 1e-5, "confidence");
        near(f64::from(ours.variability), &row["variability"], 1e-5, "variability");
        near(f64::from(ours.aum), &row["aum"], 1e-4, "area under the margin");
        near(f64::from(ours.correctness), &row["correctness"], 1e-9, "correctness");
        near(f64::from(ours.forgetting), &row["forgetting"], 1e-9, "forgetting");
    }
    // Labels that were made wrong are found as well as the reference finds them.
    let golden = read(&folder.join("dynamics.json"));
    let wrong: Vec<bool> = rows.iter().map(|row| row["label"] != row["true"]).collect();
    let (mut sure, mut margin) = (Vec::new(), Vec::new());
    for at in 0..n {
        let ours = seen.of(at).unwrap();
        sure.push(1.0 - f64::from(ours.confidence));
        margin.push(-f64::from(ours.aum));
    }
    for (name, scores) in [("1 - confidence", sure), ("- aum", margin)] {
        let ours = auroc(&scores, &|row| wrong[row]).unwrap();
        near(ours, &golden["auroc_of_planted_errors"][name], 1e-4, name);
    }
}

#[test]
fn an_encoder_is_fine_tuned_the_same_every_time() {
    let place = Place::new();
    let Some(folder) = shared("reference/train/exact/model") else { return };
    std::fs::write(place.path("tickets.csv"), tickets(40)).unwrap();
    let folder = folder.display().to_string();
    let words = [
        "train",
        "tickets.csv",
        "--label",
        "category",
        "--approach",
        "encoder",
        "--encoder",
        folder.as_str(),
        "--epochs",
        "3",
        "--json",
    ];
    let run = |more: &[&str]| place.json(&[words.as_slice(), more].concat());
    let (first, second) = (run(&[]), run(&[]));
    assert_eq!(first["epochs"].as_array().unwrap().len(), 3, "{first}");
    assert_eq!((&first["metrics"], &first["epochs"]), (&second["metrics"], &second["epochs"]), "the same seed, the same model");
    assert!(run(&["--seed", "7"])["epochs"] != first["epochs"]);
    assert!(run(&["--random-head", "--rate", "0.001"])["chosen"].is_null());
    let refused = |more: &[&str]| place.refused(&[words.as_slice(), more].concat());
    assert!(refused(&["--rate", "-1"]).contains("--rate one up to 1"));
    assert!(place.refused(&["train", "tickets.csv", "--approach", "encoder"]).contains("name a sentence-transformers folder"));
    assert!(place.refused(&["predict", "tickets.csv", "--of", "tickets.csv"]).contains("not kept in the project"));
    // What training saw of each sample becomes columns.
    run(&["--into", "said"]);
    place.run(&["export", "tickets.csv", "-o", "out.jsonl"]);
    let text = std::fs::read_to_string(place.path("out.jsonl")).unwrap();
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let with = rows.iter().filter(|row| row["said_train_confidence"].is_number()).count();
    assert_eq!(with, 72, "three of five of 120 are trained on");
    assert!(
        rows.iter().all(|row| row["said_train_confidence"].is_number() != row["said"].is_string()),
        "who is trained on is not predicted"
    );
    // The model is taken away, and says the same where it is loaded.
    run(&["--keep", "away"]);
    let away = open_encoder(&place.path("away")).unwrap();
    let (layout, params, pooling) = away.to_teach();
    assert!(pooling == Some(Pooling::Mean) && params != open_encoder(Path::new(&folder)).unwrap().to_teach().1, "it has learned");
    let modules = read(&place.path("away/modules.json"));
    let paths: Vec<&str> = modules.as_array().unwrap().iter().map(|module| module["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["", "1_Pooling", "2_Normalize", "3_Dense"]);
    let dense = Tensors::open(&place.path("away/3_Dense/model.safetensors"));
    let mut head = dense.get("linear.weight");
    head.extend(dense.get("linear.bias"));
    let tuned = Tuned::new(params.to_vec(), head, vec![HeadTask::plain(3)]);
    let labels = read(&place.path("away/labels.json"));
    let texts = ["my money number 4 back".to_owned(), "my password number 9 login".to_owned()];
    let tokens = away.tokens(&texts, &Progress::silent()).unwrap();
    let logits = tuned.logits(layout, &TokenRows::of(tokens.iter().map(Vec::as_slice)), (Pooling::Mean, true));
    assert!(logits.len() == 6 && logits.iter().all(|logit| logit.is_finite()) && labels.as_array().unwrap().len() == 3);
    let old = Tensors::open(&Path::new(&folder).join("model.safetensors"));
    let new = Tensors::open(&place.path("away/model.safetensors"));
    let names = |tensors: &Tensors| {
        tensors.header.as_object().unwrap().keys().filter(|name| !name.starts_with('_')).cloned().collect::<Vec<_>>()
    };
    assert_eq!(names(&new), names(&old), "every tensor has its name");
    assert!(refused(&["--keep", "away"]).contains("is there already"));
    let head = ["train", "tickets.csv", "--label", "category", "--keep", "head", "--json"];
    place.json(&head);
    assert_eq!(Tensors::open(&place.path("head/head.safetensors")).header["coef"]["shape"], json!([3, 192]));
    // A model that is none.
    std::fs::create_dir(place.path("torn")).unwrap();
    for file in ["config.json", "tokenizer.json", "model.safetensors"] {
        std::fs::copy(Path::new(&folder).join(file), place.path("torn").join(file)).unwrap();
    }
    let bytes = std::fs::read(place.path("torn/model.safetensors")).unwrap();
    std::fs::write(place.path("torn/model.safetensors"), &bytes[..bytes.len() / 2]).unwrap();
    let torn = place.refused(&["train", "tickets.csv", "--label", "category", "--approach", "encoder", "--encoder", "torn"]);
    assert!(torn.contains("this model cannot be used"), "{torn}");
    std::fs::write(place.path("torn/config.json"), "{\"model_type\": \"llama\"}").unwrap();
    let llama = place.refused(&["train", "tickets.csv", "--label", "category", "--approach", "encoder", "--encoder", "torn"]);
    assert!(llama.contains("none of bert, roberta"), "{llama}");
}
