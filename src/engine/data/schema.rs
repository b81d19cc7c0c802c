//! What a column holds ([`Kind`]) and what it means ([`Role`]).

use std::fmt;

/// How a column's cells are read. The text itself is kept whatever the kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Any text.
    Text,
    /// Whole numbers whose text is their canonical spelling (`7`, never `007`).
    Integer,
    /// Decimal numbers in any usual spelling: `1.50`, `-0`, `1e5`, `NaN`.
    Number,
    /// Decimal numbers with a decimal comma: `12,34`, `1.234,5`.
    Comma,
    /// `true` or `false`.
    Boolean,
    /// A date, time or duration of a typed source.
    Time,
    /// A list, as JSON.
    List,
    /// A structure of named fields, as JSON.
    Struct,
    /// JSON values of several kinds.
    Json,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 9] =
        [Self::Text, Self::Integer, Self::Number, Self::Comma, Self::Boolean, Self::Time, Self::List, Self::Struct, Self::Json];

    /// The word for it, on screen and in `info`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Comma => "decimal comma",
            Self::Boolean => "boolean",
            Self::Time => "time",
            Self::List => "list",
            Self::Struct => "struct",
            Self::Json => "json",
        }
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether cells can be put on a number line.
    pub fn is_numeric(self) -> bool {
        matches!(self, Self::Integer | Self::Number | Self::Comma)
    }

    /// A cell's value where the kind is one of numbers, finite or not; `None` where it is none.
    pub fn number(self, text: &str) -> Option<f64> {
        super::number_of(text, self == Self::Comma)
    }

    /// Whether a cell's text is JSON rather than plain text.
    pub fn is_nested(self) -> bool {
        matches!(self, Self::List | Self::Struct | Self::Json)
    }

    /// Whether `text` is a cell of this kind. Kinds of typed sources are checked against their type at the edit.
    pub fn accepts(self, text: &str) -> bool {
        match self {
            Self::Text | Self::Time => true,
            Self::Integer => text.is_empty() || text.parse::<i64>().is_ok() || text.parse::<u64>().is_ok(),
            Self::Number | Self::Comma => text.is_empty() || self.number(text).is_some(),
            Self::Boolean => matches!(text, "" | "true" | "false"),
            Self::List => text.is_empty() || serde_json::from_str::<Vec<serde::de::IgnoredAny>>(text).is_ok(),
            Self::Struct => text.is_empty() || serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text).is_ok(),
            Self::Json => text.is_empty() || serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok(),
        }
    }
}

/// What a column means to the workbench.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Nothing in particular.
    Other,
    /// What a model reads.
    Text,
    /// A chat: a list of turns.
    Messages,
    /// A class, or a list of classes.
    Label,
    /// Several classes in one text, between separators.
    Labels(char),
    /// What names a sample.
    Id,
    /// Samples with the same value must stay in one split part.
    Group,
    /// Which split part a sample is in.
    Split,
    /// When the sample arose.
    Time,
    /// A number that describes the sample.
    Number,
    /// The path of an image.
    Image,
    /// What a model said.
    Prediction,
}

impl Role {
    /// Every role; `Labels` with its usual separator.
    pub const ALL: [Self; 12] = [
        Self::Text,
        Self::Label,
        Self::Labels(','),
        Self::Id,
        Self::Group,
        Self::Split,
        Self::Messages,
        Self::Time,
        Self::Number,
        Self::Image,
        Self::Prediction,
        Self::Other,
    ];

    /// Whether the column holds classes.
    pub fn is_label(self) -> bool {
        matches!(self, Self::Label | Self::Labels(_))
    }

    /// The role with this name, as [`fmt::Display`] writes it.
    pub fn from_name(name: &str) -> Option<Self> {
        if let Some(separator) = name.strip_prefix("labels ") {
            return separator.chars().next().map(Self::Labels);
        }
        Self::ALL.into_iter().find(|role| role.to_string() == name)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Other => "other",
            Self::Text => "text",
            Self::Messages => "messages",
            Self::Label => "label",
            Self::Labels(separator) => return write!(f, "labels {separator}"),
            Self::Id => "id",
            Self::Group => "group",
            Self::Split => "split",
            Self::Time => "time",
            Self::Number => "number",
            Self::Image => "image",
            Self::Prediction => "prediction",
        };
        f.write_str(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_roles_and_kinds_read_back() {
        for role in Role::ALL.into_iter().chain([Role::Labels(';'), Role::Labels('|')]) {
            assert_eq!(Role::from_name(&role.to_string()), Some(role));
        }
        for kind in Kind::ALL {
            assert_eq!(Kind::from_name(kind.name()), Some(kind));
        }
    }
}
