//! A text model as it is being named.

use std::path::PathBuf;

use crate::io::{MOST_AT_ONCE, Place, TextModel, is_variable};

/// What is typed of a text model.
#[derive(Debug, Clone, PartialEq)]
pub struct TextModelForm {
    /// The name of the one that is changed; `None` for a new one.
    pub was: Option<String>,
    pub name: String,
    pub is_folder: bool,
    pub folder: String,
    pub back_folder: String,
    pub prefix: String,
    pub back_prefix: String,
    pub url: String,
    pub model: String,
    /// A key for this run only.
    pub key: String,
    pub key_variable: String,
    pub at_once: u32,
    pub per_minute: u32,
    /// The host that texts may be sent to.
    pub allowed: String,
}

impl Default for TextModelForm {
    fn default() -> Self {
        Self {
            was: None,
            name: String::new(),
            is_folder: false,
            folder: String::new(),
            back_folder: String::new(),
            prefix: String::new(),
            back_prefix: String::new(),
            url: String::new(),
            model: String::new(),
            key: String::new(),
            key_variable: String::new(),
            at_once: 2,
            per_minute: 0,
            allowed: String::new(),
        }
    }
}

impl TextModelForm {
    /// The form of a model that is there.
    pub fn of(known: &TextModel) -> Self {
        let form = Self { was: Some(known.name.clone()), name: known.name.clone(), ..Self::default() };
        match known.place.clone() {
            Place::Folder { folder, back, prefix, back_prefix } => Self {
                is_folder: true,
                folder: folder.display().to_string(),
                back_folder: back.display().to_string(),
                prefix,
                back_prefix,
                ..form
            },
            Place::Address { url, model, key_variable, at_once, per_minute, allowed } => {
                Self { url, model, key_variable, at_once, per_minute, allowed, ..form }
            }
        }
    }

    /// The model as it is typed. Without a name of its own it has that of the model, or of its folder.
    pub fn model(&self) -> TextModel {
        let typed = self.name.trim();
        let folder = PathBuf::from(self.folder.trim());
        let own = if self.is_folder {
            folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
        } else {
            self.model.trim().to_owned()
        };
        let place = if self.is_folder {
            Place::Folder {
                folder,
                back: PathBuf::from(self.back_folder.trim()),
                prefix: self.prefix.trim().to_owned(),
                back_prefix: self.back_prefix.trim().to_owned(),
            }
        } else {
            Place::Address {
                url: self.url.trim().to_owned(),
                model: self.model.trim().to_owned(),
                key_variable: self.key_variable.trim().to_owned(),
                at_once: self.at_once.clamp(1, MOST_AT_ONCE),
                per_minute: self.per_minute,
                allowed: self.allowed.clone(),
            }
        };
        TextModel { name: if typed.is_empty() { own } else { typed.to_owned() }, place }
    }

    /// Whether all is typed that it needs.
    pub fn is_whole(&self) -> bool {
        let given = |text: &str| !text.trim().is_empty();
        if self.is_folder {
            given(&self.folder)
        } else {
            given(&self.url) && given(&self.model) && is_variable(&self.key_variable)
        }
    }
}
