//! What a trainer is handed: rows in a form that it takes whole, what reads them, and a configuration that runs as it is.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use rayon::prelude::*;
use serde_json::{Value as Json, json};

use super::dry_run::{DryRun, dry_run};
use super::forms::{TrainerRows, rows_of};
use super::target::{Trainer, TrainerTarget};
use crate::data::{Dataset, Role, SampleId};
use crate::io::{self, ChatModel, ChatModelOf, IoError, Reading};
use crate::job::{Cancelled, Progress};
use crate::trainers::convert::{as_messages, for_llamafactory};
use crate::trainers::rows::{Reason, RowForm, RowVerdict, TrainerRow};

/// The form that a trainer's rows are written in.
pub fn written_form(form: RowForm, trainer: Trainer) -> RowForm {
    match (form, trainer) {
        (RowForm::OpenAi | RowForm::ShareGpt, Trainer::LlamaFactory) => RowForm::ShareGpt,
        (RowForm::OpenAi | RowForm::ShareGpt | RowForm::Alpaca, Trainer::Trl)
        | (RowForm::OpenAi | RowForm::ShareGpt, Trainer::Axolotl) => RowForm::OpenAi,
        (RowForm::PromptCompletion, Trainer::Axolotl) => RowForm::Alpaca,
        (form, _) => form,
    }
}

/// A sample as it is written, or why it is not: it cannot be held in the trainer's form, or the trainer would leave it out or fail.
///
/// # Errors
/// [`Reason`].
pub fn written_row(
    dataset: &Dataset,
    rows: &TrainerRows,
    target: &TrainerTarget,
    model: &ChatModel,
    id: SampleId,
) -> Result<TrainerRow, Reason> {
    let row = rows.row(dataset, id);
    let own = match (target.trainer, rows.form) {
        (Trainer::LlamaFactory, form) => for_llamafactory(form, &row)?,
        (Trainer::Axolotl, RowForm::Alpaca) => for_llamafactory(RowForm::Alpaca, &row)?,
        (Trainer::Axolotl, RowForm::PromptCompletion) => {
            let of = |name: &str| row.get(name).and_then(Json::as_str).ok_or(Reason::NullText);
            [("instruction", of("prompt")?), ("input", ""), ("output", of("completion")?)]
                .into_iter()
                .map(|(name, text)| (name.to_owned(), Json::String(text.to_owned())))
                .collect()
        }
        (trainer, form) => as_messages(form, &row, trainer == Trainer::Axolotl)?,
    };
    // What is written is what the trainer reads: it is asked once more.
    match target.verdict(model, written_form(rows.form, target.trainer), &own) {
        RowVerdict::Kept { .. } => Ok(own),
        RowVerdict::TooLong { .. } => Err(Reason::TooLong),
        RowVerdict::Dropped(reason) | RowVerdict::Fails(reason, _) => Err(reason),
    }
}

/// A small file that goes with the rows.
pub struct SmallFile {
    pub name: String,
    pub text: String,
}

/// What reads the rows, and a configuration: `files` are those with rows, the one to train on first, each with its part.
pub fn small_files(target: &TrainerTarget, form: RowForm, files: &[(String, String)], run: &DryRun) -> Vec<SmallFile> {
    let form = written_form(form, target.trainer);
    let train = files.first().map_or("", |(_, name)| name.as_str());
    let model = match &target.model {
        ChatModelOf::Folder(path) => path.display().to_string(),
        ChatModelOf::BuiltIn(name) => format!("PATH/TO/{name}"),
    };
    // A text of JSON is one of YAML and of Python, too, whatever stands in a name.
    let (model, train) = (json!(model).to_string(), json!(train).to_string());
    let (model, train) = (model.as_str(), train.as_str());
    let file = |name: &str, text: String| SmallFile { name: name.to_owned(), text };
    match target.trainer {
        Trainer::LlamaFactory => {
            let info: serde_json::Map<String, Json> =
                files.iter().map(|(part, name)| (part.clone(), llamafactory_info(form, name))).collect();
            let text = serde_json::to_string_pretty(&Json::Object(info)).unwrap_or_default() + "\n";
            vec![file("dataset_info.json", text), file("train.yaml", llamafactory_yaml(target, form, files, model, run))]
        }
        Trainer::Axolotl => vec![file("config.yaml", axolotl_yaml(target, form, files, model, run))],
        Trainer::Trl => vec![file("train.py", trl_script(target, train, model))],
    }
}

