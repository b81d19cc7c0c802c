//! Models to take away: a fine-tuned encoder with its head as a folder that sentence-transformers loads, a head as numbers that scikit-learn takes. Written aside, loaded again and compared, then moved into place.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::meaning::open_encoder;
use crate::io::error::IoError;
use crate::learn::bert::TokenRows;
use crate::learn::encoder::Encoder;
use crate::learn::tensors::{TensorBytes, Tensors, to_file};
use crate::learn::tune::Tuned;

/// What is said of a model in its folder.
pub struct ModelWords<'w> {
    pub classes: &'w [String],
    /// What it was learned by, and how good it is, as Markdown.
    pub about: &'w str,
}

/// Files of a tokenizer that go along as they are.
const TOKENIZER: [&str; 7] = [
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
];

fn fault(path: &Path, reason: &dyn std::fmt::Display) -> IoError {
    IoError::Write { path: path.to_owned(), reason: reason.to_string() }
}

/// Fills a folder aside and moves it to `to`, where nothing may be yet.
fn aside(to: &Path, fill: impl FnOnce(&Path) -> Result<(), IoError>) -> Result<(), IoError> {
    if to.exists() {
        return Err(fault(to, &"it is there already: name a folder that is not"));
    }
    let parent = to.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(|error| fault(to, &error))?;
    let new =
        tempfile::Builder::new().prefix(".lapidary-").suffix(".part").tempdir_in(parent).map_err(|error| fault(to, &error))?;
    // What nobody else may read is for nobody else to load.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(new.path(), fs::Permissions::from_mode(0o755)).map_err(|error| fault(to, &error))?;
    }
    fill(new.path())?;
    let new = new.keep();
    fs::rename(&new, to).map_err(|error| {
        let _ = fs::remove_dir_all(&new);
        fault(to, &error)
    })
}

fn put(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), IoError> {
    let path = folder.join(name);
    let write = || -> std::io::Result<()> {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let mut file = fs::File::create(&path)?;
        std::io::Write::write_all(&mut file, bytes)?;
        file.sync_all()
    };
    write().map_err(|error| fault(&path, &error))
}

/// Writes a fine-tuned encoder of the folder `from` and its head as `to`, to be read up to `longest` tokens of a text: `encode` of sentence-transformers gives its logits there.
///
/// # Errors
/// [`IoError::Write`]; nothing is at `to` then.
pub fn keep_encoder(
    (from, encoder): (&Path, &Encoder),
    tuned: &Tuned,
    (normed, longest): (bool, usize),
    words: &ModelWords<'_>,
    to: &Path,
) -> Result<(), IoError> {
    let (layout, ..) = encoder.to_teach();
    let hidden = layout.shape.hidden;
    aside(to, |folder| {
        let old = fs::read(from.join("model.safetensors")).map_err(|error| fault(to, &error))?;
        put(folder, "model.safetensors", &encoder.file_with(&old, &tuned.params).map_err(|error| fault(to, &error))?)?;
        for name in TOKENIZER {
            if let Ok(bytes) = fs::read(from.join(name)) {
                put(folder, name, &bytes)?;
            }
        }
        // It is read as it was taught.
        let limits = json!({ "max_seq_length": longest, "do_lower_case": false });
        put(folder, "sentence_bert_config.json", format!("{limits:#}").as_bytes())?;
        let pooling = json!({
            "word_embedding_dimension": hidden, "pooling_mode_cls_token": false, "pooling_mode_mean_tokens": true,
            "pooling_mode_max_tokens": false, "pooling_mode_mean_sqrt_len_tokens": false,
        });
        put(folder, "1_Pooling/config.json", format!("{pooling:#}").as_bytes())?;
        let mut modules = vec![(String::new(), "Transformer"), ("1_Pooling".to_owned(), "Pooling")];
        if normed {
            fs::create_dir_all(folder.join("2_Normalize")).map_err(|error| fault(to, &error))?;
            modules.push(("2_Normalize".to_owned(), "Normalize"));
        }
        let dense = format!("{}_Dense", modules.len());
        let identity = "torch.nn.modules.linear.Identity";
        let config =
            json!({ "in_features": hidden, "out_features": tuned.classes, "bias": true, "activation_function": identity });
        put(folder, &format!("{dense}/config.json"), format!("{config:#}").as_bytes())?;
        let (weights, bias) = tuned.head.split_at(tuned.classes * hidden);
        let head = Tensors::from([
            ("linear.weight".to_owned(), TensorBytes::of(vec![tuned.classes, hidden], weights)),
            ("linear.bias".to_owned(), TensorBytes::of(vec![tuned.classes], bias)),
        ]);
        put(folder, &format!("{dense}/model.safetensors"), &to_file(&head))?;
        modules.push((dense, "Dense"));
        let modules: Vec<_> = modules
            .iter()
            .enumerate()
            .map(|(at, (path, kind))| json!({ "idx": at, "name": at.to_string(), "path": path, "type": format!("sentence_transformers.models.{kind}") }))
            .collect();
        put(folder, "modules.json", format!("{:#}", json!(modules)).as_bytes())?;
        put(folder, "labels.json", json!(words.classes).to_string().as_bytes())?;
        let how = "```python\nimport json\nfrom sentence_transformers import SentenceTransformer\nmodel, labels = SentenceTransformer(\".\"), json.load(open(\"labels.json\"))\nlogits = model.encode([\"a text\"])\nprint(labels[logits[0].argmax()])\n```\n";
        put(folder, "README.md", format!("{}\n{how}", words.about).as_bytes())?;
        check(folder, encoder, tuned, normed).map_err(|why| fault(to, &why))
    })
}

