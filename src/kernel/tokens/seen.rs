//! Pieces of text that were met before, and their tokens: one memory a thread, of a bounded size.

use std::cell::RefCell;
use std::collections::HashMap;

use foldhash::fast::RandomState;

/// Pieces that are kept; English has some fifty thousand words that are met at all often.
const MOST: usize = 1 << 17;
/// Bytes of a piece that is kept: longer ones are rarely met again.
const LONGEST: usize = 48;

/// The memory.
#[derive(Default)]
pub struct SeenPieces {
    /// Whose it is.
    number: u64,
    /// Where in `ids` a piece's are, and how many.
    places: HashMap<Box<str>, (u32, u32), RandomState>,
    ids: Vec<u32>,
}

thread_local! {
    static SEEN: RefCell<SeenPieces> = RefCell::default();
}

/// Lends this thread's memory to the tokenizer with this number; what it held of another is forgotten.
pub fn with<R>(number: u64, run: impl FnOnce(&mut SeenPieces) -> R) -> R {
    SEEN.with_borrow_mut(|seen| {
        if seen.number != number {
            *seen = SeenPieces { number, ..SeenPieces::default() };
        }
        run(seen)
    })
}

impl SeenPieces {
    /// Puts a piece's tokens behind `ids`, where it was met before.
    pub fn extend(&self, piece: &str, ids: &mut Vec<u32>) -> bool {
        let Some((from, long)) = self.places.get(piece) else { return false };
        ids.extend_from_slice(&self.ids[*from as usize..(*from + *long) as usize]);
        true
    }

    /// Keeps a piece; where the memory is full, it begins anew.
    pub fn keep(&mut self, piece: &str, own: &[u32]) {
        if piece.len() > LONGEST {
            return;
        }
        if self.places.len() == MOST {
            self.places.clear();
            self.ids.clear();
        }
        self.places.insert(piece.into(), (self.ids.len() as u32, own.len() as u32));
        self.ids.extend_from_slice(own);
    }
}
