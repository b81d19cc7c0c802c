//! Export: what to save, in which format, and what comes out as it went in.

use egui::{Frame, Margin, RichText, ScrollArea, Ui, vec2};

use super::{CTRL, Stage, no_samples};
use crate::action::Action;
use crate::data::{Format, Packing, Role};
use crate::io::{ImageTarget, Layout, Rows, Target, Transfer, compressed_name};
use crate::session::Workspace;
use crate::ui::Bundle;
use crate::ui::state::UiState;
use crate::ui::theme::STEP;
use crate::ui::widgets::controls::{Look, button, choice, dim, title};
use crate::ui::widgets::text::things;

/// The stage.
pub const STAGE: Stage = Stage {
    title: "Export",
    go_to: "Go to Export",
    help: "Save to a new file",
    begins_group: true,
    key: Some((CTRL, egui::Key::E)),
    needs: &[],
    acts_on: no_samples,
    waiting: |_, _| 0,
    inspector: false,
    draw: |ui, state, bundle, workspace, actions, _| draw(ui, state, bundle, workspace, actions),
};

/// How a save is asked for.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ExportForm {
    /// The place of the format in `Format::TABLES`, behind the last for a folder of images; `None` for the source's own.
    pub format: Option<usize>,
    /// The place of the packing.
    pub packing: usize,
    /// 0 the whole, 1 the filtered, 2 each part.
    pub what: usize,
    /// Write excluded samples too.
    pub excluded: bool,
    /// Write Lapidary's own columns too.
    pub own: bool,
    /// Write UTF-8 whatever the source had.
    pub utf8: bool,
    /// Cells that a spreadsheet would run are made harmless.
    pub safe: bool,
    /// Images: each at its own path rather than under its class; linked rather than copied.
    pub by_path: bool,
    pub link: bool,
}

const PACKINGS: [(&str, Packing); 3] = [("not packed", Packing::None), ("gzip", Packing::Gzip), ("zstd", Packing::Zstd)];

