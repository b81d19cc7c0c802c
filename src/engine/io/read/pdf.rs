//! PDF: the text of each page, in the order in which the page draws it. Runs in the child process: what parses these files has panicked before, and a few kilobytes can claim
//! gigabytes.
//!
//! A page says where glyphs stand and not what a word or a line is: a piece that begins above or below the one before begins a line, a farther one a paragraph, and one that
//! begins a quarter of a letter's height farther right a word (ISO 32000-1, 9.4). A page without text, a scan, is a warning: nothing is guessed.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use lopdf::content::Content;
use lopdf::{Dictionary, Document, Encoding, LoadOptions, Object, ObjectId};
use polars::prelude::{Column as PolarsColumn, DataFrame, NamedFrom as _, Series};

use super::typed_schema::Beside;

/// The most bytes that one stream may grow to.
const STREAM: usize = 64 << 20;
/// Forms within forms are followed so deep.
const DEEP: usize = 6;
/// More operations than this a page does not have.
const OPERATIONS: usize = 4_000_000;
/// Pages without text that are named.
const NAMED: usize = 12;

/// Parts of the height of a letter: from which on a piece is on another line, after which gap a paragraph begins, and a word.
const LINE: f32 = 0.5;
const PARAGRAPH: f32 = 1.75;
const WORD: f32 = 0.2;
/// Thousandths of a letter's height by which a piece of a line is moved away from the one before, from which on a word begins.
const KERNED: f32 = -170.0;
/// The width of a letter where the font does not say it, in parts of its height.
const USUAL: f32 = 0.5;

/// The pages of a document, as a table with a row each: `page`, from 1, and `text`.
///
/// # Errors
/// What is wrong, in words.
pub fn parse(bytes: &[u8], limit: u64) -> Result<(DataFrame, Beside), String> {
    let stream = usize::try_from(limit / 4).unwrap_or(STREAM).min(STREAM);
    let options = LoadOptions { max_decompressed_size: Some(stream), ..LoadOptions::default() };
    let document = Document::load_mem_with_options(bytes, options).map_err(|error| trouble(&error.to_string()))?;
    if document.is_encrypted() {
        return Err("it is protected by a password: save it without one first".to_owned());
    }
    let (mut numbers, mut texts, mut blank, mut torn) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut held, mut title) = (0u64, None);
    for (number, page) in document.get_pages() {
        match page_text(&document, page, stream) {
            Ok(text) if text.trim().is_empty() => blank.push(number),
            Ok(text) => {
                held += text.len() as u64;
                if held > limit {
                    return Err(format!("memory: its text takes more than {} MiB", limit >> 20));
                }
                numbers.push(number);
                texts.push(text);
            }
            Err(why) => torn.push((number, why)),
        }
    }
    if let Ok(info) =
        document.trailer.get(b"Info").and_then(|info| document.dereference(info)).and_then(|(_, info)| info.as_dict())
    {
        title = info
            .get(b"Title")
            .ok()
            .and_then(|title| lopdf::decode_text_string(title).ok())
            .filter(|title| !title.trim().is_empty());
    }
    if texts.is_empty() {
        let why = torn.first().map_or_else(
            || {
                "none of its pages has text: they are pictures, which a program that recognises letters (OCR) has to read first"
                    .to_owned()
            },
            |(number, why)| format!("page {number} cannot be read: {why}"),
        );
        return Err(why);
    }
    let mut beside = Beside::default();
    if !blank.is_empty() {
        let list: Vec<String> = blank.iter().take(NAMED).map(ToString::to_string).collect();
        let more = if blank.len() > NAMED { format!(" and {} more", blank.len() - NAMED) } else { String::new() };
        let what = if blank.len() == 1 { "page has no text, and is left out" } else { "pages have no text, and are left out" };
        beside.notes.push(format!("{} {what} (a scan is a picture): {}{more}", blank.len(), list.join(", ")));
    }
    for (number, why) in torn.iter().take(NAMED) {
        beside.notes.push(format!("page {number} cannot be read, and is left out: {why}"));
    }
    if let Some(title) = title {
        beside.kept.push(("title".to_owned(), title));
    }
    let rows = texts.len();
    let columns =
        vec![PolarsColumn::from(Series::new("page".into(), numbers)), PolarsColumn::from(Series::new("text".into(), texts))];
    Ok((DataFrame::new(rows, columns).map_err(|error| error.to_string())?, beside))
}

