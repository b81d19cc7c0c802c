//! Teaching: from a lesson and a dataset to a run.

use std::borrow::Cow;
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use super::asked::{Approach, Examples, FrozenEncoder, HeadKind, Lesson, PromptAsked};
use super::fault::TrainError;
use super::means::{TeachMeans, TeachSeen};
use super::network::{network, network_says};
use super::parts::{FinerColumn, RunPart, TrainParts, finer_of, hashes_of};
use super::prompting::{prompt, try_questions};
use super::run::{Chosen, HeadModel, Learned, Predictions, Run, SampleSeen};
use super::taught::{TriedSteps, likeliest, likeliest_of};
use super::tuning::{TaskParts, try_tuning, tune};
use crate::data::{Dataset, Kind, Role, SampleId, count_samples};
use crate::derive::{TextOf, embedding, embedding_of_made};
use crate::edit::{Change, Edit, EditError};
use crate::io::{IoError, Meaning, ModelWords, embed_pictures, keep_head};
use crate::job::Progress;
use crate::learn::calibration::temperature_of;
use crate::learn::dense::Dense;
use crate::learn::head_choice::{HeadRows, choose_head, nearest_votes};
use crate::learn::heads::{HeadFit, HeadInput, HeadLoss, LinearHead};
use crate::learn::mlp::Mlp;
use crate::learn::scores::Predicted;
use crate::learn::tfidf::{Sparse, Terms, Vocabulary, learn};

/// What a head sees of every sample of a dataset.
enum Seen {
    Dense(Arc<Dense>),
    Words(Sparse, Vocabulary),
}

impl Seen {
    fn rows(&self) -> usize {
        match self {
            Self::Dense(dense) => dense.rows(),
            Self::Words(sparse, _) => sparse.rows(),
        }
    }

    fn input(&self) -> HeadInput<'_> {
        match self {
            Self::Dense(dense) => HeadInput::Dense(dense),
            Self::Words(sparse, _) => HeadInput::Sparse(sparse),
        }
    }
}

/// The most weights of a head on words.
const MOST_WEIGHTS: usize = 10_000_000;

fn terms(classes: usize) -> Terms {
    Terms { words: true, letters: None, most: (MOST_WEIGHTS / classes.max(1)).clamp(2_000, 200_000) }
}

/// A row a sample, those of the source and what was made of them.
fn rows_of(
    dataset: &Dataset,
    lesson: &Lesson,
    encoder: &FrozenEncoder,
    means: TeachMeans<'_>,
    progress: &Progress,
) -> Result<Arc<Dense>, TrainError> {
    let meaning = match encoder {
        FrozenEncoder::Folder(folder) => Meaning::Folder(folder.clone()),
        _ => Meaning::BuiltIn,
    };
    if let (None, Some(field)) = (&lesson.text, dataset.pictures()) {
        return match &meaning {
            Meaning::BuiltIn => means.looks.cloned().ok_or(TrainError::NoLooks),
            Meaning::Folder(folder) => Ok(Arc::new(embed_pictures(dataset, field, folder, means.project, progress)?)),
        };
    }
    let text = TextOf::of(dataset, lesson.text.as_deref())?;
    let source = embedding(dataset, &text, &meaning, means.store, means.project, progress)?;
    if dataset.rows() == dataset.extent() {
        return Ok(source);
    }
    let made = embedding_of_made(dataset, &text, &meaning, means.store, progress)?;
    let data = source.data.iter().chain(&made.data).copied().collect();
    Ok(Arc::new(Dense { dims: source.dims, data }))
}