/// Every column and every tag: what is not named is taken for nothing.
fn llamafactory_info(form: RowForm, name: &str) -> Json {
    match form {
        RowForm::ShareGpt | RowForm::OpenAi => json!({
            "file_name": name, "formatting": "sharegpt",
            "columns": { "messages": "conversations", "system": "system", "tools": "tools" },
            "tags": {
                "role_tag": "from", "content_tag": "value", "user_tag": "human", "assistant_tag": "gpt",
                "observation_tag": "observation", "function_tag": "function_call", "system_tag": "system",
            },
        }),
        RowForm::Alpaca => json!({
            "file_name": name,
            "columns": { "prompt": "instruction", "query": "input", "response": "output", "system": "system", "history": "history" },
        }),
        RowForm::PromptCompletion => json!({ "file_name": name, "columns": { "prompt": "prompt", "response": "completion" } }),
        RowForm::Text => json!({ "file_name": name, "columns": { "prompt": "text" } }),
    }
}

/// Steps and rows of a batch that suit so many rows: at least some hundred steps an epoch where there are as many rows, and an effective batch of at most 32.
fn batch(run: &DryRun) -> usize {
    [32, 16, 8].into_iter().find(|size| run.kept >= size * 100).unwrap_or(4)
}

fn llamafactory_yaml(target: &TrainerTarget, form: RowForm, files: &[(String, String)], model: &str, run: &DryRun) -> String {
    let template = match &target.model {
        ChatModelOf::BuiltIn(name) if name == "qwen2.5" => "qwen",
        ChatModelOf::BuiltIn(name) if name == "qwen3" => "qwen3",
        ChatModelOf::BuiltIn(name) if name == "qwen3-instruct-2507" => "qwen3_nothink",
        _ => "NAME_OF_THE_TEMPLATE",
    };
    let stage = if form == RowForm::Text { "pt" } else { "sft" };
    let dataset = files.first().map_or("train", |(part, _)| part.as_str());
    let mut text = format!(
        "# LLaMA-Factory 0.9.5: llamafactory-cli train train.yaml\n### model\nmodel_name_or_path: {model}\n\n### method\nstage: {stage}\ndo_train: true\nfinetuning_type: lora  # full, or lora; with quantization_bit: 4 it is QLoRA\nlora_rank: 16\nlora_target: all\n\n### data\ndataset_dir: .\ndataset: {dataset}\n"
    );
    if let Some((part, _)) = watched(files) {
        let _ = writeln!(text, "eval_dataset: {part}");
    }
    let _ = write!(
        text,
        "template: {template}\ncutoff_len: {}  # {} of {} rows are longer\n\n### output\noutput_dir: output\nlogging_steps: 10\n\n### train\nper_device_train_batch_size: 1\ngradient_accumulation_steps: {}  # {} rows an epoch\nlearning_rate: 1.0e-4\nnum_train_epochs: 3.0\nlr_scheduler_type: cosine\nwarmup_ratio: 0.1\nbf16: true\n",
        target.length,
        run.cut,
        run.rows(),
        batch(run),
        run.kept
    );
    text
}

/// The part that a run is watched by: never the test part.
fn watched(files: &[(String, String)]) -> Option<&(String, String)> {
    files.iter().find(|(part, _)| ["val", "dev", "eval"].iter().any(|name| part.starts_with(name)))
}

