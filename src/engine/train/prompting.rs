//! Prompt engineering: a language model at an address that the user named is asked for the class of every test sample, with examples of the train part or none. Answers are read, never guessed; beside them stands what the same examples say without a language model.

use std::collections::HashSet;

use super::asked::{Calibrated, Examples, Lesson, PromptAsked};
use super::fault::TrainError;
use super::means::{Asker, TeachMeans};
use super::parts::{RunPart, SPLIT, TrainParts};
use super::run::{HeadModel, Learned};
use super::taught::TriedSteps;
use crate::chance::{Chance, seed_of};
use crate::data::{AnswerBound, Ask, Choosing, Dataset, SampleId, Task, count, count_samples};
use crate::derive::TextOf;
use crate::io::{ChoiceAnswer, keep_prompt};
use crate::job::Progress;
use crate::learn::chosen::{batch, class_named, contextual, letter, letter_logs, shown_names, whole};
use crate::learn::dense::{Dense, dot};

/// What a sample is said to be whose answer names no class.
pub const NO_ANSWER: &str = "no answer";
/// From this likeness on a sample of the train part is the question itself.
const SAME: f32 = 0.95;
/// Diverse examples are drawn from so many times as many nearest ones.
const POOL: usize = 4;
/// Texts without content, for calibration.
const EMPTY: [&str; 3] = ["N/A", "[MASK]", ""];
/// The most tokens of an answer by name.
const LONGEST: u16 = 24;
/// Questions that are asked to say what all of them cost.
const TRIED: usize = 3;
/// The most letters that are asked of a text: a longer one is cut, and that is said.
const MOST_LETTERS: usize = 20_000;

/// What a question is made of.
struct Prompting<'p> {
    dataset: &'p Dataset,
    text: TextOf,
    asked: &'p PromptAsked,
    model: &'p str,
    parts: &'p TrainParts,
    /// Rows of the samples, of length 1, where examples are chosen by them.
    dense: Option<&'p Dense>,
    shown: Vec<String>,
    letters: bool,
    bound: AnswerBound,
    train: Vec<(u32, u32)>,
    /// Examples that are the same for every question.
    same: Vec<(u32, u32)>,
}

/// The instruction that is usual.
pub fn usual_instruction(letters: bool) -> String {
    let how = if letters { "Answer with its letter alone." } else { "Answer with its name alone." };
    format!("Sort the text into one of these classes. {how}")
}

impl<'p> Prompting<'p> {
    fn new(
        dataset: &'p Dataset,
        lesson: &Lesson,
        (model, asked): (&'p str, &'p PromptAsked),
        (parts, dense): (&'p TrainParts, Option<&'p Dense>),
    ) -> Result<Self, TrainError> {
        let text = TextOf::of(dataset, lesson.text.as_deref())?;
        let shown = shown_names(&parts.classes[..parts.learned]);
        let letters = asked.letters && parts.learned <= 26;
        let train: Vec<(u32, u32)> = parts.members(RunPart::Train).map(|(id, class)| (id.0, class)).collect();
        let mut own =
            Self { dataset, text, asked, model, parts, dense, shown, letters, bound: AnswerBound::Free, train, same: Vec::new() };
        own.same = own.fixed(lesson.seed);
        Ok(own)
    }

    /// Examples that do not depend on the question.
    fn fixed(&self, seed: u64) -> Vec<(u32, u32)> {
        let mut order = self.train.clone();
        order.sort_by_key(|(row, _)| (seed_of(&[seed, 0xe4a, self.parts.hashes[*row as usize]]), *row));
        match self.asked.examples {
            Examples::Random { k } => order.into_iter().take(k as usize).collect(),
            Examples::OneAClass => {
                let mut met = HashSet::new();
                let mut list: Vec<(u32, u32)> = order.into_iter().filter(|(_, class)| met.insert(*class)).collect();
                Chance::new(seed_of(&[seed, 0xe4b])).shuffle(&mut list);
                list
            }
            Examples::None | Examples::Nearest { .. } | Examples::Diverse { .. } => Vec::new(),
        }
    }

