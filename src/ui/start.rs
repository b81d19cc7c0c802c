//! The start screen: open, what was opened before, the bundled samples.

use egui::{RichText, ScrollArea, Ui, vec2};

use crate::action::{Action, CollectAction};
use crate::ui::Bundle;
use crate::ui::commands::Command;
use crate::ui::shell::gem;
use crate::ui::theme::STEP;
use crate::ui::widgets::controls::{ButtonLook, button, caption, dim};

/// Draws it.
pub fn draw(ui: &mut Ui, bundle: &Bundle<'_>, actions: &mut Vec<Action>) {
    let theme = bundle.theme;
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        ui.vertical_centered(|ui| {
            ui.set_max_width(560.0);
            ui.add_space((ui.available_height() * 0.14).clamp(16.0, 140.0));
            let (mark, _) = ui.allocate_exact_size(vec2(48.0, 44.0), egui::Sense::hover());
            gem(ui, theme, mark.center(), 20.0);
            ui.add_space(STEP);
            ui.label(RichText::new("Lapidary").font(egui::FontId { size: theme.sizes.sample, ..theme.title() }));
            dim(ui, theme, "Cut, polish and set your training data");
            ui.add_space(STEP * 5.0);
            ui.horizontal(|ui| {
                // The pair stands in the middle.
                ui.add_space(((ui.available_width() - 350.0) / 2.0).max(0.0));
                if button(ui, theme, "Open file…", &Command::Open.key_text(), ButtonLook::Main, true).clicked() {
                    actions.push(Action::OpenDialog);
                }
                if button(ui, theme, "Open folder…", &Command::OpenFolder.key_text(), ButtonLook::Plain, true).clicked() {
                    actions.push(Action::OpenFolderDialog);
                }
            });
            ui.add_space(STEP);
            ui.label(
                RichText::new(
                    "or drop a file here: CSV, TSV, JSON, JSON Lines, Parquet, Arrow, or images in a folder, ZIP or tar",
                )
                .font(theme.note())
                .color(theme.dim),
            );
            if ui.link(RichText::new("or ask a database").font(theme.note()).color(theme.accent)).clicked() {
                actions.push(Action::Collect(CollectAction::NameDatabase));
            }
            ui.add_space(STEP * 4.0);
            ui.with_layout(egui::Layout::top_down(egui::Align::Min), |ui| {
                if !bundle.recent.is_empty() {
                    caption(ui, theme, "opened before");
                    for path in bundle.recent.iter().take(6) {
                        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                        let folder = path.parent().map(|folder| folder.display().to_string()).unwrap_or_default();
                        if line(ui, bundle, &name, &folder) {
                            actions.push(Action::Open(path.clone()));
                        }
                    }
                }
                caption(ui, theme, "samples");
                for (i, (name, what)) in bundle.samples.iter().enumerate() {
                    if line(ui, bundle, name, what) {
                        actions.push(Action::OpenSample(i));
                    }
                }
            });
        });
    });
}

fn line(ui: &mut Ui, bundle: &Bundle<'_>, name: &str, what: &str) -> bool {
    let theme = bundle.theme;
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 36.0), egui::Sense::click());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, format!("Open {name}, {what}")));
    let fill = if response.hovered() { theme.hover } else { theme.panel };
    ui.painter().rect(rect, theme.corner(), fill, theme.hairline(), egui::StrokeKind::Inside);
    let size = crate::ui::widgets::controls::clipped(
        ui,
        rect.left_center() + vec2(14.0, -8.0),
        rect.width() * 0.5,
        name,
        theme.strong(),
        theme.text,
        1,
    );
    let left = rect.left() + 14.0 + size.x + 16.0;
    crate::ui::widgets::controls::clipped(
        ui,
        egui::pos2(left, rect.center().y - 7.0),
        rect.right() - left - 14.0,
        what,
        theme.note(),
        theme.dim,
        1,
    );
    response.clicked()
}