fn seen_of(
    dataset: &Dataset,
    lesson: &Lesson,
    encoder: &FrozenEncoder,
    parts: &TrainParts,
    means: TeachMeans<'_>,
    progress: &Progress,
) -> Result<Seen, TrainError> {
    if *encoder != FrozenEncoder::Words {
        return Ok(Seen::Dense(rows_of(dataset, lesson, encoder, means, progress)?));
    }
    if lesson.text.is_none() && dataset.pictures().is_some() {
        return Err(TrainError::WordsOfPictures);
    }
    let text = TextOf::of(dataset, lesson.text.as_deref())?;
    let train: Vec<SampleId> = parts.members(RunPart::Train).map(|(id, _)| id).collect();
    let read = |at: usize| text.read(dataset, train[at]);
    let (_, vocabulary) = learn(train.len(), read, terms(parts.learned), progress)?;
    let all = words_of(dataset, &text, &vocabulary);
    Ok(Seen::Words(all, vocabulary))
}

fn words_of(dataset: &Dataset, text: &TextOf, vocabulary: &Vocabulary) -> Sparse {
    let texts: Vec<Cow<'_, str>> = dataset.samples().map(|id| text.read(dataset, id)).collect();
    vocabulary.rows_of(texts.iter().map(|text| &**text))
}

/// Learns what is asked: a run, or one for each label column where several are learned at once.
///
/// # Errors
/// [`TrainError`].
pub fn teach(dataset: &Dataset, lesson: &Lesson, means: TeachMeans<'_>, progress: &Progress) -> Result<Vec<Run>, TrainError> {
    may_keep(lesson, means.keep)?;
    if lesson.through.is_some() && matches!(lesson.approach, Approach::Prompt { .. } | Approach::Multitask { .. }) {
        return Err(TrainError::NotThrough);
    }
    if let Some(watch) = means.watch {
        *watch.seen() = TeachSeen { words: lesson.words(), ..TeachSeen::default() };
    }
    let mut all = TrainParts::all(dataset, lesson, progress)?;
    let finer = lesson.through.as_ref().map(|name| finer_of(dataset, name, &all[0], progress)).transpose()?;
    let coarse = all[0].clone();
    if let Some(finer) = &finer {
        all[0] = through(&coarse, finer);
    }
    let trained = |row: &u32| all.iter().any(|parts| matches!(parts.of[*row as usize], Some((RunPart::Train, _))));
    let asked: Vec<u32> =
        (0..dataset.rows() as u32).filter(|row| !dataset.is_excluded(SampleId(*row)) && !trained(row)).collect();
    // Of those that are tested or that a temperature is fitted to every class is held, of all others the likeliest.
    let (asked, rest): (Vec<u32>, Vec<u32>) =
        asked.into_iter().partition(|row| all.iter().any(|parts| parts.of[*row as usize].is_some()));
    let (mut learned, asked, all) = learn_all(dataset, lesson, (all, asked, rest), (means, finer.as_ref()), progress)?;
    if let Some(finer) = &finer {
        fold(&mut learned[0], (finer, coarse.learned), &asked);
    }
    let labels = lesson.labels();
    let runs = learned.into_iter().zip(all).zip(labels).map(|((learned, parts), label)| {
        let lesson = Lesson { label: label.to_owned(), ..lesson.clone() };
        let parts = if finer.is_some() { coarse.clone() } else { parts };
        run_of(lesson, parts, finer.as_ref(), learned, &asked)
    });
    Ok(runs.collect())
}

/// What is learned of every label column, the samples that something is said of, and the parts.
type AllLearned = (Vec<Learned>, Vec<u32>, Vec<TrainParts>);

