//! Columns as somebody wants them written: under other names, in another order, some left out.

use std::collections::{HashMap, HashSet};

use crate::data::{Dataset, Property, native};
use crate::io::read::json::{JsonMember, members, unescape};

/// How the columns of a dataset are written.
pub struct Arranged {
    /// Places of the dataset's columns that are written, in order, each with its name in the file.
    pub fields: Vec<(usize, String)>,
    /// The names in the file by those in the dataset; `None` is left out.
    names: HashMap<String, Option<String>>,
    /// Where each column that is written comes, by its name in the dataset.
    order: HashMap<String, usize>,
}

impl Arranged {
    /// What was said of the columns; `None` where nothing was that makes a difference.
    pub fn of(dataset: &Dataset) -> Option<Self> {
        let said = dataset.properties();
        let order = said.list(Property::ColumnOrder, &[]);
        let any = [Property::ExportName, Property::LeftOut].iter().any(|property| said.all(*property).next().is_some());
        if order.is_empty() && !any {
            return None;
        }
        let mut places: Vec<usize> = order.iter().filter_map(|name| dataset.field(name)).collect();
        let named: HashSet<usize> = places.iter().copied().collect();
        places.extend((0..dataset.fields().len()).filter(|field| !named.contains(field)));
        let name = |field: usize| -> Option<String> {
            let name = &*dataset.fields()[field].name;
            let out = said.get(Property::LeftOut, &[name]).is_some();
            (!out).then(|| said.get(Property::ExportName, &[name]).unwrap_or(name).to_owned())
        };
        let fields: Vec<(usize, String)> = places.iter().filter_map(|field| Some((*field, name(*field)?))).collect();
        let as_it_is = fields.len() == dataset.fields().len()
            && fields.iter().enumerate().all(|(at, (field, name))| at == *field && *name == *dataset.fields()[*field].name);
        if as_it_is {
            return None;
        }
        let own = |field: usize| dataset.fields()[field].name.to_string();
        let names = (0..dataset.fields().len()).map(|field| (own(field), name(field))).collect();
        let order = fields.iter().enumerate().map(|(at, (field, _))| (own(*field), at)).collect();
        Some(Self { fields, names, order })
    }

    /// The name in the file of a column of the dataset; `None` where it is left out, or is none.
    pub fn name(&self, column: &str) -> Option<&str> {
        self.names.get(column)?.as_deref()
    }

    /// A name that two columns would have.
    pub fn twice(&self) -> Option<&str> {
        let mut seen = HashSet::new();
        self.fields.iter().map(|(_, name)| name.as_str()).find(|name| !seen.insert(*name))
    }

    /// The same object with its members under their names in the file and in that order, each value as it was spelled. What is no object stays.
    pub fn object(&self, json: &str) -> String {
        let bytes = json.as_bytes();
        let mut list: Vec<JsonMember> = Vec::new();
        if bytes.first() != Some(&b'{') || members(bytes, 0, &mut list).is_err() {
            return json.to_owned();
        }
        let mut written: Vec<(usize, String, &str)> = Vec::new();
        for member in &list {
            let mut name = Vec::new();
            unescape(&bytes[member.name.0 - 1..=member.name.1], &mut name);
            let name = String::from_utf8_lossy(&name).into_owned();
            let value = &json[member.value.0..member.value.1];
            match self.names.get(&name) {
                Some(None) => {}
                Some(Some(to)) => written.push((self.order.get(&name).copied().unwrap_or(usize::MAX), to.clone(), value)),
                // What is no column is nothing to leave out.
                None => written.push((usize::MAX, name, value)),
            }
        }
        written.sort_by_key(|(at, ..)| *at);
        let spaced = list.first().is_none_or(|member| bytes[member.value.0 - 1] == b' ');
        let (comma, colon) = if spaced { (", ", ": ") } else { (",", ":") };
        let mut out = String::from("{");
        for (at, (_, name, value)) in written.iter().enumerate() {
            if at > 0 {
                out.push_str(comma);
            }
            native::quote(name, &mut out);
            out.push_str(colon);
            out.push_str(value);
        }
        out.push('}');
        out
    }
}
