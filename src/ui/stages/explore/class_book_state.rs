//! What of the book of classes is open and typed.

/// The state of the book of classes.
#[derive(Debug, Clone, Default)]
pub struct ClassBook {
    /// The column whose classes are shown in the place of the table.
    pub column: Option<String>,
    /// The class that is shown whole.
    pub class: Option<String>,
    /// What the list is searched for.
    pub search: String,
    /// The class that what is typed belongs to, and the guideline that stood there.
    typed_of: Option<String>,
    stood: String,
    /// Another name, and the guideline, as they are typed; and whether the latter is not saved.
    pub name: String,
    pub guideline: String,
    pub typed: bool,
    /// The class that what the filter leaves is to have.
    pub split_into: String,
    /// Scroll to the class, at the next frame.
    pub follow: bool,
}

impl ClassBook {
    /// Opens it on the classes of a column.
    pub fn open(&mut self, column: String) {
        *self = Self { column: Some(column), ..Self::default() };
    }

    /// Its column and class, where both are shown.
    pub fn shown(&self) -> Option<(&str, &str)> {
        Some((self.column.as_deref()?, self.class.as_deref()?))
    }

    /// Fills in what stands there of a class, once, and anew where that has changed and nobody types. Returns the guideline that was typed for the
    /// class before it and is still to be saved.
    pub fn begin(&mut self, class: &str, guideline: &str) -> Option<(String, String)> {
        if self.typed_of.as_deref() == Some(class) {
            if !self.typed && self.stood != guideline {
                guideline.clone_into(&mut self.stood);
                guideline.clone_into(&mut self.guideline);
            }
            return None;
        }
        let before = self.typed_of.replace(class.to_owned()).filter(|_| std::mem::take(&mut self.typed));
        let left = before.map(|before| (before, std::mem::take(&mut self.guideline)));
        (self.name, self.guideline, self.stood) = (class.to_owned(), guideline.to_owned(), guideline.to_owned());
        self.split_into.clear();
        left
    }

    /// Whether a guideline was typed that is not saved.
    pub fn is_typed(&self) -> bool {
        self.typed
    }
}
