//! A picture whole, in the inspector: with its boxes, its size, how its values spread, and what the camera wrote.

use egui::{CollapsingHeader, Rect, RichText, Sense, Ui, pos2, vec2};

use super::controls::{caption, dim};
use super::picture;
use super::text::{count, cut};
use crate::data::{Dataset, SampleId};
use crate::pixels::{BoundingBox, boxes_of};
use crate::ui::pictures::{Detail, Draw, Pictures};
use crate::ui::state::Viewer;
use crate::ui::theme::Theme;

/// The longest cell that is read for boxes.
const LONGEST: usize = 200_000;

/// The boxes that a sample's cells hold, for a picture of `size` pixels.
fn boxes(dataset: &Dataset, id: SampleId, size: (u32, u32)) -> Vec<BoundingBox> {
    let cells = dataset.fields().iter().enumerate().filter_map(|(place, field)| Some((field, dataset.text(place, id)?)));
    cells.filter(|(_, cell)| cell.len() <= LONGEST).flat_map(|(field, cell)| boxes_of(&field.name, &cell, size)).collect()
}

/// The picture with its boxes, in `place`: the wheel zooms, a drag moves.
pub fn draw(ui: &mut Ui, theme: &Theme, pictures: &Pictures, viewer: &mut Viewer, dataset: &Dataset, id: SampleId, place: Rect) {
    let size = detail(pictures, id).map(|detail| detail.header.upright());
    let boxes = size.map(|size| boxes(dataset, id, size)).unwrap_or_default();
    let _ = picture::viewer(ui, theme, pictures, viewer, id, place, &boxes, size);
}

/// What is known of a sample's picture, once it was read.
pub fn detail(pictures: &Pictures, id: SampleId) -> Option<&Detail> {
    match pictures.whole(id) {
        Draw::Picture(shown) => shown.detail.as_ref(),
        _ => None,
    }
}

/// What is known of the picture.
pub fn facts(ui: &mut Ui, theme: &Theme, pictures: &Pictures, id: SampleId) {
    let Some(detail) = detail(pictures, id) else { return };
    let header = &detail.header;
    let (width, height) = header.upright();
    let colours = match (header.palette, header.cmyk, header.channels) {
        (true, ..) => "palette",
        (_, true, _) => "CMYK",
        (_, _, 1) => "grey",
        (_, _, 2) => "grey with transparency",
        (_, _, 4) => "colour with transparency",
        _ => "colour",
    };
    let bytes = match detail.bytes {
        0..10_240 => format!("{} bytes", count(detail.bytes as usize)),
        10_240..10_485_760 => format!("{} kB", count((detail.bytes / 1_000) as usize)),
        more => format!("{} MB", count((more / 1_000_000) as usize)),
    };
    let mut parts = vec![
        format!("{} × {} pixels", count(width as usize), count(height as usize)),
        header.coding.title().to_owned(),
        bytes,
        format!("{colours}, {} bit", header.bits),
    ];
    if header.frames > 1 {
        parts.push(format!("{} pictures", count(header.frames as usize)));
    }
    if header.orientation > 1 {
        parts.push("turned upright".to_owned());
    }
    ui.add(egui::Label::new(RichText::new(parts.join(" · ")).font(theme.note()).color(theme.dim)).wrap());
    spread(ui, theme, &detail.histogram);
    if !detail.facts.is_empty() {
        let title = RichText::new(format!("metadata, {} entries", count(detail.facts.len()))).font(theme.note()).color(theme.dim);
        CollapsingHeader::new(title).id_salt("metadata").show(ui, |ui| {
            egui::Grid::new("metadata grid").num_columns(2).spacing(vec2(12.0, 2.0)).show(ui, |ui| {
                for (name, value) in &detail.facts {
                    dim(ui, theme, cut(name, 40));
                    ui.add(egui::Label::new(RichText::new(cut(value, 120)).font(theme.mono())).wrap());
                    ui.end_row();
                }
            });
        });
    }
}

/// How many pixels have each value: a line a channel.
fn spread(ui: &mut Ui, theme: &Theme, counts: &[[u32; 256]; 3]) {
    caption(ui, theme, "values of red, green and blue, dark to bright");
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 52.0), Sense::hover());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, "Histogram"));
    ui.painter().rect_filled(rect, theme.corner(), theme.background);
    // A picture on a white or black ground has one value that would flatten all others.
    let mut heights: Vec<u32> = counts.iter().flatten().copied().collect();
    heights.sort_unstable();
    let top = heights[heights.len() - 8].max(1) as f32;
    for (channel, ink) in counts.iter().zip([theme.ruby, theme.emerald, theme.accent]) {
        let points = (0..256)
            .map(|i| {
                let tall = (channel[i] as f32 / top).min(1.0) * (rect.height() - 4.0);
                pos2(rect.left() + (i as f32 + 0.5) / 256.0 * rect.width(), rect.bottom() - 1.0 - tall)
            })
            .collect();
        ui.painter().add(egui::Shape::line(points, egui::Stroke::new(1.2, ink)));
    }
}
