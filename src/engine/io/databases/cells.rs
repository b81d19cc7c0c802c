//! Cells of a server's answer, gathered column by column as they come.

use polars_arrow::array::MutablePlString;
use xxhash_rust::xxh3::Xxh3;

use super::Refusal;
use crate::data::things;
use crate::io::read::budget::Budget;
use crate::io::read::columns::MAX_COLUMNS;

/// So many bytes are taken from the budget at a time.
const STEP: u64 = 1 << 20;

/// What has come.
pub struct Gathered {
    pub names: Vec<String>,
    pub columns: Vec<MutablePlString>,
    /// Columns of JSON.
    pub nested: Vec<bool>,
    pub rows: usize,
    /// Bytes of all cells.
    pub bytes: u64,
    /// Of all cells, in their order, empty and missing ones told apart.
    pub print: Xxh3,
    pub notes: Vec<String>,
    untaken: u64,
    odd: usize,
}

impl Gathered {
    /// For columns of these names.
    pub fn new(names: Vec<String>) -> Result<Self, Refusal> {
        if names.is_empty() {
            return Err(Refusal::Said("it answers no columns: a query reads (SELECT …)".to_owned()));
        }
        if names.len() > MAX_COLUMNS {
            return Err(Refusal::TooLarge(format!("it has {} columns and {MAX_COLUMNS} is the most", names.len())));
        }
        let mut known = std::collections::HashSet::new();
        if let Some(twice) = names.iter().find(|name| !known.insert(name.as_str())) {
            return Err(Refusal::Said(format!("two columns are called {twice:?}: give one another name (AS …)")));
        }
        let mut print = Xxh3::new();
        names.iter().for_each(|name| {
            print.update(&(name.len() as u64).to_le_bytes());
            print.update(name.as_bytes());
        });
        let columns = names.iter().map(|_| MutablePlString::new()).collect();
        let nested = vec![false; names.len()];
        Ok(Self { names, columns, nested, rows: 0, bytes: 0, print, notes: Vec::new(), untaken: 0, odd: 0 })
    }

    /// The next cell of a row.
    pub fn put(&mut self, column: usize, cell: Option<&[u8]>) {
        let length = cell.map_or(u64::MAX, |cell| cell.len() as u64);
        self.print.update(&length.to_le_bytes());
        let Some(cell) = cell else {
            self.columns[column].push_null();
            self.untaken += 16;
            return;
        };
        self.print.update(cell);
        self.bytes += cell.len() as u64;
        self.untaken += cell.len() as u64 + 16;
        match std::str::from_utf8(cell) {
            Ok(text) => self.columns[column].push_value(text),
            Err(_) => {
                self.odd += 1;
                self.columns[column].push_value(&*String::from_utf8_lossy(cell));
            }
        }
    }

    /// A row has ended.
    ///
    /// # Errors
    /// It is more than the budget has.
    pub fn end_row(&mut self, budget: &Budget) -> Result<(), Refusal> {
        self.rows += 1;
        if self.untaken >= STEP {
            budget.take(std::mem::take(&mut self.untaken)).map_err(Refusal::TooLarge)?;
        }
        Ok(())
    }

    /// All has come.
    pub fn ended(mut self) -> Self {
        if self.odd > 0 {
            self.notes.push(format!("{} hold bytes that are not UTF-8: shown as \u{fffd}", things(self.odd, "cell", "cells")));
        }
        self
    }
}
