//! Ways to look for problems. A check reads a snapshot and gives findings; it never changes anything.

mod figures;
mod images;
pub mod label_errors;
mod options;
mod outliers;

use crate::data::{Dataset, SampleId};
use crate::derive::Store;
use crate::job::{Cancelled, Progress};

pub use images::Scan;
pub use options::{CheckOption, Options};

/// A way to look for problems, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Check {
    Outliers,
    LabelErrors,
    Images,
    ImageCopies,
    ImageOutliers,
}

/// What a check reads.
pub struct CheckInput<'i> {
    pub dataset: &'i Dataset,
    /// What was seen of every picture, where there are any.
    pub scan: Option<&'i Scan>,
    /// What several checks need is worked out once.
    pub store: &'i Store,
}

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
    /// Looks for them; `None` where the answer is more than a list: the label model has a queue of its own.
    pub run: Option<RunCheck>,
}

/// Every check. To add one is a file with its `run` and `OPTIONS`, and its entry here; Clean, `check` and its help follow.
pub static CHECKS: [CheckEntry; 5] = [
    CheckEntry {
        check: Check::Outliers,
        name: "outliers",
        title: "Outliers",
        help: "numbers and lengths far from the rest, rare classes, empty cells",
        options: &outliers::OPTIONS,
        of_images: false,
        run: Some(outliers::run),
    },
    CheckEntry {
        check: Check::LabelErrors,
        name: "label_errors",
        title: "Label errors",
        help: "labels that are probably wrong",
        options: &[],
        of_images: false,
        run: None,
    },
    CheckEntry {
        check: Check::Images,
        name: "images",
        title: "Images",
        help: "pictures that are missing, broken, dark, bright, blurry, empty, or of odd size, shape or colour",
        options: &images::OPTIONS,
        of_images: true,
        run: Some(images::pictures),
    },
    CheckEntry {
        check: Check::ImageCopies,
        name: "image_copies",
        title: "Copies of images",
        help: "pictures that are the same, or nearly",
        options: &[],
        of_images: true,
        run: Some(images::copies),
    },
    CheckEntry {
        check: Check::ImageOutliers,
        name: "image_outliers",
        title: "Images like no other",
        help: "pictures like no other",
        options: &[],
        of_images: true,
        run: Some(images::outliers),
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

/// Looks for everything that can be listed. Findings come worst first; ties in the order of samples where pictures are among them, else in the
/// order of columns.
///
/// # Errors
/// [`Cancelled`].
pub fn look_for_all(input: &CheckInput<'_>, options: &Options, progress: &Progress) -> Result<Vec<Finding>, Cancelled> {
    let mut found = Vec::new();
    for entry in CHECKS.iter().filter(|entry| entry.fits(input.dataset)) {
        if let Some(run) = entry.run {
            found.extend(run(input, options, progress)?);
        }
    }
    if input.scan.is_some() {
        found.sort_by(|a, b| b.severity.total_cmp(&a.severity).then_with(|| a.samples.first().cmp(&b.samples.first())));
    }
    Ok(found)
}

/// What kind of problem a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FindingKind {
    /// A number far from the rest.
    Number,
    /// A text much shorter or longer than the rest.
    Length,
    /// A class with few samples.
    RareClass,
    /// Empty or null cells.
    Empty,
    /// Cells that are no numbers in a column of numbers.
    OddCell,
    /// Cells that are no chats in a column of chats.
    NoChat,
    /// A label that is probably wrong.
    LabelError,
    /// A picture whose path is empty or leads nowhere.
    MissingImage,
    /// A picture whose path leaves the dataset.
    RefusedPath,
    /// A picture that cannot be read, or not whole.
    BrokenImage,
    /// A picture that claims more pixels than can be decoded.
    HugeImage,
    /// A picture whose name says another coding than its bytes.
    WrongEnding,
    /// Several pictures in one file.
    Animated,
    /// A dark picture.
    DarkImage,
    /// A picture that is nearly all white.
    BrightImage,
    /// A picture with hardly anything on it.
    LowInformation,
    /// A blurry picture.
    BlurryImage,
    /// A picture much longer than it is wide, or the other way round.
    OddShape,
    /// A picture much larger or smaller than the others.
    OddSize,
    /// A grey picture among coloured ones.
    GreyImage,
    /// Pictures with the same bytes.
    SameImage,
    /// Pictures that are nearly the same.
    NearImage,
    /// A picture unlike all others.
    FarImage,
}

impl FindingKind {
    /// Every kind.
    pub const ALL: [Self; 23] = [
        Self::Number,
        Self::Length,
        Self::RareClass,
        Self::Empty,
        Self::OddCell,
        Self::NoChat,
        Self::LabelError,
        Self::MissingImage,
        Self::RefusedPath,
        Self::BrokenImage,
        Self::HugeImage,
        Self::WrongEnding,
        Self::Animated,
        Self::DarkImage,
        Self::BrightImage,
        Self::LowInformation,
        Self::BlurryImage,
        Self::OddShape,
        Self::OddSize,
        Self::GreyImage,
        Self::SameImage,
        Self::NearImage,
        Self::FarImage,
    ];

    /// The name on screen.
    pub fn title(self) -> &'static str {
        match self {
            Self::Number => "Far number",
            Self::Length => "Odd length",
            Self::RareClass => "Rare class",
            Self::Empty => "Empty cells",
            Self::OddCell => "Not a number",
            Self::NoChat => "Not a chat",
            Self::LabelError => "Label error",
            Self::MissingImage => "Missing image",
            Self::RefusedPath => "Refused path",
            Self::BrokenImage => "Broken image",
            Self::HugeImage => "Huge image",
            Self::WrongEnding => "Wrong ending",
            Self::Animated => "Animated",
            Self::DarkImage => "Dark",
            Self::BrightImage => "Bright",
            Self::LowInformation => "Says little",
            Self::BlurryImage => "Blurry",
            Self::OddShape => "Odd shape",
            Self::OddSize => "Odd size",
            Self::GreyImage => "Grey",
            Self::SameImage => "Same image",
            Self::NearImage => "Near copies",
            Self::FarImage => "Like no other",
        }
    }

    /// Whether its samples are one and the same, the best first: all but that can go.
    pub fn is_of_copies(self) -> bool {
        matches!(self, Self::SameImage | Self::NearImage)
    }

    /// The check that finds it.
    pub fn check(self) -> Check {
        match self {
            Self::LabelError => Check::LabelErrors,
            Self::SameImage | Self::NearImage => Check::ImageCopies,
            Self::FarImage => Check::ImageOutliers,
            Self::MissingImage
            | Self::RefusedPath
            | Self::BrokenImage
            | Self::HugeImage
            | Self::WrongEnding
            | Self::Animated
            | Self::DarkImage
            | Self::BrightImage
            | Self::LowInformation
            | Self::BlurryImage
            | Self::OddShape
            | Self::OddSize
            | Self::GreyImage => Check::Images,
            _ => Check::Outliers,
        }
    }
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
    /// What would mend it, where that is known: for a label, the class.
    pub suggestion: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn entries_have_names_of_their_own_and_options_that_stand_within_their_range() {
        let names: HashSet<&str> = CHECKS.iter().map(|entry| entry.name).collect();
        assert_eq!(names.len(), CHECKS.len());
        let options: Vec<&CheckOption> = CHECKS.iter().flat_map(|entry| entry.options).collect();
        let flags: HashSet<&str> = options.iter().map(|option| option.flag).collect();
        assert_eq!(flags.len(), options.len());
        assert!(options.iter().all(|option| (option.least..=option.most).contains(&option.usual)));
        for kind in FindingKind::ALL {
            assert_eq!(kind.check().entry().check, kind.check());
        }
        let (mut moved, option) = (Options::default(), options[0]);
        moved.set(option, 5.0);
        assert_eq!((moved.get(option), moved.get(options[1])), (5.0, options[1].usual));
        moved.set(option, option.usual);
        assert_eq!(moved, Options::default());
    }
}
