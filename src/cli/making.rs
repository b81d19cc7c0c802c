//! Commands that make samples: augment and balance. The project is left as it is; what comes of it is saved to a new file.

use std::collections::{BTreeMap, HashMap};
use std::io::{IsTerminal as _, Write};
use std::sync::{Arc, OnceLock};

use serde_json::{Map, Value, json};

use super::Failure;
use super::arguments::Arguments;
use super::commands::{Done, note, open, print_json, save, say};
use crate::data::{Dataset, Pipeline, Role};
use crate::derive::{Store, likeness, risk_model};
use crate::edit::Direction;
use crate::io::{AnswerStore, Place, TextModel};
use crate::job::Progress;
use crate::learn::risk::RiskModel;
use crate::pixels::Look;
use crate::transform::Augment;
use crate::transform::balance::{BalanceRule, ClassWeights, Over, Under};
use crate::workspace::{
    Balance, TextModels, augmented, balance_plan, balanced, can_probe, scan_pictures, standing, tried, worth,
};

/// What is left out unless somebody says otherwise.
const RISK: f32 = 0.3;

fn pipeline(arguments: &Arguments) -> Result<Pipeline, Failure> {
    let path = arguments.need("--pipeline")?;
    let text = crate::io::read_small(path.as_ref()).map_err(say)?;
    let mut pipeline = Pipeline::parse(&text).map_err(|error| format!("{path}: {error}"))?;
    if pipeline.name.is_empty() {
        std::path::Path::new(path).file_stem().unwrap_or_default().to_string_lossy().as_ref().clone_into(&mut pipeline.name);
    }
    Ok(pipeline)
}

fn risk(arguments: &Arguments) -> Result<f32, Failure> {
    let most = arguments.number::<f32>("--risk")?.unwrap_or(RISK);
    if (0.0..=1.0).contains(&most) { Ok(most) } else { Err(format!("--risk takes a probability, 0 to 1, not {most}")) }
}

/// What there is to see of every picture, where the pipeline alters pictures.
fn looks(dataset: &Dataset, wanted: bool) -> Result<Option<Arc<Vec<Look>>>, Failure> {
    let Some(field) = dataset.pictures().filter(|_| wanted) else { return Ok(None) };
    Ok(Some(scan_pictures(dataset, field, None, &Progress::silent()).map_err(|_| "cancelled".to_owned())?.looks))
}

fn judge(
    dataset: &Dataset,
    pipeline: &Pipeline,
    most: f32,
    store: &Store,
    err: &mut dyn Write,
) -> Result<Option<Arc<RiskModel>>, Failure> {
    if most >= 1.0 {
        return Ok(None);
    }
    let looks = looks(dataset, pipeline.alters_pictures())?;
    let model = risk_model(dataset, looks.as_ref().map(|looks| looks.as_slice()), store, &Progress::silent())
        .map_err(|_| "cancelled".to_owned())?;
    if model.is_none() {
        note(err, "label risk was not judged: there is no label, or too little to learn from");
    }
    Ok(model)
}

/// The text models that a pipeline's steps name: whatever they call it, the one that the options say.
fn text_models(arguments: &Arguments, pipeline: Option<&Pipeline>, err: &mut dyn Write) -> Result<Arc<TextModels>, Failure> {
    text_models_of(arguments, pipeline.as_slice(), err)
}

