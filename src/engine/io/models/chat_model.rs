//! A chat model without its weights: its tokenizer, its chat template, its tokens for the beginning and the end; from a folder, or built in.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::render::{ChatTemplate, RenderTime, TemplateError};
use crate::tokens::{TextTokenizer, TokenizerError};
use crate::trainers::chat_rows::TrainerModel;
use crate::trainers::llamafactory;
use crate::trainers::unsloth::{TurnHeads, heads_of};

/// Which model.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChatModelOf {
    /// By the name of one that is built in.
    BuiltIn(String),
    /// A folder as it is trained from.
    Folder(PathBuf),
}

impl Default for ChatModelOf {
    fn default() -> Self {
        Self::BuiltIn(BUILT_IN[0].name.to_owned())
    }
}

impl ChatModelOf {
    /// What it is called.
    pub fn name(&self) -> String {
        match self {
            Self::BuiltIn(name) => name.clone(),
            Self::Folder(path) => path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
        }
    }
}

/// Why a model cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ChatModelError {
    #[error("there is no built-in model called {0:?}; there are: {1}")]
    Unknown(String, String),
    #[error("{0}: {1}")]
    Read(PathBuf, std::io::Error),
    #[error("{0} is larger than such a file can be")]
    Large(PathBuf),
    #[error("{0} has no tokenizer.json: is it a model's folder?")]
    NoTokenizer(PathBuf),
    #[error(
        "{0} has no chat template (chat_template.jinja, or in tokenizer_config.json): name a built-in model's, or train on plain texts"
    )]
    NoTemplate(PathBuf),
    #[error("{0} is no JSON: {1}")]
    Json(PathBuf, String),
    #[error(transparent)]
    Tokenizer(#[from] TokenizerError),
    #[error("the chat template cannot be read: {0}")]
    Template(#[from] TemplateError),
}

/// One that is built in.
pub struct BuiltIn {
    pub name: &'static str,
    /// Its tokenizer's vocabulary.
    vocabulary: &'static [u8],
    template: &'static str,
    training: Option<&'static str>,
    /// LLaMA-Factory's template for it.
    llamafactory: &'static str,
}

macro_rules! template {
    ($name:literal) => {
        include_str!(concat!("../../../../assets/trainers/templates/", $name, ".jinja"))
    };
}

/// Those that are built in.
pub static BUILT_IN: [BuiltIn; 5] = [
    BuiltIn {
        name: "qwen2.5",
        vocabulary: QWEN,
        template: template!("qwen2_5"),
        training: Some(template!("qwen2_5_training")),
        llamafactory: "qwen",
    },
    BuiltIn {
        name: "qwen3",
        vocabulary: QWEN,
        template: template!("qwen3"),
        training: Some(template!("qwen3_training")),
        llamafactory: "qwen3",
    },
    BuiltIn {
        name: "qwen3-instruct-2507",
        vocabulary: QWEN,
        template: template!("qwen3_instruct_2507"),
        training: Some(template!("qwen3_instruct_2507_training")),
        llamafactory: "qwen3_nothink",
    },
    BuiltIn { name: "chatml", vocabulary: QWEN, template: template!("chatml"), training: None, llamafactory: "chatml" },
    // OpenAI's, whose templates are its own: turns stand in ChatML's where another trainer reads with it.
    BuiltIn { name: "o200k", vocabulary: O200K, template: template!("chatml"), training: None, llamafactory: "chatml" },
];

/// Templates by their text: what TRL trains with instead, and LLaMA-Factory's name for the like.
static KNOWN: [(&str, Option<&str>, &str); 12] = [
    (template!("qwen2_5"), Some(template!("qwen2_5_training")), "qwen"),
    (template!("qwen3"), Some(template!("qwen3_training")), "qwen3"),
    (template!("qwen3_instruct_2507"), Some(template!("qwen3_instruct_2507_training")), "qwen3_nothink"),
    (template!("qwen3_5_think"), Some(template!("qwen3_5_think_training")), ""),
    (template!("qwen3_5_nothink"), Some(template!("qwen3_5_nothink_training")), ""),
    (template!("phi3_5"), Some(template!("phi3_5_training")), ""),
    (template!("deepseekv3"), Some(template!("deepseekv3_training")), "deepseek3"),
    (template!("deepseek_r1_distill"), Some(template!("deepseek_r1_distill_training")), ""),
    (template!("glm4moe"), Some(template!("glm4moe_training")), "glm4_moe"),
    (template!("gptoss"), Some(template!("gptoss_training")), "gpt_oss"),
    (template!("phi_4"), None, "phi4"),
    (template!("mistral_v7_tekken"), None, "mistral"),
];

/// A chat model.
#[derive(Debug)]
pub struct ChatModel {
    pub name: String,
    pub template: ChatTemplate,
    /// The template that says what is generated: its own where it does, else TRL's for it.
    pub marking: Option<ChatTemplate>,
    pub tokenizer: Arc<TextTokenizer>,
    /// The template as it is written.
    pub source: String,
    /// `bos_token`, `eos_token` and the like, as they are written.
    pub tokens: Vec<(String, String)>,
    pub bos: Option<u32>,
    pub eos: Option<u32>,
    /// LLaMA-Factory's template for it, where that is known.
    pub llamafactory: Option<&'static llamafactory::FactoryTemplate>,
    /// What the template writes before questions and answers, where that could be found.
    pub heads: Option<TurnHeads>,
}

/// The most of a file that is read, in bytes: a tokenizer, and others.
const TOKENIZER: u64 = 256 << 20;
const SMALL: u64 = 16 << 20;

fn read(path: &Path, most: u64) -> Result<Option<Vec<u8>>, ChatModelError> {
    let failed = |error| ChatModelError::Read(path.to_owned(), error);
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > most {
        return Err(ChatModelError::Large(path.to_owned()));
    }
    Ok(Some(bytes))
}

/// Opens a model. It takes a second or so: it is for a job.
///
/// # Errors
/// [`ChatModelError`].
pub fn open_chat_model(of: &ChatModelOf) -> Result<ChatModel, ChatModelError> {
    match of {
        ChatModelOf::BuiltIn(name) => built_in(name),
        ChatModelOf::Folder(path) => of_folder(path),
    }
}

fn assembled(
    name: String,
    source: &str,
    training: Option<&str>,
    tokenizer: Arc<TextTokenizer>,
    tokens: Vec<(String, String)>,
    llamafactory: Option<&'static llamafactory::FactoryTemplate>,
) -> Result<ChatModel, ChatModelError> {
    let id = |wanted: &str| tokens.iter().find(|(name, _)| name == wanted).and_then(|(_, token)| tokenizer.id_of(token));
    let (bos, eos) = (id("bos_token"), id("eos_token"));
    let own = ChatTemplate::marking(source)?;
    let marking = match training {
        _ if own.has_generation() => Some(own),
        Some(training) => Some(ChatTemplate::marking(training)?),
        None => None,
    };
    let template = ChatTemplate::new(source)?;
    let now = RenderTime::at(0);
    let known = TrainerModel { template: &template, marking: None, tokenizer: &tokenizer, tokens: &tokens, eos, now };
    // A template that renders no two questions has none, and whoever needs them says so.
    let heads = heads_of(&known).unwrap_or_default();
    let source = source.to_owned();
    Ok(ChatModel { name, template, marking, tokenizer, source, tokens, bos, eos, llamafactory, heads })
}

impl ChatModel {
    /// The same with another template; LLaMA-Factory, which has its own, is as before.
    ///
    /// # Errors
    /// [`ChatModelError::Template`], with the line.
    pub fn with_template(&self, source: &str) -> Result<Self, ChatModelError> {
        let (tokenizer, tokens) = (Arc::clone(&self.tokenizer), self.tokens.clone());
        assembled(self.name.clone(), source, None, tokenizer, tokens, self.llamafactory)
    }
}

fn built_in(name: &str) -> Result<ChatModel, ChatModelError> {
    let Some(one) = BUILT_IN.iter().find(|one| one.name == name) else {
        let names: Vec<&str> = BUILT_IN.iter().map(|one| one.name).collect();
        return Err(ChatModelError::Unknown(name.to_owned(), names.join(", ")));
    };
    let tokens = vec![("eos_token".to_owned(), "<|im_end|>".to_owned()), ("pad_token".to_owned(), "<|endoftext|>".to_owned())];
    let factory = llamafactory::template(one.llamafactory);
    assembled(one.name.to_owned(), one.template, one.training, Arc::new(known_tokenizer(one.vocabulary)?), tokens, factory)
}

const QWEN: &[u8] = include_bytes!("../../../../assets/trainers/qwen.zst");
const O200K: &[u8] = include_bytes!("../../../../assets/trainers/o200k.zst");

/// The tokenizer by which lengths are counted where nobody named a model: Qwen 2.5's.
pub fn usual_tokenizer() -> Option<&'static TextTokenizer> {
    static USUAL: OnceLock<Option<TextTokenizer>> = OnceLock::new();
    USUAL.get_or_init(|| known_tokenizer(QWEN).ok()).as_ref()
}