    /// The examples of a question, the nearest last; never the question itself, nor what comes from it.
    fn examples(&self, row: u32) -> Vec<(u32, u32)> {
        let (k, diverse) = match self.asked.examples {
            Examples::Nearest { k } => (k as usize, false),
            Examples::Diverse { k } => (k as usize, true),
            _ => return self.same.iter().copied().filter(|(own, _)| !self.is_same(*own, row)).collect(),
        };
        let Some(dense) = self.dense else { return Vec::new() };
        let own = dense.row(row as usize);
        let mut near: Vec<(f32, u32, u32)> = self
            .train
            .iter()
            .filter(|(other, _)| !self.is_same(*other, row))
            .map(|(other, class)| (dot(own, dense.row(*other as usize)), *other, *class))
            .filter(|(likeness, ..)| *likeness < SAME)
            .collect();
        near.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        near.truncate(if diverse { k * POOL } else { k });
        if diverse {
            near = spread(near, k, dense);
        }
        near.reverse();
        near.into_iter().map(|(_, row, class)| (row, class)).collect()
    }

    fn is_same(&self, one: u32, other: u32) -> bool {
        self.parts.together[one as usize] == self.parts.together[other as usize]
    }

    fn read(&self, row: u32) -> String {
        let text = self.text.read(self.dataset, SampleId(row));
        text[..text.floor_char_boundary(MOST_LETTERS)].to_owned()
    }

    fn named(&self, class: u32) -> String {
        match letter(class as usize).filter(|_| self.letters) {
            Some(letter) => letter.to_string(),
            None => self.shown[class as usize].clone(),
        }
    }

    /// What stands before every question.
    fn system(&self) -> String {
        let mut out = self.asked.instruction.trim().to_owned();
        if out.is_empty() {
            out = usual_instruction(self.letters);
        }
        for (class, name) in self.shown.iter().enumerate() {
            let mark = letter(class).filter(|_| self.letters).map_or("- ".to_owned(), |letter| format!("{letter}: "));
            let label = &self.parts.classes[class];
            let what = self.asked.descriptions.iter().find(|(own, _)| own == label).map(|(_, what)| what.trim());
            let what = what.filter(|what| !what.is_empty()).map(|what| format!(" ({what})")).unwrap_or_default();
            out.push_str(&format!("\n{mark}{name}{what}"));
        }
        out
    }

    fn said(&self, examples: &[(u32, u32)], text: String) -> Vec<(&'static str, String)> {
        let mut said = vec![("system", self.system())];
        for (row, class) in examples {
            said.push(("user", self.read(*row)));
            said.push(("assistant", self.named(*class)));
        }
        said.push(("user", text));
        said
    }

