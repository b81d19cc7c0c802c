//! What a person can move of a check: data that sliders, command line and help iterate.

use std::collections::BTreeMap;

/// One number of a check.
#[derive(Debug)]
pub struct CheckOption {
    /// Its name on the command line, with its dashes; no two checks share one.
    pub flag: &'static str,
    /// Its name beside a slider.
    pub label: &'static str,
    /// What it does.
    pub help: &'static str,
    /// From where to where it goes, and where it stands unless somebody moves it.
    pub least: f64,
    pub most: f64,
    pub usual: f64,
}

/// Options that somebody moved; the others stand as usual.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Options(BTreeMap<&'static str, f64>);

impl Options {
    /// The value of an option.
    pub fn get(&self, option: &CheckOption) -> f64 {
        self.0.get(option.flag).copied().unwrap_or(option.usual)
    }

    /// Moves an option.
    pub fn set(&mut self, option: &CheckOption, value: f64) {
        if value.total_cmp(&option.usual).is_eq() {
            self.0.remove(option.flag);
        } else {
            self.0.insert(option.flag, value);
        }
    }
}
