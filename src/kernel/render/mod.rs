//! Chat templates: Jinja as transformers runs it (5.24.0), so that what is rendered here is, letter for letter, what a trainer renders.
//!
//! On minijinja, with what Python and transformers do otherwise: how values print (`None`, `True`, `1.0`, `{'a': 1}`), `tojson` as `json.dumps`, `raise_exception`,
//! `strftime_now`, `{% generation %}`, methods of strings. A template is a stranger's program: it has so much fuel, so deep a stack and so much room, and no file.

mod calendar;
mod messages;
mod methods;
mod python;

use std::io::{self, Write};
use std::sync::Arc;

use minijinja::value::{Kwargs, Rest, Value};
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior};

pub use calendar::RenderTime;
pub use messages::{Conversation, final_content};
pub use python::{from_json, json_of, str_of};

/// Instructions that one rendering may take, its deepest call, and the most that it may write, in bytes.
const FUEL: u64 = 8_000_000;
const DEEPEST: usize = 200;
const MOST_BYTES: usize = 64 << 20;
/// The most of a template that is compiled, in bytes.
const LONGEST: usize = 4 << 20;

/// What stands in a rendering where a generated part begins and ends, where the template says so. Private to nobody: content that has them is refused.
pub const BEGINS: char = '\u{F8FF}';
pub const ENDS: char = '\u{F8FE}';

/// So many letters of a line are shown.
const QUOTED: usize = 160;

/// Why a template renders nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{what}", line.map(|line| format!("line {line}: ")).unwrap_or_default())]
pub struct TemplateError {
    /// What is wrong, in words.
    pub what: String,
    /// The line of the template, from 1, where that is known.
    pub line: Option<usize>,
    /// Whether the template itself refused (`raise_exception`): the conversation is not to its taste.
    pub by_template: bool,
}

impl TemplateError {
    /// The same with what stands in the line: nobody counts to it.
    fn quoting(mut self, source: &str) -> Self {
        let text =
            self.line.and_then(|line| source.lines().nth(line.checked_sub(1)?)).map(str::trim).filter(|text| !text.is_empty());
        if let Some(text) = text {
            self.what = format!("{}, in {}", self.what, text.chars().take(QUOTED).collect::<String>());
        }
        self
    }

    fn of(error: &Error) -> Self {
        let mut deepest: &dyn std::error::Error = error;
        while let Some(next) = deepest.source() {
            deepest = next;
        }
        let inner = deepest.downcast_ref::<Error>().unwrap_or(error);
        let raised = inner.detail().and_then(|detail| detail.strip_prefix(RAISED));
        let what = match (raised, inner.kind()) {
            (Some(words), _) => words.to_owned(),
            (None, ErrorKind::OutOfFuel) => "it does not come to an end".to_owned(),
            (None, kind) => match inner.detail() {
                Some(detail) => format!("{kind}: {detail}"),
                None => kind.to_string(),
            },
        };
        Self { what, line: error.line().or(inner.line()), by_template: raised.is_some() }
    }

    /// One that is not of a place in the template.
    pub fn plain(what: impl Into<String>) -> Self {
        Self { what: what.into(), line: None, by_template: false }
    }
}

/// What marks an error as the template's own.
const RAISED: &str = "\u{1}raised\u{1}";

/// A chat template, compiled.
#[derive(Clone)]
pub struct ChatTemplate {
    environment: Arc<Environment<'static>>,
    generation: bool,
}

impl std::fmt::Debug for ChatTemplate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChatTemplate").field("generation", &self.generation).finish_non_exhaustive()
    }
}

impl ChatTemplate {
    /// Compiles a template. Its marks of what is generated are left out of what it renders.
    ///
    /// # Errors
    /// [`TemplateError`]: it is no template, with the line.
    pub fn new(source: &str) -> Result<Self, TemplateError> {
        Self::compiled(source, false)
    }

    /// The same, with [`BEGINS`] and [`ENDS`] where what is generated begins and ends.
    ///
    /// # Errors
    /// [`TemplateError`].
    pub fn marking(source: &str) -> Result<Self, TemplateError> {
        Self::compiled(source, true)
    }

    fn compiled(source: &str, mark: bool) -> Result<Self, TemplateError> {
        if source.len() > LONGEST {
            return Err(TemplateError::plain(format!("a template of {} MB is no template", source.len() >> 20)));
        }
        let (source, generation) = without_generation(source, mark);
        let mut environment = environment()?;
        environment.add_template_owned("chat", source.clone()).map_err(|error| TemplateError::of(&error).quoting(&source))?;
        Ok(Self { environment: Arc::new(environment), generation })
    }

    /// Whether the template says what is generated.
    pub fn has_generation(&self) -> bool {
        self.generation
    }

    /// Renders a conversation.
    ///
    /// # Errors
    /// [`TemplateError`].
    pub fn render(&self, conversation: &Conversation<'_>) -> Result<String, TemplateError> {
        let context = conversation.context()?;
        self.render_value(context)
    }

    /// Renders a conversation whose last turn is to be gone on with: the rendering ends where its text does. White space that the template takes off its end is not there
    /// to be gone on with.
    ///
    /// # Errors
    /// [`TemplateError`]: or the template does not have the text of the last turn.
    pub fn render_open(&self, conversation: &Conversation<'_>) -> Result<String, TemplateError> {
        let last = final_content(conversation.messages)
            .ok_or_else(|| TemplateError::plain("the last turn has no text to go on with"))?;
        let whole = self.render(conversation)?;
        let bare = last.trim();
        let at = whole
            .rfind(bare)
            .ok_or_else(|| TemplateError::plain("the template does not have the text of the last turn as it is"))?;
        let long = last.trim_start();
        let end = if whole[at..].starts_with(long) { at + long.len() } else { at + bare.len() };
        Ok(whole[..end].to_owned())
    }

