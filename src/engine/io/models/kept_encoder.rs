//! A fine-tuned encoder to take away, in the layout that the library of its kind loads: a sentence-transformers folder where a mean or a first token stands for a text, transformers' classifier where the pooler does, a
//! PEFT adapter where matrices beside its maps learned. Loaded again and compared before it is said to be there.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::kept_model::{ModelWords, aside, fault, put};
use super::meaning::open_encoder;
use crate::io::error::IoError;
use crate::learn::encoder::Encoder;
use crate::learn::lora::Lora;
use crate::learn::tensors::{TensorBytes, Tensors, of_file, to_file};
use crate::learn::tune::{Pooling, Tuned};

/// Files of a tokenizer that go along as they are.
const TOKENIZER: [&str; 6] =
    ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt", "vocab.json", "merges.txt"];

/// What is kept of an encoder's heads.
pub struct KeptHeads<'h> {
    /// By task: the column, and its classes.
    pub heads: &'h [(&'h str, &'h [String])],
    pub pooling: Pooling,
    pub normed: bool,
    /// The most tokens that were read of a text.
    pub longest: usize,
}

/// Writes a fine-tuned encoder of the folder `from` and its heads as `to`.
///
/// # Errors
/// [`IoError::Write`]; nothing is at `to` then.
pub fn keep_encoder(
    (from, encoder): (&Path, &Encoder),
    tuned: &Tuned,
    kept: &KeptHeads<'_>,
    words: &ModelWords<'_>,
    to: &Path,
) -> Result<(), IoError> {
    let old = fs::read(from.join("model.safetensors")).map_err(|error| fault(to, &error))?;
    let written = Written { from, old: &old, encoder, tuned, kept, words };
    aside(to, |folder| match &tuned.lora {
        Some(lora) => written.adapter(lora, folder),
        None if kept.pooling == Pooling::Pooler && kept.heads.len() == 1 => written.classifier(folder),
        None => written.sentences(folder),
    })
}

/// What is written.
struct Written<'w> {
    from: &'w Path,
    old: &'w [u8],
    encoder: &'w Encoder,
    tuned: &'w Tuned,
    kept: &'w KeptHeads<'w>,
    words: &'w ModelWords<'w>,
}

