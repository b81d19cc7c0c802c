//! Ways to look for problems. A check reads a snapshot and gives findings; it never changes anything.

mod annotators;
mod boilerplate;
mod class_names;
mod columns;
mod contradictions;
mod duplicates;
mod figures;
mod images;
mod irrelevant;
mod isolated;
mod kind;
pub mod label_errors;
mod noise;
mod options;
mod order;
mod outliers;
mod text_outliers;
mod turns;

use std::collections::{HashMap, HashSet};

use crate::data::{Dataset, SampleId, count, count_samples};
use crate::derive::Store;
use crate::job::{Cancelled, Progress};

pub use duplicates::{saying_fields, saying_print};
pub use images::Scan;
pub use irrelevant::{BORDER_OPTION, DOMAIN, NOT_DOMAIN};
pub use kind::{FindingKind, KINDS, KindEntry};
pub use noise::limits;
pub use options::{A_COLUMN, CheckOption, Options};
pub use turns::chat_disorders;

/// A way to look for problems, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Check {
    Outliers,
    LabelErrors,
    Images,
    ImageCopies,
    ImageOutliers,
    Duplicates,
    NearDuplicates,
    Contradictions,
    ClassNames,
    TextOutliers,
    Noise,
    PersonalData,
    Order,
    Columns,
    Annotators,
    Irrelevant,
}

/// What a check reads.
pub struct CheckInput<'i> {
    pub dataset: &'i Dataset,
    /// What was seen of every picture, where there are any.
    pub scan: Option<&'i Scan>,
    /// What several checks need is worked out once.
    pub store: &'i Store,
}

/// However many.
const ANY: usize = usize::MAX;

/// Looks for problems.
pub type RunCheck = fn(&CheckInput<'_>, &Options, &Progress) -> Result<Vec<Finding>, Cancelled>;

/// A check.
pub struct CheckEntry {
    pub check: Check,
    /// Its name on the command line.
    pub name: &'static str,
    /// Its name on screen.
    pub title: &'static str,
    /// What it looks for.
    pub help: &'static str,
    /// What a person can move.
    pub options: &'static [CheckOption],
    /// Whether it looks at pictures.
    pub of_images: bool,
    /// Up to how many samples it looks without being asked.
    pub unasked: usize,
    /// Looks for them; `None` where the answer is more than a list: the label model has a queue of its own.
    pub run: Option<RunCheck>,
}

/// Every check. To add one is a file with its `run` and `OPTIONS`, and its entry here; Clean, `check` and its help follow.
pub static CHECKS: [CheckEntry; 16] = [
    CheckEntry {
        check: Check::Outliers,
        name: "outliers",
        title: "Outliers",
        help: "numbers and lengths far from the rest, rare classes, empty cells",
        options: &outliers::OPTIONS,
        of_images: false,
        unasked: ANY,
        run: Some(outliers::run),
    },
    CheckEntry {
        check: Check::LabelErrors,
        name: "label_errors",
        title: "Label errors",
        help: "labels that are probably wrong",
        options: &[],
        of_images: false,
        unasked: ANY,
        run: None,
    },
    CheckEntry {
        check: Check::Images,
        name: "images",
        title: "Images",
        help: "pictures that are missing, broken, dark, bright, blurry, empty, or of odd size, shape or colour",
        options: &images::OPTIONS,
        of_images: true,
        unasked: ANY,
        run: Some(images::pictures),
    },
    CheckEntry {
        check: Check::ImageCopies,
        name: "image_copies",
        title: "Copies of images",
        help: "pictures that are the same, or nearly",
        options: &[],
        of_images: true,
        unasked: ANY,
        run: Some(images::copies),
    },
    CheckEntry {
        check: Check::ImageOutliers,
        name: "image_outliers",
        title: "Images like no other",
        help: "pictures like no other",
        options: &[],
        of_images: true,
        unasked: ANY,
        run: Some(images::outliers),
    },
    CheckEntry {
        check: Check::Duplicates,
        name: "duplicates",
        title: "Duplicates",
        help: "texts that are the same, as far as you ask; of a table, rows",
        options: &duplicates::OPTIONS,
        of_images: false,
        unasked: ANY,
        run: Some(duplicates::same),
    },
    CheckEntry {
        check: Check::NearDuplicates,
        name: "near_duplicates",
        title: "Near duplicates",
        help: "texts that are nearly the same, and those in more than one part of the split",
        options: &duplicates::NEAR_OPTIONS,
        of_images: false,
        unasked: 200_000,
        run: Some(duplicates::near),
    },
    CheckEntry {
        check: Check::Contradictions,
        name: "contradictions",
        title: "Contradictions",
        help: "the same text, or nearly, with different labels",
        options: &contradictions::OPTIONS,
        of_images: false,
        unasked: 200_000,
        run: Some(contradictions::run),
    },
    CheckEntry {
        check: Check::ClassNames,
        name: "class_names",
        title: "Class names",
        help: "classes that are one but for case, accents, blanks, a plural or a typing error",
        options: &class_names::OPTIONS,
        of_images: false,
        unasked: ANY,
        run: Some(class_names::run),
    },
    CheckEntry {
        check: Check::TextOutliers,
        name: "text_outliers",
        title: "Like no other",
        help: "texts far from all others by what they mean, and those that nearly mean the same; of a table, rows by their numbers; samples that probabilities leave undecided",
        options: &text_outliers::OPTIONS,
        of_images: false,
        unasked: 20_000,
        run: Some(text_outliers::run),
    },
    CheckEntry {
        check: Check::Noise,
        name: "noise",
        title: "Noise",
        help: "wrong encodings, mark-up, hidden letters, repetition, boilerplate, gibberish, other languages, what models say of themselves, broken chats",
        options: &noise::OPTIONS,
        of_images: false,
        unasked: ANY,
        run: Some(noise::run),
    },
    CheckEntry {
        check: Check::PersonalData,
        name: "personal_data",
        title: "Personal data",
        help: "addresses of mail, telephones, accounts, cards, addresses of machines, keys",
        options: &[],
        of_images: false,
        unasked: ANY,
        run: Some(noise::personal),
    },
    CheckEntry {
        check: Check::Order,
        name: "order",
        title: "Order",
        help: "rows sorted by class, columns that give labels away, parts that differ",
        options: &[],
        of_images: false,
        unasked: ANY,
        run: Some(order::run),
    },
    CheckEntry {
        check: Check::Columns,
        name: "columns",
        title: "Columns",
        help: "columns that repeat another, or say one thing",
        options: &[],
        of_images: false,
        unasked: ANY,
        run: Some(columns::run),
    },
    CheckEntry {
        check: Check::Annotators,
        name: "annotators",
        title: "Annotators",
        help: "several people's labels: how far they agree, who is seldom right, what is in dispute",
        options: &[],
        of_images: false,
        unasked: ANY,
        run: Some(annotators::run),
    },
    CheckEntry {
        check: Check::Irrelevant,
        name: "irrelevant",
        title: "Irrelevant",
        help: "texts unlike those that you tagged “domain”, by their words or what they mean; tag “not domain” what is not of it",
        options: &irrelevant::OPTIONS,
        of_images: false,
        unasked: 200_000,
        run: Some(irrelevant::run),
    },
];

impl CheckEntry {
    /// The check with this name.
    pub fn from_name(name: &str) -> Option<&'static Self> {
        CHECKS.iter().find(|entry| entry.name == name)
    }

    /// Whether there is anything for it to look at.
    pub fn fits(&self, dataset: &Dataset) -> bool {
        !self.of_images || dataset.pictures().is_some()
    }
}

