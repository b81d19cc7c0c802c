//! A page by itself, as HTML without scripts or anything from elsewhere, or as Markdown.

use std::fmt::Write as _;

use crate::data::count;

/// The most of a text that is shown, in letters.
const SHOWN: usize = 160;

/// What a page is written in.
pub struct Page {
    pub text: String,
    pub markdown: bool,
}

impl Page {
    /// An empty one.
    pub fn new(markdown: bool) -> Self {
        Self { text: String::new(), markdown }
    }

    /// The whole page, with its title.
    pub fn whole(self, title: &str) -> String {
        if self.markdown {
            return self.text.trim_start().to_owned();
        }
        let title = self.safe(title);
        format!(
            "<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title><style>{STYLE}</style>\n{}</html>\n",
            self.text
        )
    }

    fn safe(&self, text: &str) -> String {
        let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let short: String = flat.chars().take(SHOWN).collect();
        let dots = if short.len() < flat.len() { "…" } else { "" };
        let signs: &[(char, &str)] = if self.markdown {
            &[('|', "\\|"), ('<', "&lt;"), ('>', "&gt;"), ('*', "\\*"), ('_', "\\_"), ('`', "\\`"), ('[', "\\[")]
        } else {
            &[('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('"', "&quot;")]
        };
        let mut out = String::with_capacity(short.len());
        for letter in short.chars() {
            match signs.iter().find(|(sign, _)| *sign == letter) {
                Some((_, instead)) => out.push_str(instead),
                None => out.push(if letter.is_control() { ' ' } else { letter }),
            }
        }
        out + dots
    }

    /// A heading.
    pub fn heading(&mut self, level: usize, text: &str) {
        let text = self.safe(text);
        let line =
            if self.markdown { format!("\n{} {text}\n\n", "#".repeat(level)) } else { format!("<h{level}>{text}</h{level}>\n") };
        self.text.push_str(&line);
    }

    /// A paragraph.
    pub fn line(&mut self, text: &str) {
        let text = self.safe(text);
        self.text.push_str(&if self.markdown { format!("{text}\n\n") } else { format!("<p>{text}</p>\n") });
    }

    /// A table.
    pub fn table(&mut self, head: &[&str], rows: &[Vec<String>]) {
        if self.markdown {
            let _ = writeln!(self.text, "| {} |\n|{}", head.join(" | "), " --- |".repeat(head.len()));
            for row in rows {
                let cells: Vec<String> = row.iter().map(|cell| self.safe(cell)).collect();
                let _ = writeln!(self.text, "| {} |", cells.join(" | "));
            }
            self.text.push('\n');
            return;
        }
        let cells =
            |tag: &str, list: &[String]| list.iter().map(|cell| format!("<{tag}>{cell}</{tag}>")).collect::<Vec<_>>().concat();
        let head: Vec<String> = head.iter().map(|name| self.safe(name)).collect();
        let _ = writeln!(self.text, "<table><tr>{}</tr>", cells("th", &head));
        for row in rows {
            let row: Vec<String> = row.iter().map(|cell| self.safe(cell)).collect();
            let _ = writeln!(self.text, "<tr>{}</tr>", cells("td", &row));
        }
        self.text.push_str("</table>\n");
    }

    /// Bars with names and numbers; `of` is what the numbers count.
    pub fn bars(&mut self, head: &str, of: &str, rows: &[(String, u64)]) {
        let most = rows.iter().map(|(_, n)| *n).max().unwrap_or(1).max(1);
        if self.markdown {
            let list: Vec<Vec<String>> = rows
                .iter()
                .map(|(name, n)| vec![name.clone(), count(*n as usize), "█".repeat((n * 30 / most).max(1) as usize)])
                .collect();
            return self.table(&[head, of, ""], &list);
        }
        for (name, n) in rows {
            let _ = writeln!(
                self.text,
                "<div class=bar><span class=name>{}</span><span class=rail><span class=fill style=\"width:{:.2}%\"></span></span><span class=n>{}</span></div>",
                self.safe(name),
                *n as f64 / most as f64 * 100.0,
                count(*n as usize)
            );
        }
    }
}

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1d2229;background:#fff}\
h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2rem}h3{font-size:1rem;margin:1.4rem 0 .2rem}table{border-collapse:collapse;width:100%}\
th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #dde1e7;vertical-align:top}th{font-weight:600}\
.bar{display:flex;gap:.6rem;align-items:center;margin:.15rem 0}.name{width:14rem;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}\
.rail{flex:1;background:#eef0f4;height:.8rem}.fill{display:block;height:100%;background:#3b6fd4}.n{width:5rem;text-align:right}p{margin:.2rem 0}";
