//! Pairs of a better and a worse answer, and answers that are judged, as trainers read them: TRL 1.16.0 (`DPOTrainer`, `KTOTrainer`, `data_utils.py`), LLaMA-Factory 0.9.5
//! (stages `rm`, `dpo`, `kto`: `data/converter.py`, `data/processor/pairwise.py`, `feedback.py`), Axolotl 0.19.0 (rows already in form: `utils/data/rl.py`).

use serde_json::{Map, Value as Json};

use super::chat_rows::{TrainerModel, tools};
use super::llamafactory::{FactoryEncoder, FactoryOptions, lengths};
use super::llamafactory_rows::{Aligned, ROLE_TAGS, SHARE_TAGS, asked, chat, said, worded};
use super::rows::{Reason, RowForm, RowVerdict, TrainerRow, Versus, text, turns};
use super::{SeenTokens, trl};

/// A question and an answer to it, as tokens.
struct Answered {
    ids: Vec<u32>,
    /// How many of them ask.
    asked: usize,
}

impl Answered {
    /// As it is seen within a limit: what is asked is read, the answer is learned.
    fn seen(self, most: usize) -> SeenTokens {
        let trained = (0..self.ids.len()).map(|at| at >= self.asked).collect();
        SeenTokens { ids: self.ids, trained }.cut(most)
    }
}

fn pair([chosen, rejected]: [Answered; 2], most: usize) -> RowVerdict {
    let (whole, worse) = (chosen.ids.len(), rejected.ids.len());
    RowVerdict::Kept { seen: chosen.seen(most), whole, versus: Versus::Rejected { seen: rejected.seen(most), whole: worse } }
}

/// What is asked, and an answer or two: texts, or lists of turns.
enum Asked<'r> {
    Texts(&'r str, Vec<&'r str>),
    Turns(Vec<Json>, Vec<Vec<Json>>),
}

/// A row's members as texts or as turns.
fn members<'r>(row: &'r TrainerRow, prompt: &str, answers: &[&str]) -> Result<Asked<'r>, RowVerdict> {
    let is_list = |name: &str| matches!(row.get(name), Some(Json::Array(_)));
    if is_list(prompt) && answers.iter().all(|name| is_list(name)) {
        let list = |name: &str| turns(row, name).ok_or(RowVerdict::fails(Reason::NoTurns));
        return Ok(Asked::Turns(list(prompt)?, answers.iter().map(|name| list(name)).collect::<Result<_, _>>()?));
    }
    let own = |name: &str| text(row, name)?.ok_or(RowVerdict::fails(Reason::NullText));
    Ok(Asked::Texts(own(prompt)?, answers.iter().map(|name| own(name)).collect::<Result<_, _>>()?))
}

/// Without a question: what both conversations begin with alike is what is asked (`extract_prompt`).
fn extracted(row: &TrainerRow) -> Result<Asked<'_>, RowVerdict> {
    match (row.get("chosen"), row.get("rejected")) {
        (Some(Json::Array(chosen)), Some(Json::Array(rejected))) => {
            let short = chosen.len().min(rejected.len());
            let at = chosen.iter().zip(rejected).position(|(a, b)| a != b).unwrap_or(short.saturating_sub(1));
            if at == 0 {
                return Err(RowVerdict::fails(Reason::NoTurns));
            }
            Ok(Asked::Turns(chosen[..at].to_vec(), vec![chosen[at..].to_vec(), rejected[at..].to_vec()]))
        }
        (Some(Json::String(chosen)), Some(Json::String(rejected))) => {
            let alike: usize =
                chosen.chars().zip(rejected.chars()).take_while(|(a, b)| a == b).map(|(letter, _)| letter.len_utf8()).sum();
            let short = chosen.len().min(rejected.len());
            // Where one begins as the other is, all but its last letter is asked; a blank before the answers is theirs.
            let mut at =
                if alike < short { alike } else { chosen[..short.min(alike)].char_indices().next_back().map_or(0, |(at, _)| at) };
            if alike < short && chosen[..at].ends_with(' ') {
                at -= 1;
            }
            Ok(Asked::Texts(&chosen[..at], vec![&chosen[at..], &rejected[at..]]))
        }
        (None | Some(Json::Null), _) | (_, None | Some(Json::Null)) => Err(RowVerdict::fails(Reason::NullText)),
        _ => Err(RowVerdict::fails(Reason::NotText)),
    }
}

