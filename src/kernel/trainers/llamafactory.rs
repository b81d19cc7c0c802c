//! LLaMA-Factory 0.9.5: its own templates, turn by turn; its cut, by ratio; its masks (`data/template.py`, `data/processor/supervised.py`, `processor_utils.py`).

pub use super::llamafactory_templates::{FactoryTemplate, ToolWords};
use super::llamafactory_templates::{TEMPLATES, TemplateSlot};
use super::{Said, SeenTokens};
use crate::tokens::TextTokenizer;

/// What can be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FactoryOptions {
    /// The most tokens of a sample (`cutoff_len`).
    pub cutoff: usize,
    pub train_on_prompt: bool,
    /// Whether only the last answer is learned; samples are cut from the front then.
    pub mask_history: bool,
    /// Of a template that knows thoughts: whether they are learned.
    pub enable_thinking: bool,
    pub preserve_thinking: bool,
}

impl Default for FactoryOptions {
    fn default() -> Self {
        Self { cutoff: 2_048, train_on_prompt: false, mask_history: false, enable_thinking: true, preserve_thinking: false }
    }
}

/// What was kept of a question and its answer, in tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptTurn {
    pub source: usize,
    pub target: usize,
    /// The room that was left.
    pub room: usize,
    pub source_kept: usize,
    pub target_kept: usize,
}

/// The template of this name.
pub fn template(name: &str) -> Option<&'static FactoryTemplate> {
    TEMPLATES.iter().find(|template| template.name == name)
}

/// The names of the templates that are known here.
pub fn template_names() -> impl Iterator<Item = &'static str> {
    TEMPLATES.iter().map(|template| template.name)
}

/// How much of a question and its answer is kept where there is so much room (`infer_seqlen`).
pub fn lengths(source: usize, target: usize, room: usize) -> (usize, usize) {
    let most = if target * 2 < room {
        room
    } else if source * 2 < room {
        room - source
    } else {
        // In doubles, as it is there.
        (room as f64 * (target as f64 / (source + target) as f64)) as usize
    };
    let target = most.min(target);
    (room.saturating_sub(target).min(source), target)
}

/// An encoder: a template and a tokenizer with its own tokens for the beginning and the end.
#[derive(Debug, Clone, Copy)]
pub struct FactoryEncoder<'e> {
    pub template: &'static FactoryTemplate,
    pub tokenizer: &'e TextTokenizer,
    pub bos: Option<u32>,
    pub eos: Option<u32>,
}

