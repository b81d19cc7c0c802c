//! A long list whose clones share all that was not written since: a write copies one piece of it, however long it is and however many hold it.

use std::sync::Arc;

/// So many entries are copied at a time: some microseconds' worth, as is the list of pieces of ten million entries.
const PIECE: usize = 1 << 12;

/// A list of `blank`s until something else is written.
#[derive(Debug, Clone)]
pub struct Chunked<T> {
    /// `None` where all is blank.
    pieces: Vec<Option<Arc<[T; PIECE]>>>,
    len: usize,
    blank: T,
}

/// A piece of the right length; `None` of any other.
fn whole<T>(piece: Vec<T>) -> Option<Arc<[T; PIECE]>> {
    Arc::<[T]>::from(piece).try_into().ok()
}

impl<T: Clone + PartialEq> Chunked<T> {
    /// An empty list.
    pub fn new(blank: T) -> Self {
        Self { pieces: Vec::new(), len: 0, blank }
    }

    /// A list of these.
    pub fn of(blank: T, entries: impl IntoIterator<Item = T>) -> Self {
        let (mut list, mut piece) = (Self::new(blank), Vec::with_capacity(PIECE));
        for entry in entries {
            piece.push(entry);
            if piece.len() == PIECE {
                list.take(std::mem::replace(&mut piece, Vec::with_capacity(PIECE)));
            }
        }
        if !piece.is_empty() {
            list.take(piece);
        }
        list
    }

    fn take(&mut self, mut piece: Vec<T>) {
        self.len += piece.len();
        piece.resize(PIECE, self.blank.clone());
        self.pieces.push(whole(piece));
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// The entry at `at`; `None` beyond the last.
    pub fn get(&self, at: usize) -> Option<&T> {
        let piece = self.pieces.get(at / PIECE).filter(|_| at < self.len)?;
        Some(piece.as_ref().map_or(&self.blank, |piece| &piece[at % PIECE]))
    }

    /// Reads entries, fastest where they are asked for in order.
    pub fn in_order(&self) -> InOrder<'_, T> {
        InOrder { list: self, from: 0, here: &[] }
    }

    /// Writes an entry; a list that is shorter grows.
    pub fn set(&mut self, at: usize, entry: T) {
        self.grow(at + 1);
        let place = &mut self.pieces[at / PIECE];
        match place {
            None if entry == self.blank => {}
            None => {
                // Made where it stays: blanks are not copied once more.
                let blanks: Arc<[T]> = std::iter::repeat_n(self.blank.clone(), PIECE).collect();
                *place = blanks.try_into().ok();
                if let Some(piece) = place {
                    Arc::make_mut(piece)[at % PIECE] = entry;
                }
            }
            Some(piece) => Arc::make_mut(piece)[at % PIECE] = entry,
        }
    }

    /// Makes it at least so long, with blanks.
    pub fn grow(&mut self, len: usize) {
        if len > self.len {
            self.len = len;
            self.pieces.resize(len.div_ceil(PIECE), None);
        }
    }

    /// Makes it so long: with blanks, or without what is beyond.
    pub fn fit(&mut self, len: usize) {
        self.grow(len);
        self.truncate(len);
    }

    /// Lets go of what is beyond `len` entries.
    pub fn truncate(&mut self, len: usize) {
        if len >= self.len {
            return;
        }
        self.len = len;
        self.pieces.truncate(len.div_ceil(PIECE));
        // Whatever grows into its place begins blank.
        if let Some(Some(piece)) = self.pieces.last_mut().filter(|_| !len.is_multiple_of(PIECE)) {
            Arc::make_mut(piece)[len % PIECE..].fill(self.blank.clone());
        }
    }

    /// Every entry in order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        let pieces = self.pieces.iter().enumerate();
        pieces.flat_map(move |(at, piece)| {
            let here = PIECE.min(self.len - at * PIECE);
            let (written, blanks) = match piece {
                Some(piece) => (&piece[..here], 0),
                None => (&[][..], here),
            };
            written.iter().chain(std::iter::repeat_n(&self.blank, blanks))
        })
    }

    /// Every entry that is not blank, with its place, in order.
    pub fn written(&self) -> impl Iterator<Item = (usize, &T)> {
        let pieces = self.pieces.iter().enumerate().filter_map(|(at, piece)| piece.as_ref().map(|piece| (at * PIECE, piece)));
        let entries = pieces.flat_map(|(from, piece)| piece.iter().enumerate().map(move |(at, entry)| (from + at, entry)));
        entries.filter(|(at, entry)| *at < self.len && **entry != self.blank)
    }
}

/// Reads a list: see [`Chunked::in_order`].
pub struct InOrder<'l, T> {
    list: &'l Chunked<T>,
    /// Where the piece that was read last begins, and what of it is there.
    from: usize,
    here: &'l [T],
}

impl<'l, T: Clone + PartialEq> InOrder<'l, T> {
    /// The entry at `at`; `None` beyond the last.
    #[inline]
    pub fn get(&mut self, at: usize) -> Option<&'l T> {
        match self.here.get(at.wrapping_sub(self.from)) {
            Some(entry) => Some(entry),
            None => self.turn(at),
        }
    }

    fn turn(&mut self, at: usize) -> Option<&'l T> {
        let entry = self.list.get(at)?;
        if let Some(Some(piece)) = self.list.pieces.get(at / PIECE) {
            self.from = at / PIECE * PIECE;
            self.here = &piece[..PIECE.min(self.list.len - self.from)];
        }
        Some(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn clones_share_what_was_not_written() {
        let mut list = Chunked::of(0_u32, 0..100_000);
        let snapshot = list.clone();
        list.set(70_000, 7);
        assert_eq!((list.get(70_000), snapshot.get(70_000)), (Some(&7), Some(&70_000)));
        let shared = |a: &Chunked<u32>, b: &Chunked<u32>| {
            let both = a.pieces.iter().flatten().zip(b.pieces.iter().flatten());
            both.filter(|(a, b)| Arc::ptr_eq(a, b)).count()
        };
        assert_eq!(shared(&list, &snapshot), list.pieces.len() - 1);
    }

    proptest! {
        #[test]
        fn it_is_a_list(steps in prop::collection::vec((0_usize..40_000, 0_u8..4, 0_u8..5), 1..60)) {
            let (mut list, mut plain) = (Chunked::new(0_u8), Vec::<u8>::new());
            for (at, value, what) in steps {
                match what {
                    0 => {
                        list.truncate(at);
                        plain.truncate(at);
                    }
                    1 => {
                        list.grow(at);
                        plain.resize(plain.len().max(at), 0);
                    }
                    _ => {
                        list.set(at, value);
                        plain.resize(plain.len().max(at + 1), 0);
                        plain[at] = value;
                    }
                }
                prop_assert_eq!(list.len(), plain.len());
                prop_assert!(list.iter().eq(&plain));
                prop_assert!(list.written().map(|(at, v)| (at, *v)).eq(plain.iter().copied().enumerate().filter(|(_, v)| *v != 0)));
                let mut in_order = list.in_order();
                for at in [at, at + 1, 0, at / 2, at] {
                    prop_assert_eq!(list.get(at).copied(), plain.get(at).copied());
                    prop_assert_eq!(in_order.get(at).copied(), plain.get(at).copied());
                }
            }
        }
    }
}
