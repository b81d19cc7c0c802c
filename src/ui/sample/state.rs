//! What is typed into samples: a draft for each place, kept until it is saved or dropped, whatever else one does meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::data::SampleId;
use crate::operate::NOTE;
use crate::ui::view::View;

/// A part of a cell that is edited by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Piece {
    /// All of it.
    Cell,
    /// What a turn of a chat says.
    Turn(usize),
    /// What else a turn holds, by its place: tool calls.
    More(usize, usize),
}

impl Piece {
    fn turn(self) -> Option<usize> {
        match self {
            Self::Cell => None,
            Self::Turn(turn) | Self::More(turn, _) => Some(turn),
        }
    }
}

/// A place that can be edited.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Spot {
    pub sample: SampleId,
    pub column: String,
    pub piece: Piece,
}

/// How a text is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReadAs {
    #[default]
    Text,
    Markdown,
    Json,
}

impl ReadAs {
    /// Every way, with its name.
    pub const ALL: [(Self, &'static str); 3] = [(Self::Text, "text"), (Self::Markdown, "Markdown"), (Self::Json, "JSON")];
}

/// What was typed at a place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Draft {
    pub text: String,
    /// What stood there when it was begun.
    pub was: String,
    /// Why it cannot be saved as it is.
    pub fault: Option<String>,
    /// Frames since it was asked to be saved.
    pub asked: Option<u32>,
    /// Where the part begins that is edited, of a text too long to be laid out in every frame.
    pub from: usize,
}

/// Which way the editor goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Next,
    Previous,
}

/// Places of a turn, and whether they are of the better of two.
pub type TurnMarks = (Vec<Range<usize>>, bool);

/// The sample as a place to work.
#[derive(Debug, Clone, Default)]
pub struct SamplePane {
    /// The stage in which the sample is the middle of the window.
    pub open_in: Option<View>,
    /// The editor that is open.
    pub at: Option<Spot>,
    /// Whether that is to have the keyboard at the next frame.
    pub claims: bool,
    /// An editor was asked for by key: at the note, or at the first place.
    pub wanted: Option<EditorAt>,
    /// Of a pair of chats: where a turn of a column differs from the other's, and whether it is the better of the two.
    pub differs: BTreeMap<(String, usize), TurnMarks>,
    /// How the texts of a column are read, where not as they stand.
    pub read_as: BTreeMap<String, ReadAs>,
    /// Long parts that are shown whole.
    pub unfolded: BTreeSet<Spot>,
    /// Every place that can be edited, in the order drawn.
    pub order: Vec<Spot>,
    drafts: BTreeMap<Spot, Draft>,
}

/// An editor that a key asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EditorAt {
    /// The first place.
    First,
    Note,
    At(Spot),
}

impl EditorAt {
    /// Whether it is this place, the first of its sample or not.
    pub fn is(&self, spot: &Spot, first: bool) -> bool {
        match self {
            Self::First => first,
            Self::Note => spot.column == NOTE && spot.piece == Piece::Cell,
            Self::At(wanted) => wanted == spot,
        }
    }
}

/// A draft that was asked to be saved was refused where nothing has changed there after so many frames: an edit of one cell is made in the next.
const PATIENCE: u32 = 4;

impl SamplePane {
    /// Whether the sample is the middle of the window in a stage.
    pub fn is_open(&self, view: View) -> bool {
        self.open_in == Some(view)
    }

    /// Opens the editor at a place, with what was typed there before, or what stands there.
    pub fn begin(&mut self, spot: Spot, current: &str) {
        let fresh = Draft { text: current.to_owned(), was: current.to_owned(), ..Draft::default() };
        self.drafts.entry(spot.clone()).or_insert(fresh);
        self.at = Some(spot);
        self.claims = true;
    }

    /// What was typed at a place and is not saved.
    pub fn draft(&self, spot: &Spot) -> Option<&Draft> {
        self.drafts.get(spot)
    }

    /// The same, to type on.
    pub fn draft_mut(&mut self, spot: &Spot) -> Option<&mut Draft> {
        self.drafts.get_mut(spot)
    }

    /// Closes the editor. What was typed and differs stays as a draft.
    pub fn leave(&mut self) {
        if let Some(spot) = self.at.take()
            && self.drafts.get(&spot).is_some_and(|draft| draft.text == draft.was)
        {
            self.drafts.remove(&spot);
        }
    }

    /// Lets go of what was typed at a place.
    pub fn drop_draft(&mut self, spot: &Spot) {
        self.drafts.remove(spot);
        if self.at.as_ref() == Some(spot) {
            self.at = None;
        }
    }

    /// Lets go of all that was typed.
    pub fn drop_all(&mut self) {
        self.drafts.clear();
        self.at = None;
    }

