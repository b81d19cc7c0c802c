//! What is written beside the rows for a trainer: what reads them, and a commented configuration that runs as it is.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use super::dry_run::DryRun;
use super::target::{Trainer, TrainerTarget, Tuning};
use super::written::written_form;
use crate::io::{ChatModel, ChatModelOf};
use crate::trainers::rows::{Reason, RowForm};

/// A small file that goes with the rows.
pub struct SmallFile {
    pub name: String,
    pub text: String,
}

/// What a configuration is made of.
struct Made<'m> {
    target: &'m TrainerTarget,
    form: RowForm,
    /// Files with rows, the one to train on first, each with its part.
    files: &'m [(String, String)],
    run: &'m DryRun,
    /// The model and the first file as JSON texts: these are texts of YAML and of Python, too, whatever stands in a name.
    model: String,
    train: String,
    /// What the template writes before questions and before answers.
    heads: (String, String),
}

/// What reads the rows, and a configuration: `files` are those with rows, the one to train on first, each with its part.
pub fn small_files(
    target: &TrainerTarget,
    form: RowForm,
    files: &[(String, String)],
    run: &DryRun,
    model: &ChatModel,
) -> Vec<SmallFile> {
    let heads = model.heads.as_ref().map(|heads| [&heads.question, &heads.answer].map(|ids| model.tokenizer.decode(ids)));
    let [question, answer] = heads.unwrap_or_default();
    let model = match &target.model {
        ChatModelOf::Folder(path) => path.display().to_string(),
        ChatModelOf::BuiltIn(name) => format!("PATH/TO/{name}"),
    };
    let train = files.first().map_or("", |(_, name)| name.as_str());
    let made = Made {
        target,
        form: written_form(form, target.trainer),
        files,
        run,
        model: json!(model).to_string(),
        train: json!(train).to_string(),
        heads: (question, answer),
    };
    let file = |name: &str, text: String| SmallFile { name: name.to_owned(), text };
    // A template of one's own is laid beside: it belongs into the model's folder.
    let own = target.has_template().then(|| file("chat_template.jinja", target.template.clone()));
    let mut all = match target.trainer {
        Trainer::LlamaFactory => {
            let info: serde_json::Map<String, Json> =
                files.iter().map(|(part, name)| (part.clone(), llamafactory_info(made.form, name))).collect();
            let text = serde_json::to_string_pretty(&Json::Object(info)).unwrap_or_default() + "\n";
            vec![file("dataset_info.json", text), file("train.yaml", made.llamafactory())]
        }
        Trainer::Axolotl => vec![file("config.yaml", made.axolotl())],
        Trainer::Trl | Trainer::TrlDpo | Trainer::TrlKto => vec![file("train.py", made.trl())],
        Trainer::Unsloth => vec![file("train.py", made.unsloth())],
        Trainer::MlxLm => vec![file("config.yaml", made.mlx())],
        Trainer::Torchtune => vec![file("config.yaml", made.torchtune())],
        Trainer::OpenAi => vec![file("finetune.py", made.openai())],
    };
    all.extend(own);
    all
}

/// Every column and every tag: what is not named is taken for nothing.
fn llamafactory_info(form: RowForm, name: &str) -> Json {
    let tags = json!({
        "role_tag": "from", "content_tag": "value", "user_tag": "human", "assistant_tag": "gpt",
        "observation_tag": "observation", "function_tag": "function_call", "system_tag": "system",
    });
    let columns = |more: &[(&str, &str)]| {
        let mut columns = json!({ "messages": "conversations", "system": "system", "tools": "tools" });
        more.iter().for_each(|(name, column)| columns[*name] = json!(column));
        columns
    };
    match form {
        RowForm::ShareGpt | RowForm::OpenAi => {
            json!({ "file_name": name, "formatting": "sharegpt", "columns": columns(&[]), "tags": tags })
        }
        RowForm::Preference => {
            let columns = columns(&[("chosen", "chosen"), ("rejected", "rejected")]);
            json!({ "file_name": name, "formatting": "sharegpt", "ranking": true, "columns": columns, "tags": tags })
        }
        RowForm::Unpaired => {
            json!({ "file_name": name, "formatting": "sharegpt", "columns": columns(&[("kto_tag", "label")]), "tags": tags })
        }
        RowForm::Alpaca => json!({
            "file_name": name,
            "columns": { "prompt": "instruction", "query": "input", "response": "output", "system": "system", "history": "history" },
        }),
        RowForm::PromptCompletion => json!({ "file_name": name, "columns": { "prompt": "prompt", "response": "completion" } }),
        RowForm::Text => json!({ "file_name": name, "columns": { "prompt": "text" } }),
    }
}

