//! What a column holds ([`Kind`]) and what it means ([`Role`]), and how both are proposed from names and content.

use std::fmt;

use super::column::Column;
use crate::pixels::Coding;

/// How a column's cells are read. The text itself is kept whatever the kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Any text.
    Text,
    /// Whole numbers whose text is exactly their canonical spelling (`7`, never `007`).
    Integer,
    /// Decimal numbers, likewise (`1.5`, never `1.50` or `1e5`, unless the user chose so).
    Number,
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
    pub const ALL: [Self; 8] =
        [Self::Text, Self::Integer, Self::Number, Self::Boolean, Self::Time, Self::List, Self::Struct, Self::Json];

    /// The word for it, on screen and in `info`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Number => "number",
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
        matches!(self, Self::Integer | Self::Number)
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
            Self::Number => text.is_empty() || text.parse::<f64>().is_ok(),
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

const SAMPLED: usize = 2_000;
const LONGEST: usize = 4_096;

/// What a look at a column's first cells tells: enough to propose a role, cheap at any size.
struct Glance {
    filled: usize,
    distinct: usize,
    mean_chars: f64,
    parts: bool,
    values: Vec<String>,
}

fn glance(column: &Column, rows: usize) -> Glance {
    let step = (rows / SAMPLED).max(1);
    let mut values = Vec::new();
    for row in (0..rows).step_by(step).take(SAMPLED) {
        if let Some(text) = column.text(row).filter(|text| !text.is_empty()) {
            // The beginning of a text tells what it is, however long it goes on.
            let end = (0..=text.len().min(LONGEST)).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
            values.push(text[..end].to_owned());
        }
    }
    let chars: usize = values.iter().map(|text| text.chars().count()).sum();
    let mut sorted: Vec<&str> = values.iter().map(String::as_str).collect();
    sorted.sort_unstable();
    sorted.dedup();
    let names = ["train", "training", "validation", "valid", "val", "dev", "test", "eval"];
    #[allow(clippy::cast_precision_loss)]
    let mean_chars = chars as f64 / values.len().max(1) as f64;
    let parts = sorted.len() > 1 && sorted.iter().all(|text| names.contains(&text.to_lowercase().as_str()));
    Glance { filled: values.len(), distinct: sorted.len(), mean_chars, parts, values }
}

/// Proposes a role for every column from its name and its first cells. At most one label is proposed.
///
/// Names decide first; content decides among columns whose names say nothing. Deterministic.
pub fn propose_roles(columns: &[Column], rows: usize) -> Vec<Role> {
    let glances: Vec<Glance> = columns.iter().map(|column| glance(column, rows)).collect();
    let mut roles: Vec<Role> =
        columns.iter().zip(&glances).map(|(column, look)| propose(column, look).unwrap_or(Role::Other)).collect();
    // Two columns named like labels: the one with fewer classes is the label, the other stays as it is.
    let labels: Vec<usize> = (0..roles.len()).filter(|i| roles[*i].is_label()).collect();
    if labels.is_empty() {
        let candidate = (0..roles.len())
            .filter(|i| roles[*i] == Role::Other && !columns[*i].kind.is_nested())
            .filter(|i| {
                let look = &glances[*i];
                look.filled >= 8 && (2..=200).contains(&look.distinct) && look.distinct * 4 <= look.filled
            })
            .filter(|i| matches!(columns[*i].kind, Kind::Text | Kind::Boolean) && glances[*i].mean_chars < 40.0)
            .min_by_key(|i| glances[*i].distinct);
        if let Some(found) = candidate {
            roles[found] = Role::Label;
        }
    }
    if !roles.iter().any(|role| matches!(role, Role::Text | Role::Messages | Role::Image)) {
        let candidate = (0..roles.len())
            .filter(|i| roles[*i] == Role::Other && columns[*i].kind == Kind::Text && glances[*i].distinct > 1)
            .max_by(|a, b| glances[*a].mean_chars.total_cmp(&glances[*b].mean_chars));
        if let Some(found) = candidate {
            roles[found] = Role::Text;
        }
    }
    roles
}

fn propose(column: &Column, look: &Glance) -> Option<Role> {
    let name = column.name.to_lowercase();
    let is = |names: &[&str]| names.contains(&name.as_str());
    if look.parts || is(&["split", "fold", "subset", "partition"]) && look.distinct <= 50 {
        return Some(Role::Split);
    }
    // Most cells name pictures: a few that do not are what checks are for.
    let paths = |text: &String| super::paths_of(text).iter().any(|path| Coding::of_name(path).is_some());
    let named = look.values.iter().filter(|text| paths(text)).count();
    if column.is_blobs() || named > 0 && named * 5 >= look.values.len() * 4 && matches!(column.kind, Kind::Text | Kind::List) {
        return Some(Role::Image);
    }
    if column.kind.is_nested() {
        let chat = look.values.first().is_some_and(|text| {
            (text.contains("\"role\"") && text.contains("\"content\""))
                || (text.contains("\"from\"") && text.contains("\"value\""))
        });
        if column.kind == Kind::List && (chat || is(&["messages", "conversations", "conversation", "chat", "turns"])) {
            return Some(Role::Messages);
        }
        return (column.kind == Kind::List && is(&["label", "labels", "tags", "classes"])).then_some(Role::Label);
    }
    let unique = look.filled > 0 && look.distinct == look.filled;
    if is(&["id", "uuid", "guid", "idx", "index", "sample_id", "row_id", "key"]) || name.ends_with("_id") && unique {
        return Some(Role::Id);
    }
    let label_names =
        ["label", "labels", "category", "class", "target", "intent", "sentiment", "topic", "y", "annotation", "tag", "tags"];
    if is(&label_names) || name.ends_with("_label") || name.ends_with("_class") {
        if (column.kind == Kind::Text) && is(&["labels", "tags"]) {
            let by = [';', '|', ','].into_iter().find(|by| look.values.iter().any(|text| text.contains(*by)));
            if let Some(separator) = by {
                return Some(Role::Labels(separator));
            }
        }
        return (column.kind != Kind::Number || look.distinct <= 20).then_some(Role::Label);
    }
    if is(&["prediction", "predicted", "pred", "y_pred", "predicted_label"]) {
        return Some(Role::Prediction);
    }
    if is(&["user", "user_id", "author", "group", "group_id", "speaker", "customer", "customer_id", "patient", "document"])
        || name.ends_with("_id") && !unique
    {
        return Some(Role::Group);
    }
    if column.kind == Kind::Time
        || is(&["time", "date", "timestamp", "created", "created_at", "updated_at", "datetime"])
        || name.ends_with("_at") && column.kind != Kind::Number
    {
        return Some(Role::Time);
    }
    if column.kind.is_numeric() {
        return Some(Role::Number);
    }
    let texts = [
        "text",
        "sentence",
        "content",
        "body",
        "review",
        "comment",
        "question",
        "answer",
        "instruction",
        "input",
        "output",
        "prompt",
        "completion",
        "response",
        "chosen",
        "rejected",
        "title",
        "utterance",
        "message",
        "document_text",
        "query",
    ];
    (column.kind == Kind::Text && is(&texts)).then_some(Role::Text)
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
