//! Options that several commands take.

/// An option: its name, whether it takes a value, what it does.
pub type OptionLine = (&'static str, Option<&'static str>, &'static str);

pub const READING: [OptionLine; 12] = [
    ("--no-project", None, "leave the dataset's edits out"),
    ("--encoding", Some("NAME"), "read text in this encoding instead of the detected one"),
    ("--delimiter", Some("CHAR"), "the character between fields (\\t for a tab)"),
    ("--header", Some("yes|no"), "whether the first row names the columns"),
    ("--skip", Some("LINES"), "how many lines stand before the table (0: none, whatever they look like)"),
    (
        "--sheet",
        Some("NAME"),
        "the sheet of a workbook, or the table of a database (the first that has cells; the table with the most rows)",
    ),
    (
        "--as",
        Some("LAYOUT"),
        "what it is read as, where that is not found out: label-studio, coco, conll, text/sentence, markdown/400/40, pdf/tokens/300/30, plain, … (a name that there is not lists them)",
    ),
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
    (
        "--connect",
        Some("HOST"),
        "databases of a list of sources may be asked that are on this host (again for more); their passwords come from PGPASSWORD, ~/.pgpass, MYSQL_PWD or ~/.my.cnf",
    ),
    ("--max-memory", Some("GIB"), "the most memory that one dataset may take (a quarter of the machine's)"),
];

/// For whom a folder is written, and how.
pub const FOR_TRAINER: [OptionLine; 6] = [
    ("--model", Some("NAME|DIR"), "for a trainer: a built-in model or a model's folder, as dryrun takes it"),
    ("--template", Some("FILE"), "for a trainer: a chat template in place of the model's own"),
    ("--length", Some("N"), "for a trainer: the most tokens of a row"),
    ("--answers-only", None, "for a trainer: learn answers only, as dryrun takes it"),
    ("--tune", Some("HOW"), "for a trainer: full, lora (the usual) or qlora, for the configuration"),
    ("--epochs", Some("N"), "for a trainer: how often the whole is gone through (3)"),
];

pub const IMAGES: [OptionLine; 2] = [
    ("--images", Some("HOW"), "write folders of images: `classes`, one folder a class, or `paths`, each at its own path"),
    ("--link", None, "link to images instead of copying them"),
];

pub const OUT: OptionLine = ("-o", Some("OUT"), "the new file, or a new folder for images");
pub const OWN_COLUMNS: OptionLine = (
    "--own-columns",
    None,
    "write Lapidary's own columns too: excluded, reviewed, tags; of made samples their parent, pipeline, seed and label risk",
);

pub const SAFE: OptionLine = (
    "--safe-for-spreadsheets",
    None,
    "in CSV and TSV, put an apostrophe before cells that a spreadsheet would run (=, +, -, @, tab, return)",
);

/// What a pipeline's text model is: for commands that run one.
pub const ASKS: [OptionLine; 9] = [
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