    fn ask(&self, said: Vec<(&'static str, String)>) -> Ask {
        let answers = (0..self.shown.len() as u32).map(|class| self.named(class)).collect();
        let most = if self.letters { 1 } else { LONGEST };
        let choosing = Choosing { said, answers, bound: self.bound, most };
        question(self.model, choosing)
    }
}

fn question(model: &str, choosing: Choosing) -> Ask {
    let text = choosing.said.last().map(|(_, text)| text.clone()).unwrap_or_default();
    Ask { model: model.to_owned(), task: Task::Choose(Box::new(choosing)), text, keep: Vec::new(), heat: 0, seed: 0 }
}

/// Of the nearest so many that are unlike each other, too (maximal marginal relevance, Carbonell and Goldstein 1998, both halves alike), the nearest first.
fn spread(mut near: Vec<(f32, u32, u32)>, k: usize, dense: &Dense) -> Vec<(f32, u32, u32)> {
    let mut chosen: Vec<(f32, u32, u32)> = Vec::new();
    while chosen.len() < k && !near.is_empty() {
        let worth = |one: &(f32, u32, u32)| {
            let like = chosen.iter().map(|other| dot(dense.row(one.1 as usize), dense.row(other.1 as usize)));
            one.0 - like.fold(0.0, f32::max)
        };
        let best = (0..near.len()).fold(0, |best, at| if worth(&near[at]) > worth(&near[best]) { at } else { best });
        chosen.push(near.remove(best));
    }
    chosen.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    chosen
}

/// What a server can be bound by, tried with questions whose free answer is none of those there are: the first that it obeys.
fn bound_of(asker: &dyn Asker, model: &str, letters: bool, progress: &Progress) -> Result<AnswerBound, TrainError> {
    let answers = vec!["kumquat".to_owned(), "heliotrope".to_owned()];
    let probe = |bound: AnswerBound| {
        let said = vec![("system", "You are a calculator.".to_owned()), ("user", "What is 2 + 2?".to_owned())];
        question(model, Choosing { said, answers: answers.clone(), bound, most: if letters { 1 } else { LONGEST } })
    };
    let tried: &[AnswerBound] = if letters {
        &[AnswerBound::Probabilities(200), AnswerBound::Probabilities(20)]
    } else {
        &[AnswerBound::Grammar, AnswerBound::Choices, AnswerBound::Schema]
    };
    for bound in tried {
        let ask = probe(*bound);
        let answer = answered(asker, vec![ask], progress)?.remove(0);
        let obeyed = match bound {
            AnswerBound::Probabilities(_) => !answer.first.is_empty(),
            _ => class_named(&answer.text, &answers, false).is_some(),
        };
        if obeyed && answer.refused.is_empty() {
            return Ok(*bound);
        }
    }
    Ok(AnswerBound::Free)
}

/// The answers to questions, in their order.
fn answered(asker: &dyn Asker, asks: Vec<Ask>, progress: &Progress) -> Result<Vec<ChoiceAnswer>, TrainError> {
    let keys: Vec<u128> = asks.iter().map(Ask::key).collect();
    asker.ask(asks, progress).map_err(|why| progress.check().map_or(TrainError::Cancelled, |()| TrainError::NotAnswered(why)))?;
    let read = |key: &u128| asker.kept_answer(*key).and_then(|text| ChoiceAnswer::of_text(&text)).unwrap_or_default();
    Ok(keys.iter().map(read).collect())
}

/// The test samples that are asked about: all of them, or so many that are drawn, the same whatever the seed of a run.
fn tested(parts: &TrainParts, most: u32) -> Vec<u32> {
    let mut list: Vec<u32> = parts.members(RunPart::Test).map(|(id, _)| id.0).collect();
    if most > 0 && (most as usize) < list.len() {
        list.sort_by_key(|row| (seed_of(&[SPLIT, 0x7e57, parts.hashes[*row as usize]]), *row));
        list.truncate(most as usize);
        list.sort_unstable();
    }
    list
}

fn prompting_bound(own: &mut Prompting<'_>, asker: &dyn Asker, progress: &Progress) -> Result<(), TrainError> {
    own.bound = bound_of(asker, own.model, own.letters, progress)?;
    if own.letters && own.bound == AnswerBound::Free {
        // Without probabilities letters are written as names are: bound by what the server has.
        own.bound = bound_of(asker, own.model, false, progress)?;
    }
    Ok(())
}

/// Asks for the class of test samples: what came of it, the samples that were asked about, and the parts with the class of those whose answer named none.
pub(super) fn prompt(
    dataset: &Dataset,
    lesson: &Lesson,
    of: (&str, &PromptAsked),
    (mut parts, dense): (TrainParts, Option<&Dense>),
    means: TeachMeans<'_>,
    progress: &Progress,
) -> Result<(Learned, Vec<u32>, TrainParts), TrainError> {
    let asker = means.asker.ok_or(TrainError::NobodyToAsk)?;
    let mut own = Prompting::new(dataset, lesson, of, (&parts, dense))?;
    prompting_bound(&mut own, asker, progress)?;
    let rows = tested(&parts, own.asked.most);
    let examples: Vec<Vec<(u32, u32)>> = rows.iter().map(|row| own.examples(*row)).collect();
    let asks = rows.iter().zip(&examples).map(|(row, examples)| own.ask(own.said(examples, own.read(*row)))).collect();
    let answers = answered(asker, asks, progress)?;
    if let Some(first) = answers.first().filter(|_| answers.iter().all(|answer| !answer.refused.is_empty())) {
        return Err(TrainError::NotAnswered(format!("the server took no question: {}", first.refused)));
    }
    let k = parts.learned;
    let mut notes = vec![bound_words(own.bound, own.letters).to_owned()];
    let logs: Vec<Option<Vec<f64>>> =
        answers.iter().map(|answer| if own.letters { letter_logs(&answer.first, k) } else { None }).collect();
    let graded = logs.iter().any(Option::is_some);
    let mut p = if graded {
        let lettered: Vec<bool> = logs.iter().map(Option::is_some).collect();
        let plain = whole(&logs.into_iter().flatten().flatten().collect::<Vec<f64>>(), k);
        let plain = calibrated(&own, asker, plain, &mut notes, progress)?;
        let mut rows = plain.chunks(k);
        // One that says no letter names no class.
        let mut out: Vec<f64> = Vec::new();
        for has in lettered {
            match if has { rows.next() } else { None } {
                Some(own) => out.extend(own.iter().copied().chain([0.0])),
                None => out.extend((0..=k).map(|at| f64::from(u8::from(at == k)))),
            }
        }
        out
    } else {
        notes.push("its answers have no probabilities: log loss and calibration say nothing of it".to_owned());
        let named = answers.iter().map(|answer| class_named(&answer.text, &own.shown, own.letters));
        named.flat_map(|class| (0..=k).map(move |at| f64::from(u8::from(at == class.unwrap_or(k))))).collect()
    };
    // A class of its own for what names none: it counts as wrong, and is seen among what was said.
    let silent = p.chunks(k + 1).filter(|row| row[k] > 0.0).count();
    if silent == 0 {
        p = p.chunks(k + 1).flat_map(|row| row[..k].to_vec()).collect();
    }
    spoken(&answers, &mut notes);
    without_model(&parts, (&rows, &examples), &mut notes);
    let varies = matches!(own.asked.examples, Examples::Nearest { .. } | Examples::Diverse { .. });
    let said = own.said(if varies { &[] } else { &own.same }, "{text}".to_owned());
    let template = said.iter().map(|(who, text)| ((*who).to_owned(), text.clone())).collect();
    if let Some(to) = means.keep {
        if let Err(why) = keep_prompt(&said, &parts.classes[..k], &parts.about(lesson), to) {
            notes.push(format!("the prompt could not be taken away: {why}"));
        }
        if varies {
            notes.push("the prompt that is taken away has no examples: they are chosen for each question".to_owned());
        }
    }
    drop(own);
    if silent > 0 {
        notes.push(format!("{} got an answer that names no class: they count as wrong", count_samples(silent)));
        // A class of that name is another.
        let mut name = NO_ANSWER.to_owned();
        while parts.classes.contains(&name) {
            name = format!("({name})");
        }
        parts.classes.insert(k, name);
        parts.learned = k + 1;
        parts.of.iter_mut().flatten().filter(|(_, class)| *class as usize >= k).for_each(|(_, class)| *class += 1);
    }
    if rows.len() < parts.members(RunPart::Test).count() {
        notes.push(format!("{} of the test part were asked about, and no others", count_samples(rows.len())));
    }
    let learned = Learned {
        model: HeadModel::Prompt { said: template },
        chosen: None,
        held_out: Vec::new(),
        probabilities: p,
        rest: Vec::new(),
        epochs: Vec::new(),
        seen: Vec::new(),
        notes,
    };
    Ok((learned, rows, parts))
}

fn bound_words(bound: AnswerBound, letters: bool) -> &'static str {
    match (bound, letters) {
        (AnswerBound::Probabilities(_), _) => "answers are read by the probabilities of the classes' letters",
        (AnswerBound::Grammar, _) => "answers are bound by a grammar",
        (AnswerBound::Choices, _) => "answers are bound by a list of choices",
        (AnswerBound::Schema, _) => "answers are bound by a JSON schema",
        (AnswerBound::Free, true) => {
            "the server binds answers by nothing and says no probabilities: letters are read from what it writes"
        }
        (AnswerBound::Free, false) => "the server binds answers by nothing: names are read from what it writes",
    }
}

