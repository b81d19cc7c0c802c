//! Classes evened out, or weighed.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::Verb;
use crate::cli::Failure;
use crate::cli::arguments::Arguments;
use crate::cli::made::{looks, made, pipeline, risk};
use crate::cli::opened::open;
use crate::cli::options::{ASKS, IMAGES, OUT, OWN_COLUMNS, READING, SAFE};
use crate::cli::said::{Done, note, print_json, say};
use crate::cli::saved::save;
use crate::cli::text_models::text_models;
use crate::data::{Dataset, Role};
use crate::derive::{Likeness, likeness};
use crate::edit::Edit;
use crate::job::Progress;
use crate::learn::probe::ProbeScore;
use crate::operate::{Balance, Means, Operation, Standing, can_probe, standing, tried, worth};
use crate::transform::balance::{BalanceRule, ClassWeights, Over, Under};

/// The command.
pub const VERB: Verb = Verb {
    name: "balance",
    summary: "even out classes: exclude some samples, make more of others, and save all to a new file",
    usage: "PATH --rule RULE [--under HOW] [--over HOW] [--pipeline FILE] [--seed N] -o OUT",
    example: "lapidary balance tickets.csv --rule floor=150 --over augment --pipeline tickets.json -o even.csv",
    options: &[
        &[
            (
                "--rule",
                Some("RULE"),
                "equal, equal=N, floor=N, cap=N, sqrt, weights:CLASS=W,… (the total kept), or CLASS=N,… for counts by hand",
            ),
            ("--label", Some("COL"), "the label column (the first with that role)"),
            ("--under", Some("HOW"), "who goes first: random (usual), redundant, easy"),
            ("--over", Some("HOW"), "more by repeat (usual), augment, smote"),
            ("--pipeline", Some("FILE"), "the pipeline that augments, as JSON"),
            ("--risk", Some("P"), "as with augment (0.3)"),
            ("--weights", Some("HOW"), "change no sample; write class weights as JSON instead: balanced, or effective=BETA"),
            ("--probe", None, "say what macro-F1 a quick probe has before and after, and what to collect"),
            ("--seed", Some("N"), "the seed of chance (42)"),
            OUT,
            OWN_COLUMNS,
            SAFE,
            IMAGES[0],
        ],
        &ASKS,
        &READING,
    ],
    paths: &["the dataset"],
    also: None,
    more: None,
    run: |arguments, out, err| balance(arguments, out, err).map(|()| false),
};

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
fn balance(arguments: &Arguments, out: &mut dyn Write, err: &mut dyn Write) -> Done {
    arguments.need("-o")?;
    let dataset = open(arguments)?.dataset().clone();
    let label = if let Some(name) = arguments.get("--label") {
        name.to_owned()
    } else {
        let field =
            dataset.with_role(Role::is_label).ok_or_else(|| "there is no label column; name one with --label".to_owned())?;
        dataset.fields()[field].name.to_string()
    };
    let standing = standing(&dataset, &label, &Progress::silent()).map_err(say)?;
    if let Some(how) = arguments.get("--weights") {
        crate::io::may_write(&dataset, arguments.need("-o")?.as_ref()).map_err(say)?;
        return weights(arguments, how, &label, &standing, err);
    }
    let best = arguments.get("--rule") == Some("best");
    let mut asked = asked(arguments, label, best)?;
    let models = text_models(arguments, asked.pipeline.as_ref().as_slice(), err)?;
    let means = Means { models, ..Means::default() };
    let probes = best || arguments.has("--probe");
    let alike = if probes { Some(probed_by(&dataset, &means)?) } else { None };
    if let Some(alike) = alike.as_deref().filter(|_| best) {
        choose(&mut asked, &dataset, &standing, alike, err)?;
    }
    let (after, edit) = made(dataset.clone(), &Operation::Balance(asked), &means, err)?;
    if let Some(alike) = alike.as_deref().filter(|_| arguments.has("--probe")) {
        tell_worth(&dataset, &standing, alike, edit.as_ref(), out, err)?;
    }
    save(arguments, &after, err)
}

