//! Every kind of finding: its names, what it means for a dataset, and who finds it.

use super::Check;
use crate::writing::{Flaw, Repair};

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
    /// Texts unlike all others: of another subject, noise, or the rarest of what is right.
    FarText,
    /// The same, or nearly, in more than one part of the split: what is tested was learned.
    Leak,
    /// Texts that are the same: what is there twice counts twice.
    SameText,
    /// Texts that are nearly the same: what is there twice counts twice.
    NearText,
    /// The same text, or nearly, with different labels: one of them is wrong, or the classes overlap.
    Contradiction,
    /// Classes that are one but for how they are spelled.
    ClassName,
    /// Texts in another language than their column.
    OtherTongue,
    /// Chats with a turn that says nothing.
    EmptyTurn,
    /// Answers that repeat what was asked.
    EchoedTurn,
    /// The same answer to many different questions.
    SameAnswer,
    /// Chats that do not go from user to assistant, or do not end with an answer.
    TurnOrder,
    /// Calls of tools whose arguments are no JSON, or of a tool that there is not.
    BrokenCall,
    /// Rows that stand by class: whoever takes the first part of them takes some classes.
    Sorted,
    /// A column that is no part of what a sample says, and gives its label away.
    Telltale,
    /// Parts of the split that differ in their classes or lengths more than chance would have them.
    SkewedSplit,
    /// A column that says what another says.
    SameColumn,
    /// A column with one and the same value in every row.
    OneValue,
    /// Samples that are nearly the same by what they mean, or by their numbers.
    NearMeaning,
    /// A row whose numbers together are like no other's.
    Isolated,
    /// A sample that a model's probabilities leave undecided.
    Undecided,
    /// A sentence that many texts share.
    Boilerplate,
    /// How far several people's labels agree.
    Agreement,
    /// Somebody whose labels are seldom right.
    PoorAnnotator,
    /// A sample that people label differently.
    Dispute,
    /// A text that is not of the domain that somebody marked.
    Irrelevant,
    /// Something wrong in how a text is written.
    Written(Flaw),
}

/// A kind, and what is said of it.
pub struct KindEntry {
    pub kind: FindingKind,
    /// Its name in projects and in what is printed.
    pub name: &'static str,
    /// The name on screen.
    pub title: &'static str,
    /// What it means for a dataset, in a line.
    pub meaning: &'static str,
    /// The check that finds it.
    pub check: Check,
    /// Whether it is said of a sample by how the others are: where it is said of many, it says something of the column.
    relative: bool,
    /// Whether its samples are one and the same, the best first: all but that can go.
    copies: bool,
}

const fn kind(
    kind: FindingKind,
    name: &'static str,
    title: &'static str,
    meaning: &'static str,
    check: Check,
    relative: bool,
    copies: bool,
) -> KindEntry {
    KindEntry { kind, name, title, meaning, check, relative, copies }
}

