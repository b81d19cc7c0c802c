//! The fonts, and what they may not do: what is shown is what is in the file, letter by letter.

use std::sync::Arc;

use egui::{FontData, FontDefinitions, FontFamily};

/// What makes other letters of letters: Inter draws `4 x 4` as `4 × 4` and `->` as an arrow, `JetBrains` Mono `!=` as `≠`. In data that is a lie.
const CHANGES: [&[u8; 4]; 5] = [b"calt", b"clig", b"liga", b"dlig", b"rlig"];
/// A feature that no shaper turns on.
const NEVER: &[u8; 4] = b"zzzz";

/// Installs the fonts: Inter in three weights and `JetBrains` Mono, egui's symbols behind them. System fonts come behind
/// these by eframe, for every other script.
pub fn install(ctx: &egui::Context) {
    let mut fonts = FontDefinitions::default();
    let files: [(&str, &'static [u8]); 4] = [
        ("inter", include_bytes!("../../assets/fonts/Inter-Regular.otf")),
        ("inter-medium", include_bytes!("../../assets/fonts/Inter-Medium.otf")),
        ("inter-semibold", include_bytes!("../../assets/fonts/Inter-SemiBold.otf")),
        ("jetbrains-mono", include_bytes!("../../assets/fonts/JetBrainsMono-Regular.ttf")),
    ];
    for (name, bytes) in files {
        fonts.font_data.insert(name.to_owned(), Arc::new(FontData::from_owned(letter_by_letter(bytes))));
    }
    let behind = fonts.families.get(&FontFamily::Proportional).cloned().unwrap_or_default();
    let with = |first: &str| [first.to_owned()].into_iter().chain(behind.iter().cloned()).collect::<Vec<_>>();
    fonts.families.insert(FontFamily::Name("medium".into()), with("inter-medium"));
    fonts.families.insert(FontFamily::Name("semibold".into()), with("inter-semibold"));
    fonts.families.insert(FontFamily::Proportional, with("inter"));
    fonts.families.entry(FontFamily::Monospace).or_default().insert(0, "jetbrains-mono".to_owned());
    ctx.set_fonts(fonts);
    ctx.add_glyph_rasterizer(super::unknown::rasterizer());
}

/// A font (OpenType, sfnt) whose contextual alternates and ligatures are never used: their tags in the list of features of `GSUB` are changed.
fn letter_by_letter(font: &[u8]) -> Vec<u8> {
    let mut font = font.to_vec();
    let places: Vec<usize> = features(&font).filter(|place| CHANGES.iter().any(|tag| font[*place..].starts_with(*tag))).collect();
    places.into_iter().for_each(|place| font[place..place + 4].copy_from_slice(NEVER));
    font
}

/// Where the tags of `GSUB`'s features stand.
fn features(font: &[u8]) -> impl Iterator<Item = usize> + '_ {
    let short = |at: usize| font.get(at..at + 2).map_or(0, |two| usize::from(u16::from_be_bytes([two[0], two[1]])));
    let long = |at: usize| short(at) << 16 | short(at + 2);
    let table = (0..short(4)).map(|table| 12 + table * 16).find(|place| font.get(*place..*place + 4) == Some(b"GSUB"));
    let list = table.map(|place| long(place + 8)).map(|table| table + short(table + 6));
    let count = list.map_or(0, short);
    (0..count).filter_map(move |n| list.map(|list| list + 2 + n * 6)).filter(|place| place + 4 <= font.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_drawn_is_what_is_there() {
        let ctx = egui::Context::default();
        install(&ctx);
        ctx.run_ui(egui::RawInput::default(), |_| {}).textures_delta.clear();
        for family in [FontFamily::Proportional, FontFamily::Monospace] {
            let sizes = |text: &str| -> Vec<[f32; 2]> {
                let font = egui::FontId::new(14.0, family.clone());
                let galley = ctx.fonts_mut(|fonts| fonts.layout_no_wrap(text.to_owned(), font, egui::Color32::WHITE));
                galley
                    .rows
                    .iter()
                    .flat_map(|row| row.glyphs.iter().map(|glyph| glyph.uv_rect.size.into()).collect::<Vec<_>>())
                    .collect()
            };
            for text in ["4x4", "4 x 4", "->", "=>", "!=", "<=", "fi", "(c)"] {
                let apart: Vec<[f32; 2]> = text.chars().flat_map(|letter| sizes(&letter.to_string())).collect();
                let (together, apart) = (sizes(text), apart);
                assert_eq!(together.len(), apart.len(), "{text}");
                for (one, other) in together.iter().zip(&apart) {
                    // Positions between pixels may add one.
                    assert!(
                        (one[0] - other[0]).abs() <= 1.0 && (one[1] - other[1]).abs() <= 1.0,
                        "{text}: {together:?} {apart:?}"
                    );
                }
            }
        }
        let font = include_bytes!("../../assets/fonts/Inter-Regular.otf");
        let tags: Vec<&[u8]> = features(font).map(|place| &font[place..place + 4]).collect();
        assert!(tags.contains(&b"calt".as_slice()) && tags.contains(&b"tnum".as_slice()));
    }
}
