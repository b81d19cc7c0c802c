//! Collect: how the file was read, what its columns mean, and what could not be read.

mod compare;
pub mod compare_form;
mod sources;

use std::path::Path;

use egui::{Margin, RichText, ScrollArea, Ui, vec2};
use egui_extras::{Column as TableSize, TableBuilder};

use super::{Stage, no_samples};
use crate::action::Action;
use crate::data::{Format, Kind, Packing, Role, Shape};
use crate::io::{Reading, layout_title};
use crate::operate::Operation;
use crate::session::{Need, Workspace};
use crate::ui::Bundle;
use crate::ui::state::UiState;
use crate::ui::theme::STEP;
use crate::ui::widgets::controls::{choice, clipped, dim, title};
use crate::ui::widgets::text::{count, flat, things};

/// The stage.
pub const STAGE: Stage = Stage {
    needs: &[Need::Sources],
    acts_on: no_samples,
    waiting: |_, workspace| workspace.dataset().base.warnings.len(),
    inspector: false,
    draw: |ui, state, bundle, workspace, actions, _| draw(ui, state, bundle, workspace, actions),
};

/// Lines before the table that the menu offers.
const MOST_SKIPPED: usize = 12;

const ENCODINGS: [&str; 9] =
    ["UTF-8", "UTF-16LE", "UTF-16BE", "windows-1252", "windows-1251", "ISO-8859-2", "Shift_JIS", "GB18030", "EUC-KR"];

/// Draws it.
pub fn draw(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, workspace: &Workspace, actions: &mut Vec<Action>) {
    let theme = bundle.theme;
    if state.compare.other.is_some() {
        return compare::draw(ui, state, bundle, workspace, actions);
    }
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        egui::Frame::new().inner_margin(Margin::same(20)).show(ui, |ui| {
            ui.set_width(ui.available_width().min(1_000.0));
            source(ui, bundle, workspace, actions);
            ui.add_space(STEP * 4.0);
            let alone = workspace.dataset().base.sources.is_empty();
            if !alone {
                sources::draw(ui, state, bundle, workspace, actions);
            }
            title(ui, theme, "Columns");
            dim(ui, theme, "What each column is read as, and what it means. Cells keep their text whatever you choose.");
            ui.add_space(STEP * 2.0);
            columns(ui, bundle, workspace, actions);
            ui.add_space(STEP * 4.0);
            if alone {
                title(ui, theme, "More sources");
                dim(
                    ui,
                    theme,
                    "Add files, folders or sheets: they become one dataset, and every sample knows where it comes from.",
                );
                ui.add_space(STEP * 2.0);
                sources::add(ui, theme, workspace, actions);
                ui.add_space(STEP * 4.0);
            }
            compare::offer(ui, theme, actions);
            warnings(ui, bundle, workspace);
        });
    });
}