/// Every kind. To add one is a variant and its line here.
pub static KINDS: [KindEntry; 69] = {
    use Check as By;
    use FindingKind as Is;
    use FindingKind::Written;
    [
        kind(
            Is::Number,
            "number",
            "Far number",
            "Numbers far from the rest of their column: typing errors, other units, or rare and true",
            By::Outliers,
            true,
            false,
        ),
        kind(
            Is::Length,
            "length",
            "Odd length",
            "Texts much shorter or longer than the rest: cut off, pasted twice, or empty phrases",
            By::Outliers,
            true,
            false,
        ),
        kind(
            Is::RareClass,
            "rare_class",
            "Rare class",
            "Classes with too few samples to be learned, or a name that was misspelled",
            By::Outliers,
            false,
            false,
        ),
        kind(Is::Empty, "empty", "Empty cells", "Cells that say nothing", By::Outliers, false, false),
        kind(
            Is::OddCell,
            "odd_cell",
            "Not a number",
            "Cells that are no numbers in a column of numbers",
            By::Outliers,
            false,
            false,
        ),
        kind(
            Is::NoChat,
            "no_chat",
            "Not a chat",
            "Cells that are no chats in a column of chats: a trainer fails or leaves them out",
            By::Outliers,
            false,
            false,
        ),
        kind(Is::LabelError, "label_error", "Label error", "Labels that are probably wrong", By::LabelErrors, false, false),
        kind(
            Is::MissingImage,
            "missing_image",
            "Missing image",
            "Paths that are empty or lead nowhere: there is nothing to learn from",
            By::Images,
            false,
            false,
        ),
        kind(
            Is::RefusedPath,
            "refused_path",
            "Refused path",
            "Paths that lead out of the dataset's folder, or to an address: nothing is read there",
            By::Images,
            false,
            false,
        ),
        kind(
            Is::BrokenImage,
            "broken_image",
            "Broken image",
            "Pictures that cannot be read, or not to their end",
            By::Images,
            false,
            false,
        ),
        kind(
            Is::HugeImage,
            "huge_image",
            "Huge image",
            "Pictures with more pixels than can be decoded",
            By::Images,
            false,
            false,
        ),
        kind(
            Is::WrongEnding,
            "wrong_ending",
            "Wrong ending",
            "Files whose name says another coding than their bytes",
            By::Images,
            false,
            false,
        ),
        kind(
            Is::Animated,
            "animated",
            "Animated",
            "Files of several pictures, of which the first counts",
            By::Images,
            false,
            false,
        ),
        kind(Is::DarkImage, "dark_image", "Dark", "Pictures that are nearly black", By::Images, true, false),
        kind(Is::BrightImage, "bright_image", "Bright", "Pictures that are nearly white", By::Images, true, false),
        kind(
            Is::LowInformation,
            "low_information",
            "Says little",
            "Pictures with hardly anything on them",
            By::Images,
            true,
            false,
        ),
        kind(Is::BlurryImage, "blurry_image", "Blurry", "Pictures without a sharp edge", By::Images, true, false),
        kind(
            Is::OddShape,
            "odd_shape",
            "Odd shape",
            "Pictures much longer than wide, or the other way round",
            By::Images,
            true,
            false,
        ),
        kind(Is::OddSize, "odd_size", "Odd size", "Pictures much larger or smaller than the others", By::Images, true, false),
        kind(Is::GreyImage, "grey_image", "Grey", "Grey pictures among coloured ones", By::Images, true, false),
        kind(
            Is::SameImage,
            "same_image",
            "Same image",
            "Files with the same bytes: what is there twice counts twice",
            By::ImageCopies,
            false,
            true,
        ),
        kind(
            Is::NearImage,
            "near_image",
            "Near copies",
            "Pictures that are nearly the same: what is there twice counts twice",
            By::ImageCopies,
            false,
            true,
        ),
        kind(Is::FarImage, "far_image", "Like no other", "Pictures unlike all others", By::ImageOutliers, true, false),
        kind(
            Is::FarText,
            "far_text",
            "Like no other",
            "Texts unlike all others: of another subject, noise, or the rarest of what is right",
            By::TextOutliers,
            true,
            false,
        ),
        kind(
            Is::Leak,
            "leak",
            "Across parts",
            "The same, or nearly, in more than one part of the split: what is tested was learned",
            By::NearDuplicates,
            false,
            true,
        ),
        kind(
            Is::SameText,
            "same_text",
            "Duplicates",
            "Texts that are the same: what is there twice counts twice",
            By::Duplicates,
            false,
            true,
        ),
        kind(
            Is::NearText,
            "near_text",
            "Near duplicates",
            "Texts that are nearly the same: what is there twice counts twice",
            By::NearDuplicates,
            false,
            true,
        ),
        kind(
            Is::Contradiction,
            "contradiction",
            "Contradictions",
            "The same text, or nearly, with different labels: one of them is wrong, or the classes overlap",
            By::Contradictions,
            false,
            false,
        ),
        kind(
            Is::ClassName,
            "class_name",
            "Class names",
            "Classes that are one but for how they are spelled",
            By::ClassNames,
            false,
            false,
        ),
        kind(
            Is::OtherTongue,
            "other_language",
            "Another language",
            "Texts in another language than their column",
            By::Noise,
            true,
            false,
        ),
        kind(Is::EmptyTurn, "empty_turn", "Empty answers", "Chats with a turn that says nothing", By::Noise, false, false),
        kind(Is::EchoedTurn, "echoed_turn", "Echoes", "Answers that repeat what was asked", By::Noise, false, false),
        kind(
            Is::SameAnswer,
            "same_answer",
            "Stock answers",
            "The same answer to many different questions",
            By::Noise,
            false,
            false,
        ),
        kind(
            Is::TurnOrder,
            "turn_order",
            "Roles out of order",
            "Chats that do not go from user to assistant, or do not end with an answer",
            By::Noise,
            false,
            false,
        ),
        kind(
            Is::BrokenCall,
            "broken_call",
            "Broken calls",
            "Calls of tools whose arguments are no JSON, or of a tool that there is not",
            By::Noise,
            false,
            false,
        ),
        kind(
            Is::Sorted,
            "sorted",
            "Sorted by class",
            "Rows that stand by class: whoever takes the first part of them takes some classes",
            By::Order,
            false,
            false,
        ),
        kind(
            Is::Telltale,
            "telltale",
            "Telltale column",
            "A column that is no part of what a sample says, and gives its label away",
            By::Order,
            false,
            false,
        ),
        kind(
            Is::SkewedSplit,
            "skewed_split",
            "Uneven parts",
            "Parts of the split that differ in their classes or lengths more than chance would have them",
            By::Order,
            false,
            false,
        ),
        kind(Is::SameColumn, "same_column", "Repeated column", "A column that says what another says", By::Columns, false, false),
        kind(
            Is::OneValue,
            "one_value",
            "One value",
            "A column with one and the same value in every row",
            By::Columns,
            false,
            false,
        ),
        kind(
            Is::NearMeaning,
            "near_meaning",
            "Near in meaning",
            "Samples that say nearly the same in other words, or whose numbers nearly are: what is there twice counts twice",
            By::TextOutliers,
            false,
            true,
        ),
        kind(
            Is::Isolated,
            "isolated",
            "Odd row",
            "Rows whose numbers together are like no other's, though each may be usual",
            By::TextOutliers,
            true,
            false,
        ),
        kind(
            Is::Undecided,
            "undecided",
            "Undecided",
            "Samples that a model's probabilities leave undecided: ambiguous, of no class, or of several",
            By::TextOutliers,
            true,
            false,
        ),
        kind(
            Is::Boilerplate,
            "boilerplate",
            "Boilerplate",
            "Sentences that many texts share: a model learns to say them, and likenesses come from them",
            By::Noise,
            true,
            false,
        ),
        kind(
            Is::Irrelevant,
            "irrelevant",
            "Irrelevant",
            "Texts unlike those that you tagged as the domain: of another subject",
            By::Irrelevant,
            true,
            false,
        ),
        kind(
            Is::Agreement,
            "agreement",
            "Agreement",
            "How far several people's labels of the same samples agree",
            By::Annotators,
            false,
            false,
        ),
        kind(
            Is::PoorAnnotator,
            "poor_annotator",
            "Seldom right",
            "Somebody whose labels are right much less often than the others'",
            By::Annotators,
            false,
            false,
        ),
        kind(
            Is::Dispute,
            "dispute",
            "In dispute",
            "Samples that people label differently, and where weighing them decides little",
            By::Annotators,
            false,
            false,
        ),
        kind(
            Written(Flaw::Mojibake),
            "mojibake",
            "Wrong encoding",
            "Letters read in another encoding than they were written in: Ã© for é",
            By::Noise,
            true,
            false,
        ),
        kind(Written(Flaw::Markup), "markup", "Mark-up", "Tags of HTML in texts", By::Noise, true, false),
        kind(Written(Flaw::Entities), "entities", "HTML entities", "&amp; and the like in texts", By::Noise, true, false),
        kind(
            Written(Flaw::Control),
            "control",
            "Control characters",
            "Control characters, and the mark of what could not be read",
            By::Noise,
            true,
            false,
        ),
        kind(
            Written(Flaw::Invisible),
            "invisible",
            "Hidden letters",
            "Letters without width: nobody sees them, and a tokenizer does",
            By::Noise,
            true,
            false,
        ),
        kind(
            Written(Flaw::Blanks),
            "blanks",
            "Stray blanks",
            "Blanks at the ends of texts, or several in a row",
            By::Noise,
            true,
            false,
        ),
        kind(
            Written(Flaw::Unnormalised),
            "unnormalised",
            "Split accents",
            "Letters and accents that are one letter elsewhere: a model reads them as others",
            By::Noise,
            true,
            false,
        ),
        kind(Written(Flaw::Repeated), "repeated", "Repetition", "The same words over and over", By::Noise, true, false),
        kind(Written(Flaw::Symbols), "symbols", "Mostly signs", "Texts that are mostly signs and digits", By::Noise, true, false),
        kind(Written(Flaw::Gibberish), "gibberish", "Gibberish", "Keys at random", By::Noise, true, false),
        kind(
            Written(Flaw::CutOff),
            "cut_off",
            "Cut off",
            "Texts that end in the middle, where others end with a mark",
            By::Noise,
            true,
            false,
        ),
        kind(
            Written(Flaw::TooShort),
            "too_short",
            "Too short",
            "Texts of fewer words, characters or tokens than you asked for",
            By::Noise,
            true,
            false,
        ),
        kind(
            Written(Flaw::TooLong),
            "too_long",
            "Too long",
            "Texts of more words, characters or tokens than you asked for",
            By::Noise,
            true,
            false,
        ),
        kind(
            Written(Flaw::StockPhrase),
            "stock_phrase",
            "A model speaking",
            "What a language model says of itself, or says no with",
            By::Noise,
            true,
            false,
        ),
        kind(Written(Flaw::Profanity), "profanity", "Profanity", "Words that offend", By::Noise, true, false),
        kind(
            Written(Flaw::Email),
            "email",
            "E-mail addresses",
            "Addresses of mail: whose they are is nobody's business",
            By::PersonalData,
            true,
            false,
        ),
        kind(Written(Flaw::Phone), "phone", "Phone numbers", "Numbers of telephones", By::PersonalData, true, false),
        kind(
            Written(Flaw::Iban),
            "iban",
            "Bank accounts",
            "Numbers of accounts whose check digits are right",
            By::PersonalData,
            true,
            false,
        ),
        kind(
            Written(Flaw::Card),
            "card",
            "Card numbers",
            "Numbers of cards whose check digit is right",
            By::PersonalData,
            true,
            false,
        ),
        kind(Written(Flaw::IpAddress), "ip_address", "IP addresses", "Addresses of machines", By::PersonalData, true, false),
        kind(
            Written(Flaw::Secret),
            "secret",
            "Keys and tokens",
            "Keys that open something: whoever reads the dataset has them",
            By::PersonalData,
            true,
            false,
        ),
    ]
};

