//! The registry of commands without a window. Arguments and help are read from it.

use crate::data::Augmentation;

/// A command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    Info,
    Check,
    Augment,
    Balance,
    Split,
    Relabel,
    Undo,
    Redo,
    Export,
    History,
    Recipe,
    Run,
    Carry,
    Recover,
}

/// An option: its name, whether it takes a value, what it does.
pub type OptionLine = (&'static str, Option<&'static str>, &'static str);

const READING: [OptionLine; 9] = [
    ("--no-project", None, "leave the dataset's edits out"),
    ("--encoding", Some("NAME"), "read text in this encoding instead of the detected one"),
    ("--delimiter", Some("CHAR"), "the character between fields (\\t for a tab)"),
    ("--header", Some("yes|no"), "whether the first row names the columns"),
    ("--skip", Some("LINES"), "how many lines stand before the table (0: none, whatever they look like)"),
    ("--surplus", None, "make columns of fields beyond the header's"),
    (
        "--role",
        Some("COL=ROLE"),
        "what a column means, for this run: text, label, labels ;, id, group, split, time, number, … (again for more)",
    ),
    (
        "--kind",
        Some("COL=KIND"),
        "what a column is read as, for this run: text, integer, number, decimal comma, boolean (again for more)",
    ),
    ("--max-memory", Some("GIB"), "the most memory that one file may take (a quarter of the machine's)"),
];

const IMAGES: [OptionLine; 2] = [
    ("--images", Some("HOW"), "write folders of images: `classes`, one folder a class, or `paths`, each at its own path"),
    ("--link", None, "link to images instead of copying them"),
];

const OUT: OptionLine = ("-o", Some("OUT"), "the new file, or a new folder for images");
const OWN_COLUMNS: OptionLine = (
    "--own-columns",
    None,
    "write Lapidary's own columns too: excluded, reviewed, tags; of made samples their parent, pipeline, seed and label risk",
);

const SAFE: OptionLine = (
    "--safe-for-spreadsheets",
    None,
    "in CSV and TSV, put an apostrophe before cells that a spreadsheet would run (=, +, -, @, tab, return)",
);

/// What a pipeline's text model is: for commands that run one.
const ASKS: [OptionLine; 9] = [
    (
        "--endpoint",
        Some("URL"),
        "where the text model is that the pipeline's steps ask: an OpenAI-compatible address; texts are sent there",
    ),
    ("--model", Some("NAME"), "what the server calls the model; without --endpoint, a T5 or Marian folder"),
    ("--model-back", Some("DIR"), "the folder that translates back"),
    ("--prefix", Some("TEXT"), "what stands before every text in a folder's model: paraphrase:, >>fra<<"),
    ("--prefix-back", Some("TEXT"), "likewise, on the way back"),
    ("--key-variable", Some("NAME"), "the environment variable that holds the endpoint's key"),
    ("--at-once", Some("N"), "questions under way at a time (2)"),
    ("--per-minute", Some("N"), "questions a minute at most (any number)"),
    ("--answers", Some("FILE"), "keep answers here: a run that was stopped goes on where it was, and nothing is asked twice"),
];

impl Verb {
    /// Every command, in the order of the overview.
    pub const ALL: [Self; 14] = [
        Self::Info,
        Self::Check,
        Self::Augment,
        Self::Balance,
        Self::Split,
        Self::Relabel,
        Self::Undo,
        Self::Redo,
        Self::Export,
        Self::History,
        Self::Recipe,
        Self::Run,
        Self::Carry,
        Self::Recover,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Check => "check",
            Self::Augment => "augment",
            Self::Balance => "balance",
            Self::Split => "split",
            Self::Relabel => "relabel",
            Self::Undo => "undo",
            Self::Redo => "redo",
            Self::Export => "export",
            Self::History => "history",
            Self::Recipe => "recipe",
            Self::Run => "run",
            Self::Carry => "carry",
            Self::Recover => "recover",
        }
    }

    /// The command with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verb| verb.name() == name)
    }

    /// What it does, in one line.
    pub fn summary(self) -> &'static str {
        match self {
            Self::Info => "say what is in a dataset: rows, columns, classes, encoding, warnings",
            Self::Check => "list what looks wrong, worst first",
            Self::Augment => "make new samples of those in the train part, by a pipeline, and save all to a new file",
            Self::Balance => "even out classes: exclude some samples, make more of others, and save all to a new file",
            Self::Split => "write train, validation and test files without leaks",
            Self::Relabel => "give samples another class, or a cell another text",
            Self::Undo => "take back the last edit",
            Self::Redo => "make the edit again that was taken back last",
            Self::Export => "save a dataset with its edits to a new file, in any format",
            Self::History => "list every edit, and where we are among them",
            Self::Recipe => "write the edits of a project as a recipe, which holds for other versions of the data, too",
            Self::Run => "carry a recipe out on a dataset and save what comes of it",
            Self::Carry => "carry edits over to a file that has changed, by sample content, or that was renamed",
            Self::Recover => "save every edit that can be read from a damaged project",
        }
    }

    /// How it is called.
    pub fn usage(self) -> &'static str {
        match self {
            Self::Info | Self::History => "PATH [--json]",
            Self::Check => "PATH [--only CHECK,…] [--label COL] [--text COL] [--json]",
            Self::Augment => "PATH --pipeline FILE [--copies N] [--seed N] [--risk P] -o OUT",
            Self::Balance => "PATH --rule RULE [--under HOW] [--over HOW] [--pipeline FILE] [--seed N] -o OUT",
            Self::Split => "PATH --ratios 80,10,10 [--stratify COL] [--group COL] [--time COL] [--hash COL] [--seed N] -o DIR",
            Self::Relabel => "PATH --rows 3,17 --column COL --to CLASS",
            Self::Undo | Self::Redo | Self::Carry | Self::Recover => "PATH",
            Self::Export => "PATH -o FILE",
            Self::Recipe => "PATH [-o FILE]",
            Self::Run => "RECIPE PATH -o OUT",
        }
    }

    fn example(self) -> &'static str {
        match self {
            Self::Info => "lapidary info tickets.csv --json",
            Self::Check => "lapidary check tickets.csv --only label_errors --label category --text text --json",
            Self::Augment => "lapidary augment tickets.csv --pipeline tickets.json --copies 2 --seed 7 -o more.csv",
            Self::Balance => "lapidary balance tickets.csv --rule floor=150 --over augment --pipeline tickets.json -o even.csv",
            Self::Split => "lapidary split tickets.csv --ratios 80,10,10 --stratify category --seed 7 -o parts",
            Self::Relabel => "lapidary relabel tickets.csv --rows 3,17 --column category --to card_arrival",
            Self::Undo => "lapidary undo tickets.csv",
            Self::Redo => "lapidary redo tickets.csv",
            Self::Export => "lapidary export tickets.csv -o clean.parquet",
            Self::History => "lapidary history tickets.csv --json",
            Self::Recipe => "lapidary recipe tickets.csv -o tickets.recipe.json",
            Self::Run => "lapidary run tickets.recipe.json tickets-june.csv -o clean-june.csv",
            Self::Carry => "lapidary carry tickets.csv",
            Self::Recover => "lapidary recover tickets.csv",
        }
    }

    /// The options it takes, `--json` and `-o` among them.
    pub fn options(self) -> Vec<OptionLine> {
        let own: &[OptionLine] = match self {
            Self::Info | Self::History => &[("--json", None, "print JSON")],
            Self::Check => &[
                (
                    "--only",
                    Some("CHECK,…"),
                    "run these checks only: outliers, label_errors, images, image_copies, image_outliers",
                ),
                ("--label", Some("COL"), "the label column (the first with that role)"),
                ("--text", Some("COL"), "the text to learn from (every column with that role)"),
                (
                    "--method",
                    Some("NAME"),
                    "how labels are judged: noise_model (ours), or cleanlab's prune_by_noise_rate, prune_by_class, both, confident_learning, \
                     predicted_neq_given, low_self_confidence, low_normalized_margin",
                ),
                ("--score", Some("NAME"), "rank by self_confidence, normalized_margin or confidence_weighted_entropy"),
                (
                    "--probabilities",
                    Some("OF"),
                    "out-of-sample probabilities instead of our own: the prefix of their columns, or a file with one column per class",
                ),
                (
                    "--model",
                    Some("DIR"),
                    "a model folder instead of the built-in embedding: sentence-transformers for texts, CLIP or DINOv2 for images",
                ),
                ("--z", Some("Z"), "flag beyond this robust z-score (3.5)"),
                ("--fence", Some("K"), "flag beyond this many interquartile ranges (2.2)"),
                ("--rare", Some("PART"), "a class is rare below this part of an even share (0.1)"),
                ("--json", None, "print JSON"),
            ],
            Self::Augment => &[
                (
                    "--pipeline",
                    Some("FILE"),
                    "the pipeline, as JSON: {\"steps\": [{\"op\": \"synonym_replacement\", \"p\": 0.8, \"low\": 0.1, \"high\": 0.2}, …]}",
                ),
                ("--copies", Some("N"), "new samples of each sample in the train part (1)"),
                ("--seed", Some("N"), "the seed of chance (42); the same seed gives the same bytes"),
                (
                    "--risk",
                    Some("P"),
                    "leave out samples whose label is another now with more than this probability (0.3; 1 keeps all)",
                ),
                OUT,
                OWN_COLUMNS,
                SAFE,
                IMAGES[0],
            ],
            Self::Balance => &[
                (
                    "--rule",
                    Some("RULE"),
                    "equal, equal=N, floor=N, cap=N, sqrt, weights:CLASS=W,… (the total kept), or CLASS=N,… for counts by hand",
                ),
                ("--label", Some("COL"), "the label column (the first with that role)"),
                ("--under", Some("HOW"), "who goes first: random (usual), redundant, easy"),
                ("--over", Some("HOW"), "more by repeat (usual), augment, smote"),
                ("--pipeline", Some("FILE"), "the pipeline that augments, as JSON"),
                ("--risk", Some("P"), "as with augment (0.3)"),
                ("--weights", Some("HOW"), "change no sample; write class weights as JSON instead: balanced, or effective=BETA"),
                ("--probe", None, "say what macro-F1 a quick probe has before and after, and what to collect"),
                ("--seed", Some("N"), "the seed of chance (42)"),
                OUT,
                OWN_COLUMNS,
                SAFE,
                IMAGES[0],
            ],
            Self::Split => &[
                ("--ratios", Some("A,B,C"), "the parts' shares: train, validation, test; two are train and test"),
                ("--folds", Some("K"), "write K folds instead"),
                ("--stratify", Some("COL"), "give each part the whole's share of each class"),
                ("--group", Some("COL"), "keep samples with the same value together; goes with --stratify"),
                ("--time", Some("COL"), "the earliest first"),
                ("--hash", Some("COL"), "by a hash of this column (`content` for the text), so that rows added later move none"),
                ("--seed", Some("N"), "the seed of chance (42)"),
                (
                    "--copies",
                    Some("HOW"),
                    "`together` (usual): samples that are the same but for case and white space stay in one part; or `apart`",
                ),
                ("-o", Some("DIR"), "the folder to write to"),
                SAFE,
                IMAGES[0],
                IMAGES[1],
            ],
            Self::Relabel => &[
                ("--rows", Some("A,B,C-D"), "samples, numbered from 0 in file order"),
                ("--column", Some("COL"), "the column"),
                ("--to", Some("TEXT"), "the new class or text"),
            ],
            Self::Undo | Self::Redo | Self::Carry | Self::Recover => &[],
            Self::Recipe => &[("-o", Some("FILE"), "the new file; without it the recipe is printed")],
            Self::Run => &[OUT, OWN_COLUMNS, SAFE, IMAGES[0], IMAGES[1]],
            Self::Export => &[
                (
                    "-o",
                    Some("FILE"),
                    "the new file; its name says the format (.csv .tsv .json .jsonl .parquet .arrow .arrows, also .gz .zst); or a new folder for images",
                ),
                ("--format", Some("NAME"), "the format, where the name does not say it"),
                ("--with-excluded", None, "write excluded samples too"),
                OWN_COLUMNS,
                ("--utf8", None, "write text as UTF-8, whatever the source's encoding"),
                SAFE,
                IMAGES[0],
                IMAGES[1],
            ],
        };
        let mut all = own.to_vec();
        if matches!(self, Self::Augment | Self::Balance | Self::Run) {
            all.extend(ASKS);
        }
        if self != Self::Recover {
            all.extend(READING);
        }
        all
    }

    /// The whole help, with an example.
    pub fn help(self) -> String {
        let mut text = format!("lapidary {} {}\n\n{}.\n\n", self.name(), self.usage(), capital(self.summary()));
        for (name, value, what) in self.options() {
            let left = value.map_or_else(|| name.to_owned(), |value| format!("{name} {value}"));
            text.push_str(&format!("  {left:<22} {what}\n"));
        }
        if self == Self::Augment {
            text.push_str("\nOperations of a pipeline, and the range that each draws its number from:\n");
            for op in Augmentation::ALL {
                let range = op.range().map_or(String::new(), |range| {
                    format!(" [{} to {} {}, usually {} to {}]", range.least, range.most, range.unit, range.low, range.high)
                });
                let list = op.list().map_or(String::new(), |what| format!(" [list: {what}]"));
                text.push_str(&format!("  {:<22} {}{range}{list}\n", op.name(), op.help()));
            }
        }
        text.push_str(&format!("\nExample: {}\n", self.example()));
        text
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
