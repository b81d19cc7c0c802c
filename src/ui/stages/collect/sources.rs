//! Several sources as one dataset: a card each, what could be joined, what each column and class is called, and samples as they will be.

use std::collections::BTreeMap;

use egui::{Align, Layout, RichText, Role, Sense, Ui, WidgetInfo, vec2};

use crate::action::{Action, CollectAction};
use crate::collect::AlignmentProposal;
use crate::data::{SampleId, SourceRead};
use crate::io::{SourcesFile, layout_title};
use crate::session::{CarryWay, SourcesSight, Workspace};
use crate::ui::Bundle;
use crate::ui::state::UiState;
use crate::ui::theme::{STEP, Theme};
use crate::ui::widgets::controls::{ButtonLook, button, choice, clipped, cross, dim, title};
use crate::ui::widgets::text::{count, flat, things};

/// So many samples of a source, and so many of its columns, are shown as they will be.
const SHOWN: usize = 10;
const COLUMNS: usize = 5;
/// So many proposals are listed at once, and so many classes of a source.
const LISTED: usize = 12;
/// What a column is called that is left out.
const LEFT_OUT: &str = "— left out";

/// Offers to add sources; the deed of the stage.
pub fn add(ui: &mut Ui, theme: &Theme, workspace: &Workspace, actions: &mut Vec<Action>) {
    let may = workspace.read_only().is_none();
    ui.horizontal(|ui| {
        if button(ui, theme, "Add a file…", "", ButtonLook::Plain, may).clicked() {
            actions.push(Action::SourceDialog { folder: false });
        }
        if button(ui, theme, "Add a folder…", "", ButtonLook::Plain, may).clicked() {
            actions.push(Action::SourceDialog { folder: true });
        }
        if button(ui, theme, "Add a database…", "", ButtonLook::Plain, may).clicked() {
            actions.push(Action::Collect(CollectAction::NameDatabase));
        }
    });
}

/// Draws the sources of a list.
pub fn draw(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, workspace: &Workspace, actions: &mut Vec<Action>) {
    let theme = bundle.theme;
    let sources = &workspace.dataset().base.sources;
    let sight = bundle.session.sources();
    title(ui, theme, "Sources");
    dim(ui, theme, "Each sample knows its source and its row there. Drop files here to add them.");
    ui.add_space(STEP * 2.0);
    let shown = state.source.clone().filter(|id| sources.iter().any(|source| source.id == *id));
    let shown = shown.or_else(|| sources.first().map(|source| source.id.clone()));
    theme.card().show(ui, |ui| {
        ui.set_width(ui.available_width());
        for (at, source) in sources.iter().enumerate() {
            card(
                ui,
                state,
                theme,
                (source, at > 0, shown.as_deref() == Some(&source.id)),
                (sight, workspace, sources.len()),
                actions,
            );
        }
    });
    ui.add_space(STEP * 2.0);
    add(ui, theme, workspace, actions);
    let of_database = |source: &SourceRead| crate::io::is_address(&source.read);
    if sources.iter().any(of_database) {
        ui.add_space(STEP);
        let pressed = button(ui, theme, "Ask the databases again", "", ButtonLook::Plain, true);
        if pressed.on_hover_text("What has come, gone and changed there is shown before anything is taken over").clicked() {
            actions.push(Action::Collect(CollectAction::CompareChanged));
        }
    }
    ui.add_space(STEP * 4.0);
    if let Some(sight) = sight {
        proposals(ui, theme, sight, workspace, actions);
        overlap(ui, theme, sight, sources);
        if let Some(source) = sources.iter().find(|source| Some(&source.id) == shown.as_ref()) {
            columns(ui, theme, source, sight, workspace, actions);
            classes(ui, theme, source, sight, workspace, actions);
            samples(ui, theme, source, workspace);
        }
    } else if bundle.session.is_running("sources") {
        dim(ui, theme, "Comparing the sources…");
        ui.add_space(STEP * 4.0);
    }
}

