//! The field's own tokenizer library, which the fast way is held against, and which says what it cannot.

use std::sync::OnceLock;

use tokenizers::Tokenizer as Reference;

/// The reference, opened when it is first asked: it takes as long and as much memory as all the rest.
pub struct LazyReference {
    json: Box<[u8]>,
    opened: OnceLock<Option<Reference>>,
}

impl LazyReference {
    /// Of a tokenizer's file.
    pub fn of(json: &[u8]) -> Self {
        Self { json: json.into(), opened: OnceLock::new() }
    }

    /// Opens it now.
    pub fn open(json: &[u8]) -> Result<Reference, String> {
        let mut reference = Reference::from_bytes(json).map_err(|error| error.to_string())?;
        // A file may say to cut or to pad: neither is asked for here.
        reference.with_truncation(None).map_err(|error| error.to_string())?;
        reference.with_padding(None);
        Ok(reference)
    }

    /// Keeps one that is open.
    pub fn keep(&self, reference: Reference) {
        let _ = self.opened.set(Some(reference));
    }

    /// It, unless its file is broken.
    pub fn get(&self) -> Option<&Reference> {
        self.opened.get_or_init(|| Self::open(&self.json).ok()).as_ref()
    }
}
