//! For whom: a trainer, a model, a limit.

use serde::{Deserialize, Serialize};

use crate::io::{ChatModel, ChatModelError, ChatModelOf, open_chat_model};
use crate::render::RenderTime;
use crate::trainers::chat_rows::{TrainerModel, axolotl_row, trl_row};
use crate::trainers::packing::{PackWay, RowPacking};
use crate::trainers::rows::{Reason, RowForm, RowVerdict, TrainerRow};
use crate::trainers::{axolotl, llamafactory, llamafactory_rows, mlx, openai, pairs, torchtune, trl, unsloth};

/// A trainer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Trainer {
    #[default]
    LlamaFactory,
    Trl,
    TrlDpo,
    TrlKto,
    Axolotl,
    Unsloth,
    MlxLm,
    Torchtune,
    OpenAi,
}

/// A trainer, and what is said of it.
pub struct TrainerEntry {
    pub trainer: Trainer,
    /// Its name on the command line.
    pub name: &'static str,
    /// On screen, with the version whose rules are followed.
    pub title: &'static str,
    /// What its limit is called, and where it stands unless somebody moves it.
    pub limit: &'static str,
    pub usual: usize,
    /// What it does with what is too long, in words.
    pub too_long: &'static str,
    /// Forms that it reads, the first that a dataset has is taken.
    pub reads: &'static [RowForm],
    /// How it packs rows into sequences, where it is asked to and can.
    pub packing: Option<RowPacking>,
    /// What its switch for learning answers only does, where it has one.
    pub answers_only: Option<&'static str>,
    /// The model that it always reads with, of those built in; `None` where one chooses.
    pub model: Option<&'static str>,
    /// Rows that do not fill a batch of so many are never seen; 1 where that does not matter.
    pub batch: usize,
    /// The fewest rows that it takes.
    pub fewest: usize,
    /// Whether it renders chats by the model's own template.
    pub templated: bool,
    row: fn(&TrainerTarget, &ChatModel, RowForm, &TrainerRow) -> RowVerdict,
}

const PAIRS: [RowForm; 2] = [RowForm::Preference, RowForm::Unpaired];

/// What most entries are.
const USUAL: TrainerEntry = TrainerEntry {
    trainer: Trainer::LlamaFactory,
    name: "",
    title: "",
    limit: "max_length",
    usual: 2_048,
    too_long: "the end is cut off",
    reads: &[],
    packing: None,
    answers_only: None,
    model: None,
    batch: 1,
    fewest: 1,
    templated: true,
    row: |_, _, _, _| RowVerdict::fails(Reason::OtherForm),
};