/// The same for several pipelines.
pub(super) fn text_models_of(
    arguments: &Arguments,
    pipelines: &[&Pipeline],
    err: &mut dyn Write,
) -> Result<Arc<TextModels>, Failure> {
    let mut names: Vec<&str> = pipelines.iter().flat_map(|pipeline| pipeline.models()).collect();
    names.sort_unstable();
    names.dedup();
    let given = |name: &str| arguments.get(name).unwrap_or_default().to_owned();
    let Some(first) = names.first() else { return Ok(Arc::default()) };
    if !arguments.has("--model") {
        return Err(format!(
            "the pipeline asks the text model {first:?}: say where it is with --endpoint and --model, or with --model DIR"
        ));
    }
    let place = if arguments.has("--endpoint") {
        Place::Address {
            url: given("--endpoint"),
            model: given("--model"),
            key_variable: given("--key-variable"),
            at_once: arguments.number::<u32>("--at-once")?.unwrap_or(2),
            per_minute: arguments.number::<u32>("--per-minute")?.unwrap_or(0),
            allowed: String::new(),
        }
    } else {
        let folder = |name: &str| std::path::PathBuf::from(given(name));
        Place::Folder {
            folder: folder("--model"),
            back: folder("--model-back"),
            prefix: given("--prefix"),
            back_prefix: given("--prefix-back"),
        }
    };
    let mut one = TextModel { name: String::new(), place };
    // Whoever writes an address down in a command has named it, and wants it asked.
    if let (Some(host), Place::Address { allowed, .. }) = (one.sends_to(), &mut one.place) {
        note(err, &format!("texts are sent to {host}"));
        *allowed = host;
    }
    let store = match arguments.get("--answers") {
        Some(path) => Some(AnswerStore::open(path.as_ref()).map_err(|error| format!("--answers {path}: {error}"))?),
        None => None,
    };
    let list = names.iter().map(|name| TextModel { name: (*name).to_owned(), ..one.clone() }).collect();
    Ok(Arc::new(TextModels::new(list, HashMap::new(), store)))
}

/// Progress that is told on a terminal, where a text model takes its time; scripts hear nothing.
fn told(models: &TextModels) -> Progress {
    if models.is_empty() || !std::io::stderr().is_terminal() {
        return Progress::silent();
    }
    let own: Arc<OnceLock<Progress>> = Arc::default();
    let of = Arc::clone(&own);
    let progress = Progress::new(Arc::new(move || {
        let Some(progress) = of.get() else { return };
        let part = progress.fraction().unwrap_or(0.0) * 100.0;
        // A terminal that is gone needs no word.
        let _ = write!(std::io::stderr(), "\r{part:.0} % \r");
    }));
    let _ = own.set(progress.clone());
    progress
}

/// Makes new samples by a pipeline, and saves everything.
pub fn augment(arguments: &Arguments, err: &mut dyn Write) -> Done {
    arguments.need("-o")?;
    let pipeline = pipeline(arguments)?;
    let (copies, most) = (arguments.number::<u32>("--copies")?.unwrap_or(1), risk(arguments)?);
    let seed = arguments.number::<u64>("--seed")?.unwrap_or(42);
    if !(1..=1_000).contains(&copies) {
        return Err(format!("--copies takes a number from 1 to 1000, not {copies}"));
    }
    let models = text_models(arguments, Some(&pipeline), err)?;
    let workspace = open(arguments)?;
    let mut dataset = workspace.dataset().clone();
    let asked = Augment::all(&dataset, pipeline, seed, copies).map_err(say)?;
    let model = judge(&dataset, &asked.pipeline, most, &Store::default(), err)?;
    let done = augmented(&dataset, &asked, model.as_deref(), most, &models, &told(&models)).map_err(say)?;
    if let Some(edit) = &done.edit {
        edit.apply(&mut dataset, Direction::Forward);
    }
    note(err, &format!("{} new samples of {} in the train part", done.made, asked.parents.len()));
    if done.risky > 0 {
        note(err, &format!("{} left out: their label is another with more than {most}", done.risky));
    }
    if done.same > 0 {
        note(err, &format!("{} left out: the pipeline leaves them as they are", done.same));
    }
    save(arguments, &dataset, err)
}

