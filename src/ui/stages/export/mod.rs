//! Export: what to save, in which format, and what comes out as it went in.

mod eye;
pub mod state;

use egui::{Align, Frame, Margin, RichText, ScrollArea, Ui, vec2};

use super::{Stage, no_samples};
use crate::action::Action;
use crate::data::{Dataset, Format, Packing, Role, SampleId};
use crate::io::{ImageTarget, Layout, Rows, SaveTarget, Transfer, compressed_name};
use crate::session::{Need, Workspace};
use crate::ui::Bundle;
use crate::ui::state::UiState;
use crate::ui::theme::{STEP, Theme};
use crate::ui::widgets::controls::{ButtonLook, button, choice, dim, title};
use crate::ui::widgets::text::things;
pub use state::ExportForm;

/// The stage.
pub const STAGE: Stage = Stage {
    needs: &[Need::Eye],
    acts_on: no_samples,
    waiting: |_, _| 0,
    inspector: false,
    draw: |ui, state, bundle, workspace, actions, _| draw(ui, state, bundle, workspace, actions),
};

const PACKINGS: [(&str, Packing); 3] = [("not packed", Packing::None), ("gzip", Packing::Gzip), ("zstd", Packing::Zstd)];

/// Where the head is narrower, what is made of the trainer's rows stands below it.
const BESIDE: f32 = 660.0;

/// Draws it.
pub fn draw(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, workspace: &Workspace, actions: &mut Vec<Action>) {
    let theme = bundle.theme;
    let dataset = workspace.dataset();
    let origin = &dataset.base.origin;
    Frame::new().inner_margin(Margin { left: 20, right: 20, top: 16, bottom: 0 }).show(ui, |ui| {
        let roomy = ui.available_width() > BESIDE;
        let mut handing = |ui: &mut Ui, state: &mut UiState| {
            ui.with_layout(egui::Layout::right_to_left(Align::Center), |ui| {
                eye::handing(ui, theme, &mut state.export, actions);
            });
        };
        ui.horizontal(|ui| {
            title(ui, theme, "Export");
            ui.add_space(STEP * 2.0);
            for (on, name) in [(false, "Save"), (true, "Trainer's eye")] {
                let ink = if state.export.eye == on { theme.text } else { theme.dim };
                let hint = if on { "What a trainer makes of every row, before anything is written" } else { "Write a file" };
                if ui.selectable_label(state.export.eye == on, RichText::new(name).color(ink)).on_hover_text(hint).clicked() {
                    state.export.eye = on;
                }
            }
            if state.export.eye && roomy {
                handing(ui, state);
            }
        });
        if state.export.eye && !roomy {
            ui.horizontal(|ui| handing(ui, state));
        }
    });
    if state.export.eye {
        Frame::new().inner_margin(Margin { left: 20, right: 20, top: 8, bottom: 12 }).show(ui, |ui| {
            eye::draw(ui, state, bundle, workspace, actions);
        });
        return;
    }
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        Frame::new().inner_margin(Margin { left: 20, right: 20, top: 4, bottom: 20 }).show(ui, |ui| {
            ui.set_width(ui.available_width().min(820.0));
            dim(ui, theme, "A new file is written aside and moved into place. The source is never written to.");
            ui.add_space(STEP * 3.0);
            let own = match origin.format {
                format if format.is_of_images() => Format::Folder,
                // A workbook is read, and not written.
                format if format.has_sheets() => Format::Csv,
                format => format,
            };
            let format = state.export.format.map_or(own, |at| Format::tables().nth(at).unwrap_or(Format::Folder));
            let form = &mut state.export;
            if form.what == 2 && dataset.with_role(|role| role == Role::Split).is_none() {
                form.what = 0;
            }
            theme.card().show(ui, |ui| {
                ui.set_width(ui.available_width());
                egui::Grid::new("export").num_columns(2).spacing(vec2(STEP * 8.0, STEP * 3.0)).show(ui, |ui| {
                    what(ui, form, bundle, dataset);
                    how(ui, form, theme, dataset, format);
                    with(ui, form, theme, dataset, format);
                });
            });
            ui.add_space(STEP * 2.0);
            promise(ui, form, theme, dataset, format);
            ui.add_space(STEP * 3.0);
            ui.horizontal(|ui| {
                if button(ui, theme, "Save…", "", ButtonLook::Main, true).clicked() {
                    actions.push(save(form, bundle, dataset, format));
                }
                let hint = "A folder that datasets loads: Parquet by part of the split, and a card that names them";
                if button(ui, theme, "Hugging Face folder…", "", ButtonLook::Quiet, true).on_hover_text(hint).clicked() {
                    actions.push(Action::HubDialog);
                }
                let hint = "Every file that this was read from by itself, in its own form, with the edits of its samples";
                if !dataset.base.sources.is_empty()
                    && button(ui, theme, "Each source…", "", ButtonLook::Quiet, true).on_hover_text(hint).clicked()
                {
                    actions.push(Action::EachSourceDialog);
                }
                let hint = "The steps that you made here, as a recipe, on every file of a folder of any size: in bounded memory, and a run that was stopped goes on. lapidary run --explain says how each step is done";
                let steps = bundle.workspace.is_some_and(|open| open.history().depth() > 0);
                if button(ui, theme, "Over a folder…", "", ButtonLook::Quiet, steps).on_hover_text(hint).clicked() {
                    actions.push(Action::RunDialog { input: None });
                }
            });
        });
    });
}

