//! Models to take away. A head as numbers that scikit-learn takes; all of them are written aside, then moved into place.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::io::error::IoError;
use crate::learn::tensors::{TensorBytes, Tensors, to_file};

/// What is said of a model in its folder.
pub struct ModelWords<'w> {
    pub classes: &'w [String],
    /// What it was learned by, and how good it is, as Markdown.
    pub about: &'w str,
}

pub(super) fn fault(path: &Path, reason: &dyn std::fmt::Display) -> IoError {
    IoError::Write { path: path.to_owned(), reason: reason.to_string() }
}

/// Fills a folder aside and moves it to `to`, where nothing may be yet.
pub(super) fn aside(to: &Path, fill: impl FnOnce(&Path) -> Result<(), IoError>) -> Result<(), IoError> {
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

pub(super) fn put(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), IoError> {
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

/// Writes a prompt as `to`, to be used elsewhere: as a text to read, and as messages with `{text}` where the question goes.
///
/// # Errors
/// [`IoError::Write`]; nothing is at `to` then.
pub fn keep_prompt(said: &[(&'static str, String)], classes: &[String], about: &str, to: &Path) -> Result<(), IoError> {
    let messages: Vec<_> = said.iter().map(|(who, text)| json!({ "role": who, "content": text })).collect();
    let mut text = String::new();
    said.iter().for_each(|(who, said)| text.push_str(&format!("[{who}]\n{said}\n\n")));
    aside(to, |folder| {
        put(folder, "prompt.txt", text.as_bytes())?;
        put(folder, "messages.json", format!("{:#}", json!(messages)).as_bytes())?;
        put(folder, "labels.json", json!(classes).to_string().as_bytes())?;
        put(folder, "README.md", format!("{about}\nPut the text in the place of {{text}} in messages.json.\n").as_bytes())
    })
}