fn axolotl_yaml(target: &TrainerTarget, form: RowForm, files: &[(String, String)], model: &str, run: &DryRun) -> String {
    let read = match form {
        RowForm::OpenAi | RowForm::ShareGpt => {
            "    type: chat_template\n    field_messages: messages\n    message_property_mappings:\n      role: role\n      content: content\n    roles_to_train: [assistant]\n    train_on_eos: turn\n"
        }
        RowForm::Alpaca | RowForm::PromptCompletion => "    type: alpaca\n",
        RowForm::Text => "    type: completion\n",
    };
    let entry = |(_, name): &(String, String)| format!("  - path: {}\n    ds_type: json\n{read}", json!(name));
    // Rows with tools stand in a file of their own, and are learned as the others are.
    let mut train: String = files.iter().filter(|(part, _)| part.starts_with("train")).map(entry).collect();
    if train.is_empty() {
        train = files.first().map(entry).unwrap_or_default();
    }
    let test = watched(files).map_or_else(String::new, |file| format!("test_datasets:\n{}", entry(file)));
    format!(
        "# Axolotl 0.19: axolotl train config.yaml\nbase_model: {model}\nchat_template: tokenizer_default\ndatasets:\n{train}{test}\nsequence_len: {}  # {} rows are longer and were left out of the file\nexcess_length_strategy: raise  # so that none is left out without a word\nsample_packing: false\ntrain_on_inputs: false\n\nadapter: lora  # or qlora with load_in_4bit: true; without it, full\nlora_r: 16\nlora_alpha: 32\nlora_target_linear: true\n\nmicro_batch_size: 1\ngradient_accumulation_steps: {}\nnum_epochs: 3\nlearning_rate: 0.0001\noptimizer: adamw_torch\nlr_scheduler: cosine\nwarmup_ratio: 0.1\nbf16: auto\noutput_dir: ./output\n",
        target.length,
        run.dropped.get(&Reason::TooLong).copied().unwrap_or(0),
        batch(run)
    )
}

fn trl_script(target: &TrainerTarget, train: &str, model: &str) -> String {
    format!(
        "# TRL 1.16: python train.py\nfrom datasets import load_dataset\nfrom peft import LoraConfig\nfrom trl import SFTConfig, SFTTrainer\n\ndataset = load_dataset(\"json\", data_files={train}, split=\"train\")\nargs = SFTConfig(\n    output_dir=\"output\",\n    max_length={},\n    assistant_only_loss={},\n    per_device_train_batch_size=1,\n    gradient_accumulation_steps=16,\n    num_train_epochs=3,\n    learning_rate=1e-4,\n)\n# Without peft_config all weights are trained.\ntrainer = SFTTrainer(model={model}, args=args, train_dataset=dataset, peft_config=LoraConfig(r=16, target_modules=\"all-linear\"))\ntrainer.train()\n",
        target.length,
        if target.answers_only { "True" } else { "False" }
    )
}

/// A part of the split as the name of a file, of a dataset in a comma's list, and in YAML: letters, digits, `-` and `_`.
fn file_part(part: &str) -> String {
    let plain = |letter: char| if letter.is_alphanumeric() || letter == '-' { letter } else { '_' };
    let name: String = part.to_lowercase().chars().map(plain).collect();
    // This name is taken.
    if name == "left_out" { "left_out_".to_owned() } else { name }
}

/// What was written.
#[derive(Debug, Default)]
pub struct Handed {
    /// Each file with rows: its part, its name, and how many.
    pub files: Vec<(String, String, usize)>,
    pub written: usize,
    /// Samples that are in none of them, and why: they stand in a file of their own.
    pub left: BTreeMap<Reason, usize>,
    pub left_file: Option<String>,
    /// Of the rows that were written, read back from the files: how many the trainer learns from.
    pub learned: usize,
    /// The small files.
    pub beside: Vec<String>,
}

