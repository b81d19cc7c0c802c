//! XML as a tree, read by a library that expands nothing: internal entities are put in here under a budget, those from outside are refused.

use std::collections::HashMap;

use quick_xml::Reader;
use quick_xml::events::Event;

/// Elements within elements are followed this far.
const DEEPEST: usize = 200;
/// What entities may grow to, beyond what the file itself has.
const MOST_EXPANDED: usize = 1 << 20;

/// An element: its name, its attributes, and what is in it, in order.
#[derive(Debug, Default, Clone)]
pub struct XmlElement {
    /// Without the prefix of its namespace.
    pub name: String,
    pub attributes: Vec<(String, String)>,
    pub inside: Vec<XmlPart>,
}

/// A part of an element.
#[derive(Debug, Clone)]
pub enum XmlPart {
    Text(String),
    Element(XmlElement),
}

impl XmlElement {
    /// The elements in it.
    pub fn elements(&self) -> impl Iterator<Item = &XmlElement> {
        self.inside.iter().filter_map(|part| if let XmlPart::Element(element) = part { Some(element) } else { None })
    }

    /// Those of a name.
    pub fn children_of<'e>(&'e self, name: &'e str) -> impl Iterator<Item = &'e XmlElement> {
        self.elements().filter(move |element| element.name == name)
    }

    /// The first of a name.
    pub fn child(&self, name: &str) -> Option<&XmlElement> {
        self.elements().find(|element| element.name == name)
    }

    /// Its text, that of the elements in it too.
    pub fn text(&self) -> String {
        let mut text = String::new();
        self.gather(&mut text);
        text
    }

    fn gather(&self, text: &mut String) {
        for part in &self.inside {
            match part {
                XmlPart::Text(own) => text.push_str(own),
                XmlPart::Element(element) => element.gather(text),
            }
        }
    }
}

/// A name without its prefix.
fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

