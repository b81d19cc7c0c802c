//! spaCy's `DocBin` (`.spacy`): zlib of `MessagePack`. Tokens are hashes of their words (`MurmurHash64A`, seed 1) that a list of strings resolves.

use std::collections::HashMap;
use std::io::Read as _;

use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};
use serde_json::{Map, Value, json};

use super::folder::has_ending;
use super::{LaidTable, span};

/// spaCy's numbers of attributes: the word, where an entity begins and goes on, its class.
const ORTH: u64 = 65;
const ENT_IOB: u64 = 77;
const ENT_TYPE: u64 = 78;
/// A span of a group: id, knowledge base, label (8 bytes each), then tokens and letters from and to (4 each), big-endian.
const SPAN: usize = 40;

/// Strings that have numbers of spaCy's own and no hash, in runs from a first number: attributes and parts of speech, entities, relations.
const NUMBERED: [(u64, &str); 2] = [
    (
        64,
        "ID ORTH LOWER NORM SHAPE PREFIX SUFFIX LENGTH CLUSTER LEMMA POS TAG DEP ENT_IOB ENT_TYPE HEAD SENT_START SPACY PROB \
         ADJ ADP ADV AUX CONJ CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X EOL SPACE",
    ),
    (
        380,
        "PERSON NORP FACILITY ORG GPE LOC PRODUCT EVENT WORK_OF_ART LANGUAGE DATE TIME PERCENT MONEY QUANTITY ORDINAL CARDINAL \
         acomp advcl advmod agent amod appos attr aux auxpass cc ccomp complm conj cop csubj csubjpass dep det dobj expl hmod hyph \
         infmod intj iobj mark meta neg nmod nn npadvmod nsubj nsubjpass num number oprd obj obl parataxis partmod pcomp pobj poss \
         possessive preconj prep prt punct quantmod rcmod root xcomp acl LAW",
    ),
];

/// Bytes, which `MessagePack` tells from lists.
#[derive(Default, PartialEq, Eq, Hash)]
struct Bytes(Vec<u8>);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct OfBytes;
        impl<'de> Visitor<'de> for OfBytes {
            type Value = Bytes;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(bytes.to_vec()))
            }
            fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Bytes, E> {
                Ok(Bytes(bytes))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Bytes, A::Error> {
                let mut bytes = Vec::new();
                while let Some(byte) = list.next_element()? {
                    bytes.push(byte);
                }
                Ok(Bytes(bytes))
            }
        }
        from.deserialize_any(OfBytes)
    }
}

/// The container, as far as it is read.
#[derive(serde::Deserialize)]
struct DocBin {
    attrs: Vec<u64>,
    tokens: Bytes,
    spaces: Bytes,
    lengths: Bytes,
    strings: Vec<String>,
    #[serde(default)]
    cats: Vec<Map<String, Value>>,
    #[serde(default)]
    span_groups: Vec<Bytes>,
}

/// A group of spans.
#[derive(serde::Deserialize)]
struct SpanGroup {
    name: String,
    spans: Vec<Bytes>,
}

/// Whether bytes are a container.
pub fn is(name: &str, bytes: &[u8]) -> bool {
    has_ending(name, "spacy") && matches!(bytes, [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..])
}