/// Why nothing was handed over.
#[derive(Debug, thiserror::Error)]
pub enum HandError {
    #[error("nothing here that a language model learns from: no chats, no instructions, no questions and answers, no text")]
    NoRows,
    #[error("the folder {0} is not empty: files are written into a new or an empty one")]
    NotEmpty(String),
    #[error(transparent)]
    Io(#[from] IoError),
    #[error("cancelled")]
    Cancelled,
}

impl From<Cancelled> for HandError {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}

/// Writes the samples that are not excluded for a trainer into a folder: a file a part of the split (or `train`), what reads them, a configuration; what the trainer cannot take stands in a
/// file of its own with the reason. Then the files are read back and looked at once more.
///
/// # Errors
/// [`HandError`].
pub fn hand_over(
    dataset: &Dataset,
    target: &TrainerTarget,
    model: &ChatModel,
    folder: &Path,
    progress: &Progress,
) -> Result<Handed, HandError> {
    let rows = rows_of(dataset).ok_or(HandError::NoRows)?;
    if !io::entries_of(folder).is_empty() {
        return Err(HandError::NotEmpty(folder.display().to_string()));
    }
    let split = dataset.with_role(|role| role == Role::Split);
    let part_of = |id: SampleId| -> String {
        let part = split.and_then(|field| dataset.text(field, id)).filter(|part| !part.trim().is_empty());
        part.map_or_else(|| "train".to_owned(), |part| file_part(part.trim()))
    };
    let ids: Vec<SampleId> = dataset.samples().filter(|id| !dataset.is_excluded(*id)).collect();
    progress.set_total(ids.len() as u64 * 2);
    let made: Vec<Vec<(SampleId, Result<TrainerRow, Reason>)>> = ids
        .par_chunks(256)
        .map(|part| {
            progress.step(part.len() as u64)?;
            Ok(part.iter().map(|id| (*id, written_row(dataset, &rows, target, model, *id))).collect())
        })
        .collect::<Result<_, Cancelled>>()?;
    let mut parts: BTreeMap<(bool, String), String> = BTreeMap::new();
    let mut counts: BTreeMap<(bool, String), usize> = BTreeMap::new();
    let (mut left, mut handed) = (String::new(), Handed::default());
    for (id, row) in made.into_iter().flatten() {
        match row {
            Ok(row) => {
                let mut part = part_of(id);
                // A column that some rows have is null in the others, and Axolotl fails on it: those have a file of their own.
                if target.trainer == Trainer::Axolotl && row.contains_key("tools") {
                    part.push_str("_tools");
                }
                let key = (!part.starts_with("train"), part);
                let text = parts.entry(key.clone()).or_default();
                text.push_str(&Json::Object(row).to_string());
                text.push('\n');
                *counts.entry(key).or_default() += 1;
                handed.written += 1;
            }
            Err(reason) => {
                *handed.left.entry(reason).or_default() += 1;
                let line =
                    json!({ "sample": id.0, "reason": reason.name(), "why": reason.words(), "row": rows.row(dataset, id) });
                left.push_str(&line.to_string());
                left.push('\n');
            }
        }
    }
    let run = dry_run(dataset, &rows, target, model, &Progress::silent())?;
    for ((_, part), text) in &parts {
        let name = format!("{part}.jsonl");
        io::write_small(&folder.join(&name), text)?;
        handed.files.push((part.clone(), name, counts.get(&(!part.starts_with("train"), part.clone())).copied().unwrap_or(0)));
    }
    if !left.is_empty() {
        io::write_small(&folder.join(LEFT), &left)?;
        handed.left_file = Some(LEFT.to_owned());
    }
    let files: Vec<(String, String)> = handed.files.iter().map(|(part, name, _)| (part.clone(), name.clone())).collect();
    for file in small_files(target, rows.form, &files, &run) {
        io::write_small(&folder.join(&file.name), &file.text)?;
        handed.beside.push(file.name);
    }
    // The proof: what stands in the files, read as anybody would.
    for (_, name) in &files {
        let read = io::open(&folder.join(name), &Reading::default(), &Progress::silent(), &|_| {})?;
        let again = rows_of(&read).ok_or(HandError::NoRows)?;
        let run = dry_run(&read, &again, target, model, &Progress::silent())?;
        progress.step(run.rows() as u64)?;
        handed.learned += if run.is_failing() { 0 } else { run.kept - run.nothing };
    }
    Ok(handed)
}

/// Where what is left out stands.
const LEFT: &str = "left_out.jsonl";