/// Reads `--rule`.
fn rule(text: &str) -> Result<BalanceRule, Failure> {
    let number = |text: &str| text.parse::<u64>().map_err(|_| format!("--rule: {text:?} is no number of samples"));
    if let Some(list) = text.strip_prefix("weights:") {
        let one = |part: &str| {
            let (class, weight) = part.rsplit_once('=')?;
            let weight: f64 = weight.trim().parse().ok().filter(|weight: &f64| weight.is_finite() && *weight >= 0.0)?;
            Some((class.trim().to_owned(), weight))
        };
        let weights = list.split(',').map(|part| one(part).ok_or_else(|| format!("--rule: {part:?} is not CLASS=WEIGHT")));
        return Ok(BalanceRule::Weights(weights.collect::<Result<_, _>>()?));
    }
    match text.split_once('=') {
        None if text == "equal" => Ok(BalanceRule::Equal(0)),
        None if text == "sqrt" => Ok(BalanceRule::SquareRoot),
        None => {
            Err(format!("--rule takes best, equal, equal=N, floor=N, cap=N, sqrt, weights:CLASS=W,… or CLASS=N,…; not {text:?}"))
        }
        Some(("equal", n)) => Ok(BalanceRule::Equal(number(n)?)),
        Some(("floor", n)) => Ok(BalanceRule::Floor(number(n)?)),
        Some(("cap", n)) => Ok(BalanceRule::Cap(number(n)?)),
        Some(_) => {
            let mut counts = BTreeMap::new();
            for part in text.split(',') {
                let (class, n) = part.rsplit_once('=').ok_or_else(|| format!("--rule: {part:?} is not CLASS=N"))?;
                counts.insert(class.trim().to_owned(), number(n.trim())?);
            }
            Ok(BalanceRule::Counts(counts))
        }
    }
}

/// Evens out classes, and saves everything; or writes class weights.
pub fn balance(arguments: &Arguments, out: &mut dyn Write, err: &mut dyn Write) -> Done {
    arguments.need("-o")?;
    let workspace = open(arguments)?;
    let mut dataset = workspace.dataset().clone();
    let label = if let Some(name) = arguments.get("--label") {
        name.to_owned()
    } else {
        let field =
            dataset.with_role(Role::is_label).ok_or_else(|| "there is no label column; name one with --label".to_owned())?;
        dataset.fields()[field].name.to_string()
    };
    let silent = Progress::silent();
    let standing = standing(&dataset, &label, &silent).map_err(say)?;
    if let Some(how) = arguments.get("--weights") {
        crate::io::may_write(&dataset, arguments.need("-o")?.as_ref()).map_err(say)?;
        return weights(arguments, how, &label, &standing.counts, standing.index.names(), err);
    }
    let under = match arguments.get("--under") {
        None | Some("random") => Under::Random,
        Some("redundant") => Under::Redundant,
        Some("easy") => Under::Easy,
        Some(other) => return Err(format!("--under takes random, redundant or easy, not {other:?}")),
    };
    let over = match arguments.get("--over") {
        None | Some("repeat") => Over::Repeat,
        Some("augment") => Over::Augment,
        Some("smote") => Over::Smote,
        Some(other) => return Err(format!("--over takes repeat, augment or smote, not {other:?}")),
    };
    let best = arguments.get("--rule") == Some("best");
    if best && over == Over::Augment {
        return Err("--rule best tries repeating and, for numbers, SMOTE; it takes no pipeline".to_owned());
    }
    let mut asked = Balance {
        label,
        rule: if best { BalanceRule::Equal(0) } else { rule(arguments.need("--rule")?)? },
        under,
        over,
        pipeline: if over == Over::Augment { Some(pipeline(arguments)?) } else { None },
        most_risk: risk(arguments)?,
        seed: arguments.number::<u64>("--seed")?.unwrap_or(42),
    };
    let pictures = dataset.pictures().is_some() && crate::transform::text_fields(&dataset).is_empty();
    let looks = looks(&dataset, pictures)?;
    let store = Store::default();
    let alike =
        likeness(&dataset, looks.as_ref().map(|looks| looks.as_slice()), &store, &silent).map_err(|_| "cancelled".to_owned())?;
    let model = match &asked.pipeline {
        Some(pipeline) => judge(&dataset, pipeline, asked.most_risk, &store, err)?,
        None if under == Under::Easy => risk_model(&dataset, looks.as_ref().map(|looks| looks.as_slice()), &store, &silent)
            .map_err(|_| "cancelled".to_owned())?,
        None => None,
    };
    let models = text_models(arguments, asked.pipeline.as_ref(), err)?;
    if best {
        let alike =
            alike.as_deref().ok_or_else(|| "there is nothing to probe rules by: no text, no images, no numbers".to_owned())?;
        let list = tried(&dataset, &asked, &standing, alike, &silent).map_err(say)?;
        for one in &list {
            let (gain, low, high) = one.gain;
            let over = if one.over == Over::Smote { "smote" } else { "repeat" };
            note(
                err,
                &format!(
                    "{} --over {over}: macro-F1 {:.3} to {:.3}, {gain:+.3} ({low:+.3} to {high:+.3})",
                    one.rule.words(),
                    one.now,
                    one.then
                ),
            );
        }
        match list.into_iter().next().filter(|first| first.gain.0 > 0.0) {
            Some(first) => (asked.rule, asked.over) = (first.rule, first.over),
            None => {
                note(
                    err,
                    "no rule is better than the samples as they are: nothing is changed (class weights leave every row: --weights)",
                );
                asked.rule = BalanceRule::Counts(BTreeMap::new());
            }
        }
    }
    let plan = balance_plan(&dataset, &asked, &standing, alike.as_deref(), model.as_deref(), &silent).map_err(say)?;
    let done = balanced(&dataset, &asked, &plan, alike.as_deref(), model.as_deref(), &models, &told(&models)).map_err(say)?;
    if arguments.has("--probe") {
        if !can_probe(dataset.base.rows + plan.more() as usize, standing.index.names().len()) {
            return Err("there are too many samples and classes for a probe; leave --probe out".to_owned());
        }
        let alike = alike.as_deref().ok_or_else(|| "there is nothing to probe: no text, no images, no numbers".to_owned())?;
        let worth = worth(&dataset, &standing, alike, done.edit.as_ref(), 0.9, &silent).map_err(|_| "cancelled".to_owned())?;
        if worth.gain.2 < 0.0 {
            note(
                err,
                "the probe calls this worse than the samples as they are: another rule, or class weights, may serve better",
            );
        }
        let names = standing.index.names();
        let needs = worth.needs.iter().zip(names).filter(|(need, _)| need.more.is_some());
        let needs: Map<String, Value> = needs
            .map(|(need, name)| (name.to_string(), json!({"f1": need.f1, "have": need.have, "more_for_0.9": need.more})))
            .collect();
        let score =
            |score: &crate::learn::probe::Score| json!({"macro_f1": score.macro_f1, "low": score.low, "high": score.high});
        print_json(
            out,
            &json!({"now": score(&worth.now), "then": score(&worth.then), "gain": worth.gain.0, "gain_low": worth.gain.1,
                    "gain_high": worth.gain.2, "collect": needs}),
        )?;
    }
    if let Some(edit) = &done.edit {
        edit.apply(&mut dataset, Direction::Forward);
    }
    note(err, &format!("classes of {:?}: {} samples excluded, {} new", asked.label, done.gone, done.made));
    done.notes.iter().for_each(|text| note(err, text));
    if done.short > 0 {
        note(
            err,
            &format!(
                "{} that were asked for could not be made: the pipeline leaves them as they are, or is too risky",
                done.short
            ),
        );
    }
    save(arguments, &dataset, err)
}

