//! What a person said of a dataset beside its cells: guidelines, the order and colours of classes, what is no problem here, how columns are
//! written, filters by name. An edit sets one; nothing that is worked out of the data depends on them.

use std::collections::BTreeMap;

/// What a property says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Property {
    /// Of a column and a class: when a sample is of it, in words.
    Guideline,
    /// Of a column: its classes in the order that keys and colours go by, as a list of JSON. Classes that are not named follow.
    ClassOrder,
    /// Of a column and a class: which of the colours of classes it has, from 0 on.
    ClassColour,
    /// Of a kind of finding and a column: it is no problem there.
    Fine,
    /// Of a column: its name in what is exported.
    ExportName,
    /// Of a column: it is left out of what is exported.
    LeftOut,
    /// Of the dataset: columns in the order of what is exported, as a list of JSON. Columns that are not named follow.
    ColumnOrder,
    /// Of a name: a filter, as JSON.
    Filter,
    /// Whether the label queue shows some samples once more, to see how far somebody agrees with themselves.
    AskAgain,
    /// Of a column and a sample's number: what was said of it at first and when it was shown once more, as a list of JSON.
    SaidAgain,
    /// Of a name: a batch of new data that is watched, as JSON.
    Batch,
    /// Of a name: a slice that is looked at in every batch, as JSON.
    LogSlice,
    /// Of a folder: it is looked at for new logs.
    LogFolder,
    /// Each text stands once: copies are left out, by this rule, also where there are none yet.
    EachOnce,
}

impl Property {
    /// Every property.
    pub const ALL: [Self; 14] = [
        Self::Guideline,
        Self::ClassOrder,
        Self::ClassColour,
        Self::Fine,
        Self::ExportName,
        Self::LeftOut,
        Self::ColumnOrder,
        Self::Filter,
        Self::AskAgain,
        Self::SaidAgain,
        Self::Batch,
        Self::LogSlice,
        Self::LogFolder,
        Self::EachOnce,
    ];

    /// Its name in projects and recipes.
    pub fn name(self) -> &'static str {
        match self {
            Self::Guideline => "guideline",
            Self::ClassOrder => "class_order",
            Self::ClassColour => "class_colour",
            Self::Fine => "fine",
            Self::ExportName => "export_name",
            Self::LeftOut => "left_out",
            Self::ColumnOrder => "column_order",
            Self::Filter => "filter",
            Self::AskAgain => "ask_again",
            Self::SaidAgain => "said_again",
            Self::Batch => "batch",
            Self::LogSlice => "log_slice",
            Self::LogFolder => "log_folder",
            Self::EachOnce => "each_once",
        }
    }

    /// The property with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|property| property.name() == name)
    }

    /// Whether the first of what it is of is a column of classes, which are counted by it.
    pub fn is_of_classes(self) -> bool {
        matches!(self, Self::ClassOrder | Self::ClassColour)
    }
}

/// Every property that somebody has set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Properties(BTreeMap<Property, BTreeMap<Vec<String>, String>>);

impl Properties {
    /// What a property says of something.
    pub fn get(&self, property: Property, of: &[&str]) -> Option<&str> {
        // Most have none: no key is made for nothing.
        let all = self.0.get(&property)?;
        let key: Vec<String> = of.iter().map(|word| (*word).to_owned()).collect();
        all.get(&key).map(String::as_str)
    }

    /// All that a property says, in the order of what it says that of.
    pub fn all(&self, property: Property) -> impl Iterator<Item = (&[String], &str)> {
        self.0.get(&property).into_iter().flatten().map(|(of, value)| (of.as_slice(), value.as_str()))
    }

    /// What a property lists of something: names in an order.
    pub fn list(&self, property: Property, of: &[&str]) -> Vec<String> {
        self.get(property, of).and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
    }

    /// What a person said of a column's classes: each with its words.
    pub fn guidelines(&self, column: &str) -> Vec<(String, String)> {
        let own = self.all(Property::Guideline).filter(|(of, _)| of.first().is_some_and(|own| own == column));
        own.filter_map(|(of, words)| Some((of.get(1)?.clone(), words.to_owned()))).collect()
    }

    /// Sets a property, or takes it away.
    pub fn set(&mut self, property: Property, of: &[String], value: Option<&str>) {
        match value {
            Some(value) => {
                self.0.entry(property).or_default().insert(of.to_vec(), value.to_owned());
            }
            None => {
                if let Some(all) = self.0.get_mut(&property) {
                    all.remove(of);
                    if all.is_empty() {
                        self.0.remove(&property);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_property_is_set_listed_and_taken_away() {
        let mut properties = Properties::default();
        let of = ["label".to_owned(), "a".to_owned()];
        properties.set(Property::Guideline, &of, Some("when it is a"));
        assert_eq!(properties.get(Property::Guideline, &["label", "a"]), Some("when it is a"));
        assert_eq!(properties.get(Property::Guideline, &["label", "b"]), None);
        assert_eq!(properties.all(Property::Guideline).count(), 1);
        properties.set(Property::ClassOrder, &of[..1], Some("[\"b\",\"a\"]"));
        assert_eq!(properties.list(Property::ClassOrder, &["label"]), ["b", "a"]);
        properties.set(Property::Guideline, &of, None);
        properties.set(Property::ClassOrder, &of[..1], None);
        assert_eq!(properties, Properties::default(), "what is taken away leaves nothing");
        assert!(Property::ALL.iter().all(|property| Property::from_name(property.name()) == Some(*property)));
    }
}