    /// Looks after the draft at a place where `current` stands now: one that was saved is done with, also where a column has its own spelling of it.
    /// Whether that is still to be seen.
    pub fn settle(&mut self, spot: &Spot, current: &str) -> bool {
        let Some(draft) = self.drafts.get_mut(spot) else { return false };
        let Some(frames) = &mut draft.asked else { return false };
        *frames += 1;
        if draft.text == current || draft.was != current {
            self.drafts.remove(spot);
            return false;
        }
        if *frames > PATIENCE {
            draft.asked = None;
            draft.fault = Some("it could not be saved".to_owned());
        }
        true
    }

    /// Says that a draft was asked to be saved over what stands there, and closes its editor.
    pub fn sent(&mut self, spot: &Spot, current: &str) {
        if let Some(draft) = self.drafts.get_mut(spot) {
            (draft.asked, draft.fault) = (Some(0), None);
            current.clone_into(&mut draft.was);
        }
        self.at = None;
    }

    /// The place before or behind one, in the order drawn.
    pub fn beside(&self, spot: &Spot, step: Way) -> Option<Spot> {
        let at = self.order.iter().position(|known| known == spot)?;
        let to = match step {
            Way::Next => at + 1,
            Way::Previous => at.checked_sub(1)?,
        };
        self.order.get(to).cloned()
    }

    /// Asks for the editor of the place before or behind one.
    pub fn wanted_beside(&mut self, spot: &Spot, step: Option<Way>) {
        if let Some(to) = step.and_then(|step| self.beside(spot, step)) {
            self.wanted = Some(EditorAt::At(to));
        }
    }

    /// Moves drafts of a chat along as its turns move: `to` says where a turn is now; `None` where it is gone.
    pub fn turns_moved(&mut self, sample: SampleId, column: &str, to: impl Fn(usize) -> Option<usize>) {
        let moved = |spot: Spot| -> Option<Spot> {
            if spot.sample != sample || spot.column != column {
                return Some(spot);
            }
            let piece = match (spot.piece, spot.piece.turn().map(&to)) {
                (_, Some(None)) => return None,
                (Piece::Turn(_), Some(Some(turn))) => Piece::Turn(turn),
                (Piece::More(_, at), Some(Some(turn))) => Piece::More(turn, at),
                (piece, _) => piece,
            };
            Some(Spot { piece, ..spot })
        };
        self.drafts =
            std::mem::take(&mut self.drafts).into_iter().filter_map(|(spot, draft)| Some((moved(spot)?, draft))).collect();
        self.at = self.at.take().and_then(&moved);
    }

    /// How many samples have something typed that is not saved.
    pub fn unsaved(&self) -> usize {
        let typed = self.drafts.iter().filter(|(_, draft)| draft.text != draft.was && draft.asked.is_none());
        typed.map(|(spot, _)| spot.sample).collect::<BTreeSet<_>>().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spot(piece: Piece) -> Spot {
        Spot { sample: SampleId(3), column: "messages".to_owned(), piece }
    }

    #[test]
    fn what_was_typed_stays_until_it_is_saved_or_dropped() {
        let mut pane = SamplePane::default();
        let place = spot(Piece::Turn(1));
        pane.begin(place.clone(), "old");
        pane.leave();
        assert!(pane.draft(&place).is_none(), "nothing was typed");
        pane.begin(place.clone(), "old");
        pane.draft_mut(&place).unwrap().text = "new".to_owned();
        pane.leave();
        assert_eq!((pane.draft(&place).unwrap().text.as_str(), pane.unsaved()), ("new", 1));
        // Begun again, it goes on where it was left.
        pane.begin(place.clone(), "old");
        assert_eq!(pane.draft(&place).unwrap().text, "new");
        // A turn comes before it; then its own goes.
        pane.turns_moved(SampleId(3), "messages", |turn| Some(turn + usize::from(turn >= 1)));
        assert_eq!(pane.at, Some(spot(Piece::Turn(2))));
        assert_eq!(pane.draft(&spot(Piece::Turn(2))).unwrap().text, "new");
        // Refused, it is there still, with the reason.
        let place = spot(Piece::Turn(2));
        pane.sent(&place, "old");
        assert_eq!(pane.unsaved(), 0);
        (0..=PATIENCE).for_each(|_| _ = pane.settle(&place, "old"));
        assert!(pane.draft(&place).unwrap().fault.is_some());
        pane.sent(&place, "old");
        pane.settle(&place, "[new]");
        assert!(pane.draft(&place).is_none(), "saved, it is done with");
        pane.begin(place.clone(), "x");
        pane.turns_moved(SampleId(3), "messages", |_| None);
        assert!(pane.at.is_none() && pane.draft(&place).is_none());
    }
}