impl Check {
    /// Its entry.
    pub fn entry(self) -> &'static CheckEntry {
        // A test holds that every name has its entry.
        CHECKS.iter().find(|entry| entry.check == self).unwrap_or(&CHECKS[0])
    }
}

/// The checks that are run: all that fit; where nobody `asked`, those that are quickly done in a dataset of its size.
pub fn wanted(dataset: &Dataset, asked: bool) -> impl Iterator<Item = &'static CheckEntry> {
    let samples = dataset.rows();
    CHECKS.iter().filter(move |entry| entry.fits(dataset) && (asked || samples <= entry.unasked))
}

/// Puts what checks have found in order: what is said of very many once, and what gains most first; ties in the order of samples.
pub fn in_order(found: Vec<Finding>, rows: usize) -> Vec<Finding> {
    let mut found = about_columns(found, rows);
    found.sort_by(|a, b| b.gain().total_cmp(&a.gain()).then_with(|| a.samples.first().cmp(&b.samples.first())));
    found
}

/// Looks for everything that can be listed; where nobody `asked`, for what is quickly found in a dataset of its size.
///
/// # Errors
/// [`Cancelled`].
pub fn look_for_all(
    input: &CheckInput<'_>,
    options: &Options,
    asked: bool,
    progress: &Progress,
) -> Result<Vec<Finding>, Cancelled> {
    let mut found = Vec::new();
    for run in wanted(input.dataset, asked).filter_map(|entry| entry.run) {
        found.extend(run(input, options, progress)?);
    }
    Ok(in_order(found, input.dataset.rows()))
}

/// One problem.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The check that found it.
    pub check: Check,
    /// What kind of problem it is.
    pub kind: FindingKind,
    /// The samples it is about.
    pub samples: Vec<SampleId>,
    /// The column it is about.
    pub column: String,
    /// How bad it is, 0 to 1: 1 is worst.
    pub severity: f64,
    /// Why, in plain words.
    pub reason: String,
    /// What would mend it, where that is known: for a label the class, of boilerplate the sentence to take out.
    pub suggestion: Option<String>,
    /// Of near copies: which two are alike, and how much, 0 to 1.
    pub alike: Vec<(SampleId, SampleId, f32)>,
}

impl Finding {
    /// A finding without more to say.
    pub fn new(kind: FindingKind, samples: Vec<SampleId>, column: &str, severity: f64, reason: String) -> Self {
        let (check, column) = (kind.check(), column.to_owned());
        Self { check, kind, samples, column, severity, reason, suggestion: None, alike: Vec::new() }
    }

