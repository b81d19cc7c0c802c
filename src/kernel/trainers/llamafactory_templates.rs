//! LLaMA-Factory's own templates (0.9.5, `data/template.py`), as data: a model's chat template is not used there.

/// A part of what is written around a content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TemplateSlot {
    /// Text, in which `{{content}}` and `{{idx}}` are replaced; each is made tokens by itself.
    Text(&'static str),
    Bos,
    Eos,
}

impl TemplateSlot {
    pub(super) fn text(&self) -> Option<&'static str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Bos | Self::Eos => None,
        }
    }
}

/// A template.
#[derive(Debug, PartialEq, Eq)]
pub struct FactoryTemplate {
    pub name: &'static str,
    pub prefix: &'static [TemplateSlot],
    pub system: &'static [TemplateSlot],
    pub user: &'static [TemplateSlot],
    pub assistant: &'static [TemplateSlot],
    pub observation: &'static [TemplateSlot],
    pub default_system: &'static str,
    /// What a thought stands between.
    pub thought: Option<(&'static str, &'static str)>,
    /// Whether it treats thoughts (`ReasoningTemplate`).
    pub reasons: bool,
    /// Whether one end token stands behind the sample, and not one behind each answer.
    pub efficient_eos: bool,
    /// Whether the system's words go into the first question (`Llama2Template`).
    pub system_in_user: bool,
    /// What ends an answer, in place of the tokenizer's end token.
    pub stop: Option<&'static str>,
}

use TemplateSlot::{Bos, Eos, Text};

const PLAIN: FactoryTemplate = FactoryTemplate {
    name: "",
    prefix: &[],
    system: &[Text("{{content}}")],
    user: &[Text("{{content}}")],
    assistant: &[Text("{{content}}"), Eos],
    observation: &[Text("{{content}}")],
    default_system: "",
    thought: None,
    reasons: false,
    efficient_eos: false,
    system_in_user: false,
    stop: None,
};

const THINK: Option<(&str, &str)> = Some(("<think>\n", "\n</think>\n\n"));

const CHATML: FactoryTemplate = FactoryTemplate {
    name: "chatml",
    system: &[Text("<|im_start|>system\n{{content}}<|im_end|>\n")],
    user: &[Text("<|im_start|>user\n{{content}}<|im_end|>\n<|im_start|>assistant\n")],
    assistant: &[Text("{{content}}<|im_end|>\n")],
    observation: &[Text("<|im_start|>tool\n{{content}}<|im_end|>\n<|im_start|>assistant\n")],
    stop: Some("<|im_end|>"),
    ..PLAIN
};

const QWEN: FactoryTemplate = FactoryTemplate {
    name: "qwen",
    observation: &[Text("<|im_start|>user\n<tool_response>\n{{content}}\n</tool_response><|im_end|>\n<|im_start|>assistant\n")],
    default_system: "You are Qwen, created by Alibaba Cloud. You are a helpful assistant.",
    ..CHATML
};

/// Every template.
pub static TEMPLATES: [FactoryTemplate; 11] = [
    QWEN,
    FactoryTemplate { name: "qwen3", default_system: "", thought: THINK, reasons: true, ..QWEN },
    FactoryTemplate { name: "qwen3_nothink", default_system: "", ..QWEN },
    CHATML,
    FactoryTemplate {
        name: "mistral",
        prefix: &[Bos],
        system: &[Text("{{content}}\n\n")],
        user: &[Text("[INST] {{content}}[/INST]")],
        assistant: &[Text(" {{content}}"), Eos],
        observation: &[Text("[TOOL_RESULTS] {\"content\": {{content}}}[/TOOL_RESULTS]")],
        system_in_user: true,
        ..PLAIN
    },
    FactoryTemplate {
        name: "phi4",
        system: &[Text("<|im_start|>system<|im_sep|>{{content}}<|im_end|>")],
        user: &[Text("<|im_start|>user<|im_sep|>{{content}}<|im_end|><|im_start|>assistant<|im_sep|>")],
        assistant: &[Text("{{content}}<|im_end|>")],
        stop: Some("<|im_end|>"),
        ..PLAIN
    },
    FactoryTemplate { name: "deepseek3", prefix: &[Bos], user: &[Text("<｜User｜>{{content}}<｜Assistant｜>")], ..PLAIN },
    FactoryTemplate {
        name: "glm4_moe",
        prefix: &[Text("[gMASK]<sop>")],
        system: &[Text("<|system|>\n{{content}}")],
        user: &[Text("<|user|>\n{{content}}<|assistant|>")],
        assistant: &[Text("\n{{content}}")],
        observation: &[Text("<|observation|>\n{{content}}<|assistant|>")],
        thought: THINK,
        reasons: true,
        efficient_eos: true,
        ..PLAIN
    },
    FactoryTemplate {
        name: "gpt_oss",
        system: &[Text("<|start|>system<|message|>{{content}}<|end|>")],
        user: &[Text("<|start|>user<|message|>{{content}}<|end|><|start|>assistant")],
        assistant: &[Text("{{content}}")],
        default_system: "You are ChatGPT, a large language model trained by OpenAI.",
        thought: Some(("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>")),
        reasons: true,
        efficient_eos: true,
        ..PLAIN
    },
    FactoryTemplate {
        name: "alpaca",
        user: &[Text("### Instruction:\n{{content}}\n\n### Response:\n")],
        assistant: &[Text("{{content}}"), Eos, Text("\n\n")],
        default_system: "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n",
        ..PLAIN
    },
    FactoryTemplate {
        name: "default",
        system: &[Text("System: {{content}}"), Eos, Text("\n")],
        user: &[Text("Human: {{content}}"), Eos, Text("\nAssistant:")],
        assistant: &[Text("{{content}}"), Eos, Text("\n")],
        ..PLAIN
    },
];