/// Every trainer. To add one is a file of its rules among the kernel's trainers, and its entry here.
pub static TRAINERS: [TrainerEntry; 9] = [
    TrainerEntry {
        trainer: Trainer::LlamaFactory,
        name: "llamafactory",
        title: "LLaMA-Factory 0.9.5",
        limit: "cutoff_len",
        too_long: "question and answer are cut by their ratio, and turns beyond are left out",
        reads: &[
            RowForm::Preference,
            RowForm::Unpaired,
            RowForm::OpenAi,
            RowForm::ShareGpt,
            RowForm::Alpaca,
            RowForm::PromptCompletion,
            RowForm::Text,
        ],
        packing: Some(RowPacking { way: PackWay::FirstFit, rows: 1_000, kept_free: 1 }),
        templated: false,
        row: |target, model, form, row| {
            let Some(template) = llamafactory::template(&target.factory).or(model.llamafactory) else {
                let why = "which of LLaMA-Factory's templates is this model's is not known: choose one";
                return RowVerdict::Fails(Reason::Template, why.to_owned());
            };
            // Where the template says what ends an answer, that is the tokenizer's end from then on.
            let eos = template.stop.and_then(|stop| model.tokenizer.id_of(stop)).or(model.eos);
            let encoder = llamafactory::FactoryEncoder { template, tokenizer: &model.tokenizer, bos: model.bos, eos };
            let options = llamafactory::FactoryOptions { cutoff: target.length, ..llamafactory::FactoryOptions::default() };
            match form {
                RowForm::Preference | RowForm::Unpaired => pairs::factory_row(form, row, &encoder, &options),
                form => llamafactory_rows::row(form, row, &encoder, &options),
            }
        },
        ..USUAL
    },
    TrainerEntry {
        trainer: Trainer::Trl,
        name: "trl",
        title: "TRL 1.16 SFT",
        usual: 1_024,
        reads: &[RowForm::OpenAi, RowForm::ShareGpt, RowForm::PromptCompletion, RowForm::Text],
        packing: Some(RowPacking { way: PackWay::BestFit, rows: 1_000, kept_free: 0 }),
        answers_only: Some(
            "assistant_only_loss: the chat template must say what is generated, or TRL must have one of its own for it",
        ),
        row: |target, model, form, row| {
            let options =
                trl::TrlOptions { max_length: target.length, assistant_only: target.answers_only, ..trl::TrlOptions::default() };
            trl_row(form, row, &of(model, target), &options)
        },
        ..USUAL
    },
    TrainerEntry {
        trainer: Trainer::TrlDpo,
        name: "trl-dpo",
        title: "TRL 1.16 DPO",
        usual: 1_024,
        too_long: "both answers are cut at the limit, and a pair whose question alone reaches it is left out",
        reads: &[RowForm::Preference],
        row: |target, model, form, row| match form {
            RowForm::Preference => pairs::trl_preference(row, &of(model, target), target.length),
            _ => RowVerdict::fails(Reason::OtherForm),
        },
        ..USUAL
    },
    TrainerEntry {
        trainer: Trainer::TrlKto,
        name: "trl-kto",
        title: "TRL 1.16 KTO",
        usual: 1_024,
        too_long: "the answer is cut at the limit, and a row whose question alone reaches it is left out",
        reads: &[RowForm::Unpaired, RowForm::Preference],
        row: |target, model, form, row| match form {
            // A pair becomes a good answer and a bad one.
            RowForm::Preference => pairs::trl_preference(row, &of(model, target), target.length),
            RowForm::Unpaired => pairs::trl_unpaired(row, &of(model, target), target.length),
            _ => RowVerdict::fails(Reason::OtherForm),
        },
        ..USUAL
    },
    TrainerEntry {
        trainer: Trainer::Axolotl,
        name: "axolotl",
        title: "Axolotl 0.19",
        limit: "sequence_len",
        too_long: "the row is left out",
        reads: &[RowForm::Preference, RowForm::Unpaired, RowForm::OpenAi, RowForm::ShareGpt, RowForm::Alpaca, RowForm::Text],
        packing: Some(RowPacking { way: PackWay::FirstFit, rows: 100_000, kept_free: 0 }),
        row: |target, model, form, row| {
            if PAIRS.contains(&form) {
                return pairs::axolotl_row(form, row, &of(model, target), target.length);
            }
            let options = axolotl::AxolotlOptions { sequence_len: target.length, ..axolotl::AxolotlOptions::default() };
            axolotl_row(form, row, &of(model, target), &options)
        },
        ..USUAL
    },
    TrainerEntry {
        trainer: Trainer::Unsloth,
        name: "unsloth",
        title: "Unsloth 2026.10",
        limit: "max_seq_length",
        reads: &[RowForm::OpenAi, RowForm::ShareGpt, RowForm::PromptCompletion, RowForm::Text],
        answers_only: Some("train_on_responses_only: what stands between the mark of an answer and its end"),
        row: |target, model, form, row| {
            let options = unsloth::UnslothOptions {
                max_length: target.length,
                responses_only: target.answers_only,
                ..unsloth::UnslothOptions::default()
            };
            unsloth::unsloth_row(form, row, &of(model, target), model.heads.as_ref(), &options)
        },
        ..USUAL
    },
    TrainerEntry {
        trainer: Trainer::MlxLm,
        name: "mlx-lm",
        title: "mlx-lm 0.32",
        limit: "max_seq_length",
        reads: &[RowForm::OpenAi, RowForm::PromptCompletion, RowForm::Text],
        answers_only: Some("mask_prompt: only the last turn is learned"),
        batch: 4,
        row: |target, model, form, row| {
            let options = mlx::MlxOptions { max_seq_length: target.length, mask_prompt: target.answers_only };
            mlx::mlx_row(form, row, &of(model, target), &options)
        },
        ..USUAL
    },
    TrainerEntry {
        trainer: Trainer::Torchtune,
        name: "torchtune",
        title: "torchtune 0.6",
        limit: "max_seq_len",
        too_long: "the end is cut off, and the last token is replaced by an end",
        reads: &[RowForm::Preference, RowForm::OpenAi, RowForm::ShareGpt, RowForm::Alpaca, RowForm::PromptCompletion],
        templated: false,
        row: |target, model, form, row| torchtune::torchtune_row(form, row, &of(model, target), target.length),
        ..USUAL
    },
    TrainerEntry {
        trainer: Trainer::OpenAi,
        name: "openai",
        title: "OpenAI fine-tuning",
        limit: "tokens a line",
        usual: 65_536,
        reads: &[RowForm::Preference, RowForm::OpenAi],
        model: Some("o200k"),
        templated: false,
        fewest: openai::FEWEST,
        row: |target, model, form, row| openai::openai_row(form, row, &model.tokenizer, target.length),
        ..USUAL
    },
];

