//! A sample as a model sees it, token by token.

use egui::text::{LayoutJob, TextFormat};
use egui::{Color32, Frame, Label, Margin, RichText, ScrollArea, Sense, Ui, vec2};

use super::controls::dim;
use super::text::{count, things, visible_within};
use crate::data::SampleId;
use crate::eye::{DrawnRow, TokenKind};
use crate::ui::theme::{STEP, Theme};

/// Below this width the sides of a pair stand one below the other.
const BESIDE: f32 = 420.0;

/// Draws a sample: why it is lost, its tokens, of a pair both sides; as high as there is room, or as it needs, up to a height.
pub fn drawn(ui: &mut Ui, theme: &Theme, row: &DrawnRow, id: SampleId, most: Option<f32>) {
    if let Some((reason, fails, said)) = &row.lost {
        let what = if *fails { "It fails the whole run" } else { "It is left out" };
        let said = if said.is_empty() { String::new() } else { format!(" ({said})") };
        ui.add(Label::new(RichText::new(format!("{what}: {}{said}", reason.words())).color(theme.ruby)).wrap());
    }
    match (&row.worse, row.good) {
        (Some(worse), _) if ui.available_width() < BESIDE => {
            sequence(ui, theme, row, (id, 0), Some("The better answer"), most);
            sequence(ui, theme, worse, (id, 1), Some("The worse answer"), most);
        }
        (Some(worse), _) => {
            ui.columns(2, |sides| {
                let pair = [(row, "The better answer"), (&**worse, "The worse answer")];
                for ((at, side), (row, title)) in sides.iter_mut().enumerate().zip(pair) {
                    // Columns stretch what stands in them, letters, too.
                    let beginning = egui::Layout::top_down(egui::Align::Min);
                    side.with_layout(beginning, |ui| sequence(ui, theme, row, (id, at), Some(title), most));
                }
            });
        }
        (None, Some(true)) => sequence(ui, theme, row, (id, 0), Some("Taken for a good answer"), most),
        (None, Some(false)) => sequence(ui, theme, row, (id, 0), Some("Taken for a bad answer"), most),
        (None, None) => sequence(ui, theme, row, (id, 0), None, most),
    }
}

/// One sequence of tokens, under its legend.
fn sequence(ui: &mut Ui, theme: &Theme, row: &DrawnRow, of: (SampleId, usize), title: Option<&str>, most: Option<f32>) {
    if let Some(title) = title {
        ui.label(RichText::new(title).font(theme.strong()));
    }
    if row.raw.is_empty() {
        legend(ui, theme, row);
    } else {
        dim(ui, theme, "as it stands");
    }
    ui.add_space(STEP);
    let frame = Frame::new()
        .fill(theme.panel)
        .stroke(theme.hairline())
        .corner_radius(theme.corner())
        .inner_margin(Margin::symmetric(14, 10));
    frame.show(ui, |ui| {
        let area = ScrollArea::vertical().id_salt(("tokens", of)).auto_shrink([false, most.is_some()]);
        area.max_height(most.unwrap_or(f32::INFINITY)).show(ui, |ui| {
            let job = if row.raw.is_empty() {
                tokens(theme, row, ui.available_width() - 8.0)
            } else {
                LayoutJob::simple(visible_lines(&row.raw), theme.mono(), theme.dim, ui.available_width() - 8.0)
            };
            ui.add(Label::new(job).selectable(true));
            if row.more > 0 {
                dim(ui, theme, format!("and {}", things(row.more, "more token", "more tokens")));
            }
        });
    });
}

/// What the colours mean, with how many.
fn legend(ui: &mut Ui, theme: &Theme, row: &DrawnRow) {
    let untold: u32 = row.tokens.iter().filter(|token| token.kind == TokenKind::Untold).map(|token| token.tokens).sum();
    ui.horizontal_wrapped(|ui| {
        for (kind, name, n) in [
            (TokenKind::Trained, "learned", row.learned),
            (TokenKind::Masked, "only read", row.seen - row.learned - untold as usize),
            (TokenKind::Cut, "cut off", row.cut),
            (TokenKind::Untold, "cannot be told", untold as usize),
        ] {
            if kind == TokenKind::Untold && n == 0 {
                continue;
            }
            let (rect, _) = ui.allocate_exact_size(vec2(14.0, 14.0), Sense::hover());
            let (ground, _) = look(theme, kind, 0);
            ui.painter().rect(rect, 3, ground, theme.hairline(), egui::StrokeKind::Inside);
            if kind == TokenKind::Cut {
                ui.painter().line_segment([rect.left_center(), rect.right_center()], egui::Stroke::new(1.0, theme.ruby));
            }
            dim(ui, theme, format!("{name} {}", count(n)));
            ui.add_space(STEP);
        }
    });
}

/// The ground and the ink of a token; every second is a shade apart.
fn look(theme: &Theme, kind: TokenKind, at: usize) -> (Color32, Color32) {
    let shade = if at.is_multiple_of(2) { 0.30 } else { 0.18 };
    match kind {
        TokenKind::Trained => (theme.emerald.gamma_multiply(shade), theme.text),
        TokenKind::Masked if at.is_multiple_of(2) => (theme.raised, theme.dim),
        TokenKind::Masked => (theme.panel, theme.dim),
        TokenKind::Cut => (theme.ruby.gamma_multiply(shade * 0.5), theme.faint),
        TokenKind::Untold => (theme.amber.gamma_multiply(shade), theme.text),
    }
}

/// The tokens as a text: white space and control tokens are seen.
fn tokens(theme: &Theme, row: &DrawnRow, wide: f32) -> LayoutJob {
    let mut job = LayoutJob { wrap: egui::text::TextWrapping::wrap_at_width(wide), ..LayoutJob::default() };
    for (at, token) in row.tokens.iter().enumerate() {
        let (background, color) = look(theme, token.kind, at);
        let color = if token.control { theme.accent } else { color };
        let underline = if token.kind == TokenKind::Untold { egui::Stroke::new(1.0, theme.amber) } else { egui::Stroke::NONE };
        let strikethrough = if token.kind == TokenKind::Cut {
            egui::Stroke::new(1.0, theme.ruby.gamma_multiply(0.6))
        } else {
            egui::Stroke::NONE
        };
        let format = TextFormat {
            font_id: theme.mono(),
            color,
            background,
            strikethrough,
            underline,
            line_height: Some(22.0),
            ..TextFormat::default()
        };
        // A line's end is drawn, and is one.
        let text = token.text.replace('\n', "↵\n").replace('\t', "→");
        let text = if token.control { text } else { seen(&text) };
        job.append(&text, 0.0, format);
    }
    job
}

/// What nobody would see, so that it is seen; blanks and line ends stay.
fn seen(text: &str) -> String {
    text.split_inclusive('\n')
        .map(|line| match line.strip_suffix('\n') {
            Some(line) => format!("{}\n", visible_but_blanks(line)),
            None => visible_but_blanks(line),
        })
        .collect()
}

/// The same of a text that is no token's.
fn visible_lines(text: &str) -> String {
    text.lines().map(visible_within).collect::<Vec<_>>().join("\n")
}

fn visible_but_blanks(text: &str) -> String {
    if text.trim_matches(' ').is_empty() { "·".repeat(text.len()) } else { visible_within(text) }
}