/// Question and answers as TRL cuts them: what is asked are the tokens that the question and every whole have in common.
fn trl_answered(asked: &Asked<'_>, row: &TrainerRow, model: &TrainerModel<'_>) -> Result<Vec<Answered>, RowVerdict> {
    let (before, wholes) = match asked {
        Asked::Texts(prompt, answers) => {
            let eos = model.eos_text();
            let whole = |answer: &&str| {
                let end = if answer.ends_with(eos) { "" } else { eos };
                model.tokenizer.encode(&format!("{prompt}{answer}{end}"))
            };
            (model.tokenizer.encode(prompt), answers.iter().map(whole).collect::<Vec<_>>())
        }
        Asked::Turns(prompt, answers) => {
            if prompt.is_empty() {
                return Err(RowVerdict::fails(Reason::NoTurns));
            }
            let (none, tools) = (Map::new(), tools(row)?);
            let rendered = |list: &[Json], asks: bool| {
                let conversation = model.conversation(list, tools.as_ref(), &none, asks);
                let text = model.template.render(&conversation);
                text.map(|text| model.tokenizer.encode(&text))
                    .map_err(|error| RowVerdict::Fails(Reason::Template, error.to_string()))
            };
            let whole = |answer: &Vec<Json>| {
                let all: Vec<Json> = prompt.iter().chain(answer).cloned().collect();
                rendered(&all, false)
            };
            (rendered(prompt, true)?, answers.iter().map(whole).collect::<Result<Vec<_>, _>>()?)
        }
    };
    let shared = wholes.iter().map(|whole| trl::shared(&before, whole)).min().unwrap_or(0);
    Ok(wholes.into_iter().map(|ids| Answered { ids, asked: shared }).collect())
}

/// What becomes of a row in TRL's DPO (`max_length` 1,024 unless another is set): left out without a word where the question alone reaches the limit.
pub fn trl_preference(row: &TrainerRow, model: &TrainerModel<'_>, most: usize) -> RowVerdict {
    let learned = || {
        if row.get("conversations").is_some() || row.get("instruction").is_some() {
            return Err(RowVerdict::fails(Reason::OtherForm));
        }
        let own = if row.contains_key("prompt") { members(row, "prompt", &["chosen", "rejected"])? } else { extracted(row)? };
        let both: [Answered; 2] = trl_answered(&own, row, model)?.try_into().map_err(|_| RowVerdict::fails(Reason::OtherForm))?;
        Ok(if both[0].asked >= most {
            RowVerdict::TooLong { whole: both[0].ids.len().max(both[1].ids.len()) }
        } else {
            pair(both, most)
        })
    };
    learned().unwrap_or_else(|verdict: RowVerdict| verdict)
}

/// Whether a value is true as Python takes it.
fn truth(value: &Json) -> bool {
    match value {
        Json::Null => false,
        Json::Bool(on) => *on,
        Json::Number(number) => number.as_f64() != Some(0.0),
        Json::String(text) => !text.is_empty(),
        Json::Array(list) => !list.is_empty(),
        Json::Object(members) => !members.is_empty(),
    }
}

/// What becomes of a row in TRL's KTO: any judgement is taken as Python takes it (the text `false` is true), and none at all fails the run.
pub fn trl_unpaired(row: &TrainerRow, model: &TrainerModel<'_>, most: usize) -> RowVerdict {
    let learned = || {
        let own = members(row, "prompt", &["completion"])?;
        let good = row.get("label").filter(|label| !label.is_null()).ok_or(RowVerdict::fails(Reason::NoJudgement))?;
        let one = trl_answered(&own, row, model)?.pop().ok_or(RowVerdict::fails(Reason::OtherForm))?;
        let whole = one.ids.len();
        if one.asked >= most {
            return Ok(RowVerdict::TooLong { whole });
        }
        Ok(RowVerdict::Kept { seen: one.seen(most), whole, versus: Versus::Judged(truth(good)) })
    };
    learned().unwrap_or_else(|verdict: RowVerdict| verdict)
}

/// What becomes of a row in Axolotl, `rl: dpo` or `kto`, with rows already in form: texts alone; what is empty fails the run, what is too long is left out; then TRL learns.
pub fn axolotl_row(form: RowForm, row: &TrainerRow, model: &TrainerModel<'_>, most: usize) -> RowVerdict {
    let names: &[&str] = if form == RowForm::Preference { &["chosen", "rejected"] } else { &["completion"] };
    let learned = || {
        let filled = |name: &str| match row.get(name) {
            None | Some(Json::Null) => Err(RowVerdict::fails(Reason::NullText)),
            Some(Json::String(text)) if text.is_empty() => Err(RowVerdict::fails(Reason::NoAnswer)),
            Some(Json::String(text)) => Ok(text.as_str()),
            Some(_) => Err(RowVerdict::fails(Reason::NotText)),
        };
        let asked = model.tokenizer.encode(filled("prompt")?).len();
        let longest = names.iter().map(|name| Ok(model.tokenizer.encode(filled(name)?).len())).collect::<Result<Vec<_>, _>>()?;
        let whole = asked + longest.into_iter().max().unwrap_or(0);
        if whole > most {
            return Ok(RowVerdict::TooLong { whole });
        }
        Ok(match form {
            RowForm::Preference => trl_preference(row, model, usize::MAX),
            // A judgement that is missing is nothing, and nothing is bad.
            _ if row.get("label").is_none_or(Json::is_null) => {
                let mut row = row.clone();
                row.insert("label".to_owned(), Json::Bool(false));
                trl_unpaired(&row, model, usize::MAX)
            }
            _ => trl_unpaired(row, model, usize::MAX),
        })
    };
    learned().unwrap_or_else(|verdict: RowVerdict| verdict)
}

/// A question and answers in LLaMA-Factory's form, and whether the first is the good one.
type FactoryAnswers = (Aligned, Vec<String>, Option<bool>);