fn source(ui: &mut Ui, bundle: &Bundle<'_>, workspace: &Workspace, actions: &mut Vec<Action>) {
    let theme = bundle.theme;
    let base = &workspace.dataset().base;
    let origin = &base.origin;
    let reading = workspace.reading();
    title(ui, theme, origin.path.file_name().unwrap_or_default().to_string_lossy());
    // Of a file in the folder that Lapidary was started in, its name says it all.
    let folder = origin.path.parent().filter(|folder| !folder.as_os_str().is_empty() && *folder != Path::new("."));
    if let Some(folder) = folder {
        dim(ui, theme, folder.display().to_string());
    }
    ui.add_space(STEP * 2.0);
    theme.card().show(ui, |ui| {
        ui.set_width(ui.available_width());
        egui::Grid::new("source").num_columns(2).spacing(vec2(STEP * 8.0, STEP * 2.0)).show(ui, |ui| {
            let packed = match origin.packing {
                Packing::None => "",
                Packing::Gzip => ", packed with gzip",
                Packing::Zstd => ", packed with zstd",
            };
            dim(ui, theme, "Format");
            ui.label(format!("{}{packed}", origin.layout.map_or(origin.format.title(), layout_title)));
            ui.end_row();
            dim(ui, theme, "Size");
            let bytes = if origin.bytes > 0 { format!(" in {} bytes", count(origin.bytes as usize)) } else { String::new() };
            ui.label(format!("{}{bytes}", things(base.rows, "sample", "samples")));
            ui.end_row();
            if base.raw.as_ref().is_some_and(|raw| raw.aside) {
                dim(ui, theme, "Held");
                ui.label("on disk, in a copy of its own: it is more than half of what a dataset may take in memory");
                ui.end_row();
            }
            if let Some(sheet) = origin.sheet.as_ref().filter(|_| origin.sheets.len() > 1) {
                let what = if matches!(origin.format, Format::Sqlite | Format::DuckDb) { "Table" } else { "Sheet" };
                dim(ui, theme, what);
                if let Some(at) = choice(ui, theme, what, sheet, &origin.sheets) {
                    actions.push(Action::Reread(Reading { sheet: Some(origin.sheets[at].clone()), ..reading.clone() }));
                }
                ui.end_row();
            }
            let Some(raw) = &base.raw else { return };
            dim(ui, theme, "Encoding");
            let mut options: Vec<String> = ENCODINGS.iter().map(|name| (*name).to_owned()).collect();
            if !options.iter().any(|name| name == origin.encoding) {
                options.insert(0, origin.encoding.to_owned());
            }
            if let Some(at) = choice(ui, theme, "Encoding", origin.encoding, &options) {
                actions.push(Action::Reread(Reading { encoding: Some(options[at].clone()), ..reading.clone() }));
            }
            ui.end_row();
            if let Shape::Delimited(dialect) = raw.shape {
                dim(ui, theme, "Delimiter");
                let names = ["comma", "tab", "semicolon", "pipe"].map(str::to_owned);
                let bytes = [b',', b'\t', b';', b'|'];
                let now = bytes.iter().position(|byte| *byte == dialect.delimiter).map_or("other", |at| &names[at]);
                if let Some(at) = choice(ui, theme, "Delimiter", now, &names) {
                    actions.push(Action::Reread(Reading { delimiter: Some(bytes[at]), ..reading.clone() }));
                }
                ui.end_row();
                dim(ui, theme, "First row");
                let names = ["names the columns", "is a sample"].map(str::to_owned);
                if let Some(at) = choice(ui, theme, "First row", &names[usize::from(!dialect.header)], &names) {
                    actions.push(Action::Reread(Reading { header: Some(at == 0), ..reading.clone() }));
                }
                ui.end_row();
                dim(ui, theme, "Before the table");
                let lines = memchr::memchr_iter(b'\n', &raw.text[..dialect.start.min(raw.text.len())]).count();
                let names: Vec<String> = (0..=MOST_SKIPPED.max(lines)).map(|n| things(n, "line", "lines")).collect();
                ui.horizontal(|ui| {
                    if let Some(at) = choice(ui, theme, "Before the table", &names[lines], &names) {
                        actions.push(Action::Reread(Reading { skip: Some(at), ..reading.clone() }));
                    }
                    let before = String::from_utf8_lossy(&raw.text[..dialect.start.min(raw.text.len()).min(200)]);
                    if lines > 0 {
                        dim(ui, theme, flat(before.trim_end(), 1)).on_hover_text("No samples; kept when saved in this format");
                    }
                });
                ui.end_row();
                if base.wide > 0 || reading.surplus {
                    dim(ui, theme, "Cells beyond the header");
                    let names = ["stay in their rows", "are columns too"].map(str::to_owned);
                    ui.horizontal(|ui| {
                        if let Some(at) =
                            choice(ui, theme, "Cells beyond the header", &names[usize::from(reading.surplus)], &names)
                        {
                            actions.push(Action::Reread(Reading { surplus: at == 1, ..reading.clone() }));
                        }
                        if base.wide > 0 {
                            dim(ui, theme, format!("{} have some", things(base.wide, "row", "rows")));
                        }
                    });
                    ui.end_row();
                }
            }
        });
    });
}