impl FindingKind {
    /// Every kind.
    pub fn all() -> impl Iterator<Item = Self> {
        KINDS.iter().map(|entry| entry.kind)
    }

    fn entry(self) -> &'static KindEntry {
        // A test holds that every kind has its entry.
        KINDS.iter().find(|entry| entry.kind == self).unwrap_or(&KINDS[0])
    }

    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        KINDS.iter().find(|entry| entry.name == name).map(|entry| entry.kind)
    }

    /// Its name in projects and in what is printed.
    pub fn name(self) -> &'static str {
        self.entry().name
    }

    /// What it means for a dataset, in a line.
    pub fn meaning(self) -> &'static str {
        self.entry().meaning
    }

    /// The name on screen.
    pub fn title(self) -> &'static str {
        self.entry().title
    }

    /// The check that finds it.
    pub fn check(self) -> Check {
        self.entry().check
    }

    /// Whether it is said of a sample by how the others are.
    pub(super) fn is_relative(self) -> bool {
        self.entry().relative
    }

    /// Whether its samples are one and the same, the best first: all but that can go.
    pub fn is_of_copies(self) -> bool {
        self.entry().copies
    }

    /// How often what is so found is truly wrong, 0 to 1, as we judge it from the alarms on the real sets that the tests print: what is rare or long is right more often than what contradicts itself.
    pub(super) fn weight(self) -> f64 {
        match self {
            Self::FarText | Self::Length | Self::Isolated => 0.55,
            Self::FarImage | Self::OddSize | Self::OddShape | Self::GreyImage => 0.6,
            Self::Number | Self::NearText | Self::NearMeaning | Self::Irrelevant | Self::Undecided | Self::Boilerplate => 0.75,
            _ => 1.0,
        }
    }

    /// What mends all of the kind, where that is known without asking.
    pub fn repair(self) -> Option<Repair> {
        match self {
            Self::Written(flaw) => flaw.repair(),
            _ => None,
        }
    }
}