/// What the options ask for.
fn asked(arguments: &Arguments, label: String, best: bool) -> Result<Balance, Failure> {
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
    if best && over == Over::Augment {
        return Err("--rule best tries repeating and, for numbers, SMOTE; it takes no pipeline".to_owned());
    }
    Ok(Balance {
        label,
        rule: if best { BalanceRule::Equal(0) } else { rule(arguments.need("--rule")?)? },
        under,
        over,
        pipeline: if over == Over::Augment { Some(pipeline(arguments)?) } else { None },
        most_risk: risk(arguments)?,
        seed: arguments.number::<u64>("--seed")?.unwrap_or(42),
    })
}

/// What a probe tells samples apart by.
fn probed_by(dataset: &Dataset, means: &Means<'_>) -> Result<Arc<Likeness>, Failure> {
    let pictures = dataset.pictures().is_some() && crate::transform::text_fields(dataset).is_empty();
    let looks = looks(dataset, pictures, &means.derived)?;
    let looks = looks.as_ref().map(|looks| looks.as_slice());
    let alike = likeness(dataset, looks, &means.derived, &Progress::silent()).map_err(|_| "cancelled".to_owned())?;
    alike.ok_or_else(|| "there is nothing to probe by: no text, no images, no numbers".to_owned())
}

/// Tries rules, tells what each is worth, and asks for the best; where none is better than the samples as they are, for none.
fn choose(
    asked: &mut Balance,
    dataset: &Dataset,
    standing: &Standing,
    alike: &Likeness,
    err: &mut dyn Write,
) -> Result<(), Failure> {
    let list = tried(dataset, asked, standing, alike, &Progress::silent()).map_err(say)?;
    for one in &list {
        let (gain, low, high) = one.gain;
        let over = if one.over == Over::Smote { "smote" } else { "repeat" };
        let (rule, now, then) = (one.rule.words(), one.now, one.then);
        note(err, &format!("{rule} --over {over}: macro-F1 {now:.3} to {then:.3}, {gain:+.3} ({low:+.3} to {high:+.3})"));
    }
    if let Some(first) = list.into_iter().next().filter(|first| first.gain.0 > 0.0) {
        (asked.rule, asked.over) = (first.rule, first.over);
        return Ok(());
    }
    let words = "no rule is better than the samples as they are: nothing is changed (class weights leave every row: --weights)";
    note(err, words);
    asked.rule = BalanceRule::Counts(BTreeMap::new());
    Ok(())
}

/// Says what macro-F1 a probe has before and after, and what to collect.
fn tell_worth(
    dataset: &Dataset,
    standing: &Standing,
    alike: &Likeness,
    edit: Option<&Edit>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Done {
    let more = edit.map_or(0, Edit::makes);
    if !can_probe(dataset.extent() + more, standing.index.names().len()) {
        return Err("there are too many samples and classes for a probe; leave --probe out".to_owned());
    }
    let worth = worth(dataset, standing, alike, edit, 0.9, &Progress::silent()).map_err(|_| "cancelled".to_owned())?;
    if worth.gain.2 < 0.0 {
        let words = "the probe calls this worse than the samples as they are: another rule, or class weights, may serve better";
        note(err, words);
    }
    let names = standing.index.names();
    let needs = worth.needs.iter().zip(names).filter(|(need, _)| need.more.is_some());
    let needs: Map<String, Value> = needs
        .map(|(need, name)| (name.to_string(), json!({"f1": need.f1, "have": need.have, "more_for_0.9": need.more})))
        .collect();
    let score = |score: &ProbeScore| json!({"macro_f1": score.macro_f1, "low": score.low, "high": score.high});
    print_json(
        out,
        &json!({"now": score(&worth.now), "then": score(&worth.then), "gain": worth.gain.0, "gain_low": worth.gain.1,
                "gain_high": worth.gain.2, "collect": needs}),
    )
}

fn weights(arguments: &Arguments, how: &str, label: &str, standing: &Standing, err: &mut dyn Write) -> Done {
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
    let of = how.of(&standing.counts);
    let all: Map<String, Value> = standing
        .index
        .names()
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
