//! Teaching: from a lesson and a dataset to a run.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use super::asked::{Approach, FrozenEncoder, HeadKind, Lesson};
use super::fault::TrainError;
use super::means::TeachMeans;
use super::parts::{RunPart, TrainParts, hashes_of};
use super::run::{Chosen, HeadModel, Learned, Predictions, Run, SampleSeen};
use super::tuning::tune;
use crate::data::{Dataset, Kind, Role, SampleId, count_samples};
use crate::derive::{TextOf, embedding, embedding_of_made};
use crate::edit::{Change, Edit, EditError};
use crate::io::{IoError, Meaning, ModelWords, embed_pictures, keep_head};
use crate::job::Progress;
use crate::learn::dense::Dense;
use crate::learn::head_choice::{HeadRows, choose_head, nearest_votes};
use crate::learn::heads::{HeadFit, HeadInput, HeadLoss, LinearHead};
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

/// The likeliest class of a row, the first of equals.
fn likeliest(row: &[f64]) -> usize {
    (0..row.len()).fold(0, |best, class| if row[class] > row[best] { class } else { best })
}

/// Learns what is asked.
///
/// # Errors
/// [`TrainError`].
pub fn teach(dataset: &Dataset, lesson: &Lesson, means: TeachMeans<'_>, progress: &Progress) -> Result<Run, TrainError> {
    may_keep(lesson, means.keep)?;
    let parts = TrainParts::of(dataset, lesson, progress)?;
    let asked: Vec<u32> = (0..dataset.rows() as u32)
        .filter(|row| !dataset.is_excluded(SampleId(*row)) && !matches!(parts.of[*row as usize], Some((RunPart::Train, _))))
        .collect();
    let (mut learned, asked) = match &lesson.approach {
        Approach::Features { encoder, head, balanced } => {
            // Of what was made of pictures nobody has looked yet.
            let seen = seen_of(dataset, lesson, encoder, &parts, means, progress)?;
            let asked: Vec<u32> = asked.iter().copied().filter(|row| (*row as usize) < seen.rows()).collect();
            (features(&seen, &parts, &asked, (*head, *balanced, lesson.seed), progress)?, asked)
        }
        Approach::Encoder { folder, tune: how } => {
            (tune(dataset, lesson, (folder, how), &parts, (&asked, means.keep), progress)?, asked)
        }
    };
    if let (Some(to), HeadModel::Linear { weights, bias }) = (means.keep, &learned.model) {
        let words = ModelWords { classes: &parts.classes[..parts.learned], about: &parts.about(lesson) };
        if let Err(why) = keep_head(weights, bias, &words, to) {
            // The run is not lost by it.
            learned.notes.push(format!("the model could not be taken away: {why}"));
        }
    }
    let unsaid = parts.members(RunPart::Train).count() - learned.held_out.len();
    if unsaid > 0 && !learned.held_out.is_empty() {
        learned.notes.push(format!(
            "{} of the train part were not drawn for cross-validation: nothing is said of them",
            count_samples(unsaid)
        ));
    }
    let mut said = learned.held_out;
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
    let n = |part| parts.members(part).count();
    Ok(Run {
        lesson: lesson.clone(),
        sizes: [n(RunPart::Train), n(RunPart::Validation), n(RunPart::Test)],
        print: parts.print,
        test_print: parts.test_print,
        learned: parts.learned,
        chosen: learned.chosen,
        model: learned.model,
        predictions,
        epochs: learned.epochs,
        seen: learned.seen,
        notes: parts.notes.iter().cloned().chain(learned.notes).collect(),
        classes: parts.classes,
        seconds: 0.0,
        version: env!("CARGO_PKG_VERSION").to_owned(),
    })
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
        Approach::Features { encoder: FrozenEncoder::Words, .. } => Err(TrainError::NothingToKeep("TF-IDF")),
        _ => Ok(()),
    }
}

/// A head on what is seen of samples: what it says of those that were asked for.
fn features(
    seen: &Seen,
    parts: &TrainParts,
    asked: &[u32],
    (head, balanced, seed): (HeadKind, bool, u64),
    progress: &Progress,
) -> Result<Learned, TrainError> {
    let train: Vec<(SampleId, u32)> = parts.members(RunPart::Train).filter(|(id, _)| id.row() < seen.rows()).collect();
    let rows: Vec<u32> = train.iter().map(|(id, _)| id.0).collect();
    let truth: Vec<u32> = train.iter().map(|(_, class)| *class).collect();
    let together: Vec<u32> = train.iter().map(|(id, _)| parts.together[id.row()]).collect();
    let head_rows = HeadRows { rows: &rows, truth: &truth, together: &together, classes: parts.learned };
    let plain = |model, probabilities, notes| Learned {
        model,
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
            let votes = nearest_votes(dense, head_rows, k as usize, asked, progress)?;
            let notes = vec!["nearest neighbours say nothing of their own train part".to_owned()];
            Ok(plain(HeadModel::Neighbours { k }, votes, notes))
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
            let probabilities = found.head.probabilities(seen.input(), asked);
            Ok(Learned { chosen, held_out, ..plain(kept(&found.head, seen), probabilities, notes) })
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
    let head = run.model.head().ok_or(TrainError::NoHead)?;
    // Another dataset may call its text otherwise, unless the column was named.
    let seen = match &run.model {
        HeadModel::Words { terms: list, idf, .. } => {
            let text = TextOf::of(dataset, run.lesson.text.as_deref())?;
            let vocabulary = Vocabulary::of_parts(terms(run.learned), list, idf.clone());
            Seen::Words(words_of(dataset, &text, &vocabulary), vocabulary)
        }
        _ => Seen::Dense(rows_of(dataset, &run.lesson, encoder, means, progress)?),
    };
    let (found, wanted) = (seen.input().dims(), head.dims());
    if found != wanted {
        return Err(TrainError::OtherEncoder { found, wanted });
    }
    let all: Vec<u32> = (0..dataset.rows() as u32).collect();
    #[allow(clippy::cast_possible_truncation)]
    let one = |own: &[f64]| {
        let best = likeliest(own);
        (best as u32, own[best] as f32)
    };
    Ok(head.probabilities(seen.input(), &all).chunks(run.learned.max(1)).map(one).collect())
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