impl Made<'_> {
    /// The part that a run is watched by: never the test part.
    fn watched(&self) -> Option<&(String, String)> {
        self.files.iter().find(|(part, _)| ["val", "dev", "eval"].iter().any(|name| part.starts_with(name)))
    }

    fn packing(&self) -> String {
        let packed = self.run.packed;
        if packed.sequences == 0 {
            return "they cannot be packed".to_owned();
        }
        format!("{} rows go into {} sequences, {:.0} % full", self.run.kept, packed.sequences, packed.share() * 100.0)
    }

    /// Pairs and judged answers are learned more gently.
    fn rate(&self) -> &'static str {
        match (self.form, self.target.tuning) {
            (RowForm::Preference | RowForm::Unpaired, Tuning::Full) => "5.0e-7",
            (RowForm::Preference | RowForm::Unpaired, _) => "5.0e-6",
            (_, Tuning::Full) => "1.0e-5",
            _ => "1.0e-4",
        }
    }

    fn steps(&self) -> String {
        format!("{} rows an epoch, {} steps in all", self.run.kept, self.run.steps(self.target))
    }

    fn llamafactory(&self) -> String {
        let template = match &self.target.model {
            _ if !self.target.factory.is_empty() => self.target.factory.as_str(),
            ChatModelOf::BuiltIn(name) if name == "qwen2.5" => "qwen",
            ChatModelOf::BuiltIn(name) if name == "qwen3" => "qwen3",
            ChatModelOf::BuiltIn(name) if name == "qwen3-instruct-2507" => "qwen3_nothink",
            _ => "NAME_OF_THE_TEMPLATE",
        };
        let stage = match self.form {
            RowForm::Text => "pt",
            RowForm::Preference => "dpo  # or rm for a reward model\npref_beta: 0.1\npref_loss: sigmoid",
            RowForm::Unpaired => "kto\npref_beta: 0.1",
            _ => "sft",
        };
        let tuning = match self.target.tuning {
            Tuning::Full => "finetuning_type: full\n",
            Tuning::Lora => "finetuning_type: lora\nlora_rank: 16\nlora_target: all\n",
            Tuning::Qlora => {
                "finetuning_type: lora\nlora_rank: 16\nlora_target: all\nquantization_bit: 4\nquantization_method: bnb\n"
            }
        };
        let dataset = self.files.first().map_or("train", |(part, _)| part.as_str());
        let mut text = format!(
            "# LLaMA-Factory 0.9.5: llamafactory-cli train train.yaml\n### model\nmodel_name_or_path: {}\n\n### method\nstage: {stage}\ndo_train: true\n{tuning}\n### data\ndataset_dir: .\ndataset: {dataset}\n",
            self.model
        );
        if let Some((part, _)) = self.watched() {
            let _ = writeln!(text, "eval_dataset: {part}");
        }
        let _ = write!(
            text,
            "template: {template}\ncutoff_len: {}  # {} of {} rows are longer\npacking: {}  # {}\n\n### output\noutput_dir: output\nlogging_steps: 10\n\n### train\nper_device_train_batch_size: 1\ngradient_accumulation_steps: {}  # {}\nlearning_rate: {}\nnum_train_epochs: {}.0\nlr_scheduler_type: cosine\nwarmup_ratio: 0.1\nbf16: true\n",
            self.target.length,
            self.run.cut,
            self.run.rows(),
            self.run.packs(),
            self.packing(),
            self.run.batch(self.target),
            self.steps(),
            self.rate(),
            self.target.epochs,
        );
        text
    }

    fn axolotl(&self) -> String {
        let read = match self.form {
            RowForm::OpenAi | RowForm::ShareGpt => {
                "    type: chat_template\n    field_messages: messages\n    message_property_mappings:\n      role: role\n      content: content\n    roles_to_train: [assistant]\n    train_on_eos: turn\n"
            }
            RowForm::Alpaca | RowForm::PromptCompletion => "    type: alpaca\n",
            RowForm::Text => "    type: completion\n",
            // Rows in form need no type.
            RowForm::Preference | RowForm::Unpaired => "    split: train\n",
        };
        let method = match self.form {
            RowForm::Preference => "rl: dpo\n",
            RowForm::Unpaired => "rl: kto\n",
            _ => "",
        };
        let tuning = match self.target.tuning {
            Tuning::Full => "# All weights are trained: no adapter.\n",
            Tuning::Lora => "adapter: lora\nlora_r: 16\nlora_alpha: 32\nlora_target_linear: true\n",
            Tuning::Qlora => "adapter: qlora\nload_in_4bit: true\nlora_r: 16\nlora_alpha: 32\nlora_target_linear: true\n",
        };
        let template = if self.target.has_template() {
            "chat_template_jinja: ./chat_template.jinja\n"
        } else {
            "chat_template: tokenizer_default\n"
        };
        let entry = |(_, name): &(String, String)| format!("  - path: {}\n    ds_type: json\n{read}", json!(name));
        // Rows with tools stand in a file of their own, and are learned as the others are.
        let mut train: String = self.files.iter().filter(|(part, _)| part.starts_with("train")).map(entry).collect();
        if train.is_empty() {
            train = self.files.first().map(entry).unwrap_or_default();
        }
        let test = self.watched().map_or_else(String::new, |file| format!("test_datasets:\n{}", entry(file)));
        format!(
            "# Axolotl 0.19: axolotl train config.yaml\nbase_model: {}\n{template}{method}datasets:\n{train}{test}\nsequence_len: {}  # {} rows are longer and were left out of the file\nexcess_length_strategy: raise  # so that none is left out without a word\nsample_packing: {}  # {}\ntrain_on_inputs: false\n\n{tuning}\nmicro_batch_size: 1\ngradient_accumulation_steps: {}  # {}\nnum_epochs: {}\nlearning_rate: {}\noptimizer: adamw_torch\nlr_scheduler: cosine\nwarmup_ratio: 0.1\nbf16: auto\noutput_dir: ./output\n",
            self.model,
            self.target.length,
            self.run.dropped.get(&Reason::TooLong).copied().unwrap_or(0),
            self.run.packs(),
            self.packing(),
            self.run.batch(self.target),
            self.steps(),
            self.target.epochs,
            self.rate(),
        )
    }

    fn trl(&self) -> String {
        let (config, trainer) = match self.target.trainer {
            Trainer::TrlDpo => ("DPOConfig", "DPOTrainer"),
            Trainer::TrlKto => ("KTOConfig", "KTOTrainer"),
            _ => ("SFTConfig", "SFTTrainer"),
        };
        let more = if trainer == "SFTTrainer" {
            format!(
                "    assistant_only_loss={},\n    packing={},  # {}\n",
                if self.target.answers_only { "True" } else { "False" },
                if self.run.packs() { "True" } else { "False" },
                self.packing()
            )
        } else {
            "    beta=0.1,\n".to_owned()
        };
        let (imports, made, model, tuned) = match self.target.tuning {
            Tuning::Full => ("", String::new(), self.model.clone(), String::new()),
            Tuning::Lora => (
                "from peft import LoraConfig\n",
                String::new(),
                self.model.clone(),
                ",\n    peft_config=LoraConfig(r=16, lora_alpha=32, target_modules=\"all-linear\", task_type=\"CAUSAL_LM\")".to_owned(),
            ),
            Tuning::Qlora => (
                "import torch\nfrom peft import LoraConfig\nfrom transformers import AutoModelForCausalLM, BitsAndBytesConfig\n",
                format!(
                    "quantized = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type=\"nf4\", bnb_4bit_compute_dtype=torch.bfloat16)\nmodel = AutoModelForCausalLM.from_pretrained({}, quantization_config=quantized)\n",
                    self.model
                ),
                "model".to_owned(),
                ",\n    processing_class=AutoTokenizer.from_pretrained(NAME),\n    peft_config=LoraConfig(r=16, lora_alpha=32, target_modules=\"all-linear\", task_type=\"CAUSAL_LM\")"
                    .replace("NAME", &self.model),
            ),
        };
        let imports = imports.replace("import AutoModelForCausalLM,", "import AutoModelForCausalLM, AutoTokenizer,");
        format!(
            "# TRL 1.16: python train.py\n{imports}from datasets import load_dataset\nfrom trl import {config}, {trainer}\n\ndataset = load_dataset(\"json\", data_files={}, split=\"train\")\n{made}args = {config}(\n    output_dir=\"output\",\n    max_length={},  # {} of {} rows are longer\n{more}    per_device_train_batch_size=1,\n    gradient_accumulation_steps={},  # {}\n    num_train_epochs={},\n    learning_rate={},\n)\ntrainer = {trainer}(\n    model={model},\n    args=args,\n    train_dataset=dataset{tuned},\n)\ntrainer.train()\n",
            self.train,
            self.target.length,
            self.run.cut,
            self.run.rows(),
            self.run.batch(self.target),
            self.steps(),
            self.target.epochs,
            self.rate(),
        )
    }

    fn unsloth(&self) -> String {
        let four = if self.target.tuning == Tuning::Qlora { "True" } else { "False" };
        let full = if self.target.tuning == Tuning::Full { "True" } else { "False" };
        let lora = if self.target.tuning == Tuning::Full {
            ""
        } else {
            "model = FastLanguageModel.get_peft_model(model, r=16, lora_alpha=16, lora_dropout=0)\n"
        };
        let template = match self.form {
            RowForm::OpenAi => {
                "dataset = dataset.map(lambda row: {\"text\": tokenizer.apply_chat_template(row[\"messages\"], tokenize=False)})\n"
            }
            RowForm::PromptCompletion => {
                "dataset = dataset.map(lambda row: {\"text\": row[\"prompt\"] + row[\"completion\"] + tokenizer.eos_token})\n"
            }
            _ => "",
        };
        let only = if self.target.answers_only {
            let (question, answer) = &self.heads;
            format!(
                "trainer = train_on_responses_only(trainer, instruction_part={}, response_part={})\n",
                json!(question),
                json!(answer)
            )
        } else {
            String::new()
        };
        let import = if self.target.answers_only { "from unsloth.chat_templates import train_on_responses_only\n" } else { "" };
        format!(
            "# Unsloth 2026.10: python train.py\nfrom unsloth import FastLanguageModel\n{import}from datasets import load_dataset\nfrom trl import SFTConfig, SFTTrainer\n\nmodel, tokenizer = FastLanguageModel.from_pretrained(\n    {}, max_seq_length={}, load_in_4bit={four}, full_finetuning={full}\n)\n{lora}dataset = load_dataset(\"json\", data_files={}, split=\"train\")\n{template}args = SFTConfig(\n    output_dir=\"output\",\n    dataset_text_field=\"text\",\n    max_length={},  # said here, too: else TRL cuts at 1,024; {} of {} rows are longer\n    per_device_train_batch_size=1,\n    gradient_accumulation_steps={},  # {}\n    num_train_epochs={},\n    learning_rate={},\n)\ntrainer = SFTTrainer(model=model, processing_class=tokenizer, train_dataset=dataset, args=args)\n{only}trainer.train()\n",
            self.model,
            self.target.length,
            self.train,
            self.target.length,
            self.run.cut,
            self.run.rows(),
            self.run.batch(self.target),
            self.steps(),
            self.target.epochs,
            self.rate(),
        )
    }

    fn mlx(&self) -> String {
        let batch = self.target.trainer.entry().batch;
        let iterations = self.run.kept / batch * self.target.epochs as usize;
        let kind = match self.target.tuning {
            Tuning::Full => "full",
            Tuning::Lora | Tuning::Qlora => "lora",
        };
        let four = if self.target.tuning == Tuning::Qlora {
            "# QLoRA: convert the model first, mlx_lm.convert --hf-path MODEL -q, and name the result.\n"
        } else {
            ""
        };
        format!(
            "# mlx-lm 0.32: mlx_lm.lora --config config.yaml\n{four}model: {}\ntrain: true\ndata: .  # train.jsonl, valid.jsonl, test.jsonl\nfine_tune_type: {kind}\nmask_prompt: {}\nmax_seq_length: {}  # {} of {} rows are longer\nbatch_size: {batch}  # {} rows at the end of the file fill none, and are never seen\niters: {iterations}  # {} epochs\nlearning_rate: {}\nadapter_path: output\n",
            self.model,
            self.target.answers_only,
            self.target.length,
            self.run.cut,
            self.run.rows(),
            self.run.unseen.len(),
            self.target.epochs,
            self.rate(),
        )
    }

    fn torchtune(&self) -> String {
        let (component, more) = match self.form {
            RowForm::Preference => ("preference_dataset", "  train_on_input: false\n"),
            RowForm::Alpaca => ("alpaca_dataset", "  train_on_input: false\n"),
            RowForm::PromptCompletion => {
                ("instruct_dataset", "  column_map:\n    input: prompt\n    output: completion\n  train_on_input: false\n")
            }
            _ => ("chat_dataset", "  conversation_column: messages\n  conversation_style: openai\n  train_on_input: false\n"),
        };
        let recipe = match (self.form, self.target.tuning) {
            (RowForm::Preference, _) => "lora_dpo_single_device",
            (_, Tuning::Full) => "full_finetune_single_device",
            _ => "lora_finetune_single_device",
        };
        let four = if self.target.tuning == Tuning::Qlora {
            "# QLoRA: take the recipe's qlora configuration, whose model quantizes its base.\n"
        } else {
            ""
        };
        format!(
            "# torchtune 0.6: tune run {recipe} --config CONFIG.yaml, with these lines in place of its own\n{four}# model: {}\ntokenizer:\n  _component_: torchtune.models.qwen2_5.qwen2_5_tokenizer\n  path: PATH/TO/vocab.json\n  merges_file: PATH/TO/merges.txt\n  max_seq_len: {}  # {} of {} rows are longer\ndataset:\n  _component_: torchtune.datasets.{component}\n  source: json\n  data_files: {}\n  split: train\n{more}epochs: {}\nbatch_size: 1\ngradient_accumulation_steps: {}  # {}\noptimizer:\n  lr: {}\n",
            self.model,
            self.target.length,
            self.run.cut,
            self.run.rows(),
            self.train,
            self.target.epochs,
            self.run.batch(self.target),
            self.steps(),
            self.rate(),
        )
    }

    fn openai(&self) -> String {
        let method = match self.form {
            RowForm::Preference => "{\"type\": \"dpo\", \"dpo\": {\"hyperparameters\": {\"beta\": 0.1, \"n_epochs\": N}}}",
            _ => "{\"type\": \"supervised\", \"supervised\": {\"hyperparameters\": {\"n_epochs\": N}}}",
        }
        .replace('N', &self.target.epochs.to_string());
        let watched = self.watched().map_or_else(String::new, |(_, name)| {
            format!("watched = client.files.create(file=open({}, \"rb\"), purpose=\"fine-tune\")\n", json!(name))
        });
        let validation = if watched.is_empty() { "" } else { "    validation_file=watched.id,\n" };
        format!(
            "# OpenAI: python finetune.py sends the rows to OpenAI, and costs what about {} tokens cost.\nfrom openai import OpenAI\n\nclient = OpenAI()\nrows = client.files.create(file=open({}, \"rb\"), purpose=\"fine-tune\")\n{watched}job = client.fine_tuning.jobs.create(\n    model=\"NAME_OF_THE_MODEL\",\n    training_file=rows.id,\n{validation}    method={method},\n)\nprint(job.id)\n",
            self.run.tokens * u64::from(self.target.epochs),
            self.train,
        )
    }
}
