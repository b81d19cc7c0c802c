//! The words of a page: scripts, styles, what is hidden and what stands around the main part are left out, blocks are lines, cells of a table stand beside
//! each other, spaces within `pre` stay.

/// A run of a page's words under its headings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageSection {
    /// The headings above, the highest first.
    pub headings: Vec<String>,
    pub text: String,
}

/// Elements whose words nobody reads.
const UNREAD: [&str; 12] =
    ["script", "style", "noscript", "template", "svg", "math", "head", "nav", "footer", "aside", "iframe", "select"];
/// Elements that have no end.
const VOID: [&str; 14] =
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"];
/// Elements that stand in a line with what is beside them.
const INLINE: [&str; 26] = [
    "a", "abbr", "b", "bdi", "bdo", "cite", "code", "data", "del", "dfn", "em", "font", "i", "ins", "kbd", "label", "mark", "q",
    "s", "samp", "small", "span", "strong", "sub", "sup", "u",
];

/// A page that is being read.
#[derive(Default)]
struct PageReader {
    sections: Vec<PageSection>,
    headings: Vec<(u8, String)>,
    text: String,
    title: String,
    /// The element whose content is left out, and how many of its name are open within.
    unread: Option<(String, usize)>,
    in_title: bool,
    heading: Option<(u8, usize)>,
    pre: usize,
    cells: usize,
}

/// The title of a page and its sections.
pub fn read_page(html: &str) -> (String, Vec<PageSection>) {
    let mut page = PageReader::default();
    // Names of elements are looked for in small letters: once for the whole page.
    let low = html.to_ascii_lowercase();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        page.words(&rest[..at]);
        rest = &rest[at..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = comment.find("-->").map_or("", |end| &comment[end + 3..]);
            continue;
        }
        let next = rest[1..].chars().next().unwrap_or(' ');
        if !(next.is_ascii_alphabetic() || matches!(next, '/' | '!' | '?')) {
            page.words("<");
            rest = &rest[1..];
            continue;
        }
        let end = tag_end(rest);
        let tag = &rest[1..end];
        rest = rest.get(end + 1..).unwrap_or("");
        let bare = tag.trim_start_matches('/').chars().take_while(|letter| letter.is_ascii_alphanumeric());
        let name = bare.take(40).collect::<String>().to_lowercase();
        let closes = tag.starts_with('/');
        // What is between these is no mark-up, whatever it looks like.
        if !closes && matches!(name.as_str(), "script" | "style") {
            let here = html.len() - rest.len();
            let close = low[here..].find(&format!("</{name}")).map_or(html.len(), |at| here + at);
            rest = html[close..].find('>').map_or("", |at| &html[close + at + 1..]);
            continue;
        }
        page.tag(&name, closes, tag);
    }
    page.words(rest);
    page.finish();
    (squeezed(&page.title), page.sections)
}

/// No tag is longer: a quote that does not end is not looked for further.
const LONGEST: usize = 1 << 16;

/// Where a tag ends: at `>` outside of quotes.
fn tag_end(tag: &str) -> usize {
    let mut quote = None;
    for (at, byte) in tag.bytes().enumerate().take(LONGEST) {
        match (byte, quote) {
            (b'"' | b'\'', None) => quote = Some(byte),
            (byte, Some(open)) if byte == open => quote = None,
            (b'>', None) => return at,
            _ => {}
        }
    }
    // A quote that does not end is a letter.
    tag.find('>').unwrap_or(tag.len())
}

impl PageReader {
    fn words(&mut self, text: &str) {
        let text = crate::writing::entities_decoded(text);
        if self.in_title {
            self.title.push_str(&text);
        }
        if self.unread.is_some() || self.in_title {
            return;
        }
        if self.pre > 0 {
            self.text.push_str(&text);
            return;
        }
        for letter in text.chars() {
            if letter.is_whitespace() && letter != '\u{a0}' {
                if !self.text.ends_with([' ', '\n']) && !self.text.is_empty() {
                    self.text.push(' ');
                }
            } else {
                self.text.push(if letter == '\u{a0}' { ' ' } else { letter });
            }
        }
    }

    fn line(&mut self) {
        while self.text.ends_with(' ') {
            self.text.pop();
        }
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push('\n');
        }
    }

    fn tag(&mut self, name: &str, closes: bool, tag: &str) {
        if name == "title" {
            self.in_title = !closes;
            return;
        }
        // A head that nobody closed ends where the body begins.
        if name == "body" && self.unread.as_ref().is_some_and(|(open, _)| open == "head") {
            self.unread = None;
        }
        if let Some((open, depth)) = &mut self.unread {
            if open == name {
                *depth = if closes { depth.saturating_sub(1) } else { *depth + 1 };
                if *depth == 0 {
                    self.unread = None;
                }
            }
            return;
        }
        let hidden = || is_hidden(tag);
        if !closes && (UNREAD.contains(&name) || hidden()) && !VOID.contains(&name) && !tag.ends_with('/') {
            self.unread = Some((name.to_owned(), 1));
            return;
        }
        match name {
            "pre" => {
                self.line();
                self.pre = if closes { self.pre.saturating_sub(1) } else { self.pre + 1 };
            }
            "br" => {
                while self.text.ends_with(' ') {
                    self.text.pop();
                }
                self.text.push('\n');
            }
            "tr" => {
                self.line();
                self.cells = 0;
            }
            "td" | "th" if !closes => {
                if self.cells > 0 {
                    self.text.push_str(" | ");
                }
                self.cells += 1;
            }
            "td" | "th" => {}
            _ if name.len() == 2 && name.starts_with('h') && (b'1'..=b'6').contains(&name.as_bytes()[1]) => {
                self.line();
                let level = name.as_bytes()[1] - b'0';
                if closes {
                    self.heading_ends();
                } else {
                    self.finish();
                    self.heading = Some((level, self.text.len()));
                }
            }
            _ if INLINE.contains(&name) || VOID.contains(&name) => {}
            _ => self.line(),
        }
    }

    fn heading_ends(&mut self) {
        let Some((level, from)) = self.heading.take() else { return };
        let words = squeezed(&self.text.split_off(from.min(self.text.len())));
        self.headings.retain(|(known, _)| *known < level);
        self.headings.push((level, words));
    }

    fn finish(&mut self) {
        let text = std::mem::take(&mut self.text);
        let text = text.trim_matches('\n').trim_end();
        if !text.trim().is_empty() {
            let headings = self.headings.iter().map(|(_, words)| words.clone()).collect();
            self.sections.push(PageSection { headings, text: text.to_owned() });
        }
    }
}

/// Whether a tag has the attribute `hidden`: as a name, and not within what another says.
fn is_hidden(tag: &str) -> bool {
    let mut quote = None;
    let bare: String = tag
        .chars()
        .map(|letter| match (letter, quote) {
            ('"' | '\'', None) => {
                quote = Some(letter);
                '"'
            }
            (letter, Some(open)) if letter == open => {
                quote = None;
                '"'
            }
            (_, Some(_)) => '"',
            (letter, None) => letter,
        })
        .collect();
    let words = bare.split([' ', '\n', '\t', '\r', '/']).skip(1);
    words.map(|word| word.split('=').next().unwrap_or_default()).any(|name| name.eq_ignore_ascii_case("hidden"))
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
