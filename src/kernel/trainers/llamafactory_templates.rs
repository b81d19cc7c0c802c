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

/// How a template writes tools and calls (`data/tool_utils.py`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToolWords {
    Default,
    Qwen,
    Llama3,
    Mistral,
    Glm4,
    /// In a way that is not followed here.
    Other,
}

/// A template.
#[derive(Debug, PartialEq, Eq)]
pub struct FactoryTemplate {
    pub name: &'static str,
    pub prefix: &'static [TemplateSlot],
    pub system: &'static [TemplateSlot],
    pub user: &'static [TemplateSlot],
    pub assistant: &'static [TemplateSlot],
    /// What a tool answers; as a question where there is nothing.
    pub observation: &'static [TemplateSlot],
    /// A function's call; as an answer where there is nothing.
    pub function: &'static [TemplateSlot],
    /// How tools and calls are written.
    pub tools: ToolWords,
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
    observation: &[],
    function: &[],
    tools: ToolWords::Default,
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
    tools: ToolWords::Qwen,
    default_system: "You are Qwen, created by Alibaba Cloud. You are a helpful assistant.",
    ..CHATML
};

const LLAMA3: FactoryTemplate = FactoryTemplate {
    name: "llama3",
    prefix: &[Bos],
    system: &[Text("<|start_header_id|>system<|end_header_id|>\n\n{{content}}<|eot_id|>")],
    user: &[Text(
        "<|start_header_id|>user<|end_header_id|>\n\n{{content}}<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
    )],
    assistant: &[Text("{{content}}<|eot_id|>")],
    observation: &[Text(
        "<|start_header_id|>ipython<|end_header_id|>\n\n{{content}}<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
    )],
    tools: ToolWords::Llama3,
    stop: Some("<|eot_id|>"),
    ..PLAIN
};

const GEMMA: FactoryTemplate = FactoryTemplate {
    name: "gemma",
    prefix: &[Bos],
    system: &[Text("{{content}}\n\n")],
    user: &[Text("<start_of_turn>user\n{{content}}<end_of_turn>\n<start_of_turn>model\n")],
    assistant: &[Text("{{content}}<end_of_turn>\n")],
    observation: &[Text("<start_of_turn>tool\n{{content}}<end_of_turn>\n<start_of_turn>model\n")],
    system_in_user: true,
    stop: Some("<end_of_turn>"),
    ..PLAIN
};

const MISTRAL: FactoryTemplate = FactoryTemplate {
    name: "mistral",
    prefix: &[Bos],
    system: &[Text("{{content}}\n\n")],
    user: &[Text("[INST] {{content}}[/INST]")],
    assistant: &[Text(" {{content}}"), Eos],
    observation: &[Text("[TOOL_RESULTS] {\"content\": {{content}}}[/TOOL_RESULTS]")],
    function: &[Text("[TOOL_CALLS] {{content}}"), Eos],
    tools: ToolWords::Mistral,
    system_in_user: true,
    ..PLAIN
};

const MINISTRAL: FactoryTemplate = FactoryTemplate {
    name: "ministral",
    user: &[Text("[INST]{{content}}[/INST]")],
    assistant: &[Text("{{content}}"), Eos],
    observation: &[Text("[TOOL_RESULTS]{\"content\": {{content}}}[/TOOL_RESULTS]")],
    function: &[Text("[TOOL_CALLS]{{content}}"), Eos],
    ..MISTRAL
};

const PHI: FactoryTemplate = FactoryTemplate {
    name: "phi",
    system: &[Text("<|system|>\n{{content}}<|end|>\n")],
    user: &[Text("<|user|>\n{{content}}<|end|>\n<|assistant|>\n")],
    assistant: &[Text("{{content}}<|end|>\n")],
    stop: Some("<|end|>"),
    ..PLAIN
};

const DEEPSEEK3: FactoryTemplate =
    FactoryTemplate { name: "deepseek3", prefix: &[Bos], user: &[Text("<｜User｜>{{content}}<｜Assistant｜>")], ..PLAIN };

const GLM4: FactoryTemplate = FactoryTemplate {
    name: "glm4",
    prefix: &[Text("[gMASK]<sop>")],
    system: &[Text("<|system|>\n{{content}}")],
    user: &[Text("<|user|>\n{{content}}<|assistant|>")],
    assistant: &[Text("\n{{content}}")],
    observation: &[Text("<|observation|>\n{{content}}<|assistant|>")],
    tools: ToolWords::Glm4,
    efficient_eos: true,
    ..PLAIN
};

/// `ChatML` without a stop of its own, its tools' answers as questions.
const YI: FactoryTemplate = FactoryTemplate { name: "yi", observation: &[], stop: None, ..CHATML };

