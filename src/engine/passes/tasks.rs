//! Tasks: their names, and where their answers lie.

use std::path::PathBuf;
use std::str::FromStr;

use super::work::Work;
use crate::io;

/// One task of a pass: of a piece, or of a bucket of prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PassTask {
    /// How often a piece has the rows that the recipe names.
    Count(usize),
    /// The prints of a piece's rows.
    Map(usize),
    /// Which rows of a bucket are copies of earlier ones.
    Same(usize),
    /// Which rows of a bucket share a band.
    Pairs(usize),
    /// The shingles of those rows of a piece that share a band with another.
    Texts(usize),
    /// Which of a bucket's pairs are nearly the same.
    Near(usize),
    /// What comes of a piece.
    Apply(usize),
}

impl PassTask {
    fn parts(self) -> (&'static str, usize) {
        match self {
            Self::Count(at) => ("count", at),
            Self::Map(at) => ("map", at),
            Self::Same(at) => ("same", at),
            Self::Pairs(at) => ("pairs", at),
            Self::Texts(at) => ("texts", at),
            Self::Near(at) => ("near", at),
            Self::Apply(at) => ("apply", at),
        }
    }

    /// The name of its pass.
    pub fn pass(self) -> &'static str {
        self.parts().0
    }

    /// Where its answer lies.
    pub fn path(self, work: &Work) -> PathBuf {
        let (pass, at) = self.parts();
        work.folder.join(pass).join(format!("{at:06}"))
    }

    /// Whether it is done.
    pub fn is_done(self, work: &Work) -> bool {
        io::is_there(&self.path(work))
    }
}

impl std::fmt::Display for PassTask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (pass, at) = self.parts();
        write!(f, "{pass}/{at}")
    }
}

impl FromStr for PassTask {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let none = || format!("there is no task {text:?}");
        let (pass, at) = text.split_once('/').ok_or_else(none)?;
        let at: usize = at.parse().map_err(|_| none())?;
        Ok(match pass {
            "count" => Self::Count(at),
            "map" => Self::Map(at),
            "same" => Self::Same(at),
            "pairs" => Self::Pairs(at),
            "texts" => Self::Texts(at),
            "near" => Self::Near(at),
            "apply" => Self::Apply(at),
            _ => return Err(none()),
        })
    }
}