/// A tokenizer that is built in: what is said beside the vocabulary, its bytes, its merges in order; the vocabulary is the bytes and what each merge makes.
fn known_tokenizer(packed: &[u8]) -> Result<TextTokenizer, TokenizerError> {
    let broken = |why: &str| TokenizerError { name: "the built-in tokenizer".to_owned(), why: why.to_owned() };
    let text =
        zstd::decode_all(packed).ok().and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(|| broken("it is torn"))?;
    let mut lines = text.lines();
    let (Some(rest), Some(bytes)) = (lines.next(), lines.next()) else { return Err(broken("it is torn")) };
    let mut json: Json = serde_json::from_str(rest).map_err(|error| broken(&error.to_string()))?;
    let mut vocabulary = Map::new();
    let mut add = |token: String| {
        let id = vocabulary.len();
        vocabulary.insert(token, id.into());
    };
    bytes.split(' ').for_each(|byte| add(byte.to_owned()));
    let mut merges = Vec::new();
    for (one, two) in lines.filter_map(|line| line.split_once(' ')) {
        add(format!("{one}{two}"));
        merges.push(Json::Array(vec![one.into(), two.into()]));
    }
    // Where numbers are left out between, the library would number added tokens on.
    for token in json["added_tokens"].as_array().into_iter().flatten() {
        vocabulary.insert(token["content"].as_str().unwrap_or_default().to_owned(), token["id"].clone());
    }
    json["model"]["vocab"] = Json::Object(vocabulary);
    json["model"]["merges"] = Json::Array(merges);
    TextTokenizer::known(json.to_string().as_bytes(), "the built-in tokenizer")
}

