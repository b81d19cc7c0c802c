//! How a split is asked for.

/// How a split is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct SplitForm {
    /// The place of the method in the view's list.
    pub method: usize,
    /// Whether somebody chose it: until then it is what the dataset allows.
    pub chosen: bool,
    /// The label column, for stratifying.
    pub label: String,
    /// The group, time or id column.
    pub by: String,
    /// Where train ends and where validation ends, 0 to 1.
    pub borders: [f32; 2],
    /// The number of folds; 0 for train, validation and test.
    pub folds: usize,
    /// The seed.
    pub seed: u64,
    /// Whether copies of each other stay in one part.
    pub together: bool,
    /// Whether near copies of texts do, too, and from which similarity on.
    pub near: bool,
    pub similarity: f64,
}

impl Default for SplitForm {
    fn default() -> Self {
        Self {
            method: 1,
            chosen: false,
            label: String::new(),
            by: String::new(),
            borders: [0.8, 0.9],
            folds: 0,
            seed: 42,
            together: true,
            near: false,
            similarity: 0.75,
        }
    }
}
