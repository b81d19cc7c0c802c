//! What is wrong in how the texts of a column are written, looked for once, whoever asks: noise, personal data, repairs.

use std::borrow::Cow;
use std::sync::Arc;

use rayon::prelude::*;

use super::store::{Artifact, Key, Store};
use crate::data::{Chat, Dataset, Role, SampleId};
use crate::io::usual_tokenizer;
use crate::job::{Cancelled, Progress};
use crate::tokens::TextTokenizer;
use crate::writing::{Counted, Flaw, Limits, flaws_of};

/// A flaw of one sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlawAt {
    pub row: u32,
    /// What was found first, shortened.
    pub shown: Box<str>,
    /// How often it was found.
    pub times: u32,
}

/// The flaws of a column, each with its samples in order.
#[derive(Debug, Default)]
pub struct Flaws {
    of: Vec<(Flaw, Vec<FlawAt>)>,
}

impl Artifact for Flaws {
    fn bytes(&self) -> usize {
        self.of.iter().flat_map(|(_, list)| list).map(|at| size_of::<FlawAt>() + at.shown.len()).sum()
    }
}

impl Flaws {
    /// Each flaw that was found.
    pub fn all(&self) -> impl Iterator<Item = (Flaw, &[FlawAt])> {
        self.of.iter().filter(|(_, list)| !list.is_empty()).map(|(flaw, list)| (*flaw, list.as_slice()))
    }
}

/// The most of what was found that is shown, in letters.
const SHOWN: usize = 48;
/// Rows that are looked at between two looks at whether to go on.
const PART: usize = 1_024;

/// The texts of a cell: of a chat what each turn says.
pub fn texts_of(cell: &str, role: Role) -> Vec<Cow<'_, str>> {
    if role != Role::Messages {
        return vec![Cow::Borrowed(cell)];
    }
    let chat = Chat::parse(cell);
    let said = chat.iter().flat_map(Chat::turns).filter(|turn| !turn.is_json);
    said.map(|turn| Cow::Owned(turn.text.clone())).collect()
}

/// Looks through the column at `field`, samples of the source.
///
/// # Errors
/// [`Cancelled`].
pub fn flaws(
    dataset: &Dataset,
    field: usize,
    limits: &Limits,
    store: &Store,
    progress: &Progress,
) -> Result<Arc<Flaws>, Cancelled> {
    let role = dataset.fields()[field].role;
    let numbers =
        [limits.repeated.to_bits(), limits.symbols.to_bits(), limits.fewest as u64, limits.most as u64, limits.counted as u64];
    let of_chats = u64::from(role == Role::Messages);
    let key = Key { what: "flaws", versions: [dataset.version(field), of_chats].into_iter().chain(numbers).collect() };
    store.get(key, progress, || {
        let by_tokens = limits.counted == Counted::Tokens && (limits.fewest > 0 || limits.most > 0);
        let limits = &Looked { limits, tokenizer: if by_tokens { usual_tokenizer() } else { None } };
        let parts: Vec<Vec<(Flaw, FlawAt)>> = (0..dataset.extent().div_ceil(PART))
            .into_par_iter()
            .map(|part| {
                let mut found = Vec::new();
                let mut seen = Vec::new();
                for row in part * PART..((part + 1) * PART).min(dataset.extent()) {
                    let cell = dataset.text(field, SampleId::at(row)).unwrap_or_default();
                    if role == Role::Messages {
                        texts_of(&cell, role).iter().for_each(|text| within(text, row, limits, &mut seen, &mut found));
                    } else {
                        within(&cell, row, limits, &mut seen, &mut found);
                    }
                }
                progress.check()?;
                Ok(found)
            })
            .collect::<Result<_, Cancelled>>()?;
        let mut of: Vec<(Flaw, Vec<FlawAt>)> = Flaw::ALL.map(|flaw| (flaw, Vec::new())).into();
        for (flaw, at) in parts.into_iter().flatten() {
            if let Some((_, list)) = of.iter_mut().find(|(known, _)| *known == flaw) {
                // Turns of one chat are one sample.
                match list.last_mut().filter(|last| last.row == at.row) {
                    Some(last) => last.times += at.times,
                    None => list.push(at),
                }
            }
        }
        Ok(Flaws { of })
    })
}

/// What texts are looked at with.
struct Looked<'l> {
    limits: &'l Limits,
    /// Where lengths are counted in tokens.
    tokenizer: Option<&'l TextTokenizer>,
}

impl Looked<'_> {
    fn look(&self, text: &str, seen: &mut Vec<(Flaw, std::ops::Range<usize>)>) {
        flaws_of(text, self.limits, seen);
        let Some(tokenizer) = self.tokenizer else { return };
        let Limits { fewest, most, .. } = *self.limits;
        // A token is a byte at least: most texts need not be cut to know.
        if fewest > 0 && (text.len() < fewest || tokenizer.encode(text).len() < fewest) {
            seen.push((Flaw::TooShort, 0..text.len()));
        }
        if most > 0
            && text.len() > most
            && let Some(first) = tokenizer.placed(text).get(most)
        {
            seen.push((Flaw::TooLong, first.place.start..text.len()));
        }
    }
}

fn within(
    text: &str,
    row: usize,
    looked: &Looked<'_>,
    seen: &mut Vec<(Flaw, std::ops::Range<usize>)>,
    found: &mut Vec<(Flaw, FlawAt)>,
) {
    looked.look(text, seen);
    let from = found.len();
    for (flaw, place) in seen.drain(..) {
        match found[from..].iter_mut().find(|(known, _)| *known == flaw) {
            Some((_, at)) => at.times += 1,
            None => {
                let shown: String = text[text.floor_char_boundary(place.start)..place.end].chars().take(SHOWN).collect();
                found.push((flaw, FlawAt { row: row as u32, shown: shown.into(), times: 1 }));
            }
        }
    }
}