fn columns(ui: &mut Ui, bundle: &Bundle<'_>, workspace: &Workspace, actions: &mut Vec<Action>) {
    let theme = bundle.theme;
    let dataset = workspace.dataset();
    theme.card().show(ui, |ui| {
        ui.set_width(ui.available_width());
        for (i, field) in dataset.fields().iter().enumerate().take(500) {
            let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 36.0), egui::Sense::hover());
            if i > 0 {
                ui.painter().hline(rect.x_range(), rect.top(), theme.hairline());
            }
            clipped(ui, rect.left_center() + vec2(0.0, -8.0), 190.0, &field.name, theme.strong(), theme.text, 1);
            let example = dataset.samples().take(50).find_map(|id| dataset.text(i, id).filter(|text| !text.is_empty()));
            let example = example.unwrap_or_default();
            let room = (rect.width() - 480.0).max(40.0);
            clipped(ui, rect.left_center() + vec2(200.0, -8.0), room, &flat(&example, 1), theme.body(), theme.dim, 1);
            let right = egui::Rect::from_min_max(egui::pos2(rect.right() - 264.0, rect.top() + 4.0), rect.max);
            ui.scope_builder(
                egui::UiBuilder::new().max_rect(right).layout(egui::Layout::left_to_right(egui::Align::Center)),
                |ui| {
                    let typed = field.source.is_some_and(|source| dataset.base.columns[source].native_type().is_some());
                    let nested = field.kind.is_nested();
                    ui.spacing_mut().combo_width = 96.0;
                    if typed || nested {
                        let shown = RichText::new(field.kind.name()).color(theme.dim);
                        ui.add_sized(vec2(112.0, 24.0), egui::Label::new(shown));
                    } else {
                        let kinds = [Kind::Text, Kind::Integer, Kind::Number, Kind::Comma, Kind::Boolean];
                        let names = kinds.map(|kind| kind.name().to_owned());
                        if let Some(at) = choice(ui, theme, &format!("{} is read as", field.name), field.kind.name(), &names) {
                            actions.push(Action::Do(Operation::SetKind { column: field.name.to_string(), kind: kinds[at] }));
                        }
                    }
                    let mut roles: Vec<Role> = Role::ALL.to_vec();
                    roles.splice(3..3, [Role::Labels(';'), Role::Labels('|')]);
                    let names: Vec<String> = roles.iter().map(|role| role.to_string()).collect();
                    if let Some(at) = choice(ui, theme, &format!("Role of {}", field.name), &field.role.to_string(), &names) {
                        actions.push(Action::Do(Operation::SetRole { column: field.name.to_string(), role: roles[at] }));
                    }
                },
            );
        }
        if dataset.fields().len() > 500 {
            dim(ui, theme, format!("{} more columns", count(dataset.fields().len() - 500)));
        }
    });
}

fn base_is_images(workspace: &Workspace) -> bool {
    workspace.dataset().base.origin.format.is_of_images()
}

fn warnings(ui: &mut Ui, bundle: &Bundle<'_>, workspace: &Workspace) {
    let theme = bundle.theme;
    let warnings = &workspace.dataset().base.warnings;
    title(ui, theme, "Warnings");
    if warnings.is_empty() {
        dim(
            ui,
            theme,
            if base_is_images(workspace) { "Every name was taken as it stands" } else { "Every row was read as it stands" },
        );
        return;
    }
    if workspace.dataset().base.origin.layout.is_some() {
        dim(ui, theme, "The rest was read. What it is read from is never written; saving makes a file of its own.");
    } else if workspace.dataset().base.origin.format.has_sheets() {
        dim(ui, theme, "The rest was read as it stands there. A workbook or database is never written.");
    } else if !base_is_images(workspace) {
        dim(ui, theme, "The rest was read. Saved in the same format, these lines come out as they went in.");
    }
    ui.add_space(STEP * 2.0);
    theme.card().show(ui, |ui| {
        ui.set_width(ui.available_width());
        let table = TableBuilder::new(ui).max_scroll_height(420.0).auto_shrink([false, true]);
        table.column(TableSize::exact(88.0)).column(TableSize::remainder().clip(true)).body(|body| {
            body.rows(22.0, warnings.len(), |mut row| {
                let warning = &warnings[row.index()];
                row.col(|ui| {
                    let line = if warning.line > 0 { format!("line {}", count(warning.line)) } else { String::new() };
                    ui.label(RichText::new(line).color(theme.amber));
                });
                row.col(|ui| {
                    ui.add(egui::Label::new(&warning.reason).truncate()).on_hover_text(&warning.reason);
                });
            });
        });
    });
}
