//! Documents as samples: Markdown by its headings, pages by theirs, plain text where somebody asks for it. Each sample knows its document, its headings, and
//! where in the text it stands.

use serde_json::{Map, Value, json};

use super::chunks::{TextCut, cut_text};
use super::html::read_page;
use super::yaml::front_matter;
use super::{LaidTable, LaidText};

/// Whether a text is a page.
pub fn is_html(file: &LaidText<'_>) -> bool {
    let head: String = file.text.trim_start_matches('\u{feff}').trim_start().chars().take(500).collect::<String>().to_lowercase();
    head.starts_with("<!doctype html")
        || head.starts_with("<html")
        || matches!(file.ending(), "html" | "htm" | "xhtml") && head.contains('<')
}

/// Whether a text is Markdown: its name says so.
pub fn is_markdown(file: &LaidText<'_>) -> bool {
    matches!(file.ending(), "md" | "markdown" | "mdown")
}

/// Reads a page. How it is cut further: see [`TextCut::named`].
///
/// # Errors
/// What the cut may be.
pub fn read_html(file: &LaidText<'_>, how: &str) -> Result<LaidTable, String> {
    let cut = TextCut::named(how, TextCut::Heading)?;
    let (title, sections) = read_page(file.text);
    let mut table = LaidTable { first: vec!["document", "title", "headings", "text"], ..LaidTable::default() };
    for section in sections {
        let inner = if cut == TextCut::Heading { TextCut::Whole } else { cut };
        for piece in cut_text(&section.text, inner) {
            let mut row = Map::new();
            row.insert("document".to_owned(), json!(file.name));
            row.insert("title".to_owned(), json!(title));
            row.insert("headings".to_owned(), json!(section.headings));
            // The spaces that a page keeps before its first line stay.
            let text = if inner == TextCut::Whole {
                section.text.clone()
            } else {
                super::between(&section.text, piece.place.start, piece.place.end)
            };
            row.insert("text".to_owned(), json!(text));
            table.rows.push(row);
        }
    }
    Ok(table)
}

/// Reads Markdown; what stands in its front matter is of every sample.
///
/// # Errors
/// What the cut may be.
pub fn read_markdown(file: &LaidText<'_>, how: &str) -> Result<LaidTable, String> {
    let (front, body) = front_matter(file.text);
    let mut table = cut_up(file, body, TextCut::named(how, TextCut::Heading)?);
    for row in &mut table.rows {
        for (name, value) in front.as_ref().and_then(Value::as_object).into_iter().flatten() {
            super::put(row, name, "front", value.clone());
        }
    }
    Ok(table)
}

/// Reads plain text.
///
/// # Errors
/// What the cut may be.
pub fn read_text(file: &LaidText<'_>, how: &str) -> Result<LaidTable, String> {
    Ok(cut_up(file, file.text.trim_start_matches('\u{feff}'), TextCut::named(how, TextCut::Paragraph)?))
}

/// Samples of the pages of a document, each with its page.
///
/// # Errors
/// What the cut may be.
pub fn read_pages(name: &str, pages: &[(u32, String)], title: Option<&str>, how: &str) -> Result<LaidTable, String> {
    let cut = TextCut::named(how, TextCut::Whole)?;
    let mut table = LaidTable { first: vec!["document", "title", "page", "text", "start", "end"], ..LaidTable::default() };
    for (number, text) in pages {
        let letters: Vec<char> = text.chars().collect();
        for piece in cut_text(text, cut) {
            let mut row = Map::new();
            row.insert("document".to_owned(), json!(name));
            if let Some(title) = title {
                row.insert("title".to_owned(), json!(title));
            }
            row.insert("page".to_owned(), json!(number));
            row.insert("text".to_owned(), json!(letters[piece.place.clone()].iter().collect::<String>()));
            row.insert("start".to_owned(), json!(piece.place.start));
            row.insert("end".to_owned(), json!(piece.place.end));
            table.rows.push(row);
        }
    }
    Ok(table)
}

fn cut_up(file: &LaidText<'_>, body: &str, cut: TextCut) -> LaidTable {
    let mut table = LaidTable { first: vec!["document", "headings", "text", "start", "end"], ..LaidTable::default() };
    let before = file.text.len() - body.len();
    let before = file.text.get(..before).map_or(0, |text| text.chars().count());
    let letters: Vec<char> = body.chars().collect();
    for piece in cut_text(body, cut) {
        let mut row = Map::new();
        row.insert("document".to_owned(), json!(file.name));
        if cut == TextCut::Heading {
            row.insert("headings".to_owned(), json!(piece.headings));
        }
        row.insert("text".to_owned(), json!(letters[piece.place.clone()].iter().collect::<String>()));
        row.insert("start".to_owned(), json!(before + piece.place.start));
        row.insert("end".to_owned(), json!(before + piece.place.end));
        table.rows.push(row);
    }
    table
}