    /// How much is gained by looking at it, 0 to 1: its severity, by how often what is so found is truly wrong.
    pub fn gain(&self) -> f64 {
        self.severity * self.kind.weight()
    }

    /// With what would mend it.
    #[must_use]
    pub fn with_suggestion(self, suggestion: Option<String>) -> Self {
        Self { suggestion, ..self }
    }

    /// Whether so many samples have it that it says something of the column and not of them.
    pub fn is_about_column(&self) -> bool {
        self.samples.is_empty() || self.kind.is_relative() && self.samples.len() > 1
    }

    /// The samples that a decision is about: of copies the first, the best, stays.
    pub fn decided(&self) -> &[SampleId] {
        &self.samples[usize::from(self.kind.is_of_copies() && self.samples.len() > 1)..]
    }
}

/// Below this many findings each is looked at, however small the dataset.
const FEW_ALARMS: usize = 10;

/// What is said of more than a twentieth of the samples, one by one, is said once, of the column: that many are no exceptions.
pub fn about_columns(list: Vec<Finding>, rows: usize) -> Vec<Finding> {
    let mut counts: HashMap<(FindingKind, &str), usize> = HashMap::new();
    let alone = |finding: &&Finding| finding.kind.is_relative() && finding.samples.len() == 1;
    list.iter().filter(alone).for_each(|finding| *counts.entry((finding.kind, &finding.column)).or_default() += 1);
    let most = (rows / 20).max(FEW_ALARMS);
    let many: HashSet<(FindingKind, String)> =
        counts.into_iter().filter(|(_, n)| *n > most).map(|((kind, column), _)| (kind, column.to_owned())).collect();
    if many.is_empty() {
        return list;
    }
    let mut whole: Vec<Finding> = Vec::new();
    let mut left = Vec::new();
    for finding in list {
        let is_many =
            finding.samples.len() == 1 && many.iter().any(|(kind, column)| (*kind, column) == (finding.kind, &finding.column));
        match whole.iter_mut().find(|known| known.kind == finding.kind && known.column == finding.column) {
            _ if !is_many => left.push(finding),
            Some(known) => known.samples.extend(finding.samples),
            None => whole.push(finding),
        }
    }
    for mut finding in whole {
        let (n, share) = (finding.samples.len(), finding.samples.len() as f64 / rows as f64);
        finding.samples.sort_unstable();
        finding.severity = 0.3;
        finding.reason = format!(
            "{} of {}, {:.0} %: so many are no exceptions. That is how the column is, or the threshold is too low; the worst: {}",
            count(n),
            count_samples(rows),
            share * 100.0,
            finding.reason
        );
        left.push(finding);
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_many_is_said_of_the_column() {
        let one = |row: usize, column: &str| Finding {
            check: Check::Outliers,
            kind: FindingKind::Number,
            samples: vec![SampleId::at(row)],
            column: column.to_owned(),
            severity: 1.0 - row as f64 / 1_000.0,
            reason: format!("row {row}"),
            suggestion: None,
            alike: Vec::new(),
        };
        let list = |n: usize| (0..n).map(|row| one(row, "price")).chain([one(3, "age")]).collect::<Vec<_>>();
        // A twentieth of 400 is 20: as many are exceptions still.
        assert_eq!(about_columns(list(20), 400).len(), 21);
        let said = about_columns(list(21), 400);
        assert_eq!(said.len(), 2);
        assert_eq!(said[0], one(3, "age"));
        assert_eq!((said[1].samples.len(), said[1].severity), (21, 0.3));
        assert!(said[1].reason.starts_with("21 of 400 samples, 5 %") && said[1].reason.ends_with("the worst: row 0"));
        // In a small dataset a few are looked at one by one.
        assert_eq!(about_columns(list(10), 40).len(), 11);
    }

    #[test]
    fn entries_have_names_of_their_own_and_options_that_stand_within_their_range() {
        let names: HashSet<&str> = CHECKS.iter().map(|entry| entry.name).collect();
        assert_eq!(names.len(), CHECKS.len());
        let options: Vec<&CheckOption> = CHECKS.iter().flat_map(|entry| entry.options).collect();
        let flags: HashSet<&str> = options.iter().map(|option| option.flag).collect();
        assert_eq!(flags.len(), options.len());
        assert!(options.iter().all(|option| (option.least..=option.most).contains(&option.usual)));
        for kind in FindingKind::all() {
            assert_eq!(kind.check().entry().check, kind.check());
            assert_eq!(FindingKind::from_name(kind.name()), Some(kind));
        }
        for flaw in crate::writing::Flaw::ALL {
            assert!(FindingKind::all().any(|kind| kind == FindingKind::Written(flaw)), "{flaw:?}");
        }
        let kinds: HashSet<&str> = FindingKind::all().map(|kind| kind.name()).collect();
        assert_eq!(kinds.len(), KINDS.len());
        let (mut moved, option) = (Options::default(), options[0]);
        moved.set(option, 5.0);
        assert_eq!((moved.get(option), moved.get(options[1])), (5.0, options[1].usual));
        moved.set(option, option.usual);
        assert_eq!(moved, Options::default());
    }
}