/// Probabilities as the lesson wants them calibrated.
fn calibrated(
    own: &Prompting<'_>,
    asker: &dyn Asker,
    p: Vec<f64>,
    notes: &mut Vec<String>,
    progress: &Progress,
) -> Result<Vec<f64>, TrainError> {
    let k = own.shown.len();
    let varies = matches!(own.asked.examples, Examples::Nearest { .. } | Examples::Diverse { .. });
    match own.asked.calibrated {
        Calibrated::No => Ok(p),
        Calibrated::Batch => Ok(batch(&p, k)),
        Calibrated::Contextual if varies => {
            notes.push("examples differ from question to question, so it is calibrated by the batch".to_owned());
            Ok(batch(&p, k))
        }
        Calibrated::Contextual => {
            let asks = EMPTY.iter().map(|text| own.ask(own.said(&own.same, (*text).to_owned()))).collect();
            let answers = answered(asker, asks, progress)?;
            let free: Vec<Vec<f64>> =
                answers.iter().filter_map(|answer| Some(whole(&letter_logs(&answer.first, k)?, k))).collect();
            if free.is_empty() {
                notes.push("of texts without content it says no letters: its probabilities are as they are".to_owned());
                return Ok(p);
            }
            Ok(contextual(&p, &free, k))
        }
    }
}