fn factory_pair(row: &TrainerRow) -> Result<FactoryAnswers, RowVerdict> {
    let member = ["conversations", "messages"].into_iter().find(|name| row.contains_key(*name));
    if let Some(member) = member {
        let tags = if member == "messages" { ROLE_TAGS } else { SHARE_TAGS };
        let own = chat(row, member, &tags, true)?;
        let answer = |name: &str| match row.get(name) {
            Some(Json::Object(turn)) => {
                let known = [tags.assistant, "function_call"];
                let role = turn.get(tags.role).and_then(Json::as_str).unwrap_or_default();
                if !known.contains(&role) {
                    return Err(RowVerdict::Dropped(Reason::UnknownRole));
                }
                turn.get(tags.content).and_then(Json::as_str).map(str::to_owned).ok_or(RowVerdict::fails(Reason::NullText))
            }
            _ => Err(RowVerdict::Dropped(Reason::NoAnswer)),
        };
        return Ok((own, vec![answer("chosen")?, answer("rejected")?], None));
    }
    let names = if row.contains_key("prompt") { ["prompt", ""] } else { ["instruction", "input"] };
    if !row.contains_key(names[0]) {
        return Err(RowVerdict::fails(Reason::OtherForm));
    }
    let own = asked(row, names)?;
    let answer = |name: &str| match row.get(name) {
        Some(Json::String(text)) => Ok(text.clone()),
        _ => Err(RowVerdict::Dropped(Reason::NoAnswer)),
    };
    Ok((own, vec![answer("chosen")?, answer("rejected")?], None))
}

fn factory_judged(row: &TrainerRow) -> Result<FactoryAnswers, RowVerdict> {
    let good = match row.get("label") {
        Some(Json::Bool(good)) => Ok(*good),
        None | Some(Json::Null) => Err(RowVerdict::Dropped(Reason::NoJudgement)),
        Some(_) => Err(RowVerdict::fails(Reason::NoJudgement)),
    };
    let member = ["conversations", "messages"].into_iter().find(|name| row.contains_key(*name));
    let (own, answer) = if let Some(member) = member {
        let tags = if member == "messages" { ROLE_TAGS } else { SHARE_TAGS };
        let mut own = chat(row, member, &tags, false)?;
        let answer = own.said.pop().ok_or(RowVerdict::Dropped(Reason::NoTurns))?;
        (own, answer.content)
    } else {
        let names = if row.contains_key("prompt") { ["prompt", "", "completion"] } else { ["instruction", "input", "output"] };
        let own = asked(row, [names[0], names[1]])?;
        (own, text(row, names[2])?.ok_or(RowVerdict::Dropped(Reason::NoAnswer))?.to_owned())
    };
    // A good answer that is empty is read as a bad one.
    let good = good? && !answer.is_empty();
    Ok((own, vec![answer], Some(good)))
}

/// What becomes of a row in LLaMA-Factory's stages `dpo` and `rm` (pairs) or `kto` (judged answers).
pub fn factory_row(form: RowForm, row: &TrainerRow, encoder: &FactoryEncoder<'_>, options: &FactoryOptions) -> RowVerdict {
    let learned = || {
        let (mut own, answers, good) = if form == RowForm::Preference { factory_pair(row)? } else { factory_judged(row)? };
        worded(&mut own, encoder)?;
        let mut asked = Vec::new();
        let mut tokens = Vec::new();
        for answer in answers {
            let all: Vec<_> = own.said.iter().cloned().chain([said("assistant", &answer)]).collect();
            // One turn is asked for: of what was thought before nothing is left, and only the last answer is given an empty thought.
            let one = FactoryOptions { mask_history: true, ..*options };
            let mut pairs = encoder.pairs(&all, &own.system, &one);
            let (question, mut target) = pairs.pop().ok_or(RowVerdict::Dropped(Reason::NoTurns))?;
            asked = pairs.into_iter().flat_map(|(source, target)| [source, target]).flatten().chain(question).collect();
            if encoder.template.efficient_eos {
                target.extend(encoder.eos);
            }
            tokens.push(target);
        }
        let longest = tokens.iter().map(Vec::len).max().unwrap_or(0);
        let (source_kept, target_kept) = lengths(asked.len(), longest, options.cutoff);
        let mut all = tokens.into_iter().map(|target| {
            let whole = asked.len() + target.len();
            let ids: Vec<u32> = asked[..source_kept].iter().chain(target.iter().take(target_kept)).copied().collect();
            let trained = (0..ids.len()).map(|at| at >= source_kept).collect();
            (SeenTokens { ids, trained }, whole)
        });
        let (seen, whole) = all.next().ok_or(RowVerdict::Dropped(Reason::NoAnswer))?;
        let versus = match (all.next(), good) {
            (Some((seen, whole)), _) => Versus::Rejected { seen, whole },
            (None, Some(good)) => Versus::Judged(good),
            (None, None) => Versus::Nothing,
        };
        Ok(RowVerdict::Kept { seen, whole, versus })
    };
    learned().unwrap_or_else(|verdict: RowVerdict| verdict)
}