/// What is learned of every label column, the samples that something is said of, and the parts again.
fn learn_all(
    dataset: &Dataset,
    lesson: &Lesson,
    (all, asked, rest): (Vec<TrainParts>, Vec<u32>, Vec<u32>),
    (means, finer): (TeachMeans<'_>, Option<&FinerColumn>),
    progress: &Progress,
) -> Result<AllLearned, TrainError> {
    let weighed = |all: Vec<TrainParts>, weights: &[f64]| -> Vec<TaskParts> {
        all.into_iter().zip(weights).map(|(parts, weight)| TaskParts { parts, weight: *weight }).collect()
    };
    let back = |tasks: Vec<TaskParts>| tasks.into_iter().map(|task| task.parts).collect();
    match &lesson.approach {
        Approach::Features { encoder, head, balanced } => {
            let parts = &all[0];
            // Of what was made of pictures nobody has looked yet.
            let seen = seen_of(dataset, lesson, encoder, parts, means, progress)?;
            let there = |list: Vec<u32>| -> Vec<u32> { list.into_iter().filter(|row| (*row as usize) < seen.rows()).collect() };
            let (asked, rest) = (there(asked), there(rest));
            let of = (asked.as_slice(), rest.as_slice(), finer);
            let mut learned = features(&seen, parts, of, (*head, *balanced, lesson.seed), progress)?;
            if let (Some(to), HeadModel::Linear { weights, bias }) = (means.keep, &learned.model) {
                let words = ModelWords { classes: &parts.classes[..parts.learned], about: &parts.about(lesson) };
                if let Err(why) = keep_head(weights, bias, &words, to) {
                    // The run is not lost by it.
                    learned.notes.push(format!("the model could not be taken away: {why}"));
                }
            }
            let unsaid = parts.members(RunPart::Train).count() - learned.held_out.len();
            if unsaid > 0 && !learned.held_out.is_empty() {
                let n = count_samples(unsaid);
                learned.notes.push(format!("{n} of the train part were not drawn for cross-validation: nothing is said of them"));
            }
            Ok((vec![learned], asked, all))
        }
        Approach::Prompt { model, prompt: asked } => {
            let (dense, mut all) = (prompt_rows(dataset, lesson, asked, means, progress)?, all);
            let (learned, rows, parts) =
                prompt(dataset, lesson, (model, asked), (all.remove(0), dense.as_deref()), means, progress)?;
            Ok((vec![learned], rows, vec![parts]))
        }
        Approach::Encoder { folder, tune: how } => {
            let tasks = weighed(all, &[1.0]);
            let learned = tune(dataset, lesson, (folder, how, false), &tasks, (&asked, &rest, finer, means), progress)?;
            Ok((learned, asked, back(tasks)))
        }
        Approach::Multitask { folder, tune: how, tasks, uncertain } => {
            let labels: HashSet<&str> = tasks.iter().map(|task| task.label.as_str()).collect();
            if labels.len() < 2 || labels.len() < tasks.len() || !labels.contains(lesson.label.as_str()) {
                return Err(TrainError::OneTask);
            }
            let weights: Vec<f64> = tasks.iter().map(|task| task.weight).collect();
            let tasks = weighed(all, &weights);
            let learned = tune(dataset, lesson, (folder, how, *uncertain), &tasks, (&asked, &rest, None, means), progress)?;
            Ok((learned, asked, back(tasks)))
        }
    }
}

/// Rows of samples by which examples are chosen, where they are.
fn prompt_rows(
    dataset: &Dataset,
    lesson: &Lesson,
    asked: &PromptAsked,
    means: TeachMeans<'_>,
    progress: &Progress,
) -> Result<Option<Arc<Dense>>, TrainError> {
    if lesson.text.is_none() && dataset.pictures().is_some() {
        return Err(TrainError::PromptedPictures);
    }
    let near = matches!(asked.examples, Examples::Nearest { .. } | Examples::Diverse { .. });
    near.then(|| rows_of(dataset, lesson, &FrozenEncoder::BuiltIn, means, progress)).transpose()
}

/// Makes three steps or asks three questions, and says what all of them cost: seconds, memory, tokens. `now` says what the time is, in seconds.
///
/// # Errors
/// As teaching has them; [`TrainError::NoSteps`] of a head, which takes seconds.
pub fn try_steps(
    dataset: &Dataset,
    lesson: &Lesson,
    means: TeachMeans<'_>,
    now: &dyn Fn() -> f64,
    progress: &Progress,
) -> Result<TriedSteps, TrainError> {
    match &lesson.approach {
        Approach::Features { .. } => Err(TrainError::NoSteps),
        Approach::Encoder { folder, tune } => try_tuning(dataset, lesson, (folder, tune, false), vec![1.0], now, progress),
        Approach::Multitask { folder, tune, tasks, uncertain } => {
            let weights = tasks.iter().map(|task| task.weight).collect();
            try_tuning(dataset, lesson, (folder, tune, *uncertain), weights, now, progress)
        }
        Approach::Prompt { model, prompt } => {
            let asker = means.asker.ok_or(TrainError::NobodyToAsk)?;
            let dense = prompt_rows(dataset, lesson, prompt, means, progress)?;
            let parts = TrainParts::of(dataset, lesson, progress)?;
            try_questions(dataset, lesson, (model, prompt), (&parts, dense.as_deref()), (asker, now), progress)
        }
    }
}

/// Parts by the classes of a finer column: samples that have none are not learned from.
fn through(coarse: &TrainParts, finer: &FinerColumn) -> TrainParts {
    let unknown = finer.classes.len() as u32;
    let of = coarse.of.iter().zip(&finer.of).map(|(entry, fine)| match (entry, fine) {
        (Some((RunPart::Test, _)), fine) => Some((RunPart::Test, fine.unwrap_or(unknown))),
        (Some((part, _)), Some(fine)) => Some((*part, *fine)),
        _ => None,
    });
    TrainParts { of: of.collect(), classes: finer.classes.clone(), learned: finer.classes.len(), ..coarse.clone() }
}

/// What is said of fine classes as what is said of those that they stand for.
fn fold(learned: &mut Learned, (finer, coarse): (&FinerColumn, usize), asked: &[u32]) {
    let mut out = vec![0.0; asked.len() * coarse];
    for (own, out) in learned.probabilities.chunks(finer.classes.len()).zip(out.chunks_mut(coarse)) {
        own.iter().zip(&finer.to).for_each(|(p, to)| out[*to as usize] += p);
    }
    learned.probabilities = out;
    learned.held_out.iter_mut().for_each(|one| one.1 = finer.to[one.1 as usize]);
    if finer.without > 0 {
        learned
            .notes
            .push(format!("{} of the train part have no finer class, and are not learned from", count_samples(finer.without)));
    }
}

/// The fewest samples that a temperature is fitted to.
const FEW_FOR_TEMPERATURE: usize = 30;

/// The temperature that fits what is said of the validation part.
fn temperature(parts: &TrainParts, probabilities: &[f64], asked: &[u32]) -> Option<f64> {
    let mut truth = Vec::new();
    let mut rows: Vec<f64> = Vec::new();
    for (row, own) in asked.iter().zip(probabilities.chunks(parts.learned.max(1))) {
        if let Some((RunPart::Validation, class)) = parts.of[*row as usize]
            && (class as usize) < parts.learned
        {
            truth.push(class);
            rows.extend(own);
        }
    }
    (truth.len() >= FEW_FOR_TEMPERATURE).then(|| temperature_of(&truth, Predicted { classes: parts.learned, of: &rows }))
}

fn run_of(lesson: Lesson, parts: TrainParts, finer: Option<&FinerColumn>, learned: Learned, asked: &[u32]) -> Run {
    let mut said = learned.held_out;
    said.extend(learned.rest);
    #[allow(clippy::cast_possible_truncation)]
    said.extend(asked.iter().zip(learned.probabilities.chunks(parts.learned)).map(|(row, own)| {
        let best = likeliest(own);
        (*row, best as u32, own[best] as f32)
    }));
    said.sort_unstable_by_key(|(row, ..)| *row);
    let mut predictions = Predictions {
        ids: said.iter().map(|one| one.0).collect(),
        texts: said.iter().map(|one| parts.hashes[one.0 as usize]).collect(),
        said: said.iter().map(|one| one.1).collect(),
        sure: said.iter().map(|one| one.2).collect(),
        ..Predictions::default()
    };
    for (row, own) in asked.iter().zip(learned.probabilities.chunks(parts.learned)) {
        if matches!(parts.of[*row as usize], Some((RunPart::Test, _))) {
            predictions.tested.push(*row);
            predictions.probabilities.extend(own.iter().map(|p| Predictions::packed(*p)));
        }
    }
    let temperature = temperature(&parts, &learned.probabilities, asked);
    let n = |part| parts.members(part).count();
    let tested = if let HeadModel::Prompt { .. } = learned.model { predictions.tested.len() } else { n(RunPart::Test) };
    Run {
        temperature,
        lesson,
        sizes: [n(RunPart::Train), n(RunPart::Validation), tested],
        print: parts.print,
        test_print: parts.test_print,
        learned: parts.learned,
        finer: finer.map(|finer| finer.to.clone()).unwrap_or_default(),
        chosen: learned.chosen,
        model: learned.model,
        predictions,
        epochs: learned.epochs,
        seen: learned.seen,
        notes: parts.notes.iter().cloned().chain(learned.notes).collect(),
        classes: parts.classes,
        seconds: 0.0,
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

/// Whether a model can be taken away to a folder: said before anything is learned.
fn may_keep(lesson: &Lesson, keep: Option<&Path>) -> Result<(), TrainError> {
    let Some(to) = keep else { return Ok(()) };
    if to.exists() {
        let reason = "it is there already: name a folder that is not".to_owned();
        return Err(IoError::Write { path: to.to_owned(), reason }.into());
    }
    match &lesson.approach {
        Approach::Features { head: HeadKind::Neighbours { .. }, .. } => Err(TrainError::NothingToKeep("a vote of neighbours")),
        Approach::Features { head: HeadKind::Network { .. }, .. } => Err(TrainError::NothingToKeep("a small network")),
        Approach::Features { encoder: FrozenEncoder::Words, .. } => Err(TrainError::NothingToKeep("TF-IDF")),
        Approach::Multitask { tune, .. } if tune.pooler && tune.lora.is_none() => {
            Err(TrainError::NothingToKeep("several heads behind a pooler"))
        }
        _ if lesson.through.is_some() => Err(TrainError::NothingToKeep("a finer column")),
        _ => Ok(()),
    }
}

/// A head on what is seen of samples: what it says of those that were asked for.
fn features(
    seen: &Seen,
    parts: &TrainParts,
    (asked, rest, finer): (&[u32], &[u32], Option<&FinerColumn>),
    (head, balanced, seed): (HeadKind, bool, u64),
    progress: &Progress,
) -> Result<Learned, TrainError> {
    let train: Vec<(SampleId, u32)> = parts.members(RunPart::Train).filter(|(id, _)| id.row() < seen.rows()).collect();
    let rows: Vec<u32> = train.iter().map(|(id, _)| id.0).collect();
    let truth: Vec<u32> = train.iter().map(|(_, class)| *class).collect();
    let together: Vec<u32> = train.iter().map(|(id, _)| parts.together[id.row()]).collect();
    let head_rows = HeadRows { rows: &rows, truth: &truth, together: &together, classes: parts.learned };
    let plain = |model, probabilities, rest, notes| Learned {
        model,
        rest,
        chosen: None,
        held_out: Vec::new(),
        probabilities,
        epochs: Vec::new(),
        seen: Vec::new(),
        notes,
    };
    match head {
        HeadKind::Neighbours { k } => {
            let Seen::Dense(dense) = seen else { return Err(TrainError::NoHead) };
            progress.set_total(asked.len() as u64);
            let vote = |rows: &[u32]| Ok(nearest_votes(dense, head_rows, k as usize, rows, progress)?);
            let (votes, rest) = (vote(asked)?, likeliest_of(rest, (parts.learned, finer), &vote)?);
            let notes = vec!["nearest neighbours say nothing of their own train part".to_owned()];
            Ok(plain(HeadModel::Neighbours { k }, votes, rest, notes))
        }
        HeadKind::Network { hidden } => {
            let Seen::Dense(dense) = seen else { return Err(TrainError::NetworkOfWords) };
            let (mlp, epochs, notes) = network(dense, head_rows, (hidden as usize, seed), progress)?;
            let say = |rows: &[u32]| Ok(network_says(&mlp, dense, rows));
            let (probabilities, rest) = (say(asked)?, likeliest_of(rest, (parts.learned, finer), &say)?);
            let model = HeadModel::Network { dims: mlp.dims, hidden: mlp.hidden, numbers: mlp.numbers };
            Ok(Learned { epochs, ..plain(model, probabilities, rest, notes) })
        }
        HeadKind::Logistic { c } | HeadKind::Support { c } => {
            let loss = if matches!(head, HeadKind::Support { .. }) { HeadLoss::Support } else { HeadLoss::Logistic };
            let fit = HeadFit { loss, balanced, ..HeadFit::default() };
            let found = choose_head(seen.input(), head_rows, fit, c, seed, progress)?;
            let mut notes = Vec::new();
            if loss == HeadLoss::Support {
                notes.push(format!(
                    "its margins are no probabilities: made {} times as sharp they fit samples of the train part that were held out",
                    found.sharpened
                ));
            }
            let held = rows.iter().zip(&found.held_out);
            let held_out = held.filter_map(|(row, held)| held.map(|held| (*row, held.said, held.sure))).collect();
            let tried = found.tried.iter().map(|one| (one.c, one.evened, one.folds, one.accuracy)).collect();
            let chosen = Some(Chosen { c: found.fit.c, evened: found.fit.evened, tried });
            let say = |rows: &[u32]| {
                progress.check()?;
                Ok(found.head.probabilities(seen.input(), rows))
            };
            let (probabilities, rest) = (say(asked)?, likeliest_of(rest, (parts.learned, finer), &say)?);
            Ok(Learned { chosen, held_out, ..plain(kept(&found.head, seen), probabilities, rest, notes) })
        }
    }
}

fn kept(head: &LinearHead, seen: &Seen) -> HeadModel {
    match (HeadModel::linear(head), seen) {
        (HeadModel::Linear { weights, bias }, Seen::Words(_, vocabulary)) => {
            let (terms, idf) = vocabulary.parts();
            HeadModel::Words { terms, idf, weights, bias }
        }
        (model, _) => model,
    }
}

/// What a run says of every sample of a dataset, another than its own too: the class by its place among the run's, and how sure.
///
/// # Errors
/// [`TrainError`].
pub fn predicted(
    dataset: &Dataset,
    run: &Run,
    means: TeachMeans<'_>,
    progress: &Progress,
) -> Result<Vec<(u32, f32)>, TrainError> {
    let Approach::Features { encoder, .. } = &run.lesson.approach else { return Err(TrainError::NotKept) };
    // Another dataset may call its text otherwise, unless the column was named.
    let seen = match &run.model {
        HeadModel::Words { terms: list, idf, weights, .. } => {
            let text = TextOf::of(dataset, run.lesson.text.as_deref())?;
            let vocabulary = Vocabulary::of_parts(terms(weights.len() / list.len().max(1)), list, idf.clone());
            Seen::Words(words_of(dataset, &text, &vocabulary), vocabulary)
        }
        _ => Seen::Dense(rows_of(dataset, &run.lesson, encoder, means, progress)?),
    };
    let found = seen.input().dims();
    let all: Vec<u32> = (0..dataset.rows() as u32).collect();
    let said = match (&run.model, &seen) {
        (HeadModel::Network { dims, hidden, numbers }, Seen::Dense(dense)) => {
            if found != *dims {
                return Err(TrainError::OtherEncoder { found, wanted: *dims });
            }
            let classes = (numbers.len() - hidden * (dims + 1)) / (hidden + 1);
            network_says(&Mlp { dims: *dims, hidden: *hidden, classes, numbers: numbers.clone() }, dense, &all)
        }
        _ => {
            let head = run.model.head().ok_or(TrainError::NoHead)?;
            let wanted = head.dims();
            if found != wanted {
                return Err(TrainError::OtherEncoder { found, wanted });
            }
            head.probabilities(seen.input(), &all)
        }
    };
    #[allow(clippy::cast_possible_truncation)]
    let one = |own: &[f64]| {
        let best = likeliest(own);
        (best as u32, own[best] as f32)
    };
    if run.finer.is_empty() {
        return Ok(said.chunks(run.learned.max(1)).map(one).collect());
    }
    let coarse = |own: &[f64]| {
        let mut out = vec![0.0; run.learned];
        own.iter().zip(&run.finer).for_each(|(p, to)| out[*to as usize] += p);
        one(&out)
    };
    Ok(said.chunks(run.finer.len()).map(coarse).collect())
}

/// The edit that makes what a run says columns: the class as `into`, how sure as `into_confidence`; of a fine-tuned encoder what training saw of its samples, too (confidence, variability, area under the margin).
///
/// # Errors
/// [`EditError`].
pub fn predictions_edit(dataset: &Dataset, run: &Run, into: &str) -> Result<Option<Edit>, EditError> {
    let refused = |error: TrainError| EditError::Refused(error.to_string());
    let hashes = hashes_of(dataset, &run.lesson, &Progress::silent()).map_err(refused)?;
    let found = run.predictions.located(&hashes);
    let mut list: Vec<(SampleId, &str, String)> = found
        .into_iter()
        .zip(run.predictions.said.iter().zip(&run.predictions.sure))
        .filter_map(|(row, (said, sure))| Some((SampleId(row?), run.classes.get(*said as usize)?.as_str(), format!("{sure:.4}"))))
        .collect();
    list.sort_unstable_by_key(|(id, ..)| *id);
    let words = format!("Wrote what {} says of {} as {into}", run.lesson.words(), count_samples(list.len()));
    let sure = format!("{into}_confidence");
    let mut changes = Vec::new();
    let column = |name: &str, kind: Kind, cells: Vec<(SampleId, &str)>| -> Result<Vec<Change>, EditError> {
        if dataset.field(name).is_some() {
            return Ok(Change::cells(dataset, name, cells.into_iter().map(|(id, text)| (id, Some(text))))?.into_iter().collect());
        }
        let role = if kind == Kind::Number { Role::Number } else { Role::Other };
        Ok(vec![Change::add_column(dataset, name, kind, role)?, Change::fill(name, cells.into_iter())])
    };
    changes.extend(column(into, Kind::Text, list.iter().map(|(id, class, _)| (*id, *class)).collect())?);
    // What training saw, of an encoder that learned: of samples of the train part alone.
    let seen = |of: fn(&SampleSeen) -> f32| -> Vec<(SampleId, String)> {
        run.seen
            .iter()
            .filter(|one| (one.0 as usize) < dataset.rows())
            .map(|one| (SampleId(one.0), format!("{:.4}", of(one))))
            .collect()
    };
    if !run.seen.is_empty() {
        for (name, cells) in [
            ("train_confidence", seen(|one| one.1)),
            ("train_variability", seen(|one| one.2)),
            ("train_margin", seen(|one| one.3)),
        ] {
            let cells = cells.iter().map(|(id, text)| (*id, text.as_str())).collect();
            changes.extend(column(&format!("{into}_{name}"), Kind::Number, cells)?);
        }
    }
    changes.extend(column(&sure, Kind::Number, list.iter().map(|(id, _, sure)| (*id, sure.as_str())).collect())?);
    Ok(Edit::new(words, changes))
}
