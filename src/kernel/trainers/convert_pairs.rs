//! Pairs and judged answers from one form into another's: total where the other can hold them.

use serde_json::{Map, Value as Json, json};

use super::convert::{Converted, for_llamafactory, message, tools_list};
use super::rows::{Reason, RowForm, TrainerRow, turns};

/// What is asked, and an answer or two: texts, or turns.
enum Own {
    Texts(String, Vec<String>),
    Turns(Vec<Json>, Vec<Vec<Json>>),
}

/// A judgement in any of the ways that people write one; `None` where it is none.
pub fn judged(value: &Json) -> Option<bool> {
    match value {
        Json::Bool(good) => Some(*good),
        Json::Number(number) => match number.as_f64() {
            Some(1.0) => Some(true),
            Some(0.0 | -1.0) => Some(false),
            _ => None,
        },
        Json::String(text) => match text.trim().to_lowercase().as_str() {
            "true" | "yes" | "1" | "good" | "desirable" | "chosen" | "up" => Some(true),
            "false" | "no" | "0" | "-1" | "bad" | "undesirable" | "rejected" | "down" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn one_text(row: &TrainerRow, name: &str) -> Result<String, Reason> {
    match row.get(name) {
        None | Some(Json::Null) => Err(Reason::NullText),
        Some(Json::String(text)) => Ok(text.clone()),
        Some(_) => Err(Reason::NotText),
    }
}

fn messages(list: &[Json], strings: bool) -> Result<Vec<Json>, Reason> {
    list.iter().map(|turn| message(turn, strings)).collect()
}

/// An answer as turns: one turn, or a list of them.
fn answer(row: &TrainerRow, name: &str, strings: bool) -> Result<Vec<Json>, Reason> {
    match row.get(name) {
        Some(Json::Array(list)) if !list.is_empty() => messages(list, strings),
        Some(turn @ Json::Object(_)) => Ok(vec![message(turn, strings)?]),
        Some(Json::String(text)) => Ok(vec![json!({ "role": "assistant", "content": text })]),
        None | Some(Json::Null) => Err(Reason::NoAnswer),
        Some(_) => Err(Reason::NotText),
    }
}

fn own(form: RowForm, row: &TrainerRow, strings: bool) -> Result<Own, Reason> {
    let names: &[&str] = if form == RowForm::Preference { &["chosen", "rejected"] } else { &["completion"] };
    let system = row.get("system").and_then(Json::as_str).filter(|text| !text.is_empty());
    let before = || system.map(|text| json!({ "role": "system", "content": text }));
    if let Some(member) = ["conversations", "messages"].into_iter().find(|name| row.contains_key(*name)) {
        let mut list: Vec<Json> = before().into_iter().collect();
        list.extend(messages(&turns(row, member).ok_or(Reason::NoTurns)?, strings)?);
        if form == RowForm::Unpaired {
            let last = list.pop().filter(|turn| turn["role"] == "assistant").ok_or(Reason::EndsWithQuestion)?;
            return if list.is_empty() { Err(Reason::NoTurns) } else { Ok(Own::Turns(list, vec![vec![last]])) };
        }
        let answers = names.iter().map(|name| answer(row, name, strings)).collect::<Result<_, _>>()?;
        return Ok(Own::Turns(list, answers));
    }
    // OpenAI's: what is asked stands within, and each answer is a list.
    if let Some(asked) = row.get("input").and_then(|input| input.get("messages")).and_then(Json::as_array) {
        let answers = ["preferred_output", "non_preferred_output"].iter().map(|name| answer(row, name, strings));
        return Ok(Own::Turns(messages(asked, strings)?, answers.collect::<Result<_, _>>()?));
    }
    if matches!(row.get("prompt"), Some(Json::Array(_))) {
        let list = messages(&turns(row, "prompt").unwrap_or_default(), strings)?;
        let answers = names.iter().map(|name| answer(row, name, strings)).collect::<Result<_, _>>()?;
        return if list.is_empty() { Err(Reason::NoTurns) } else { Ok(Own::Turns(list, answers)) };
    }
    if let (false, Some(Json::Array(chosen)), Some(Json::Array(rejected))) =
        (row.contains_key("prompt") || row.contains_key("instruction"), row.get("chosen"), row.get("rejected"))
    {
        let short = chosen.len().min(rejected.len());
        let at = chosen.iter().zip(rejected).position(|(a, b)| a != b).unwrap_or(short.saturating_sub(1));
        if at == 0 {
            return Err(Reason::NoTurns);
        }
        let answers = vec![messages(&chosen[at..], strings)?, messages(&rejected[at..], strings)?];
        return Ok(Own::Turns(messages(&chosen[..at], strings)?, answers));
    }
    let asked = if row.contains_key("prompt") {
        one_text(row, "prompt")?
    } else {
        let parts = ["instruction", "input"].map(|name| row.get(name).and_then(Json::as_str).unwrap_or_default());
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        if parts.is_empty() {
            return Err(Reason::NullText);
        }
        parts.join("\n")
    };
    let name = |name: &&str| if *name == "completion" && !row.contains_key("completion") { "output" } else { *name }.to_owned();
    let answers: Vec<String> = names.iter().map(|given| one_text(row, &name(given))).collect::<Result<_, _>>()?;
    let history = row.get("history").and_then(Json::as_array).filter(|list| !list.is_empty());
    if system.is_none() && history.is_none() {
        return Ok(Own::Texts(asked, answers));
    }
    let mut list: Vec<Json> = before().into_iter().collect();
    for pair in history.into_iter().flatten() {
        let (Some(asked), Some(answered)) = (pair[0].as_str(), pair[1].as_str()) else { return Err(Reason::BrokenHistory) };
        list.extend([json!({ "role": "user", "content": asked }), json!({ "role": "assistant", "content": answered })]);
    }
    list.push(json!({ "role": "user", "content": asked }));
    Ok(Own::Turns(list, answers.into_iter().map(|text| vec![json!({ "role": "assistant", "content": text })]).collect()))
}

fn judgement(row: &TrainerRow) -> Result<Json, Reason> {
    row.get("label").and_then(judged).map(Json::Bool).ok_or(Reason::NoJudgement)
}

/// As TRL takes it: `prompt`, `chosen`, `rejected`, or `prompt`, `completion`, `label`, each texts or lists of turns; `texts` says that only texts can be held.
///
/// # Errors
/// [`Reason`].
pub fn pair_for_trl(form: RowForm, row: &TrainerRow, texts: bool) -> Converted {
    let mut out = Map::new();
    let names: &[&str] = if form == RowForm::Preference { &["chosen", "rejected"] } else { &["completion"] };
    match own(form, row, false)? {
        Own::Texts(asked, answers) => {
            out.insert("prompt".to_owned(), asked.into());
            names.iter().zip(answers).for_each(|(name, text)| drop(out.insert((*name).to_owned(), text.into())));
        }
        Own::Turns(..) if texts => return Err(Reason::OtherForm),
        Own::Turns(asked, answers) => {
            out.insert("prompt".to_owned(), asked.into());
            names.iter().zip(answers).for_each(|(name, list)| drop(out.insert((*name).to_owned(), list.into())));
        }
    }
    if form == RowForm::Unpaired {
        out.insert("label".to_owned(), judgement(row)?);
    }
    if let Some(tools) = tools_list(row)? {
        out.insert("tools".to_owned(), tools);
    }
    Ok(out)
}

/// As torchtune takes it: two whole conversations.
///
/// # Errors
/// [`Reason`].
pub fn pair_whole(row: &TrainerRow) -> Converted {
    let Own::Turns(asked, answers) = turned(own(RowForm::Preference, row, false)?) else { return Err(Reason::OtherForm) };
    let mut out = Map::new();
    for (name, answer) in ["chosen", "rejected"].into_iter().zip(answers) {
        out.insert(name.to_owned(), asked.iter().cloned().chain(answer).collect());
    }
    Ok(out)
}

/// As `OpenAI` takes it: `input`, `preferred_output`, `non_preferred_output`.
///
/// # Errors
/// [`Reason`].
pub fn pair_for_openai(row: &TrainerRow) -> Converted {
    let Own::Turns(asked, answers) = turned(own(RowForm::Preference, row, true)?) else { return Err(Reason::OtherForm) };
    let mut input = Map::new();
    input.insert("messages".to_owned(), asked.into());
    if let Some(tools) = tools_list(row)? {
        input.insert("tools".to_owned(), tools);
    }
    let mut out = Map::new();
    out.insert("input".to_owned(), input.into());
    for (name, answer) in ["preferred_output", "non_preferred_output"].into_iter().zip(answers) {
        out.insert(name.to_owned(), answer.into());
    }
    Ok(out)
}

/// Texts as turns.
fn turned(own: Own) -> Own {
    match own {
        Own::Texts(asked, answers) => Own::Turns(
            vec![json!({ "role": "user", "content": asked })],
            answers.into_iter().map(|text| vec![json!({ "role": "assistant", "content": text })]).collect(),
        ),
        turns @ Own::Turns(..) => turns,
    }
}

/// As LLaMA-Factory takes it: a `ShareGPT` chat up to the question with `chosen` and `rejected`, or a whole one with `label`.
///
/// # Errors
/// [`Reason`].
pub fn pair_for_llamafactory(form: RowForm, row: &TrainerRow) -> Converted {
    let Own::Turns(asked, answers) = turned(own(form, row, false)?) else { return Err(Reason::OtherForm) };
    let mut out = Map::new();
    for (at, answer) in answers.into_iter().enumerate() {
        if answer.len() != 1 {
            return Err(Reason::OtherForm);
        }
        let mut whole = Map::new();
        whole.insert("messages".to_owned(), asked.iter().chain(&answer).cloned().collect());
        if let Some(tools) = tools_list(row)? {
            whole.insert("tools".to_owned(), tools);
        }
        let mut own = for_llamafactory(RowForm::OpenAi, &whole)?;
        if form == RowForm::Unpaired {
            own.insert("label".to_owned(), judgement(row)?);
            return Ok(own);
        }
        let turn = own.get_mut("conversations").and_then(Json::as_array_mut).and_then(Vec::pop).ok_or(Reason::NoTurns)?;
        if at == 0 {
            out = own;
        }
        out.insert(if at == 0 { "chosen" } else { "rejected" }.to_owned(), turn);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(json: Json) -> TrainerRow {
        json.as_object().unwrap().clone()
    }

    #[test]
    fn pairs_go_there_and_back() {
        let texts = row(json!({ "prompt": "2+2?", "chosen": "4", "rejected": "5" }));
        assert_eq!(pair_for_trl(RowForm::Preference, &texts, true).unwrap(), texts);
        let there = pair_for_llamafactory(RowForm::Preference, &texts).unwrap();
        assert_eq!(there["chosen"], json!({ "from": "gpt", "value": "4" }));
        assert_eq!(there["conversations"], json!([{ "from": "human", "value": "2+2?" }]));
        let back = pair_for_trl(RowForm::Preference, &there, false).unwrap();
        assert_eq!(back["prompt"], json!([{ "role": "user", "content": "2+2?" }]));
        assert_eq!(back["rejected"], json!([{ "role": "assistant", "content": "5" }]));
        assert_eq!(pair_for_trl(RowForm::Preference, &there, true).unwrap_err(), Reason::OtherForm);
        // Conversations that begin alike are a question and two answers; an instruction is asked with its input.
        let begun = |answer: &str| json!([{ "role": "user", "content": "Hi" }, { "role": "assistant", "content": answer }]);
        let own =
            pair_for_trl(RowForm::Preference, &row(json!({ "chosen": begun("a"), "rejected": begun("b") })), false).unwrap();
        assert_eq!((&own["prompt"], &own["chosen"]), (&json!([begun("a")[0]]), &json!([begun("a")[1]])));
        let own = row(json!({ "instruction": "Add", "input": "2, 2", "chosen": "4", "rejected": "5" }));
        assert_eq!(pair_for_trl(RowForm::Preference, &own, true).unwrap()["prompt"], "Add\n2, 2");
    }

    #[test]
    fn judgements_are_read_and_never_guessed() {
        for (value, good) in
            [(json!(true), Some(true)), (json!("false"), Some(false)), (json!(0), Some(false)), (json!(1.0), Some(true))]
        {
            assert_eq!(judged(&value), good, "{value}");
        }
        for value in [json!(null), json!("maybe"), json!(0.5), json!([])] {
            assert_eq!(judged(&value), None, "{value}");
        }
        let own = row(
            json!({ "messages": [{ "role": "user", "content": "a" }, { "role": "assistant", "content": "b" }], "label": "false" }),
        );
        let there = pair_for_llamafactory(RowForm::Unpaired, &own).unwrap();
        assert_eq!((&there["label"], &there["conversations"][1]["value"]), (&json!(false), &json!("b")));
        let asked = row(json!({ "messages": [{ "role": "user", "content": "a" }], "label": true }));
        assert_eq!(pair_for_trl(RowForm::Unpaired, &asked, false).unwrap_err(), Reason::EndsWithQuestion);
    }
}