/// Which samples.
fn what(ui: &mut Ui, form: &mut ExportForm, bundle: &Bundle<'_>, dataset: &Dataset) {
    dim(ui, bundle.theme, "What");
    ui.vertical(|ui| {
        let kept = dataset.rows() - dataset.excluded().len();
        ui.radio_value(&mut form.what, 0, format!("The whole, {}", things(kept, "sample", "samples")));
        let filtered = left(form.excluded, bundle, dataset);
        ui.radio_value(&mut form.what, 1, format!("What the filter leaves, {}", things(filtered, "sample", "samples")));
        let split = dataset.with_role(|role| role == Role::Split).is_some();
        ui.add_enabled_ui(split, |ui| {
            let text =
                if split { "Each part of the split, a file each" } else { "Each part of the split (make one in Split first)" };
            ui.radio_value(&mut form.what, 2, text);
        });
    });
    ui.end_row();
}

/// The format and the packing, or how images lie.
fn how(ui: &mut Ui, form: &mut ExportForm, theme: &Theme, dataset: &Dataset, format: Format) {
    dim(ui, theme, "Format");
    ui.horizontal(|ui| {
        let mut names = Format::tables().map(|format| format.title().to_owned()).collect::<Vec<_>>();
        if dataset.pictures().is_some() {
            names.push(Format::Folder.title().to_owned());
        }
        if let Some(at) = choice(ui, theme, "Format", format.title(), &names) {
            form.format = Some(at);
        }
        let names = PACKINGS.map(|(name, _)| name.to_owned());
        if format == Format::Folder {
            return;
        }
        if let Some(at) = choice(ui, theme, "Packing", PACKINGS[form.packing].0, &names) {
            form.packing = at;
        }
    });
    ui.end_row();
    if format == Format::Folder {
        dim(ui, theme, "Images");
        ui.vertical(|ui| {
            ui.radio_value(&mut form.by_path, false, "One folder a class");
            ui.radio_value(&mut form.by_path, true, "Each at its own path, the rest in metadata.csv");
            ui.checkbox(&mut form.link, "Link to them instead of copying");
        });
        ui.end_row();
    }
}

/// Whether it comes out byte for byte.
fn is_own(dataset: &Dataset, format: Format) -> bool {
    format == dataset.base.origin.format && dataset.base.raw.is_some()
}

/// What else is written.
fn with(ui: &mut Ui, form: &mut ExportForm, theme: &Theme, dataset: &Dataset, format: Format) {
    dim(ui, theme, "With");
    ui.vertical(|ui| {
        ui.checkbox(&mut form.excluded, format!("excluded samples ({})", dataset.excluded().len()));
        if format != Format::Folder {
            ui.checkbox(&mut form.own, "Lapidary's own columns: excluded, reviewed, tags");
        }
        if matches!(format, Format::Csv | Format::Tsv) {
            ui.checkbox(&mut form.safe, "safe for spreadsheets: an apostrophe before what they would run");
        }
        let encoding = dataset.base.origin.encoding;
        if is_own(dataset, format) && encoding != "UTF-8" {
            ui.checkbox(&mut form.utf8, format!("UTF-8 instead of {encoding}"));
        }
    });
    ui.end_row();
}

/// What is kept as it is.
fn promise(ui: &mut Ui, form: &ExportForm, theme: &Theme, dataset: &Dataset, format: Format) {
    let images = format == Format::Folder;
    let promise = if images {
        "A new folder: images are taken byte for byte. No sample is left out silently: one without a readable image stops it."
    } else if is_own(dataset, format) && !form.utf8 {
        "What was not edited comes out byte for byte: line ends, quoting, key order, number spelling, the last newline."
    } else {
        "Cell for cell: types and nesting are kept wherever the format has them, and you are told where it has not."
    };
    ui.label(RichText::new(promise).color(theme.dim));
    let added: Vec<&str> = dataset.fields().iter().filter(|field| !field.is_given()).map(|field| &*field.name).collect();
    if !added.is_empty() && !images {
        let text = format!("At the end of each sample stands what you added: {}.", added.join(", "));
        ui.label(RichText::new(text).color(theme.dim));
    }
}

/// What the form asks for.
fn save(form: &ExportForm, bundle: &Bundle<'_>, dataset: &Dataset, format: Format) -> Action {
    let keep = |id: &SampleId| form.excluded || !dataset.is_excluded(*id);
    let rows = match form.what {
        2 => None,
        1 => Some(Rows::These(bundle.session.visible().iter().filter(keep).collect())),
        _ => Some(if form.excluded { Rows::All } else { Rows::Kept }),
    };
    let stem = stem(&dataset.base.origin);
    if format == Format::Folder {
        let layout = if form.by_path { Layout::Paths } else { Layout::Classes };
        let transfer = if form.link { Transfer::Link } else { Transfer::Copy };
        return Action::ExportImagesDialog { rows, target: ImageTarget { folder: stem.into(), layout, transfer } };
    }
    let packing = PACKINGS[form.packing].1;
    let path = compressed_name(&stem, format, packing);
    let target = SaveTarget { path, format, packing, own_columns: form.own, utf8: form.utf8, safe: form.safe };
    match rows {
        Some(rows) => Action::ExportDialog { rows, target },
        None => Action::ExportPartsDialog { target },
    }
}

/// How many samples a save of the filtered part writes.
fn left(excluded: bool, bundle: &Bundle<'_>, dataset: &Dataset) -> usize {
    let out = match bundle.session.filtered() {
        _ if excluded => 0,
        None => dataset.excluded().len(),
        Some(filtered) => filtered.count_common(dataset.excluded()),
    };
    bundle.session.visible().len() - out
}

/// The name that a save begins with: the source's, marked as another.
fn stem(origin: &crate::data::Origin) -> String {
    let name = origin.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let stem = name.split('.').next().unwrap_or("dataset");
    format!("{stem}-clean")
}