/// One source: what it is read from, how many samples it has.
fn card(
    ui: &mut Ui,
    state: &mut UiState,
    theme: &Theme,
    (source, below, chosen): (&SourceRead, bool, bool),
    (sight, workspace, all): (Option<&SourcesSight>, &Workspace, usize),
    actions: &mut Vec<Action>,
) {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 44.0), Sense::click());
    let name = format!("Source {}", source.id);
    response.widget_info(|| WidgetInfo::selected(Role::ListBoxOption, true, chosen, &name));
    if below {
        ui.painter().hline(rect.x_range(), rect.top(), theme.hairline());
    }
    if chosen || response.hovered() {
        let ground = if chosen { theme.tint } else { theme.hover };
        ui.painter().rect_filled(rect.shrink2(vec2(-8.0, 2.0)), 4.0, ground);
    }
    if response.clicked() {
        state.source = Some(source.id.clone());
    }
    let left = rect.left_top();
    let room = rect.width() - 260.0;
    clipped(ui, left + vec2(0.0, 5.0), room, &source.id, theme.strong(), theme.text, 1);
    let files = if source.files > 1 { format!(", {}", things(source.files, "file", "files")) } else { String::new() };
    let said = format!("{}{files}, {}", source.read, source.layout.map_or(source.format, layout_title));
    clipped(ui, left + vec2(0.0, 24.0), room, &said, theme.note(), theme.dim, 1);
    let right = egui::Rect::from_min_max(egui::pos2(rect.right() - 250.0, rect.top()), rect.max);
    ui.scope_builder(egui::UiBuilder::new().max_rect(right).layout(Layout::right_to_left(Align::Center)), |ui| {
        if all > 1
            && workspace.read_only().is_none()
            && let Some(sight) = sight
            && cross(ui, theme, &format!("Remove source {}", source.id))
                .on_hover_text("Take it out of the list; its file stays")
                .clicked()
        {
            let mut list = sight.list.clone();
            list.sources.retain(|entry| entry.id != source.id);
            let way = CarryWay::Without(source.first..source.first + source.rows);
            actions.push(Action::Collect(CollectAction::Change { list, way }));
        }
        ui.label(RichText::new(things(source.rows, "sample", "samples")).font(theme.mono()).color(theme.text));
        if source.warnings > 0 {
            ui.label(RichText::new(things(source.warnings, "warning", "warnings")).font(theme.note()).color(theme.amber));
        }
    });
}

/// What could be joined: shown, and taken one by one or all at once.
fn proposals(ui: &mut Ui, theme: &Theme, sight: &SourcesSight, workspace: &Workspace, actions: &mut Vec<Action>) {
    let takeable: Vec<&AlignmentProposal> =
        sight.proposals.iter().filter(|proposal| !matches!(proposal, AlignmentProposal::Numbers { .. })).collect();
    let may = workspace.read_only().is_none();
    if takeable.is_empty() {
        return;
    }
    title(ui, theme, "Could be one");
    dim(ui, theme, "Nothing is joined unless you say so. Cells keep their text.");
    ui.add_space(STEP * 2.0);
    theme.card().show(ui, |ui| {
        ui.set_width(ui.available_width());
        for proposal in takeable.iter().take(LISTED) {
            let (what, from, to, why) = words(proposal);
            ui.horizontal(|ui| {
                ui.set_min_height(26.0);
                ui.label(RichText::new(from).color(theme.text));
                ui.label(RichText::new("→").color(theme.dim));
                ui.label(RichText::new(to).color(theme.text));
                dim(ui, theme, why);
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    let pressed = button(ui, theme, "Join", "", ButtonLook::Plain, may);
                    if pressed.on_hover_text(what).clicked() {
                        actions.push(Action::Collect(CollectAction::Join(vec![(*proposal).clone()])));
                    }
                });
            });
        }
        if takeable.len() > LISTED {
            dim(ui, theme, format!("{} more", count(takeable.len() - LISTED)));
        }
    });
    ui.add_space(STEP * 2.0);
    let all = format!("Join all {}", takeable.len());
    if takeable.len() > 1 && button(ui, theme, &all, "", ButtonLook::Main, may).clicked() {
        actions.push(Action::Collect(CollectAction::Join(takeable.into_iter().cloned().collect())));
    }
    ui.add_space(STEP * 4.0);
}

/// How much of one source stands in another; test samples that another trains on first. Nothing where nothing does.
fn overlap(ui: &mut Ui, theme: &Theme, sight: &SourcesSight, sources: &[SourceRead]) {
    let Some(found) = &sight.overlap else { return };
    let any = found.of.iter().enumerate().any(|(at, row)| row.iter().enumerate().any(|(other, n)| other != at && *n > 0));
    if !any || found.of.len() != sources.len() {
        return;
    }
    title(ui, theme, "The same texts in several sources");
    dim(
        ui,
        theme,
        "How many samples of a source stand in another, but for case and blanks. Clean mends them, one by one or at once.",
    );
    ui.add_space(STEP * 2.0);
    theme.card().show(ui, |ui| {
        ui.set_width(ui.available_width());
        for (source, leaks) in sources.iter().zip(&found.leaks).filter(|(_, leaks)| **leaks > 0) {
            let words = format!(
                "{} of {} stand in the train part of another source",
                things(*leaks, "test sample", "test samples"),
                source.id
            );
            ui.label(RichText::new(words).color(theme.amber));
        }
        for (at, source) in sources.iter().enumerate() {
            let list: Vec<String> = (0..sources.len())
                .filter(|other| *other != at && found.of[at][*other] > 0)
                .map(|other| {
                    let n = found.of[at][other];
                    format!("{} ({:.0} %) in {}", count(n), n as f64 / source.rows.max(1) as f64 * 100.0, sources[other].id)
                })
                .collect();
            if list.is_empty() {
                continue;
            }
            ui.horizontal_wrapped(|ui| {
                ui.label(RichText::new(&source.id).font(theme.strong()).color(theme.text));
                dim(ui, theme, format!("of {}:", things(source.rows, "sample", "samples")));
                ui.label(RichText::new(list.join(" · ")).color(theme.text));
            });
        }
    });
    ui.add_space(STEP * 4.0);
}