fn trouble(error: &str) -> String {
    let said = error.lines().next().unwrap_or_default();
    if said.to_lowercase().contains("password") || said.to_lowercase().contains("decrypt") {
        return "it is protected by a password: save it without one first".to_owned();
    }
    format!("it cannot be read as a PDF: {said}")
}

fn page_text(document: &Document, page: ObjectId, stream: usize) -> Result<String, String> {
    let say = |error: lopdf::Error| error.to_string().lines().next().unwrap_or_default().to_owned();
    let content = document.get_page_content_with_limit(page, stream).map_err(say)?;
    let (own, inherited) = document.get_page_resources(page).map_err(say)?;
    let mut resources: Vec<&Dictionary> = own.into_iter().collect();
    resources.extend(inherited.iter().filter_map(|id| document.get_dictionary(*id).ok()));
    let mut drawn = Drawn { document, stream, text: String::new(), last: None, operations: 0 };
    drawn.content(&content, &resources, Matrix::ONE, 0)?;
    Ok(drawn.text)
}

/// Two by three numbers that move and turn points.
#[derive(Clone, Copy)]
struct Matrix([f32; 6]);

impl Matrix {
    const ONE: Self = Self([1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);

    /// First this one, then the other.
    fn then(self, other: Self) -> Self {
        let ([a, b, c, d, e, f], [g, h, i, j, k, l]) = (self.0, other.0);
        Self([a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + l])
    }

    fn moved(x: f32, y: f32) -> Self {
        Self([1.0, 0.0, 0.0, 1.0, x, y])
    }

    /// Of six operands.
    fn of(operands: &[Object]) -> Option<Self> {
        let mut numbers = [0.0; 6];
        for (number, operand) in numbers.iter_mut().zip(operands) {
            *number = operand.as_float().ok()?;
        }
        (operands.len() == 6).then_some(Self(numbers))
    }
}

/// A font, as far as its text is asked for.
struct Font<'d> {
    encoding: Option<Encoding<'d>>,
    /// What it says itself of what its codes mean, by the number of bytes of a code.
    says: Option<UnicodeMap>,
    /// The first code that has a width, and widths in parts of the height.
    first: usize,
    widths: Vec<f32>,
    /// Bytes of a code: one, or two of composite fonts.
    bytes: usize,
}

/// Where the text is that is drawn.
#[derive(Clone)]
struct State<'d> {
    page: Matrix,
    font: Option<Rc<Font<'d>>>,
    size: f32,
    leading: f32,
    letters: f32,
    words: f32,
    stretched: f32,
}

/// What has been drawn.
struct Drawn<'d> {
    document: &'d Document,
    stream: usize,
    text: String,
    /// Where the last piece ended, and how high its letters were.
    last: Option<(f32, f32, f32)>,
    operations: usize,
}