/// Draws it.
pub fn draw(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, workspace: &Workspace, actions: &mut Vec<Action>) {
    let theme = bundle.theme;
    let dataset = workspace.dataset();
    let origin = &dataset.base.origin;
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        Frame::new().inner_margin(Margin::same(20)).show(ui, |ui| {
            ui.set_width(ui.available_width().min(820.0));
            title(ui, theme, "Export");
            dim(ui, theme, "A new file is written aside and moved into place. The source is never written to.");
            ui.add_space(STEP * 3.0);
            let own = if origin.format.is_of_images() { Format::Folder } else { origin.format };
            let format = state.export.format.map_or(own, |at| Format::TABLES.get(at).copied().unwrap_or(Format::Folder));
            let images = format == Format::Folder;
            let same = format == origin.format && dataset.base.raw.is_some();
            let split = dataset.with_role(|role| role == Role::Split);
            if state.export.what == 2 && split.is_none() {
                state.export.what = 0;
            }
            theme.card().show(ui, |ui| {
                ui.set_width(ui.available_width());
                egui::Grid::new("export").num_columns(2).spacing(vec2(STEP * 8.0, STEP * 3.0)).show(ui, |ui| {
                    dim(ui, theme, "What");
                    ui.vertical(|ui| {
                        let kept = dataset.rows() - dataset.excluded().len();
                        ui.radio_value(&mut state.export.what, 0, format!("The whole, {}", things(kept, "sample", "samples")));
                        ui.radio_value(
                            &mut state.export.what,
                            1,
                            format!(
                                "What the filter leaves, {}",
                                things(left(state.export.excluded, bundle, dataset), "sample", "samples")
                            ),
                        );
                        ui.add_enabled_ui(split.is_some(), |ui| {
                            let text = if split.is_some() {
                                "Each part of the split, a file each"
                            } else {
                                "Each part of the split (make one in Split first)"
                            };
                            ui.radio_value(&mut state.export.what, 2, text);
                        });
                    });
                    ui.end_row();
                    dim(ui, theme, "Format");
                    ui.horizontal(|ui| {
                        let mut names = Format::TABLES.map(|format| format.title().to_owned()).to_vec();
                        if dataset.pictures().is_some() {
                            names.push(Format::Folder.title().to_owned());
                        }
                        if let Some(at) = choice(ui, theme, "Format", format.title(), &names) {
                            state.export.format = Some(at);
                        }
                        let names = PACKINGS.map(|(name, _)| name.to_owned());
                        if images {
                            return;
                        }
                        if let Some(at) = choice(ui, theme, "Packing", PACKINGS[state.export.packing].0, &names) {
                            state.export.packing = at;
                        }
                    });
                    ui.end_row();
                    if images {
                        dim(ui, theme, "Images");
                        ui.vertical(|ui| {
                            ui.radio_value(&mut state.export.by_path, false, "One folder a class");
                            ui.radio_value(&mut state.export.by_path, true, "Each at its own path, the rest in metadata.csv");
                            ui.checkbox(&mut state.export.link, "Link to them instead of copying");
                        });
                        ui.end_row();
                    }
                    dim(ui, theme, "With");
                    ui.vertical(|ui| {
                        ui.checkbox(&mut state.export.excluded, format!("excluded samples ({})", dataset.excluded().len()));
                        if !images {
                            ui.checkbox(&mut state.export.own, "Lapidary's own columns: excluded, reviewed, tags");
                        }
                        if matches!(format, Format::Csv | Format::Tsv) {
                            ui.checkbox(&mut state.export.safe, "safe for spreadsheets: an apostrophe before what they would run");
                        }
                        if same && origin.encoding != "UTF-8" {
                            ui.checkbox(&mut state.export.utf8, format!("UTF-8 instead of {}", origin.encoding));
                        }
                    });
                    ui.end_row();
                });
            });
            ui.add_space(STEP * 2.0);
            let promise = if images {
                "A new folder: images are taken byte for byte. No sample is left out silently: one without a readable image stops it."
            } else if same && !state.export.utf8 {
                "What was not edited comes out byte for byte: line ends, quoting, key order, number spelling, the last newline."
            } else {
                "Cell for cell: types and nesting are kept wherever the format has them, and you are told where it has not."
            };
            ui.label(RichText::new(promise).color(theme.dim));
            let added: Vec<&str> =
                dataset.fields().iter().filter(|field| field.source.is_none()).map(|field| &*field.name).collect();
            if !added.is_empty() && !images {
                ui.label(
                    RichText::new(format!("At the end of each sample stands what you added: {}.", added.join(", ")))
                        .color(theme.dim),
                );
            }
            ui.add_space(STEP * 3.0);
            if images {
                if button(ui, theme, "Save…", "", Look::Main, true).clicked() {
                    let keep = |id: &crate::data::SampleId| state.export.excluded || !dataset.is_excluded(*id);
                    let rows = match state.export.what {
                        2 => None,
                        1 => Some(Rows::These(bundle.session.visible().iter().filter(keep).collect())),
                        _ => Some(if state.export.excluded { Rows::All } else { Rows::Kept }),
                    };
                    let layout = if state.export.by_path { Layout::Paths } else { Layout::Classes };
                    let transfer = if state.export.link { Transfer::Link } else { Transfer::Copy };
                    let target = ImageTarget { folder: stem(origin).into(), layout, transfer };
                    actions.push(Action::ExportImagesDialog { rows, target });
                }
                return;
            }
            let target = Target {
                path: compressed_name(&stem(origin), format, PACKINGS[state.export.packing].1),
                format,
                packing: PACKINGS[state.export.packing].1,
                own_columns: state.export.own,
                utf8: state.export.utf8,
                safe: state.export.safe,
            };
            if button(ui, theme, "Save…", "", Look::Main, true).clicked() {
                actions.push(match state.export.what {
                    2 => Action::ExportPartsDialog { target },
                    1 => {
                        let keep = |id: &crate::data::SampleId| state.export.excluded || !dataset.is_excluded(*id);
                        Action::ExportDialog { rows: Rows::These(bundle.session.visible().iter().filter(keep).collect()), target }
                    }
                    _ => Action::ExportDialog { rows: if state.export.excluded { Rows::All } else { Rows::Kept }, target },
                });
            }
        });
    });
}

/// How many samples a save of the filtered part writes.
fn left(excluded: bool, bundle: &Bundle<'_>, dataset: &crate::data::Dataset) -> usize {
    use crate::session::Visible;
    let out = match bundle.session.visible() {
        _ if excluded || dataset.excluded().is_empty() => 0,
        Visible::All(_) => dataset.excluded().len(),
        Visible::These(list) => list.iter().filter(|id| dataset.is_excluded(**id)).count(),
    };
    bundle.session.visible().len() - out
}

/// The name that a save begins with: the source's, marked as another.
fn stem(origin: &crate::data::Origin) -> String {
    let name = origin.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let stem = name.split('.').next().unwrap_or("dataset");
    format!("{stem}-clean")
}