/// Loads what was written, and compares what it says.
fn check(folder: &Path, encoder: &Encoder, tuned: &Tuned, normed: bool) -> Result<(), String> {
    let again = open_encoder(folder).map_err(|error| error.to_string())?;
    let texts = ["What was written says what was learned.".to_owned(), "1".to_owned()];
    let silent = crate::job::Progress::silent();
    let of = |encoder: &Encoder| encoder.tokens(&texts, &silent).map_err(|error| error.to_string());
    let (before, after) = (of(encoder)?, of(&again)?);
    let (layout, params, _) = again.to_teach();
    let read = Tuned::new(params.to_vec(), tuned.head.clone(), tuned.classes);
    let rows = |tokens: &[Vec<u32>]| TokenRows::of(tokens.iter().map(Vec::as_slice));
    let (ours, theirs) = (tuned.logits(layout, &rows(&before), normed), read.logits(layout, &rows(&after), normed));
    // What is no number is near to nothing.
    let same = ours.len() == theirs.len() && ours.iter().zip(&theirs).all(|(a, b)| (a - b).abs() <= 1e-5);
    if same { Ok(()) } else { Err("loaded again it says something else".to_owned()) }
}

/// Writes a linear head as `to`: `classes × dims` coefficients and an intercept a class, as scikit-learn has them.
///
/// # Errors
/// [`IoError::Write`]; nothing is at `to` then.
pub fn keep_head(weights: &[f32], bias: &[f32], words: &ModelWords<'_>, to: &Path) -> Result<(), IoError> {
    let (classes, mut bias) = (bias.len(), bias.to_vec());
    let dims = weights.len().checked_div(classes).unwrap_or(0);
    let mut turned: Vec<f32> = (0..classes).flat_map(|class| (0..dims).map(move |at| weights[at * classes + class])).collect();
    // Of two classes scikit-learn has one row, and takes more of them for questions of their own.
    let rows = if classes == 2 {
        turned = (0..dims).map(|at| turned[dims + at] - turned[at]).collect();
        bias = vec![bias[1] - bias[0]];
        1
    } else {
        classes
    };
    let head = Tensors::from([
        ("coef".to_owned(), TensorBytes::of(vec![rows, dims], &turned)),
        ("intercept".to_owned(), TensorBytes::of(vec![rows], &bias)),
    ]);
    aside(to, |folder| {
        put(folder, "head.safetensors", &to_file(&head))?;
        put(folder, "labels.json", json!(words.classes).to_string().as_bytes())?;
        let how = "```python\nimport json, numpy, safetensors.numpy\nfrom sklearn.linear_model import LogisticRegression\nfile, head = safetensors.numpy.load_file(\"head.safetensors\"), LogisticRegression()\nhead.coef_, head.intercept_, head.n_features_in_ = file[\"coef\"], file[\"intercept\"], file[\"coef\"].shape[1]\nhead.classes_ = numpy.array(json.load(open(\"labels.json\")))\n```\n";
        put(folder, "README.md", format!("{}\n{how}", words.about).as_bytes())
    })
}
