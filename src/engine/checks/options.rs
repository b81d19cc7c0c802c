//! What a person can move of a check: data that sliders, command line and help iterate.

use std::collections::BTreeMap;

use super::FindingKind;

/// One number of a check.
#[derive(Debug)]
pub struct CheckOption {
    /// Its name on the command line, with its dashes; no two checks share one.
    pub flag: &'static str,
    /// Its name beside a slider.
    pub label: &'static str,
    /// What it does.
    pub help: &'static str,
    /// The findings that it decides on.
    pub kinds: &'static [FindingKind],
    /// Where it is a choice, what there is to choose from: its value is a place among them. With [`A_COLUMN`] it is a column by its name.
    pub choices: &'static [&'static str],
    /// From where to where it goes, and where it stands unless somebody moves it.
    pub least: f64,
    pub most: f64,
    pub usual: f64,
}

/// What is chosen is a column of the dataset.
pub const A_COLUMN: &[&str] = &["a column"];

impl CheckOption {
    /// Whether it is a column by its name.
    pub fn is_column(&self) -> bool {
        self.choices == A_COLUMN
    }
}

/// Options that somebody moved; the others stand as usual.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Options {
    numbers: BTreeMap<&'static str, f64>,
    columns: BTreeMap<&'static str, String>,
}

impl Options {
    /// The value of an option.
    pub fn get(&self, option: &CheckOption) -> f64 {
        self.numbers.get(option.flag).copied().unwrap_or(option.usual)
    }

    /// The place of the choice of an option that is one.
    pub fn choice(&self, option: &CheckOption) -> usize {
        (self.get(option).round().max(0.0) as usize).min(option.choices.len().saturating_sub(1))
    }

    /// Moves an option.
    pub fn set(&mut self, option: &CheckOption, value: f64) {
        if value.total_cmp(&option.usual).is_eq() {
            self.numbers.remove(option.flag);
        } else {
            self.numbers.insert(option.flag, value);
        }
    }

    /// The column of an option that is one; empty where nobody named any.
    pub fn column(&self, option: &CheckOption) -> &str {
        self.columns.get(option.flag).map_or("", String::as_str)
    }

    /// Names the column of an option that is one.
    pub fn set_column(&mut self, option: &CheckOption, name: &str) {
        if name.is_empty() {
            self.columns.remove(option.flag);
        } else {
            self.columns.insert(option.flag, name.to_owned());
        }
    }
}