fn of<'m>(model: &'m ChatModel, target: &TrainerTarget) -> TrainerModel<'m> {
    TrainerModel {
        template: &model.template,
        marking: model.marking.as_ref(),
        tokenizer: &model.tokenizer,
        tokens: &model.tokens,
        eos: model.eos,
        now: target.now(),
    }
}

impl Trainer {
    /// Its entry.
    pub fn entry(self) -> &'static TrainerEntry {
        // Every trainer has its entry: they are listed in the order of their names here.
        &TRAINERS[self as usize]
    }

    /// The trainer of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        TRAINERS.iter().find(|entry| entry.name == name).map(|entry| entry.trainer)
    }
}

/// How much of a model is trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Tuning {
    /// All of its weights.
    Full,
    /// Small matrices beside them.
    #[default]
    Lora,
    /// The same, with its weights in four bits.
    Qlora,
}

impl Tuning {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Full, Self::Lora, Self::Qlora];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Lora => "lora",
            Self::Qlora => "qlora",
        }
    }

    /// On screen.
    pub fn title(self) -> &'static str {
        match self {
            Self::Full => "Full",
            Self::Lora => "LoRA",
            Self::Qlora => "QLoRA",
        }
    }

    /// The one of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name().eq_ignore_ascii_case(name))
    }
}

/// For whom rows are looked at.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TrainerTarget {
    pub trainer: Trainer,
    pub model: ChatModelOf,
    /// The most tokens of a row.
    pub length: usize,
    /// Whether answers only are learned, where the trainer has such a switch.
    #[serde(default)]
    pub answers_only: bool,
    /// A chat template in place of the model's own; empty where that is taken.
    #[serde(default)]
    pub template: String,
    /// The name of LLaMA-Factory's template; empty where the model says it.
    #[serde(default)]
    pub factory: String,
    /// How much of the model is trained, for the configuration that is written.
    #[serde(default)]
    pub tuning: Tuning,
    /// Whether rows are looked at as they are written for the trainer, and not as they stand.
    #[serde(default)]
    pub as_written: bool,
    /// How often the whole is gone through.
    #[serde(default = "three")]
    pub epochs: u32,
    /// The day that templates are told, in seconds since 1970: the same day gives the same tokens.
    #[serde(default)]
    pub day: i64,
}

impl Default for TrainerTarget {
    fn default() -> Self {
        Self::of(Trainer::default(), ChatModelOf::default())
    }
}

const fn three() -> u32 {
    3
}

/// The day where nobody names another: 25 November 2026, noon.
const DAY: i64 = 1_795_608_000;

impl TrainerTarget {
    /// A trainer with its usual limit; one that always reads with a model of its own does so.
    pub fn of(trainer: Trainer, model: ChatModelOf) -> Self {
        let entry = trainer.entry();
        let own = |name: &str| ChatModelOf::BuiltIn(name.to_owned());
        let is_others = TRAINERS.iter().filter_map(|entry| entry.model).any(|name| model == own(name));
        let model = match entry.model {
            Some(name) => own(name),
            None if is_others => ChatModelOf::default(),
            None => model,
        };
        Self {
            trainer,
            model,
            length: entry.usual,
            answers_only: false,
            template: String::new(),
            factory: String::new(),
            tuning: Tuning::default(),
            as_written: false,
            epochs: three(),
            day: DAY,
        }
    }

    /// The same model for another trainer.
    #[must_use]
    pub fn for_trainer(&self, trainer: Trainer) -> Self {
        let (template, factory) = (self.template.clone(), self.factory.clone());
        let (tuning, epochs, day, as_written) = (self.tuning, self.epochs, self.day, self.as_written);
        Self { template, factory, tuning, as_written, epochs, day, ..Self::of(trainer, self.model.clone()) }
    }

    /// Opens the model, with the template that is asked for.
    ///
    /// # Errors
    /// [`ChatModelError`].
    pub fn open(&self) -> Result<ChatModel, ChatModelError> {
        let model = open_chat_model(&self.model)?;
        if self.has_template() { model.with_template(&self.template) } else { Ok(model) }
    }

    /// Whether another template than the model's own stands in its place, and the trainer asks it.
    pub fn has_template(&self) -> bool {
        !self.template.trim().is_empty() && self.trainer.entry().templated
    }

    /// The time that templates are told.
    pub(super) fn now(&self) -> RenderTime {
        RenderTime::at(if self.day == 0 { DAY } else { self.day })
    }

    /// What becomes of a row.
    pub fn verdict(&self, model: &ChatModel, form: RowForm, row: &TrainerRow) -> RowVerdict {
        (self.trainer.entry().row)(self, model, form, row)
    }
}