/// Parses a text.
///
/// # Errors
/// What is wrong, with the byte where it is; or that it asks for what is outside of it, or for too much.
pub fn parse_xml(text: &str) -> Result<XmlElement, String> {
    let mut reader = Reader::from_str(text);
    let mut entities = XmlEntities::default();
    let mut open: Vec<XmlElement> = Vec::new();
    let mut root: Option<XmlElement> = None;
    loop {
        let at = reader.buffer_position();
        let event = reader.read_event().map_err(|error| format!("byte {at}: {error}"))?;
        match event {
            Event::Start(tag) | Event::Empty(tag) if open.len() >= DEEPEST => {
                return Err(format!("byte {at}: <{}> lies more than {DEEPEST} elements deep", tag.name().0));
            }
            Event::Start(tag) => open.push(element(&tag, &mut entities)?),
            Event::Empty(tag) => {
                let element = element(&tag, &mut entities)?;
                close(element, &mut open, &mut root);
            }
            Event::End(_) => {
                if let Some(element) = open.pop() {
                    close(element, &mut open, &mut root);
                }
            }
            Event::Text(own) => say(&mut open, &own.xml10_content()),
            Event::CData(own) => say(&mut open, &own.xml10_content()),
            Event::GeneralRef(named) => {
                let letter = named.resolve_char_ref().map_err(|error| format!("byte {at}: {error}"))?;
                match letter {
                    Some(letter) => say(&mut open, letter.encode_utf8(&mut [0; 4])),
                    None => {
                        let expanded = entities.expand(&named.xml10_content(), 0).map_err(|why| format!("byte {at}: {why}"))?;
                        say(&mut open, &expanded);
                    }
                }
            }
            Event::DocType(said) => entities.declare(&said.xml10_content())?,
            Event::Eof => break,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
    if let Some(left) = open.last() {
        return Err(format!("<{}> does not end", left.name));
    }
    root.ok_or_else(|| "it has no element".to_owned())
}

fn say(open: &mut [XmlElement], text: &str) {
    let Some(element) = open.last_mut() else { return };
    match element.inside.last_mut() {
        Some(XmlPart::Text(own)) => own.push_str(text),
        _ => element.inside.push(XmlPart::Text(text.to_owned())),
    }
}

fn close(element: XmlElement, open: &mut [XmlElement], root: &mut Option<XmlElement>) {
    match open.last_mut() {
        Some(outer) => outer.inside.push(XmlPart::Element(element)),
        None => *root = root.take().or(Some(element)),
    }
}

fn element(tag: &quick_xml::events::BytesStart<'_>, entities: &mut XmlEntities) -> Result<XmlElement, String> {
    let mut attributes = Vec::new();
    for attribute in tag.attributes() {
        let attribute = attribute.map_err(|error| error.to_string())?;
        let name = attribute.key.0;
        if name == "xmlns" || name.starts_with("xmlns:") {
            continue;
        }
        attributes.push((local(name).to_owned(), entities.resolved(&attribute.value)?));
    }
    Ok(XmlElement { name: local(tag.name().0).to_owned(), attributes, inside: Vec::new() })
}

/// The entities that a document declares.
#[derive(Default)]
struct XmlEntities {
    declared: HashMap<String, Option<String>>,
    expanded: usize,
}

impl XmlEntities {
    /// Reads `<!ENTITY name "value">` out of a document type; one from outside is known, and refused where it is used.
    fn declare(&mut self, said: &str) -> Result<(), String> {
        let mut rest = said;
        while let Some(at) = rest.find("<!ENTITY") {
            rest = rest[at + 8..].trim_start();
            let (name, after) = rest.split_once(char::is_whitespace).ok_or("an entity without a name")?;
            let after = after.trim_start();
            let value = match after.chars().next() {
                Some(quote @ ('"' | '\'')) => after[1..].split(quote).next().map(ToOwned::to_owned),
                _ => None,
            };
            self.declared.entry(name.to_owned()).or_insert(value);
            rest = after;
        }
        Ok(())
    }

    fn expand(&mut self, name: &str, depth: usize) -> Result<String, String> {
        let known = match name {
            "amp" => Some("&"),
            "lt" => Some("<"),
            "gt" => Some(">"),
            "quot" => Some("\""),
            "apos" => Some("'"),
            _ => None,
        };
        if let Some(known) = known {
            return Ok(known.to_owned());
        }
        let value = match self.declared.get(name) {
            Some(Some(value)) => value.clone(),
            Some(None) => return Err(format!("it asks for &{name}; from outside the file, which is refused")),
            None => return Err(format!("&{name}; is not declared")),
        };
        self.expanded += value.len();
        if self.expanded > MOST_EXPANDED || depth > 20 {
            return Err(format!("its entities grow beyond {} MiB, which is refused", MOST_EXPANDED >> 20));
        }
        self.put_in(&value, depth + 1)
    }

    fn put_in(&mut self, value: &str, depth: usize) -> Result<String, String> {
        let mut out = String::new();
        let mut rest = value;
        while let Some(at) = rest.find('&') {
            out.push_str(&rest[..at]);
            let Some(end) = rest[at..].find(';') else {
                out.push_str(&rest[at..]);
                return Ok(out);
            };
            let name = &rest[at + 1..at + end];
            match name.strip_prefix('#') {
                Some(number) => {
                    let code =
                        number.strip_prefix('x').map_or_else(|| number.parse().ok(), |hex| u32::from_str_radix(hex, 16).ok());
                    out.push(code.and_then(char::from_u32).unwrap_or('\u{fffd}'));
                }
                None => out.push_str(&self.expand(name, depth)?),
            }
            rest = &rest[at + end + 1..];
        }
        out.push_str(rest);
        Ok(out)
    }

    fn resolved(&mut self, value: &str) -> Result<String, String> {
        if value.contains('&') { self.put_in(value, 0) } else { Ok(value.to_owned()) }
    }
}
