//! The look: colours, type and sizes, read from `assets/theme.json`. Nowhere else is a colour, a size or a font.

use std::sync::OnceLock;

use egui::{Color32, CornerRadius, FontFamily, FontId, Margin, Stroke, Vec2};
use serde::Deserialize;

#[derive(Deserialize)]
struct Table {
    dark: Colours,
    light: Colours,
    classes: Vec<String>,
    sizes: Sizes,
}

#[derive(Deserialize)]
struct Colours {
    background: String,
    panel: String,
    raised: String,
    hover: String,
    line: String,
    text: String,
    dim: String,
    faint: String,
    accent: String,
    on_accent: String,
    tint: String,
    mark: String,
    ruby: String,
    amber: String,
    emerald: String,
    bar: String,
    bar_outside: String,
}

/// Sizes in points.
#[derive(Deserialize, Clone, Copy, Debug)]
pub struct Sizes {
    /// Type: notes.
    pub note: f32,
    /// Type: everything.
    pub body: f32,
    /// Type: titles.
    pub title: f32,
    /// Type: the one sample under review.
    pub sample: f32,
    /// Height of a control.
    pub control: f32,
    /// Height of a table row.
    pub row: f32,
    /// Radius of corners.
    pub corner: u8,
    /// Height of the top bar.
    pub top_bar: f32,
    /// Height of the filter bar.
    pub filter_bar: f32,
    /// Width of the rail.
    pub rail: f32,
    /// Width of the inspector, at first.
    pub inspector: f32,
    /// Height of the status bar.
    pub status_bar: f32,
    /// The window's width below which the inspector hides.
    pub inspector_from: f32,
}

/// One theme: what each role's colour is.
#[derive(Clone, Debug)]
pub struct Theme {
    pub dark: bool,
    pub background: Color32,
    pub panel: Color32,
    pub raised: Color32,
    pub hover: Color32,
    pub line: Color32,
    pub text: Color32,
    pub dim: Color32,
    pub faint: Color32,
    pub accent: Color32,
    pub on_accent: Color32,
    /// Behind what is selected.
    pub tint: Color32,
    /// The ground of what was looked for and stands in a text.
    pub mark: Color32,
    /// Wrong.
    pub ruby: Color32,
    /// In doubt.
    pub amber: Color32,
    /// Good.
    pub emerald: Color32,
    pub bar: Color32,
    /// A bar's part outside the filter.
    pub bar_outside: Color32,
    classes: Vec<Color32>,
    pub sizes: Sizes,
}

/// The step of all spacing.
pub const STEP: f32 = 4.0;

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    // The table is compiled in and a test reads it: it always parses.
    #[allow(clippy::expect_used)]
    TABLE.get_or_init(|| serde_json::from_str(include_str!("../../assets/theme.json")).expect("assets/theme.json is sound"))
}

fn colour(text: &str) -> Color32 {
    Color32::from_hex(text).unwrap_or(Color32::PLACEHOLDER)
}

impl Theme {
    /// The dark or the light theme.
    pub fn new(dark: bool) -> Self {
        let table = table();
        let c = if dark { &table.dark } else { &table.light };
        Self {
            dark,
            background: colour(&c.background),
            panel: colour(&c.panel),
            raised: colour(&c.raised),
            hover: colour(&c.hover),
            line: colour(&c.line),
            text: colour(&c.text),
            dim: colour(&c.dim),
            faint: colour(&c.faint),
            accent: colour(&c.accent),
            on_accent: colour(&c.on_accent),
            tint: colour(&c.tint),
            mark: colour(&c.mark),
            ruby: colour(&c.ruby),
            amber: colour(&c.amber),
            emerald: colour(&c.emerald),
            bar: colour(&c.bar),
            bar_outside: colour(&c.bar_outside),
            classes: table.classes.iter().map(|text| colour(text)).collect(),
            sizes: table.sizes,
        }
    }

    /// The colour of the class at place `index` of its column's classes: the same everywhere.
    pub fn class(&self, index: usize) -> Color32 {
        self.classes[index % self.classes.len()]
    }

    /// How many colours classes have.
    pub fn hues(&self) -> usize {
        self.classes.len()
    }

    /// Type for notes.
    pub fn note(&self) -> FontId {
        FontId::proportional(self.sizes.note)
    }

    /// Type for everything.
    pub fn body(&self) -> FontId {
        FontId::proportional(self.sizes.body)
    }

    /// Type for what stands out among everything.
    pub fn strong(&self) -> FontId {
        FontId::new(self.sizes.body, FontFamily::Name("medium".into()))
    }

    /// Type for titles.
    pub fn title(&self) -> FontId {
        FontId::new(self.sizes.title, FontFamily::Name("semibold".into()))
    }

    /// Type for the one sample under review, and for the start screen's name.
    pub fn sample(&self) -> FontId {
        FontId::proportional(self.sizes.sample)
    }