impl FactoryEncoder<'_> {
    fn slots(&self, slots: &[TemplateSlot], content: &str, turn: usize, out: &mut Vec<u32>) {
        for slot in slots {
            match slot {
                TemplateSlot::Text(text) => {
                    let text = text.replace("{{content}}", content).replace("{{idx}}", &turn.to_string());
                    if !text.is_empty() {
                        out.extend(self.tokenizer.encode(&text));
                    }
                }
                TemplateSlot::Bos => out.extend(self.bos),
                TemplateSlot::Eos => out.extend(self.eos),
            }
        }
    }

    fn without_thought(&self, content: &str) -> String {
        let Some((from, to)) = self.template.thought else { return content.to_owned() };
        let (mut out, mut rest) = (String::new(), content);
        while let Some(at) = rest.find(from) {
            let Some(end) = rest[at + from.len()..].find(to) else { break };
            out.push_str(&rest[..at]);
            rest = &rest[at + from.len() + end + to.len()..];
        }
        out.push_str(rest);
        out.trim_start_matches('\n').to_owned()
    }

    /// Questions and answers as tokens. `said` has no system turn, and as many answers as questions.
    pub fn pairs(&self, said: &[Said], system: &str, options: &FactoryOptions) -> Vec<(Vec<u32>, Vec<u32>)> {
        let template = self.template;
        let system = if system.is_empty() { template.default_system } else { system };
        let mut said: Vec<Said> = said.to_vec();
        let forgets = template.thought.is_some()
            && template.reasons
            && (!options.enable_thinking || options.mask_history && !options.preserve_thinking);
        if forgets {
            let last = said.len().saturating_sub(1);
            for (at, one) in said.iter_mut().enumerate().filter(|(at, _)| at % 2 == 1) {
                if !options.enable_thinking || at < last {
                    one.content = self.without_thought(&one.content);
                }
            }
        }
        let mut encoded: Vec<Vec<u32>> = Vec::with_capacity(said.len());
        for (at, one) in said.iter().enumerate() {
            let mut ids = Vec::new();
            let mut before = String::new();
            if at == 0 {
                self.slots(template.prefix, "", 0, &mut ids);
                if !system.is_empty() {
                    if template.system_in_user {
                        // The system's words are put before the first question's, in its slot.
                        before = template
                            .system
                            .iter()
                            .filter_map(|slot| slot.text())
                            .collect::<String>()
                            .replace("{{content}}", system);
                    } else {
                        self.slots(template.system, system, 0, &mut ids);
                    }
                }
            }
            let (slots, content) = match one.role.as_str() {
                "user" => (template.user, format!("{before}{}", one.content)),
                "observation" if template.observation.is_empty() => (template.user, one.content.clone()),
                "observation" => (template.observation, one.content.clone()),
                "function" if !template.function.is_empty() => (template.function, one.content.clone()),
                _ => (template.assistant, one.content.clone()),
            };
            self.slots(slots, &content, at / 2, &mut ids);
            encoded.push(ids);
        }
        if let Some((from, to)) = template.thought.filter(|_| template.reasons) {
            let empty = self.tokenizer.encode(&format!("{from}{to}"));
            for at in (0..said.len().saturating_sub(1)).step_by(2) {
                let content = &said[at + 1].content;
                // Where only the last answer is learned, those before it stand as the model will see them.
                let history = options.mask_history && !options.preserve_thinking && at + 2 < said.len();
                if history || content.contains(from) || content.contains(to) {
                    continue;
                }
                if options.enable_thinking {
                    encoded[at + 1].splice(0..0, empty.iter().copied());
                } else {
                    encoded[at].extend(&empty);
                }
            }
        }
        let mut list = encoded.into_iter();
        std::iter::from_fn(|| Some((list.next()?, list.next()?))).collect()
    }

    /// A sample of questions and answers as it is learned, and what was kept of each pair.
    pub fn supervised(&self, said: &[Said], system: &str, options: &FactoryOptions) -> (SeenTokens, Vec<KeptTurn>) {
        let mut pairs = self.pairs(said, system, options);
        let (mut seen, mut turns) = (SeenTokens::default(), Vec::new());
        let efficient = self.template.efficient_eos;
        let mut total = usize::from(efficient);
        if options.mask_history {
            pairs.reverse();
        }
        for (turn, (mut source, mut target)) in pairs.into_iter().enumerate() {
            if total >= options.cutoff {
                break;
            }
            let room = options.cutoff - total;
            let (source_kept, target_kept) = lengths(source.len(), target.len(), room);
            turns.push(KeptTurn { source: source.len(), target: target.len(), room, source_kept, target_kept });
            source.truncate(source_kept);
            target.truncate(target_kept);
            total += source_kept + target_kept;
            let mut asked = vec![options.train_on_prompt; source.len()];
            if !options.train_on_prompt && efficient && turn != 0 {
                asked.iter_mut().take(1).for_each(|on| *on = true);
            }
            let answered = vec![!(options.mask_history && turn != 0); target.len()];
            let ids: Vec<u32> = source.into_iter().chain(target).collect();
            let trained: Vec<bool> = asked.into_iter().chain(answered).collect();
            if options.mask_history {
                seen.ids.splice(0..0, ids);
                seen.trained.splice(0..0, trained);
            } else {
                seen.ids.extend(ids);
                seen.trained.extend(trained);
            }
        }
        if efficient {
            seen.ids.extend(self.eos);
            seen.trained.extend(self.eos.map(|_| true));
        }
        (seen, turns)
    }
}
