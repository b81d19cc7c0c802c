//! How a text is read: as it stands, as Markdown, or as JSON in lines. What is drawn changes; the text does not.

use egui::text::{LayoutJob, TextFormat, TextWrapping};
use egui::{FontId, Stroke};

use crate::ui::theme::Theme;
use crate::ui::widgets::text::visible_within;

/// Whether a text looks as if it were Markdown or JSON, so that a switch is of use.
pub fn may_be_read(text: &str) -> bool {
    let head = &text[..text.floor_char_boundary(text.len().min(4_000))];
    let marks = ["**", "```", "\n# ", "\n## ", "\n- ", "\n* ", "\n1. ", "](", "`"];
    head.starts_with(['{', '[']) || head.starts_with("# ") || marks.iter().any(|mark| head.contains(mark))
}

/// JSON with a line a member; `None` where it is none.
pub fn json_in_lines(text: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    serde_json::to_string_pretty(&value).ok()
}

/// Lays Markdown out: headings, lists, quotations, code, and within lines what is strong, emphasised, struck out or code.
pub fn markdown(text: &str, theme: &Theme, plain: &TextFormat, wide: f32) -> LayoutJob {
    let mut job = LayoutJob { wrap: TextWrapping { max_width: wide, ..TextWrapping::default() }, ..LayoutJob::default() };
    let code = TextFormat { font_id: theme.mono(), background: theme.raised, ..plain.clone() };
    let mut fenced = false;
    for (nth, line) in text.split('\n').enumerate() {
        if nth > 0 {
            job.append("\n", 0.0, plain.clone());
        }
        let bare = line.trim_start();
        if bare.starts_with("```") || bare.starts_with("~~~") {
            fenced = !fenced;
            continue;
        }
        if fenced {
            job.append(&visible_within(line), 0.0, code.clone());
            continue;
        }
        let level = bare.bytes().take_while(|byte| *byte == b'#').count();
        if (1..=6).contains(&level) && bare[level..].starts_with(' ') {
            let size = theme.sizes.title + [6.0, 4.0, 2.0, 1.0, 0.0, 0.0][level - 1];
            let heading =
                TextFormat { font_id: FontId::new(size, theme.strong().family), line_height: Some(size * 1.4), ..plain.clone() };
            inline(bare[level + 1..].trim(), theme, &heading, &code, &mut job);
            continue;
        }
        let indent = (line.len() - bare.len()) as f32 * 6.0;
        if let Some(item) = ["- ", "* ", "+ "].iter().find_map(|mark| bare.strip_prefix(mark)) {
            job.append("•  ", indent + 8.0, plain.clone());
            inline(item, theme, plain, &code, &mut job);
        } else if let Some(said) = bare.strip_prefix("> ") {
            let quoted = TextFormat { color: theme.dim, ..plain.clone() };
            job.append("▏ ", indent, quoted.clone());
            inline(said, theme, &quoted, &code, &mut job);
        } else if matches!(bare.trim_end(), "---" | "***" | "___") {
            job.append("―――――――", 0.0, TextFormat { color: theme.faint, ..plain.clone() });
        } else {
            job.append("", indent, plain.clone());
            inline(bare, theme, plain, &code, &mut job);
        }
    }
    job
}

/// A line with its marks: a mark that is not closed stands as it is.
fn inline(line: &str, theme: &Theme, plain: &TextFormat, code: &TextFormat, job: &mut LayoutJob) {
    let strong = TextFormat { font_id: FontId::new(plain.font_id.size, theme.strong().family), ..plain.clone() };
    let mut at = 0;
    let mut from = 0;
    while at < line.len() {
        let rest = &line[at..];
        let found = [("`", 0), ("**", 1), ("__", 1), ("~~", 2), ("*", 3), ("_", 3)].into_iter().find_map(|(mark, kind)| {
            let inner = rest.strip_prefix(mark)?;
            let long = inner.find(mark).filter(|long| *long > 0)?;
            // An underscore within a word is part of it.
            let within = mark.starts_with('_') && line[..at].ends_with(char::is_alphanumeric);
            let blank = inner.starts_with(' ') && kind != 0;
            (!within && !blank).then_some((mark.len(), &inner[..long], kind))
        });
        if let Some((mark, inner, kind)) = found {
            job.append(&visible_within(&line[from..at]), 0.0, plain.clone());
            let format = match kind {
                0 => code.clone(),
                1 => strong.clone(),
                2 => TextFormat { strikethrough: Stroke::new(1.0, theme.dim), ..plain.clone() },
                _ => TextFormat { italics: true, ..plain.clone() },
            };
            job.append(&visible_within(inner), 0.0, format);
            at += inner.len() + mark * 2;
            from = at;
        } else if let Some((label, long)) = link(rest) {
            job.append(&visible_within(&line[from..at]), 0.0, plain.clone());
            job.append(
                &visible_within(label),
                0.0,
                TextFormat { color: theme.accent, underline: Stroke::new(1.0, theme.accent), ..plain.clone() },
            );
            at += long;
            from = at;
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    job.append(&visible_within(&line[from..]), 0.0, plain.clone());
}

/// The words of a link at the head of a text, `[words](address)`, and how long it is. It leads nowhere: nothing is opened.
fn link(text: &str) -> Option<(&str, usize)> {
    let inner = text.strip_prefix('[')?;
    let words = inner.find("](")?;
    let end = inner[words + 2..].find(')')?;
    (words > 0 && !inner[..words].contains('\n')).then(|| (&inner[..words], words + end + 4))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::theme::Theme;

    fn laid(text: &str) -> String {
        let theme = Theme::new(true);
        markdown(text, &theme, &TextFormat::default(), 400.0).text
    }

    #[test]
    fn marks_become_looks_and_what_is_no_mark_stays() {
        assert_eq!(laid("# Head\n- one **two** `x_y`\n> said"), "Head\n•  one two x_y\n▏ said");
        assert_eq!(laid("2 * 3 * 4 and snake_case_name and **open"), "2 * 3 * 4 and snake_case_name and **open");
        assert_eq!(laid("see [the page](x.org) now"), "see the page now");
        assert_eq!(laid("```\nlet x = *y*;\n```"), "\nlet x = *y*;\n");
        assert_eq!(laid(""), "");
        assert_eq!(json_in_lines(r#"{"a":[1]}"#).as_deref(), Some("{\n  \"a\": [\n    1\n  ]\n}"));
        assert!(json_in_lines("{no").is_none() && !may_be_read("plain words, a - b") && may_be_read("so **it** is"));
    }
}
