//! A database as it is being named, or the databases that a list would ask.

use std::path::PathBuf;

use crate::io::{DatabaseAddress, DatabaseAsked, connection_line};

/// What is typed of a database.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DatabaseForm {
    pub address: String,
    pub table: String,
    pub query: String,
    /// For this run only.
    pub password: String,
    /// A list that asks databases, and what it asks of each: nothing was sent to them yet.
    pub list: Option<(PathBuf, Vec<(DatabaseAddress, DatabaseAsked)>)>,
}

impl DatabaseForm {
    /// What is asked.
    pub fn asked(&self) -> DatabaseAsked {
        let said = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let query = said(&self.query);
        DatabaseAsked { table: said(&self.table).filter(|_| query.is_none()), query }
    }

    /// The addresses with what each is asked; what is wrong with what was typed.
    ///
    /// # Errors
    /// What the address lacks.
    pub fn connections(&self) -> Result<Vec<(DatabaseAddress, DatabaseAsked)>, String> {
        match &self.list {
            Some((_, list)) => Ok(list.clone()),
            None => Ok(vec![(DatabaseAddress::parse(&self.address)?, self.asked())]),
        }
    }

    /// As they are kept once they are allowed.
    pub fn lines(&self) -> Vec<String> {
        self.connections().unwrap_or_default().iter().map(|(address, asked)| connection_line(address, asked)).collect()
    }
}