/// Reads the documents, a sample each. `limit`: how many bytes it may unpack to.
///
/// # Errors
/// A line: it is torn, or says of its parts what they are not.
pub fn read(bytes: &[u8], limit: u64) -> Result<LaidTable, String> {
    let mut unpacked = Vec::new();
    let most = limit.min(1 << 32);
    let mut zlib = flate2::read::ZlibDecoder::new(bytes).take(most + 1);
    zlib.read_to_end(&mut unpacked).map_err(|error| format!("it cannot be unpacked: {error}"))?;
    if unpacked.len() as u64 > most {
        return Err(format!("it unpacks to more than {} MiB", most >> 20));
    }
    let bin: DocBin = rmp_serde::from_slice(&unpacked).map_err(|error| format!("it is no DocBin, or torn: {error}"))?;
    let place = |attr: u64| bin.attrs.iter().position(|known| *known == attr);
    let orth = place(ORTH).ok_or("it holds no words (ORTH)")?;
    let lengths: Vec<usize> = bin
        .lengths
        .0
        .chunks_exact(4)
        .map(|part| usize::try_from(i32::from_le_bytes([part[0], part[1], part[2], part[3]])).unwrap_or(usize::MAX))
        .collect();
    let width = bin.attrs.len();
    let all = bin.tokens.0.len() / 8 / width.max(1);
    let told = lengths.iter().try_fold(0usize, |sum, length| sum.checked_add(*length));
    if told != Some(all) || bin.spaces.0.len() != all || !bin.tokens.0.len().is_multiple_of(8 * width) {
        return Err(format!("its documents do not have the {all} tokens that it holds"));
    }
    let mut words: HashMap<u64, &str> = bin.strings.iter().map(|word| (hash(word.as_bytes()), word.as_str())).collect();
    for (first, names) in NUMBERED {
        words.extend((first..).zip(names.split_whitespace()));
    }
    let cell = |token: usize, column: usize| {
        let at = (token * width + column) * 8;
        bin.tokens.0[at..at + 8].iter().rev().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte))
    };
    let mut table = LaidTable { first: vec!["text", "tokens"], ..LaidTable::default() };
    let (mut first, mut unknown) = (0, 0);
    for (at, length) in lengths.iter().enumerate() {
        let mut text = String::new();
        let (mut tokens, mut places, mut letters) = (Vec::new(), Vec::new(), 0);
        for token in first..first + length {
            let word = words.get(&cell(token, orth)).copied().unwrap_or_else(|| {
                unknown += 1;
                "\u{fffd}"
            });
            places.push((letters, letters + word.chars().count()));
            text.push_str(word);
            letters += word.chars().count();
            if bin.spaces.0[token] != 0 {
                text.push(' ');
                letters += 1;
            }
            tokens.push(word);
        }
        let mut row = Map::new();
        if let (Some(iob), Some(class)) = (place(ENT_IOB), place(ENT_TYPE)) {
            row.insert(
                "spans".to_owned(),
                entities(&text, &places, |token| (cell(first + token, iob), words.get(&cell(first + token, class)).copied())),
            );
        }
        if let Some(cats) = bin.cats.get(at).filter(|_| bin.cats.iter().any(|cats| !cats.is_empty())) {
            row.insert("cats".to_owned(), if cats.is_empty() { Value::Null } else { Value::Object(cats.clone()) });
            row.insert("label".to_owned(), chosen(cats));
        }
        for group in bin.span_groups.get(at).map(groups).transpose()?.into_iter().flatten() {
            let label = |bytes: &[u8]| {
                words.get(&bytes[16..24].iter().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte))).copied().unwrap_or_default()
            };
            let token = |bytes: &[u8], from: usize| {
                usize::try_from(i32::from_be_bytes([bytes[from], bytes[from + 1], bytes[from + 2], bytes[from + 3]])).ok()
            };
            let whole = group.spans.iter().filter(|bytes| bytes.0.len() == SPAN);
            let spans = whole.filter_map(|Bytes(bytes)| {
                let (from, to) = (token(bytes, 24)?, token(bytes, 28)?.checked_sub(1)?);
                Some(span(&text, places.get(from)?.0, places.get(to)?.1, label(bytes)))
            });
            row.insert(format!("spans_{}", group.name), spans.collect());
        }
        row.insert("text".to_owned(), json!(text.strip_suffix(' ').unwrap_or(&text)));
        row.insert("tokens".to_owned(), json!(tokens));
        table.rows.push(row);
        first += length;
    }
    if unknown > 0 {
        table.note(0, format!("{unknown} tokens whose words the file does not hold: shown as \u{fffd}"));
    }
    Ok(table)
}

/// The class that is scored best above a half: spaCy writes 1 and 0.
fn chosen(cats: &Map<String, Value>) -> Value {
    let scored = cats.iter().filter_map(|(name, score)| Some((name, score.as_f64()?))).filter(|(_, score)| *score >= 0.5);
    let best: Vec<Value> = scored.map(|(name, _)| json!(name)).collect();
    super::one_or_all(best)
}

/// Entities as spans: 3 begins one, 1 goes on, 2 is outside.
fn entities<'w>(text: &str, places: &[(usize, usize)], of: impl Fn(usize) -> (u64, Option<&'w str>)) -> Value {
    let mut found: Vec<(usize, usize, &str)> = Vec::new();
    for token in 0..places.len() {
        match of(token) {
            (3, class) => found.push((token, token, class.unwrap_or_default())),
            (1, _) => {
                if let Some(last) = found.last_mut().filter(|last| last.1 + 1 == token) {
                    last.1 = token;
                }
            }
            _ => {}
        }
    }
    found.into_iter().map(|(from, to, class)| span(text, places[from].0, places[to].1, class)).collect()
}

/// The groups of a document: by name since 3.5, a list before.
fn groups(bytes: &Bytes) -> Result<Vec<SpanGroup>, String> {
    if bytes.0.is_empty() {
        return Ok(Vec::new());
    }
    let one = |group: &Bytes| {
        rmp_serde::from_slice::<SpanGroup>(&group.0).map_err(|error| format!("a group of spans is torn: {error}"))
    };
    if let Ok(named) = rmp_serde::from_slice::<Vec<(Bytes, Vec<String>)>>(&bytes.0) {
        return named.iter().map(|(group, _)| one(group)).collect();
    }
    if let Ok(named) = rmp_serde::from_slice::<HashMap<Bytes, Vec<String>>>(&bytes.0) {
        let mut groups: Vec<SpanGroup> = named.keys().map(one).collect::<Result<_, _>>()?;
        groups.sort_by(|a, b| a.name.cmp(&b.name));
        return Ok(groups);
    }
    let list: Vec<Bytes> = rmp_serde::from_slice(&bytes.0).map_err(|error| format!("its groups of spans are torn: {error}"))?;
    list.iter().map(one).collect()
}

/// `MurmurHash64A` (Austin Appleby, public domain) with seed 1, as spaCy's strings are hashed; nothing is 0.
fn hash(bytes: &[u8]) -> u64 {
    const M: u64 = 0xc6a4_a793_5bd1_e995;
    if bytes.is_empty() {
        return 0;
    }
    let mut h = 1u64 ^ (bytes.len() as u64).wrapping_mul(M);
    let mut parts = bytes.chunks_exact(8);
    for part in &mut parts {
        let mut k = part.iter().rev().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte)).wrapping_mul(M);
        k = (k ^ k >> 47).wrapping_mul(M);
        h = (h ^ k).wrapping_mul(M);
    }
    let rest = parts.remainder();
    if !rest.is_empty() {
        let k = rest.iter().rev().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
        h = (h ^ k).wrapping_mul(M);
    }
    h = (h ^ h >> 47).wrapping_mul(M);
    h ^ h >> 47
}
