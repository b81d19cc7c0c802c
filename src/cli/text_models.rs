//! Text models as options name them, for commands that run pipelines.

use std::collections::HashMap;
use std::io::{IsTerminal as _, Write};
use std::sync::{Arc, OnceLock};

use super::Failure;
use super::arguments::Arguments;
use super::said::note;
use crate::data::Pipeline;
use crate::io::{AnswerStore, Place, TextModel};
use crate::job::Progress;
use crate::operate::TextModels;

/// The text models that pipelines' steps name: whatever they call it, the one that the options say.
///
/// # Errors
/// There is none, or an option's value is off.
pub fn text_models(arguments: &Arguments, pipelines: &[&Pipeline], err: &mut dyn Write) -> Result<Arc<TextModels>, Failure> {
    let mut names: Vec<&str> = pipelines.iter().flat_map(|pipeline| pipeline.models()).collect();
    names.sort_unstable();
    names.dedup();
    named_models(arguments, ("the pipeline", &names), err)
}

/// The text models with these names: whatever they are called, the one that the options say.
///
/// # Errors
/// There is none, or an option's value is off.
pub fn named_models(
    arguments: &Arguments,
    (who, names): (&str, &[&str]),
    err: &mut dyn Write,
) -> Result<Arc<TextModels>, Failure> {
    let given = |name: &str| arguments.get(name).unwrap_or_default().to_owned();
    let Some(first) = names.first() else { return Ok(Arc::default()) };
    if !arguments.has("--model") {
        return Err(format!(
            "{who} asks the text model {first:?}: say where it is with --endpoint and --model, or with --model DIR"
        ));
    }
    let place = if arguments.has("--endpoint") {
        Place::Address {
            url: given("--endpoint"),
            model: given("--model"),
            key_variable: given("--key-variable"),
            at_once: arguments.number::<u32>("--at-once")?.unwrap_or(2),
            per_minute: arguments.number::<u32>("--per-minute")?.unwrap_or(0),
            allowed: String::new(),
        }
    } else {
        let folder = |name: &str| std::path::PathBuf::from(given(name));
        Place::Folder {
            folder: folder("--model"),
            back: folder("--model-back"),
            prefix: given("--prefix"),
            back_prefix: given("--prefix-back"),
        }
    };
    let mut one = TextModel { name: String::new(), place };
    // Whoever writes an address down in a command has named it, and wants it asked.
    if let (Some(host), Place::Address { allowed, .. }) = (one.sends_to(), &mut one.place) {
        note(err, &format!("texts are sent to {host}"));
        *allowed = host;
    }
    let store = match arguments.get("--answers") {
        Some(path) => Some(AnswerStore::open(path.as_ref()).map_err(|error| format!("--answers {path}: {error}"))?),
        None => None,
    };
    let list = names.iter().map(|name| TextModel { name: (*name).to_owned(), ..one.clone() }).collect();
    Ok(Arc::new(TextModels::new(list, HashMap::new(), store)))
}

/// Progress that is told on a terminal, where a text model takes its time; scripts hear nothing.
pub fn told(models: &TextModels) -> Progress {
    if models.is_empty() || !std::io::stderr().is_terminal() {
        return Progress::silent();
    }
    let own: Arc<OnceLock<Progress>> = Arc::default();
    let of = Arc::clone(&own);
    let progress = Progress::new(Arc::new(move || {
        let Some(progress) = of.get() else { return };
        let part = progress.fraction().unwrap_or(0.0) * 100.0;
        // A terminal that is gone needs no word.
        let _ = write!(std::io::stderr(), "\r{part:.0} % \r");
    }));
    let _ = own.set(progress.clone());
    progress
}