/// What a proposal says: what it is, from, to, and why.
fn words(proposal: &AlignmentProposal) -> (&'static str, String, String, String) {
    match proposal {
        AlignmentProposal::Column { source, from, to, why } => {
            ("A column", from.clone(), to.clone(), format!("{source}: {}", why.words()))
        }
        AlignmentProposal::Class { source, column, from, to } => {
            ("A class", from.clone(), to.clone(), format!("{source}, {column}: one class but for how it is written"))
        }
        AlignmentProposal::Numbers { source, column, .. } => ("Numbers", column.clone(), String::new(), source.clone()),
    }
}

/// What each column of a source is called in the dataset.
fn columns(
    ui: &mut Ui,
    theme: &Theme,
    source: &SourceRead,
    sight: &SourcesSight,
    workspace: &Workspace,
    actions: &mut Vec<Action>,
) {
    let Some(at) = sight.list.sources.iter().position(|entry| entry.id == source.id) else { return };
    title(ui, theme, format!("Columns of {}", source.id));
    ui.add_space(STEP * 2.0);
    let dataset = workspace.dataset();
    let names: Vec<String> = (0..dataset.fields().len())
        .filter(|field| !dataset.is_provenance(*field) && dataset.fields()[*field].source.is_some())
        .map(|field| dataset.fields()[field].name.to_string())
        .collect();
    theme.card().show(ui, |ui| {
        ui.set_width(ui.available_width());
        for column in source.columns.iter().take(100) {
            ui.horizontal(|ui| {
                ui.set_min_height(30.0);
                let (rect, _) =
                    ui.allocate_exact_size(vec2((ui.available_width() - 300.0).clamp(80.0, 300.0), 24.0), Sense::hover());
                clipped(ui, rect.left_top() + vec2(0.0, 4.0), rect.width(), &column.name, theme.strong(), theme.text, 1);
                let own = column.name.clone();
                let mut options = vec![own.clone()];
                // What another of its columns is called already is no choice.
                let taken = |name: &&String| {
                    source.columns.iter().any(|other| other.name != column.name && other.to.as_ref() == Some(*name))
                };
                options.extend(names.iter().filter(|name| **name != own && !taken(name)).cloned());
                options.push(LEFT_OUT.to_owned());
                ui.spacing_mut().combo_width = 180.0;
                let now = column.to.clone().unwrap_or_else(|| LEFT_OUT.to_owned());
                if let Some(chosen) = choice(ui, theme, &format!("{} of {} is called", column.name, source.id), &now, &options) {
                    let to = (options[chosen] != LEFT_OUT).then(|| options[chosen].clone());
                    change(sight, actions, |list| {
                        let columns = &mut list.sources[at].columns;
                        if to.as_ref() == Some(&own) {
                            columns.remove(&own);
                        } else {
                            columns.insert(own.clone(), to.clone());
                        }
                    });
                }
                dim(ui, theme, column.kind.name());
            });
        }
        if source.columns.len() > 100 {
            dim(ui, theme, format!("{} more columns", count(source.columns.len() - 100)));
        }
    });
    ui.add_space(STEP * 4.0);
}

fn change(sight: &SourcesSight, actions: &mut Vec<Action>, how: impl FnOnce(&mut SourcesFile)) {
    let mut list = sight.list.clone();
    how(&mut list);
    actions.push(Action::Collect(CollectAction::Change { list, way: CarryWay::InPlace(Vec::new()) }));
}

