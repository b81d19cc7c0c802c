//! Makes the built-in lexicon of synonyms from a WordNet 3.0 database (Debian's `wordnet-base`):
//! `cargo run --release --example lexicon -- /usr/share/wordnet assets/wordnet/synonyms.zst`.
//!
//! For each single word and part of speech: how often WordNet's corpora tag it so, and the single-word synonyms of its first sense, and
//! of its second where that is tagged at least half as often. Of those, the ones that the built-in embedding finds near the word (a cosine
//! of 0.3; 0.5 for one that no corpus uses): a first sense is often not the one that a text means (`time`, `clip`). Then the
//! irregular plurals and verb forms.

#![allow(clippy::pedantic, clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::path::Path;

use lapidary::learn::dense::dot;
use lapidary::learn::embedding::{EmbedReader, built_in};

fn is_word(word: &str) -> bool {
    word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_lowercase())
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [folder, out] = words.as_slice() else {
        println!("usage: lexicon WORDNET OUT");
        return;
    };
    let read = |name: &str| std::fs::read_to_string(Path::new(folder).join(name)).expect(name);
    // How often each sense of a lemma is tagged: `lemma%pos:... sense count`.
    let mut counts: HashMap<(String, char), BTreeMap<usize, u64>> = HashMap::new();
    for line in read("cntlist.rev").lines() {
        let mut parts = line.split(' ');
        let (key, sense, count) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
        let (lemma, rest) = key.split_once('%').unwrap();
        let pos = match rest.as_bytes()[0] {
            b'1' => 'n',
            b'2' => 'v',
            b'3' | b'5' => 'a',
            _ => 'r',
        };
        *counts.entry((lemma.to_owned(), pos)).or_default().entry(sense.parse().unwrap()).or_default() +=
            count.parse::<u64>().unwrap();
    }
    let total = |word: &str, pos: char| counts.get(&(word.to_owned(), pos)).map_or(0, |senses| senses.values().sum::<u64>());
    let embedding = built_in();
    let mut reader = EmbedReader::default();
    let mut vector = |word: &str| {
        let mut out = vec![0.0; embedding.dims()];
        embedding.embed(&mut reader, word, &mut out);
        out
    };
    let mut text = String::new();
    let mut lemmas = 0;
    for (pos, name) in [('n', "noun"), ('v', "verb"), ('a', "adj"), ('r', "adv")] {
        let mut synsets: HashMap<String, Vec<String>> = HashMap::new();
        for line in read(&format!("data.{name}")).lines().filter(|line| !line.starts_with(' ')) {
            let parts: Vec<&str> = line.split(' ').collect();
            let n = usize::from_str_radix(parts[3], 16).unwrap();
            let list = (0..n).map(|i| parts[4 + 2 * i].split('(').next().unwrap().to_owned()).collect();
            synsets.insert(parts[0].to_owned(), list);
        }
        for line in read(&format!("index.{name}")).lines().filter(|line| !line.starts_with(' ')) {
            let parts: Vec<&str> = line.split_whitespace().collect();
            let lemma = parts[0];
            if !is_word(lemma) {
                continue;
            }
            let senses = parts[2].parse::<usize>().unwrap();
            let offsets = &parts[parts.len() - senses..];
            let tagged =
                |sense: usize| counts.get(&(lemma.to_owned(), pos)).and_then(|all| all.get(&sense)).copied().unwrap_or(0);
            let mut found: Vec<String> = Vec::new();
            for (at, offset) in offsets.iter().enumerate().take(2) {
                if at == 1 && tagged(2) * 2 < tagged(1).max(1) {
                    break;
                }
                for word in &synsets[*offset] {
                    if is_word(word) && word != lemma && !found.contains(word) {
                        found.push(word.clone());
                    }
                }
            }
            let own = vector(lemma);
            found.retain(|word| dot(&own, &vector(word)) >= if total(word, pos) > 0 { 0.3 } else { 0.5 });
            found.truncate(8);
            let count = total(lemma, pos);
            // Words without synonyms are kept where they are used: which part of speech a word is depends on all of them.
            if !found.is_empty() || count > 0 {
                lemmas += 1;
                writeln!(text, "{pos}\t{lemma}\t{count}\t{}", found.join(",")).unwrap();
            }
        }
    }
    for (mark, name) in [("xn", "noun.exc"), ("xv", "verb.exc")] {
        for line in read(name).lines() {
            let mut parts = line.split(' ');
            let (form, lemma) = (parts.next().unwrap(), parts.next().unwrap());
            if is_word(form) && is_word(lemma) {
                writeln!(text, "{mark}\t{form}\t{lemma}").unwrap();
            }
        }
    }
    let packed = zstd::encode_all(text.as_bytes(), 19).unwrap();
    std::fs::write(out, &packed).unwrap();
    println!("{lemmas} entries, {} bytes, {} packed", text.len(), packed.len());
}