/// What was refused and cut, and the tokens.
fn spoken(answers: &[ChoiceAnswer], notes: &mut Vec<String>) {
    let refused: Vec<&str> = answers.iter().map(|answer| answer.refused.as_str()).filter(|why| !why.is_empty()).collect();
    if let Some(first) = refused.first() {
        notes.push(format!("{} were not taken by the server: {first}", count_samples(refused.len())));
    }
    let cut = answers.iter().filter(|answer| answer.end == "length" && answer.written > 1).count();
    if cut > 0 {
        notes.push(format!("{} got an answer that was cut off", count_samples(cut)));
    }
    let (read, written) = answers
        .iter()
        .fold((0u64, 0u64), |sum, answer| (sum.0.saturating_add(answer.read), sum.1.saturating_add(answer.written)));
    if read > 0 {
        notes.push(format!("{} tokens read, {} written", count(read as usize), count(written as usize)));
    }
}

/// The examples of a question: samples and their classes.
type Shown = Vec<(u32, u32)>;

/// What the same examples say without a language model: their vote, and the nearest alone.
fn without_model(parts: &TrainParts, (rows, examples): (&[u32], &[Shown]), notes: &mut Vec<String>) {
    let known: Vec<(u32, &Vec<(u32, u32)>)> = rows
        .iter()
        .zip(examples)
        .filter(|(_, examples)| examples.len() > 1)
        .filter_map(|(row, examples)| Some((parts.of[*row as usize]?.1, examples)))
        .collect();
    let fixed = examples.windows(2).all(|pair| pair[0] == pair[1]);
    if known.is_empty() || fixed && rows.len() > 1 {
        return;
    }
    let (vote, nearest) = known.iter().fold((0, 0), |(vote, nearest), (truth, examples)| {
        let votes = |class: u32| examples.iter().filter(|(_, own)| *own == class).count();
        // Of equals the one that stands nearest, which is last.
        let said = examples.iter().rev().map(|(_, class)| *class).fold(None, |best: Option<u32>, class| match best {
            Some(best) if votes(best) >= votes(class) => Some(best),
            _ => Some(class),
        });
        let last = examples.last().map(|(_, class)| *class);
        (vote + usize::from(said == Some(*truth)), nearest + usize::from(last == Some(*truth)))
    });
    let share = |n: usize| n as f64 / known.len() as f64;
    notes.push(format!(
        "without a language model the vote of the same examples is right {:.3} of the time, the nearest alone {:.3}",
        share(vote),
        share(nearest)
    ));
}

/// Asks the first questions, and says what all of them cost.
pub(super) fn try_questions(
    dataset: &Dataset,
    lesson: &Lesson,
    of: (&str, &PromptAsked),
    (parts, dense): (&TrainParts, Option<&Dense>),
    (asker, now): (&dyn Asker, &dyn Fn() -> f64),
    progress: &Progress,
) -> Result<TriedSteps, TrainError> {
    let mut own = Prompting::new(dataset, lesson, of, (parts, dense))?;
    prompting_bound(&mut own, asker, progress)?;
    let rows = tested(parts, own.asked.most);
    let first: Vec<u32> = rows.iter().copied().take(TRIED).collect();
    let asks = first.iter().map(|row| own.ask(own.said(&own.examples(*row), own.read(*row)))).collect();
    let begun = now();
    let answers = answered(asker, asks, progress)?;
    let each = (now() - begun) / first.len().max(1) as f64;
    let tokens = answers.iter().fold(0u64, |sum, answer| sum.saturating_add(answer.read).saturating_add(answer.written));
    let tokens = tokens.saturating_mul(rows.len() as u64) / first.len().max(1) as u64;
    Ok(TriedSteps { steps: rows.len(), seconds: each * rows.len() as f64, bytes: 0, tokens })
}
