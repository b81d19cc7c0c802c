//! Ways to look for problems. A check reads a snapshot and gives findings; it never changes anything.

mod figures;
mod images;
pub mod label_errors;
mod outliers;

use crate::data::{Dataset, SampleId};
use crate::job::{Cancelled, Progress};

pub use images::{ImageThresholds, Scan, findings as image_findings};
pub use outliers::Thresholds;

/// A way to look for problems.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// Numbers and lengths far from the rest, rare classes, empty cells.
    Outliers,
    /// Labels that are probably wrong.
    LabelErrors,
    /// Pictures that are broken, dark, bright, blurry, odd.
    Images,
    /// Pictures that are copies of each other.
    ImageCopies,
    /// Pictures like no other.
    ImageOutliers,
}

impl Check {
    /// Every check.
    pub const ALL: [Self; 5] = [Self::Outliers, Self::LabelErrors, Self::Images, Self::ImageCopies, Self::ImageOutliers];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Outliers => "outliers",
            Self::LabelErrors => "label_errors",
            Self::Images => "images",
            Self::ImageCopies => "image_copies",
            Self::ImageOutliers => "image_outliers",
        }
    }

    /// The check with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|check| check.name() == name)
    }

    /// What it looks for.
    pub fn help(self) -> &'static str {
        match self {
            Self::Outliers => "numbers and lengths far from the rest, rare classes, empty cells",
            Self::LabelErrors => "labels that are probably wrong",
            Self::Images => "pictures that are missing, broken, dark, bright, blurry, empty, or of odd size, shape or colour",
            Self::ImageCopies => "pictures that are the same, or nearly",
            Self::ImageOutliers => "pictures like no other",
        }
    }

    /// Whether it looks at pictures.
    pub fn is_of_images(self) -> bool {
        matches!(self, Self::Images | Self::ImageCopies | Self::ImageOutliers)
    }

    /// Every check's name, for messages.
    pub fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }
}

/// Looks for outliers. Findings come worst first; ties in the order of columns and samples.
///
/// # Errors
/// [`Cancelled`].
pub fn outliers(dataset: &Dataset, thresholds: &Thresholds, progress: &Progress) -> Result<Vec<Finding>, Cancelled> {
    outliers::run(dataset, thresholds, progress)
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