/// Templates that are known here, of 121: the first eleven are held to what LLaMA-Factory answered, token for token; the others are as its code has them.
pub static TEMPLATES: [FactoryTemplate; 33] = [
    QWEN,
    FactoryTemplate { name: "qwen3", default_system: "", thought: THINK, reasons: true, ..QWEN },
    FactoryTemplate { name: "qwen3_nothink", default_system: "", ..QWEN },
    CHATML,
    MISTRAL,
    FactoryTemplate {
        name: "phi4",
        system: &[Text("<|im_start|>system<|im_sep|>{{content}}<|im_end|>")],
        user: &[Text("<|im_start|>user<|im_sep|>{{content}}<|im_end|><|im_start|>assistant<|im_sep|>")],
        assistant: &[Text("{{content}}<|im_end|>")],
        stop: Some("<|im_end|>"),
        ..PLAIN
    },
    DEEPSEEK3,
    FactoryTemplate { name: "glm4_moe", tools: ToolWords::Other, thought: THINK, reasons: true, ..GLM4 },
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
    LLAMA3,
    FactoryTemplate {
        name: "llama2",
        system: &[Text("<<SYS>>\n{{content}}\n<</SYS>>\n\n")],
        user: &[Bos, Text("[INST] {{content}} [/INST]")],
        system_in_user: true,
        ..PLAIN
    },
    FactoryTemplate {
        name: "llama4",
        system: &[Text("<|header_start|>system<|header_end|>\n\n{{content}}<|eot|>")],
        user: &[Text("<|header_start|>user<|header_end|>\n\n{{content}}<|eot|><|header_start|>assistant<|header_end|>\n\n")],
        assistant: &[Text("{{content}}<|eot|>")],
        observation: &[Text(
            "<|header_start|>ipython<|header_end|>\n\n{{content}}<|eot|><|header_start|>assistant<|header_end|>\n\n",
        )],
        stop: Some("<|eot|>"),
        ..LLAMA3
    },
    GEMMA,
    FactoryTemplate { name: "gemma2", efficient_eos: true, stop: None, ..GEMMA },
    FactoryTemplate { name: "gemma3", ..GEMMA },
    PHI,
    FactoryTemplate { name: "phi_small", prefix: &[Text("<|endoftext|>")], ..PHI },
    GLM4,
    YI,
    FactoryTemplate { name: "smollm", ..YI },
    FactoryTemplate {
        name: "smollm2",
        default_system: "You are a helpful AI assistant named SmolLM, trained by Hugging Face.",
        ..YI
    },
    FactoryTemplate {
        name: "deepseek",
        prefix: &[Bos],
        system: &[Text("{{content}}\n\n")],
        user: &[Text("User: {{content}}\n\nAssistant:")],
        ..PLAIN
    },
    FactoryTemplate { name: "deepseekr1", thought: THINK, reasons: true, ..DEEPSEEK3 },
    MINISTRAL,
    FactoryTemplate {
        name: "mistral_small",
        system: &[Text("[SYSTEM_PROMPT]{{content}}[/SYSTEM_PROMPT]")],
        system_in_user: false,
        ..MINISTRAL
    },
    FactoryTemplate {
        name: "vicuna",
        user: &[Text("USER: {{content}} ASSISTANT:")],
        default_system: "A chat between a curious user and an artificial intelligence assistant. The assistant gives helpful, detailed, and polite answers to the user's questions.",
        ..PLAIN
    },
    FactoryTemplate {
        name: "zephyr",
        system: &[Text("<|system|>\n{{content}}"), Eos],
        user: &[Text("<|user|>\n{{content}}"), Eos, Text("<|assistant|>\n")],
        default_system: "You are Zephyr, a helpful assistant.",
        ..PLAIN
    },
    FactoryTemplate {
        name: "cohere",
        prefix: &[Bos],
        system: &[Text("<|START_OF_TURN_TOKEN|><|SYSTEM_TOKEN|>{{content}}<|END_OF_TURN_TOKEN|>")],
        user: &[Text(
            "<|START_OF_TURN_TOKEN|><|USER_TOKEN|>{{content}}<|END_OF_TURN_TOKEN|><|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>",
        )],
        ..PLAIN
    },
    FactoryTemplate {
        name: "granite3",
        system: &[Text("<|start_of_role|>system<|end_of_role|>{{content}}<|end_of_text|>\n")],
        user: &[Text(
            "<|start_of_role|>user<|end_of_role|>{{content}}<|end_of_text|>\n<|start_of_role|>assistant<|end_of_role|>",
        )],
        assistant: &[Text("{{content}}<|end_of_text|>\n")],
        ..PLAIN
    },
    FactoryTemplate { name: "olmo", prefix: &[Eos], user: &[Text("<|user|>\n{{content}}<|assistant|>\n")], ..PLAIN },
    FactoryTemplate {
        name: "exaone",
        system: &[Text("[|system|]{{content}}[|endofturn|]\n")],
        user: &[Text("[|user|]{{content}}\n[|assistant|]")],
        assistant: &[Text("{{content}}"), Eos, Text("\n")],
        ..PLAIN
    },
];