impl Written<'_> {
    fn hidden(&self) -> usize {
        self.encoder.dims()
    }

    /// The weights and intercepts of a head.
    fn head(&self, task: usize) -> (&[f32], &[f32]) {
        let hidden = self.hidden();
        let before: usize = self.tuned.tasks[..task].iter().map(|task| task.classes * (hidden + 1)).sum();
        let classes = self.tuned.tasks[task].classes;
        self.tuned.head[before..before + classes * (hidden + 1)].split_at(classes * hidden)
    }

    fn head_into(&self, task: usize, names: (&str, &str), tensors: &mut Tensors) {
        let (weights, bias) = self.head(task);
        tensors.insert(names.0.to_owned(), TensorBytes::of(vec![bias.len(), self.hidden()], weights));
        tensors.insert(names.1.to_owned(), TensorBytes::of(vec![bias.len()], bias));
    }

    fn tokenizer(&self, folder: &Path) -> Result<(), IoError> {
        for name in TOKENIZER {
            if let Ok(bytes) = fs::read(self.from.join(name)) {
                put(folder, name, &bytes)?;
            }
        }
        Ok(())
    }

    fn config(&self) -> Result<Map<String, Value>, IoError> {
        let path = self.from.join("config.json");
        let bytes = fs::read(&path).map_err(|error| fault(&path, &error))?;
        serde_json::from_slice(&bytes).map_err(|error| fault(&path, &error))
    }

    fn readme(&self, folder: &Path, how: &str) -> Result<(), IoError> {
        put(folder, "README.md", format!("{}\n```python\n{how}```\n", self.words.about).as_bytes())
    }

    /// Every head in one file: `COLUMN.weight`, `COLUMN.bias`; and their classes by column.
    fn heads(&self, folder: &Path) -> Result<(), IoError> {
        let mut tensors = Tensors::new();
        for (task, (label, _)) in self.kept.heads.iter().enumerate() {
            self.head_into(task, (&format!("{label}.weight"), &format!("{label}.bias")), &mut tensors);
        }
        put(folder, "heads.safetensors", &to_file(&tensors))?;
        let labels: Map<String, Value> =
            self.kept.heads.iter().map(|(label, classes)| ((*label).to_owned(), json!(classes))).collect();
        put(folder, "labels.json", Value::Object(labels).to_string().as_bytes())
    }

    /// A sentence-transformers folder: with one task `encode` gives its logits; with several it gives rows, and heads stand beside it.
    fn sentences(&self, folder: &Path) -> Result<(), IoError> {
        let hidden = self.hidden();
        let bytes = self.encoder.file_with(self.old, &self.tuned.params).map_err(|error| fault(folder, &error))?;
        put(folder, "model.safetensors", &bytes)?;
        put(folder, "config.json", format!("{:#}", Value::Object(self.config()?)).as_bytes())?;
        self.tokenizer(folder)?;
        // It is read as it was taught.
        let limits = json!({ "max_seq_length": self.kept.longest, "do_lower_case": false });
        put(folder, "sentence_bert_config.json", format!("{limits:#}").as_bytes())?;
        let first = self.kept.pooling != Pooling::Mean;
        let pooling = json!({
            "word_embedding_dimension": hidden, "pooling_mode_cls_token": first, "pooling_mode_mean_tokens": !first,
            "pooling_mode_max_tokens": false, "pooling_mode_mean_sqrt_len_tokens": false,
        });
        put(folder, "1_Pooling/config.json", format!("{pooling:#}").as_bytes())?;
        let mut modules = vec![(String::new(), "Transformer"), ("1_Pooling".to_owned(), "Pooling")];
        if self.kept.normed {
            fs::create_dir_all(folder.join("2_Normalize")).map_err(|error| fault(folder, &error))?;
            modules.push(("2_Normalize".to_owned(), "Normalize"));
        }
        let how = if let [(_, classes)] = self.kept.heads {
            let dense = format!("{}_Dense", modules.len());
            let identity = "torch.nn.modules.linear.Identity";
            let config =
                json!({ "in_features": hidden, "out_features": classes.len(), "bias": true, "activation_function": identity });
            put(folder, &format!("{dense}/config.json"), format!("{config:#}").as_bytes())?;
            let mut head = Tensors::new();
            self.head_into(0, ("linear.weight", "linear.bias"), &mut head);
            put(folder, &format!("{dense}/model.safetensors"), &to_file(&head))?;
            modules.push((dense, "Dense"));
            put(folder, "labels.json", json!(classes).to_string().as_bytes())?;
            "import json\nfrom sentence_transformers import SentenceTransformer\nmodel, labels = SentenceTransformer(\".\"), json.load(open(\"labels.json\"))\nlogits = model.encode([\"a text\"])\nprint(labels[logits[0].argmax()])\n"
        } else {
            self.heads(folder)?;
            "import json, safetensors.numpy\nfrom sentence_transformers import SentenceTransformer\nrows, heads = SentenceTransformer(\".\").encode([\"a text\"]), safetensors.numpy.load_file(\"heads.safetensors\")\nfor label, classes in json.load(open(\"labels.json\")).items():\n    logits = rows @ heads[f\"{label}.weight\"].T + heads[f\"{label}.bias\"]\n    print(label, classes[logits[0].argmax()])\n"
        };
        let modules: Vec<_> = modules
            .iter()
            .enumerate()
            .map(|(at, (path, kind))| json!({ "idx": at, "name": at.to_string(), "path": path, "type": format!("sentence_transformers.models.{kind}") }))
            .collect();
        put(folder, "modules.json", format!("{:#}", json!(modules)).as_bytes())?;
        self.readme(folder, how)?;
        self.check(folder)
    }

    /// A classifier of transformers: the encoder below a name of its own, the pooler where its family has it, the head.
    fn classifier(&self, folder: &Path) -> Result<(), IoError> {
        let (_, classes) = self.kept.heads[0];
        let mut tensors = Tensors::new();
        for (name, place) in &self.encoder.to_teach().0.names {
            let own = &self.tuned.params[place.range()];
            let flat = place.rows == 1 && !name.ends_with("_embeddings.weight");
            let shape = if flat { vec![place.columns] } else { vec![place.rows, place.columns] };
            tensors.insert(self.encoder.name_in_classifier(name), TensorBytes::of(shape, own));
        }
        let out = self.encoder.name_in_classifier("classifier");
        self.head_into(0, (&format!("{out}.weight"), &format!("{out}.bias")), &mut tensors);
        put(folder, "model.safetensors", &to_file(&tensors))?;
        let mut config = self.config()?;
        let names: Map<String, Value> = classes.iter().enumerate().map(|(at, class)| (at.to_string(), json!(class))).collect();
        let codes: Map<String, Value> = classes.iter().enumerate().map(|(at, class)| (class.clone(), json!(at))).collect();
        config.insert("architectures".to_owned(), json!([self.encoder.classifier()]));
        config.insert("id2label".to_owned(), Value::Object(names));
        config.insert("label2id".to_owned(), Value::Object(codes));
        config.insert("problem_type".to_owned(), json!("single_label_classification"));
        put(folder, "config.json", format!("{:#}", Value::Object(config)).as_bytes())?;
        self.tokenizer(folder)?;
        put(folder, "labels.json", json!(classes).to_string().as_bytes())?;
        let longest = self.kept.longest;
        // It is read as it was taught.
        let limits = json!({ "max_seq_length": longest, "do_lower_case": false });
        put(folder, "sentence_bert_config.json", format!("{limits:#}").as_bytes())?;
        let how = format!(
            "from transformers import pipeline\nsay = pipeline(\"text-classification\", model=\".\", truncation=True, max_length={longest})\nprint(say(\"a text\"))\n"
        );
        self.readme(folder, &how)?;
        self.check(folder)
    }

    /// An adapter of PEFT, for the folder that was taught.
    fn adapter(&self, lora: &Lora, folder: &Path) -> Result<(), IoError> {
        let whole = self.kept.pooling == Pooling::Pooler && self.kept.heads.len() == 1 && self.encoder.has_plain_classifier();
        let below = |map: &str| if whole { self.encoder.name_in_classifier(map) } else { self.encoder.name_of(map) };
        let mut tensors = Tensors::new();
        let mut maps: Vec<String> = Vec::new();
        for matrix in lora.matrices() {
            let map = below(matrix.map);
            let name = format!("base_model.model.{map}.lora_{}.weight", matrix.letter);
            tensors.insert(name, TensorBytes::of(matrix.shape.to_vec(), matrix.numbers));
            if maps.last() != Some(&map) {
                maps.push(map);
            }
        }
        let mut config = json!({
            "peft_type": "LORA", "task_type": "FEATURE_EXTRACTION", "r": lora.fit.rank, "lora_alpha": lora.fit.alpha, "lora_dropout": 0.0,
            "target_modules": maps, "bias": "none", "inference_mode": true, "fan_in_fan_out": false,
            "base_model_name_or_path": self.from.to_string_lossy(),
        });
        let how = if whole {
            self.head_into(0, ("base_model.model.classifier.weight", "base_model.model.classifier.bias"), &mut tensors);
            config["task_type"] = json!("SEQ_CLS");
            config["modules_to_save"] = json!(["classifier"]);
            put(folder, "labels.json", json!(self.kept.heads[0].1).to_string().as_bytes())?;
            let n = self.kept.heads[0].1.len();
            format!(
                "from peft import PeftModel\nfrom transformers import AutoModelForSequenceClassification\nmodel = AutoModelForSequenceClassification.from_pretrained(\"THE FOLDER THAT WAS TAUGHT\", num_labels={n})\nmodel = PeftModel.from_pretrained(model, \".\")\n"
            )
        } else {
            self.heads(folder)?;
            let normed = if self.kept.normed { "rows = torch.nn.functional.normalize(rows)\n" } else { "" };
            let pooled = match self.kept.pooling {
                Pooling::Mean => "rows = (said * mask).sum(1) / mask.sum(1)\n",
                Pooling::First => "rows = said[:, 0]\n",
                Pooling::Pooler => "rows = model(**batch).pooler_output\n",
            };
            format!(
                "import json, torch, safetensors.torch\nfrom peft import PeftModel\nfrom transformers import AutoModel, AutoTokenizer\nbase = \"THE FOLDER THAT WAS TAUGHT\"\nmodel = PeftModel.from_pretrained(AutoModel.from_pretrained(base), \".\").eval()\nbatch = AutoTokenizer.from_pretrained(base)([\"a text\"], padding=True, truncation=True, max_length={}, return_tensors=\"pt\")\nsaid, mask = model(**batch).last_hidden_state, batch[\"attention_mask\"].unsqueeze(-1)\n{pooled}{normed}heads = safetensors.torch.load_file(\"heads.safetensors\")\nfor label, classes in json.load(open(\"labels.json\")).items():\n    logits = rows @ heads[f\"{{label}}.weight\"].T + heads[f\"{{label}}.bias\"]\n    print(label, classes[logits[0].argmax()])\n",
                self.kept.longest
            )
        };
        let bytes = to_file(&tensors);
        put(folder, "adapter_model.safetensors", &bytes)?;
        put(folder, "adapter_config.json", format!("{config:#}").as_bytes())?;
        self.readme(folder, &how)?;
        let again = fs::read(folder.join("adapter_model.safetensors")).ok().and_then(|bytes| of_file(&bytes));
        if again.as_ref() == Some(&tensors) { Ok(()) } else { Err(fault(folder, &"read again it says something else")) }
    }

    /// Loads what was written, and compares its numbers.
    fn check(&self, folder: &Path) -> Result<(), IoError> {
        let again = open_encoder(folder).map_err(|error| fault(folder, &error))?;
        let (layout, params, _) = again.to_teach();
        let ours = self.encoder.to_teach().0;
        let same = layout.names.iter().all(|(name, place)| {
            let own = ours.names.iter().find(|(other, _)| other == name).map(|(_, place)| place.range());
            // What is no number is near to nothing.
            own.is_some_and(|own| params[place.range()].iter().zip(&self.tuned.params[own]).all(|(a, b)| (a - b).abs() <= 1e-6))
        });
        if same { Ok(()) } else { Err(fault(folder, &"loaded again it says something else")) }
    }
}