    /// Type for keys, code and raw values.
    pub fn mono(&self) -> FontId {
        FontId::monospace(self.sizes.note)
    }

    /// A hairline.
    pub fn hairline(&self) -> Stroke {
        Stroke::new(1.0, self.line)
    }

    /// The corners of controls and cards.
    pub fn corner(&self) -> CornerRadius {
        CornerRadius::same(self.sizes.corner)
    }

    /// A card: raised, with corners.
    pub fn card(&self) -> egui::Frame {
        egui::Frame::new().fill(self.panel).stroke(self.hairline()).corner_radius(self.corner()).inner_margin(Margin::same(16))
    }

    /// Gives egui's own widgets this look.
    pub fn apply(&self, ctx: &egui::Context) {
        let theme = if self.dark { egui::Theme::Dark } else { egui::Theme::Light };
        ctx.set_theme(theme);
        ctx.style_mut_of(theme, |style| {
            use egui::TextStyle;
            style.text_styles = [
                (TextStyle::Small, self.note()),
                (TextStyle::Body, self.body()),
                (TextStyle::Button, self.body()),
                (TextStyle::Heading, self.title()),
                (TextStyle::Monospace, self.mono()),
            ]
            .into();
            style.spacing.item_spacing = Vec2::new(STEP * 2.0, STEP);
            style.spacing.button_padding = Vec2::new(STEP * 2.5, STEP);
            style.spacing.interact_size.y = self.sizes.control;
            style.interaction.tooltip_delay = 0.4;
            // Motion only shows where something went: panels and popups are simply there.
            style.animation_time = 0.0;
            let v = &mut style.visuals;
            *v = if self.dark { egui::Visuals::dark() } else { egui::Visuals::light() };
            v.override_text_color = Some(self.text);
            v.weak_text_color = Some(self.dim);
            v.panel_fill = self.background;
            v.window_fill = self.panel;
            v.window_stroke = self.hairline();
            v.window_shadow = egui::Shadow::NONE;
            v.popup_shadow = egui::Shadow::NONE;
            v.extreme_bg_color = self.background;
            v.text_edit_bg_color = Some(self.raised);
            v.faint_bg_color = self.raised;
            v.code_bg_color = self.raised;
            v.hyperlink_color = self.accent;
            v.warn_fg_color = self.amber;
            v.error_fg_color = self.ruby;
            v.selection.bg_fill = self.tint;
            v.selection.stroke = Stroke::new(1.0, self.accent);
            v.window_corner_radius = self.corner();
            v.menu_corner_radius = self.corner();
            let w = &mut v.widgets;
            for (state, fill, edge) in [
                (&mut w.noninteractive, self.panel, self.line),
                (&mut w.inactive, self.raised, self.line),
                (&mut w.hovered, self.hover, self.line),
                (&mut w.active, self.hover, self.accent),
                (&mut w.open, self.hover, self.line),
            ] {
                state.bg_fill = fill;
                state.weak_bg_fill = fill;
                state.bg_stroke = Stroke::new(1.0, edge);
                state.fg_stroke = Stroke::new(1.0, self.text);
                state.corner_radius = self.corner();
                state.expansion = 0.0;
            }
            // What is dragged to resize lights up in the colour of what can be acted on.
            w.hovered.fg_stroke = Stroke::new(1.0, self.accent);
            w.active.fg_stroke = Stroke::new(1.0, self.accent);
            // Unticked boxes and the rails of sliders must be seen on a card.
            w.inactive.bg_fill = self.hover;
            w.inactive.bg_stroke = Stroke::new(1.0, self.faint.gamma_multiply(0.6));
            w.inactive.weak_bg_fill = self.raised;
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn luminance(colour: Color32) -> f64 {
        let part = |value: u8| {
            let value = f64::from(value) / 255.0;
            if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(colour.r()) + 0.7152 * part(colour.g()) + 0.0722 * part(colour.b())
    }

    fn contrast(a: Color32, b: Color32) -> f64 {
        let (a, b) = (luminance(a) + 0.05, luminance(b) + 0.05);
        if a > b { a / b } else { b / a }
    }

    /// WCAG 2.1, success criterion 1.4.3.
    #[test]
    fn whatever_must_be_read_stands_out_enough() {
        for theme in [Theme::new(true), Theme::new(false)] {
            for ground in [theme.background, theme.panel, theme.raised] {
                for ink in [theme.text, theme.dim, theme.amber, theme.ruby, theme.emerald, theme.accent] {
                    let ratio = contrast(ink, ground);
                    assert!(ratio >= 4.5, "{ink:?} on {ground:?}: {ratio:.2} (dark: {})", theme.dark);
                }
            }
            assert!(contrast(theme.on_accent, theme.accent) >= 4.5);
            for ink in [theme.text, theme.dim, theme.accent, theme.amber] {
                assert!(contrast(ink, theme.tint) >= 4.5, "{ink:?} on what is chosen");
            }
        }
    }
}