impl<'d> Drawn<'d> {
    fn content(&mut self, bytes: &[u8], resources: &[&'d Dictionary], page: Matrix, deep: usize) -> Result<(), String> {
        let content = Content::decode(bytes).map_err(|error| error.to_string())?;
        self.operations += content.operations.len();
        if self.operations > OPERATIONS {
            return Err(format!("it has more than {OPERATIONS} operations"));
        }
        let mut fonts: BTreeMap<Vec<u8>, Rc<Font<'d>>> = BTreeMap::new();
        let start = State { page, font: None, size: 0.0, leading: 0.0, letters: 0.0, words: 0.0, stretched: 1.0 };
        let (mut state, mut kept) = (start, Vec::new());
        let (mut at, mut line) = (Matrix::ONE, Matrix::ONE);
        for operation in &content.operations {
            let of = &operation.operands;
            let number = |place: usize| of.get(place).and_then(|operand| operand.as_float().ok()).unwrap_or(0.0);
            match operation.operator.as_str() {
                "q" => kept.push(state.clone()),
                "Q" => state = kept.pop().unwrap_or(state),
                "cm" => state.page = Matrix::of(of).unwrap_or(Matrix::ONE).then(state.page),
                "BT" => (at, line) = (Matrix::ONE, Matrix::ONE),
                "Tm" => {
                    line = Matrix::of(of).unwrap_or(Matrix::ONE);
                    at = line;
                }
                "Td" | "TD" | "T*" => {
                    if operation.operator == "TD" {
                        state.leading = -number(1);
                    }
                    let (x, y) = if operation.operator == "T*" { (0.0, -state.leading) } else { (number(0), number(1)) };
                    line = Matrix::moved(x, y).then(line);
                    at = line;
                }
                "TL" => state.leading = number(0),
                "Tc" => state.letters = number(0),
                "Tw" => state.words = number(0),
                "Tz" => state.stretched = number(0) / 100.0,
                "Tf" => {
                    state.size = number(1);
                    state.font = of.first().and_then(|name| name.as_name().ok()).and_then(|name| {
                        if let Some(font) = fonts.get(name) {
                            return Some(Rc::clone(font));
                        }
                        let font = Rc::new(self.font(name, resources)?);
                        fonts.insert(name.to_vec(), Rc::clone(&font));
                        Some(font)
                    });
                }
                "Tj" => self.show(of.first().into_iter(), &state, &mut at),
                "TJ" => {
                    let list = of.first().and_then(|list| list.as_array().ok());
                    self.show(list.into_iter().flatten(), &state, &mut at);
                }
                "'" | "\"" => {
                    let place = if operation.operator == "'" { 0 } else { 2 };
                    if place == 2 {
                        (state.words, state.letters) = (number(0), number(1));
                    }
                    line = Matrix::moved(0.0, -state.leading).then(line);
                    at = line;
                    self.show(of.get(place).into_iter(), &state, &mut at);
                }
                "Do" if deep < DEEP => {
                    if let Some(name) = of.first().and_then(|name| name.as_name().ok()) {
                        self.form(name, resources, state.page, deep)?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// A form that is drawn as a part of the page; a picture has no text.
    fn form(&mut self, name: &[u8], resources: &[&'d Dictionary], page: Matrix, deep: usize) -> Result<(), String> {
        let document = self.document;
        let found =
            resources.iter().find_map(|from| document.get_dict_in_dict(from, b"XObject").ok()?.get_deref(name, document).ok());
        let Some(form) = found.and_then(|object| object.as_stream().ok()) else { return Ok(()) };
        if form.dict.get(b"Subtype").and_then(Object::as_name).ok() != Some(b"Form") {
            return Ok(());
        }
        let bytes = form.get_plain_content_with_limit(self.stream).map_err(|error| error.to_string())?;
        let moved =
            form.dict.get(b"Matrix").and_then(Object::as_array).ok().and_then(|list| Matrix::of(list)).unwrap_or(Matrix::ONE);
        let own = document.get_dict_in_dict(&form.dict, b"Resources").ok();
        let within: Vec<&Dictionary> = own.into_iter().chain(resources.iter().copied()).collect();
        self.content(&bytes, &within, moved.then(page), deep + 1)
    }

    fn font(&self, name: &[u8], resources: &[&'d Dictionary]) -> Option<Font<'d>> {
        let document = self.document;
        let found =
            resources.iter().find_map(|from| document.get_dict_in_dict(from, b"Font").ok()?.get_deref(name, document).ok());
        let font = found?.as_dict().ok()?;
        let encoding = font.get_font_encoding_with_limit(document, self.stream).ok();
        let bytes = if font.get(b"Subtype").and_then(Object::as_name).ok() == Some(b"Type0") { 2 } else { 1 };
        let widths = font.get_deref(b"Widths", document).ok().and_then(|list| list.as_array().ok());
        let width = |object: &Object| {
            document.dereference(object).ok().and_then(|(_, width)| width.as_float().ok()).unwrap_or(0.0) / 1_000.0
        };
        let widths: Vec<f32> = widths.into_iter().flatten().take(1 << 16).map(width).collect();
        let first = font.get(b"FirstChar").and_then(Object::as_i64).ok().and_then(|first| usize::try_from(first).ok());
        let says = font.get_deref(b"ToUnicode", document).and_then(Object::as_stream).ok();
        let says =
            says.and_then(|map| map.get_plain_content_with_limit(self.stream).ok()).map(|text| UnicodeMap::read(&text, bytes));
        let says = says.filter(|map| !map.codes.is_empty());
        Some(Font { encoding, says, first: first.unwrap_or(0), widths, bytes })
    }

    /// Shows pieces of a line, and numbers that move what follows.
    fn show<'o>(&mut self, pieces: impl Iterator<Item = &'o Object>, state: &State<'d>, at: &mut Matrix) {
        let Some(font) = &state.font else { return };
        for piece in pieces {
            if let Ok(by) = piece.as_float() {
                if by < KERNED && self.last.is_some() && !self.text.ends_with(char::is_whitespace) {
                    self.text.push(' ');
                }
                let across = -by / 1_000.0 * state.size * state.stretched;
                *at = Matrix::moved(across, 0.0).then(*at);
                let (x, y, height) = place(*at, state);
                self.last = self.last.map(|_| (x, y, height));
                continue;
            }
            let Ok(bytes) = piece.as_str() else { continue };
            let known = || font.encoding.as_ref().and_then(|encoding| encoding.bytes_to_string(bytes).ok()).unwrap_or_default();
            let said = font.says.as_ref().map_or_else(known, |map| map.text(bytes));
            self.piece(&said, place(*at, state));
            *at = Matrix::moved(width_of(font, bytes, state), 0.0).then(*at);
            self.last = Some(place(*at, state));
        }
    }

    /// Puts a piece behind what there is, with what parts them.
    fn piece(&mut self, said: &str, (x, y, height): (f32, f32, f32)) {
        if said.is_empty() {
            return;
        }
        if let Some((end, before, last)) = self.last {
            let tall = height.max(last).max(0.1);
            let fall = (before - y).abs();
            if fall > LINE * tall {
                let lines = if before - y > PARAGRAPH * tall { "\n\n" } else { "\n" };
                while self.text.ends_with(' ') {
                    self.text.pop();
                }
                if !self.text.ends_with('\n') && !self.text.is_empty() {
                    self.text.push_str(lines);
                }
            } else if (x - end > WORD * tall || x + tall < end)
                && !self.text.ends_with(char::is_whitespace)
                && !said.starts_with(' ')
            {
                self.text.push(' ');
            }
        }
        self.text.extend(
            said.chars()
                .filter(|letter| !letter.is_control() || *letter == '\t')
                .map(|letter| if letter == '\u{a0}' { ' ' } else { letter }),
        );
    }
}

/// What the codes of a font mean (ISO 32000-1, 9.10.3).
struct UnicodeMap {
    /// Bytes of a code.
    bytes: usize,
    codes: HashMap<u32, String>,
}

/// More codes than this no font has.
const CODES: usize = 1 << 17;

impl UnicodeMap {
    /// Reads a map: pairs, and ranges of codes. What is no such is passed over.
    fn read(text: &[u8], bytes: usize) -> Self {
        let mut map = Self { bytes, codes: HashMap::new() };
        let text = String::from_utf8_lossy(text);
        let hex = |word: &str| -> Vec<u8> {
            let digits: Vec<u8> = word.bytes().filter(u8::is_ascii_hexdigit).collect();
            digits.chunks(2).filter_map(|two| u8::from_str_radix(std::str::from_utf8(two).ok()?, 16).ok()).collect()
        };
        let letters = |bytes: &[u8]| {
            let units: Vec<u16> = bytes.chunks_exact(2).map(|two| u16::from_be_bytes([two[0], two[1]])).collect();
            String::from_utf16_lossy(&units)
        };
        let number = |bytes: &[u8]| bytes.iter().take(4).fold(0u32, |all, byte| all << 8 | u32::from(*byte));
        for (begin, end) in
            [("begincodespacerange", "endcodespacerange"), ("beginbfchar", "endbfchar"), ("beginbfrange", "endbfrange")]
        {
            for section in text.split(begin).skip(1).filter_map(|rest| rest.split(end).next()) {
                let mut words = Hexes(section);
                while let Some(first) = words.take() {
                    let Some(second) = words.take() else { break };
                    if begin == "begincodespacerange" {
                        map.bytes = hex(first).len().clamp(1, 4);
                        continue;
                    }
                    if map.codes.len() > CODES {
                        return map;
                    }
                    if begin == "beginbfchar" {
                        map.codes.insert(number(&hex(first)), letters(&hex(second)));
                        continue;
                    }
                    let (from, to) = (number(&hex(first)), number(&hex(second)));
                    let many = to.saturating_sub(from).min(0xffff);
                    let Some(third) = words.take_any() else { break };
                    if let Some(list) = third.strip_prefix('[') {
                        let mut list = Hexes(list);
                        for code in from..=from + many {
                            let Some(word) = list.take() else { break };
                            map.codes.insert(code, letters(&hex(word)));
                        }
                        continue;
                    }
                    let base = hex(third);
                    for n in 0..=many {
                        let mut own = base.clone();
                        // The last of it counts on.
                        if let Some(last) = own.len().checked_sub(2) {
                            let unit = u32::from(u16::from_be_bytes([own[last], own[last + 1]])) + n;
                            own[last..].copy_from_slice(&u16::try_from(unit).unwrap_or(0xfffd).to_be_bytes());
                        }
                        map.codes.insert(from + n, letters(&own));
                    }
                }
            }
        }
        map
    }

    fn text(&self, bytes: &[u8]) -> String {
        let code = |code: &[u8]| code.iter().fold(0u32, |all, byte| all << 8 | u32::from(*byte));
        bytes.chunks(self.bytes).filter_map(|own| self.codes.get(&code(own))).map(String::as_str).collect()
    }
}

/// Words in angle brackets, and lists in square ones.
struct Hexes<'t>(&'t str);

impl<'t> Hexes<'t> {
    fn take(&mut self) -> Option<&'t str> {
        let from = self.0.find('<')? + 1;
        let end = from + self.0[from..].find('>')?;
        let word = &self.0[from..end];
        self.0 = &self.0[end + 1..];
        Some(word)
    }

    /// The next word, or the next list with its bracket.
    fn take_any(&mut self) -> Option<&'t str> {
        let at = self.0.find(['<', '['])?;
        if self.0[at..].starts_with('<') {
            return self.take();
        }
        let end = at + self.0[at..].find(']')?;
        let list = &self.0[at..end];
        self.0 = &self.0[end + 1..];
        Some(list)
    }
}

/// Where something is drawn, and how high a letter is there.
fn place(at: Matrix, state: &State<'_>) -> (f32, f32, f32) {
    let Matrix([_, _, c, d, x, y]) = at.then(state.page);
    (x, y, (c * c + d * d).sqrt() * state.size.abs())
}

fn width_of(font: &Font<'_>, bytes: &[u8], state: &State<'_>) -> f32 {
    let of = |code: usize| {
        let stated = code.checked_sub(font.first).and_then(|place| font.widths.get(place)).copied();
        stated.filter(|width| *width > 0.0).unwrap_or(USUAL)
    };
    let across: f32 = bytes
        .chunks(font.bytes)
        .map(|code| {
            let code = code.iter().fold(0, |all, byte| all << 8 | usize::from(*byte));
            let blank = if font.bytes == 1 && code == 32 { state.words } else { 0.0 };
            of(code) * state.size + state.letters + blank
        })
        .sum();
    across * state.stretched
}