fn weights(
    arguments: &Arguments,
    how: &str,
    label: &str,
    counts: &[u64],
    names: &[std::sync::Arc<str>],
    err: &mut dyn Write,
) -> Done {
    let how = match how.split_once('=') {
        None if how == "balanced" => ClassWeights::Balanced,
        None if how == "effective" => ClassWeights::Effective(0.999),
        Some(("effective", beta)) => {
            let beta: f64 = beta.parse().map_err(|_| format!("--weights: {beta:?} is no number"))?;
            if !(0.0..1.0).contains(&beta) {
                return Err(format!("--weights: beta lies from 0 to below 1, not {beta}"));
            }
            ClassWeights::Effective(beta)
        }
        _ => return Err(format!("--weights takes balanced or effective=BETA, not {how:?}")),
    };
    let of = how.of(counts);
    let all: Map<String, Value> = names
        .iter()
        .zip(of)
        .filter(|(_, weight)| *weight > 0.0)
        .map(|(name, weight)| (name.to_string(), json!(weight)))
        .collect();
    let path = std::path::PathBuf::from(arguments.need("-o")?);
    let n = all.len();
    crate::io::write_small(&path, &format!("{:#}\n", Value::Object(all))).map_err(say)?;
    note(err, &format!("{}: weights of the {n} classes of {label:?}", path.display()));
    Ok(())
}