    /// Renders any values.
    ///
    /// # Errors
    /// [`TemplateError`].
    pub fn render_value(&self, context: Value) -> Result<String, TemplateError> {
        let template = self.environment.get_template("chat").map_err(|error| TemplateError::of(&error))?;
        let mut out = Bounded(Vec::new());
        if let Err(error) = template.render_captured_to(context, &mut out) {
            let full = out.0.len() >= MOST_BYTES;
            return Err(if full { TemplateError::plain("it writes more than 64 MB") } else { TemplateError::of(&error) });
        }
        String::from_utf8(out.0).map_err(|_| TemplateError::plain("what it writes is no text"))
    }
}

struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MOST_BYTES {
            self.0.resize(MOST_BYTES, b' ');
            return Err(io::Error::other("too much"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A template in which `{% generation %}` and its end are conditions, with a mark within or nothing; and whether it has any. White-space control stays as it is.
fn without_generation(source: &str, mark: bool) -> (String, bool) {
    let mut out = String::with_capacity(source.len());
    let (mut rest, mut any) = (source, false);
    while let Some(at) = rest.find("{%") {
        let (before, tag) = rest.split_at(at);
        out.push_str(before);
        let Some(end) = tag.find("%}") else { break };
        let inner = &tag[2..end];
        let left = inner.chars().next().filter(|sign| matches!(sign, '-' | '+')).map_or(String::new(), String::from);
        let right =
            inner[left.len()..].chars().next_back().filter(|sign| matches!(sign, '-' | '+')).map_or(String::new(), String::from);
        let word = inner[left.len()..inner.len().max(left.len() + right.len()) - right.len()].trim();
        let sign = match word {
            "generation" => Some(BEGINS),
            "endgeneration" => Some(ENDS),
            _ => None,
        };
        match sign {
            Some(sign) => {
                any = true;
                let written = if mark { format!("{{{{ '{sign}' }}}}") } else { String::new() };
                out.push_str(&format!("{{%{left} if true %}}{written}{{% endif {right}%}}"));
            }
            None => out.push_str(&tag[..end + 2]),
        }
        rest = &tag[end + 2..];
    }
    out.push_str(rest);
    (out, any)
}

fn pair(two: &Value) -> Result<(String, String), Error> {
    let list: Vec<String> = two.try_iter()?.map(|one| str_of(&one)).collect();
    match list.as_slice() {
        [item, colon] => Ok((item.clone(), colon.clone())),
        _ => Err(Error::new(ErrorKind::InvalidOperation, "separators are two texts")),
    }
}

fn environment() -> Result<Environment<'static>, TemplateError> {
    let mut environment = Environment::new();
    let syntax = minijinja::syntax::SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.map_err(|error| TemplateError::of(&error))?);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.set_undefined_behavior(UndefinedBehavior::Lenient);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(DEEPEST);
    environment.set_formatter(|out, _, value| {
        let written = match value.as_str() {
            Some(text) => out.write_str(text),
            None => out.write_str(&str_of(value)),
        };
        written.map_err(|error| Error::new(ErrorKind::WriteFailure, error.to_string()))
    });
    environment.set_unknown_method_callback(methods::call);
    environment.add_filter("tojson", |value: &Value, kwargs: Kwargs| -> Result<Value, Error> {
        let written = python::Dumps {
            ascii: kwargs.get::<Option<bool>>("ensure_ascii")?.unwrap_or(false),
            indent: kwargs.get::<Option<usize>>("indent")?,
            sort: kwargs.get::<Option<bool>>("sort_keys")?.unwrap_or(false),
            separators: kwargs.get::<Option<Value>>("separators")?.map(|two| pair(&two)).transpose()?,
        };
        kwargs.assert_all_used()?;
        Ok(Value::from(written.write(value)?))
    });
    environment.add_filter("string", |value: &Value| str_of(value));
    environment.add_filter("wordcount", |value: &Value| str_of(value).split_whitespace().count());
    environment.add_filter("center", |value: &Value, wide: Option<usize>| methods::center(&str_of(value), wide.unwrap_or(80)));
    environment.add_filter("truncate", methods::truncate);
    for name in ["e", "escape"] {
        environment.add_filter(name, |value: &Value| {
            let text = str_of(value);
            text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\'', "&#39;").replace('"', "&#34;")
        });
    }
    environment.add_test("sequence", |value: &Value| {
        use minijinja::value::ValueKind as Kind;
        matches!(value.kind(), Kind::Seq | Kind::Map | Kind::String)
    });
    environment.add_function("raise_exception", |words: &Value| -> Result<Value, Error> {
        Err(Error::new(ErrorKind::InvalidOperation, format!("{RAISED}{}", str_of(words))))
    });
    environment.add_function("dict", |given: Rest<Value>, kwargs: Kwargs| -> Result<Value, Error> {
        let mut all: Vec<(Value, Value)> = Vec::new();
        for map in given.0 {
            for key in map.try_iter()? {
                let value = map.get_item(&key)?;
                all.push((key, value));
            }
        }
        for key in kwargs.args() {
            all.push((Value::from(key), kwargs.get::<Value>(key)?));
        }
        Ok(Value::from_pairs(all))
    });
    Ok(environment)
}