/// Classes that only this source has, and what they are called in the dataset.
fn classes(
    ui: &mut Ui,
    theme: &Theme,
    source: &SourceRead,
    sight: &SourcesSight,
    workspace: &Workspace,
    actions: &mut Vec<Action>,
) {
    let (Some(at), Some(place)) = (
        sight.list.sources.iter().position(|entry| entry.id == source.id),
        workspace.dataset().base.sources.iter().position(|known| known.id == source.id),
    ) else {
        return;
    };
    for (column, by_source) in &sight.classes {
        let Some(own) = by_source.get(place) else { continue };
        let mut others: BTreeMap<&String, usize> = BTreeMap::new();
        for counts in by_source.iter().enumerate().filter(|(other, _)| *other != place).map(|(_, counts)| counts) {
            for (class, n) in counts {
                *others.entry(class).or_default() += n;
            }
        }
        let alone: Vec<(&String, &usize)> = own.iter().filter(|(class, _)| !others.contains_key(class)).collect();
        let said = sight.list.sources[at].classes.get(column).cloned().unwrap_or_default();
        if others.is_empty() || alone.is_empty() && said.is_empty() {
            continue;
        }
        title(ui, theme, format!("Classes of {column} in {}", source.id));
        dim(ui, theme, "Classes that only this source has. Which class a number is, you know: it is never guessed.");
        ui.add_space(STEP * 2.0);
        theme.card().show(ui, |ui| {
            ui.set_width(ui.available_width());
            let renamed = said.iter().map(|(from, to)| (from.as_str(), to.as_str(), None));
            let kept = alone
                .iter()
                .filter(|(class, _)| !said.values().any(|to| to == *class))
                .map(|(class, n)| (class.as_str(), class.as_str(), Some(**n)));
            for (from, to, n) in renamed.chain(kept).take(LISTED * 4) {
                ui.horizontal(|ui| {
                    ui.set_min_height(30.0);
                    let (rect, _) =
                        ui.allocate_exact_size(vec2((ui.available_width() - 300.0).clamp(80.0, 300.0), 24.0), Sense::hover());
                    clipped(ui, rect.left_top() + vec2(0.0, 4.0), rect.width(), from, theme.strong(), theme.text, 1);
                    let mut options = vec![from.to_owned()];
                    options.extend(others.keys().filter(|class| class.as_str() != from).take(500).map(|class| (*class).clone()));
                    ui.spacing_mut().combo_width = 180.0;
                    if let Some(chosen) = choice(ui, theme, &format!("{from} in {column} of {} is", source.id), to, &options) {
                        change(sight, actions, |list| {
                            let classes = list.sources[at].classes.entry(column.clone()).or_default();
                            if options[chosen] == from {
                                classes.remove(from);
                            } else {
                                classes.insert(from.to_owned(), options[chosen].clone());
                            }
                        });
                    }
                    if let Some(n) = n {
                        dim(ui, theme, things(n, "sample", "samples"));
                    }
                });
            }
        });
        ui.add_space(STEP * 4.0);
    }
}

/// The first samples of a source, as they are in the dataset.
fn samples(ui: &mut Ui, theme: &Theme, source: &SourceRead, workspace: &Workspace) {
    let dataset = workspace.dataset();
    let called: Vec<&str> = source.columns.iter().filter_map(|column| column.to.as_deref()).collect();
    let fields: Vec<usize> =
        (0..dataset.fields().len()).filter(|field| called.contains(&&*dataset.fields()[*field].name)).take(COLUMNS).collect();
    if fields.is_empty() || source.rows == 0 {
        return;
    }
    title(ui, theme, format!("The first of {}, as they are here", source.id));
    ui.add_space(STEP * 2.0);
    theme.card().show(ui, |ui| {
        ui.set_width(ui.available_width());
        // Texts get the room that short cells leave.
        let weight = |field: usize| if dataset.fields()[field].role == crate::data::Role::Text { 4.0 } else { 1.0 };
        let all: f32 = fields.iter().map(|field| weight(*field)).sum();
        let ids: Vec<SampleId> = (source.first..source.first + source.rows.min(SHOWN)).map(SampleId::at).collect();
        let line = |ui: &mut Ui, cells: &dyn Fn(usize) -> String, font: egui::FontId, ink: egui::Color32| {
            let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 22.0), Sense::hover());
            let mut x = rect.left();
            for field in &fields {
                let width = rect.width() * weight(*field) / all;
                clipped(ui, egui::pos2(x, rect.top() + 3.0), width - 12.0, &cells(*field), font.clone(), ink, 1);
                x += width;
            }
        };
        line(ui, &|field| dataset.fields()[field].name.to_string(), theme.note(), theme.dim);
        for id in ids {
            line(ui, &|field| flat(&dataset.text(field, id).unwrap_or_default(), 1).into_owned(), theme.body(), theme.text);
        }
    });
    ui.add_space(STEP * 4.0);
}