/// A token as a configuration writes it: a text, or an object with its content.
fn token_of(value: &Json) -> Option<&str> {
    value.as_str().or_else(|| value.get("content")?.as_str())
}

fn of_folder(folder: &Path) -> Result<ChatModel, ChatModelError> {
    let Some(bytes) = read(&folder.join("tokenizer.json"), TOKENIZER)? else {
        return Err(ChatModelError::NoTokenizer(folder.to_owned()));
    };
    let place = folder.join("tokenizer_config.json");
    let config: Json = match read(&place, SMALL)? {
        Some(bytes) => serde_json::from_slice(&bytes).map_err(|error| ChatModelError::Json(place, error.to_string()))?,
        None => Json::Null,
    };
    let beside = read(&folder.join("chat_template.jinja"), SMALL)?.and_then(|bytes| String::from_utf8(bytes).ok());
    let within = match &config["chat_template"] {
        Json::String(text) => Some(text.clone()),
        // Several by name: the default one.
        Json::Array(list) => {
            let named = |wanted: &str| list.iter().find(|one| one["name"].as_str() == Some(wanted));
            named("default").or_else(|| list.first()).and_then(|one| one["template"].as_str()).map(ToOwned::to_owned)
        }
        _ => None,
    };
    let source = beside.or(within).ok_or_else(|| ChatModelError::NoTemplate(folder.to_owned()))?;
    let tokens: Vec<(String, String)> = config
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, _)| name.ends_with("_token"))
        .filter_map(|(name, value)| Some((name.clone(), token_of(value)?.to_owned())))
        .collect();
    let known = KNOWN.iter().find(|(text, ..)| text.trim() == source.trim());
    let training = known.and_then(|(_, training, _)| *training);
    let factory = known.and_then(|(.., name)| llamafactory::template(name));
    let tokenizer = Arc::new(TextTokenizer::read(&bytes, &folder.join("tokenizer.json").display().to_string())?);
    assembled(ChatModelOf::Folder(folder.to_owned()).name(), &source, training, tokenizer, tokens, factory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_built_in_reads_and_writes() {
        for one in &BUILT_IN {
            let model = open_chat_model(&ChatModelOf::BuiltIn(one.name.to_owned())).unwrap();
            let (eos, ids) =
                if one.name == "o200k" { (200_265, [13_225, 11, 2_375, 0]) } else { (151_645, [9_707, 11, 1_879, 0]) };
            assert!(model.tokenizer.is_fast() && model.eos == Some(eos) && model.llamafactory.is_some(), "{}", one.name);
            assert_eq!(model.tokenizer.encode("Hello, world!"), ids);
            assert_eq!(model.tokenizer.decode(&ids), "Hello, world!");
            let other = model.with_template("{% for turn in messages %}{{ turn.content }}|{% endfor %}").unwrap();
            assert_eq!((other.eos, other.source.len()), (model.eos, 57));
            assert!(model.with_template("a\n{% for %}").unwrap_err().to_string().contains("line 2"));
        }
        assert!(open_chat_model(&ChatModelOf::BuiltIn("gpt".to_owned())).unwrap_err().to_string().contains("qwen2.5, qwen3"));
        for (template, training, _) in &KNOWN {
            ChatTemplate::new(template).unwrap();
            assert!(training.is_none_or(|training| ChatTemplate::marking(training).unwrap().has_generation()));
        }
    }

    #[test]
    fn a_folder_that_is_no_model_says_what_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let of = ChatModelOf::Folder(folder.path().to_owned());
        let said = |of: &ChatModelOf| open_chat_model(of).unwrap_err().to_string();
        assert!(said(&of).contains("has no tokenizer.json"));
        fs::write(folder.path().join("tokenizer.json"), "{\"model\": 1}").unwrap();
        assert!(said(&of).contains("has no chat template"));
        fs::write(folder.path().join("tokenizer_config.json"), "{\"chat_template\": ").unwrap();
        assert!(said(&of).contains("is no JSON"));
        fs::write(folder.path().join("tokenizer_config.json"), "{\"chat_template\": \"{{ x\"}").unwrap();
        assert!(said(&of).contains("is no tokenizer that can be read"));
    }
}
