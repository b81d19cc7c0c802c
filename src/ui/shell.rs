//! The frame that every stage lives in: top bar, rail, status bar, notices.

use egui::{
    Align, Align2, Color32, Frame, Layout, Margin, Panel, Rect, RichText, Role as WidgetType, Sense, Stroke, Ui, WidgetInfo,
    pos2, vec2,
};

use super::Bundle;
use super::commands::Command;
use super::stages::STAGES;
use super::state::UiState;
use super::theme::{STEP, Theme};
use super::view::View;
use super::widgets::controls::{ButtonLook, button, cross, right_aligned};
use super::widgets::text::{count, named, percent, things};
use crate::action::Action;
use crate::session::Workspace;

/// From this width on the hint over the sample says all that it could.
const ROOMY: f32 = 1_150.0;
/// The room that the right half of the status bar needs.
const RIGHT: f32 = 330.0;

fn bar(theme: &Theme) -> Frame {
    Frame::new().fill(theme.panel).inner_margin(Margin::symmetric(12, 0))
}

/// The gem: five facets in the accent's light.
pub fn gem(ui: &Ui, theme: &Theme, centre: egui::Pos2, half: f32) {
    let at = |x: f32, y: f32| centre + vec2(x * half, y * half);
    let facets: [(&[(f32, f32)], f32); 4] = [
        (&[(-1.0, -0.3), (-0.5, -0.9), (0.5, -0.9), (1.0, -0.3)], 1.0),
        (&[(-1.0, -0.3), (-0.4, -0.3), (0.0, 1.0)], 0.62),
        (&[(-0.4, -0.3), (0.4, -0.3), (0.0, 1.0)], 0.85),
        (&[(0.4, -0.3), (1.0, -0.3), (0.0, 1.0)], 0.5),
    ];
    for (points, light) in facets {
        let ink = Color32::from_rgb(
            (f32::from(theme.accent.r()) * light) as u8,
            (f32::from(theme.accent.g()) * light) as u8,
            (f32::from(theme.accent.b()) * light) as u8,
        );
        let points = points.iter().map(|(x, y)| at(*x, *y)).collect();
        ui.painter().add(egui::Shape::convex_polygon(points, ink, Stroke::NONE));
    }
}

/// The top bar: the gem, the file, the palette, undo and redo, the theme.
pub fn top_bar(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, actions: &mut Vec<Action>, commands: &mut Vec<Command>) {
    let theme = bundle.theme;
    Panel::top("top bar").exact_size(theme.sizes.top_bar).resizable(false).frame(bar(theme)).show(ui, |ui| {
        let whole = ui.max_rect();
        let wide = (whole.width() * 0.32).clamp(240.0, 460.0);
        ui.horizontal_centered(|ui| {
            let (mark, _) = ui.allocate_exact_size(vec2(18.0, 18.0), Sense::hover());
            gem(ui, theme, mark.center(), 7.5);
            ui.label(RichText::new("Lapidary").font(theme.title()));
            ui.add_space(STEP);
            if let Some(workspace) = bundle.workspace {
                let room = whole.center().x - wide / 2.0 - ui.cursor().left() - 36.0;
                file_menu(ui, bundle, workspace, room, actions, commands);
            }
        });
        let field = Rect::from_center_size(whole.center(), vec2(wide, theme.sizes.control));
        let response = ui.interact(field, ui.scope_id().with("palette"), Sense::click());
        response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, Command::Palette.title()));
        let fill = if response.hovered() { theme.hover } else { theme.raised };
        ui.painter().rect(field, theme.corner(), fill, theme.hairline(), egui::StrokeKind::Inside);
        ui.painter().text(
            pos2(field.left() + 10.0, field.center().y),
            Align2::LEFT_CENTER,
            Command::Palette.title(),
            theme.body(),
            theme.dim,
        );
        right_aligned(ui, pos2(field.right() - 10.0, field.center().y), &Command::Palette.key_text(), theme.mono(), theme.dim);
        if response.clicked() {
            commands.push(Command::Palette);
        }
        let right = Rect::from_min_max(pos2(whole.right() - 150.0, whole.top()), whole.max);
        ui.scope_builder(egui::UiBuilder::new().max_rect(right).layout(Layout::right_to_left(Align::Center)), |ui| {
            ui.spacing_mut().item_spacing.x = STEP;
            if icon(ui, theme, Glyph::Theme, "Dark or light", true) {
                state.dark = !state.dark;
            }
            if let Some(workspace) = bundle.workspace {
                let history = workspace.history();
                if icon(ui, theme, Glyph::Redo, &hint(Command::Redo), history.redo_target().is_some()) {
                    commands.push(Command::Redo);
                }
                if icon(ui, theme, Glyph::Undo, &hint(Command::Undo), history.undo_target().is_some()) {
                    commands.push(Command::Undo);
                }
            }
        });
    });
}

fn hint(command: Command) -> String {
    format!("{} ({})", command.title(), command.key_text())
}

#[derive(Clone, Copy, PartialEq)]
enum Glyph {
    Undo,
    Redo,
    Theme,
}

/// A button that is a drawing: none depends on a font.
fn icon(ui: &mut Ui, theme: &Theme, glyph: Glyph, name: &str, enabled: bool) -> bool {
    let (rect, response) =
        ui.allocate_exact_size(egui::Vec2::splat(theme.sizes.control), if enabled { Sense::click() } else { Sense::hover() });
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, enabled, name));
    let ink = if enabled { theme.dim } else { theme.line };
    let ink = if response.hovered() && enabled { theme.text } else { ink };
    if response.hovered() && enabled {
        ui.painter().rect_filled(rect, theme.corner(), theme.hover);
    }
    let (c, stroke) = (rect.center(), Stroke::new(1.5, ink));
    if glyph == Glyph::Theme {
        ui.painter().circle_stroke(c, 6.0, stroke);
        let half: Vec<_> =
            (0..=16).map(|i| c + 6.0 * egui::Vec2::angled(std::f32::consts::PI * (i as f32 / 16.0 - 0.5))).collect();
        ui.painter().add(egui::Shape::convex_polygon(half, ink, Stroke::NONE));
    } else {
        let side = if glyph == Glyph::Undo { 1.0 } else { -1.0 };
        let at = |x: f32, y: f32| c + vec2(x * side, y);
        let arc: Vec<_> = (0..=14)
            .map(|i| {
                let angle = std::f32::consts::PI * (-0.5 + i as f32 / 14.0);
                at(1.5 + 4.0 * angle.cos(), 1.0 + 4.0 * angle.sin())
            })
            .collect();
        ui.painter().add(egui::Shape::line(arc, stroke));
        ui.painter().line_segment([at(1.5, -3.0), at(-5.0, -3.0)], stroke);
        ui.painter().line_segment([at(1.5, 5.0), at(-2.0, 5.0)], stroke);
        ui.painter().add(egui::Shape::line(vec![at(-2.0, -6.0), at(-5.0, -3.0), at(-2.0, 0.0)], stroke));
    }
    response.on_hover_text(name).clicked()
}

fn file_menu(
    ui: &mut Ui,
    bundle: &Bundle<'_>,
    workspace: &Workspace,
    room: f32,
    actions: &mut Vec<Action>,
    commands: &mut Vec<Command>,
) {
    let path = &workspace.dataset().base.origin.path;
    let mut name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    // What does not fit is cut in its middle: the ending tells what it is.
    let wide = |text: &str| ui.painter().layout_no_wrap(text.to_owned(), bundle.theme.body(), bundle.theme.dim).size().x;
    if wide(&name) > room {
        let letters: Vec<char> = name.chars().collect();
        let shorter = (6..letters.len()).rev().map(|kept| {
            let end = kept / 2;
            letters[..kept - end].iter().chain(['…'].iter()).chain(&letters[letters.len() - end..]).collect::<String>()
        });
        name = shorter.into_iter().find(|text| wide(text) <= room).unwrap_or_else(|| "…".to_owned());
    }
    let response = ui.menu_button(RichText::new(name).color(bundle.theme.dim), |ui| {
        ui.set_min_width(240.0);
        for command in [Command::Open, Command::OpenFolder, Command::Show(View::Export), Command::Close] {
            if ui.add(egui::Button::new(command.title()).shortcut_text(command.key_text()).frame(false)).clicked() {
                commands.push(command);
                ui.close();
            }
        }
        if !bundle.recent.is_empty() {
            ui.separator();
            ui.label(RichText::new("Opened before").font(bundle.theme.note()).color(bundle.theme.dim));
            for recent in bundle.recent.iter().filter(|recent| *recent != path).take(6) {
                let short = recent.file_name().unwrap_or_default().to_string_lossy().into_owned();
                if ui.add(egui::Button::new(short).frame(false)).on_hover_text(recent.display().to_string()).clicked() {
                    actions.push(Action::Open(recent.clone()));
                    ui.close();
                }
            }
        }
    });
    response.response.on_hover_text(path.display().to_string());
}

/// Says that what is open is a bundled sample, and how to open one's own; until that is dismissed.
pub fn sample_hint(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, commands: &mut Vec<Command>) {
    let theme = bundle.theme;
    let Some(what) = bundle.sample.filter(|_| !state.sample_hint_off) else {
        // What follows keeps its identity, as with notices.
        ui.skip_ahead_auto_ids(1);
        return;
    };
    let frame = Frame::new().fill(theme.tint).inner_margin(Margin::symmetric(14, 4));
    Panel::top("sample hint").resizable(false).frame(frame).show(ui, |ui| {
        ui.horizontal(|ui| {
            // The buttons first: what is said has what they leave.
            let whole = ui.available_width();
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                state.sample_hint_off |= cross(ui, theme, "Dismiss the hint").clicked();
                for (command, text) in [(Command::OpenFolder, "Open a folder…"), (Command::Open, "Open your own…")] {
                    if button(ui, theme, text, &command.key_text(), ButtonLook::Plain, true).clicked() {
                        commands.push(command);
                    }
                }
                if whole > ROOMY {
                    ui.label(RichText::new("or drop a file here").color(theme.dim));
                }
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    let text = format!("A bundled sample to try things on: {what}");
                    ui.add(egui::Label::new(RichText::new(text).color(theme.text)).truncate());
                });
            });
        });
    });
}

/// The rail: the stages, with how much waits in each.
pub fn rail(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, workspace: &Workspace) {
    let theme = bundle.theme;
    let frame = Frame::new().fill(theme.panel).inner_margin(Margin::symmetric(8, 8));
    Panel::left("rail").exact_size(theme.sizes.rail).resizable(false).frame(frame).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        for (view, stage) in &STAGES {
            if view.begins_group() {
                ui.add_space(6.0);
                let (line, _) = ui.allocate_exact_size(vec2(ui.available_width(), 1.0), Sense::hover());
                ui.painter().hline(line.x_range().shrink(4.0), line.center().y, theme.hairline());
                ui.add_space(6.0);
            }
            let waiting = (stage.waiting)(bundle.session, workspace);
            let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), theme.sizes.control), Sense::click());
            let here = state.view == *view;
            let named = if waiting > 0 { format!("{}, {} waiting", view.title(), waiting) } else { view.title().to_owned() };
            response.widget_info(|| WidgetInfo::selected(WidgetType::ListBoxOption, true, here, &named));
            if here || response.hovered() {
                ui.painter().rect_filled(rect, theme.corner(), if here { theme.tint } else { theme.hover });
            }
            let ink = if here { theme.text } else { theme.dim };
            let font = if here { theme.strong() } else { theme.body() };
            ui.painter().text(pos2(rect.left() + 10.0, rect.center().y), Align2::LEFT_CENTER, view.title(), font, ink);
            if waiting > 0 {
                right_aligned(ui, pos2(rect.right() - 10.0, rect.center().y), &count(waiting), theme.note(), theme.amber);
            }
            if response.on_hover_text(view.help()).clicked() {
                state.view = *view;
            }
        }
    });
}

/// The status bar: jobs with progress and a way to stop them; how much is open, and that it is saved.
pub fn status_bar(ui: &mut Ui, bundle: &Bundle<'_>, actions: &mut Vec<Action>) {
    let theme = bundle.theme;
    Panel::bottom("status bar").exact_size(theme.sizes.status_bar).resizable(false).frame(bar(theme)).show(ui, |ui| {
        ui.horizontal_centered(|ui| {
            ui.style_mut().override_font_id = Some(theme.note());
            if bundle.running.is_empty() {
                // What was done last is said here, quietly: a notice for every key would be in the way.
                let last = bundle.workspace.and_then(|workspace| workspace.history().node(workspace.history().head()));
                let text = match (last, bundle.workspace) {
                    (Some(node), Some(workspace)) => named(&node.words, workspace.dataset()),
                    _ => "Ready".to_owned(),
                };
                // What is open and saved, on the right, is not written over.
                let room = (ui.available_width() - RIGHT).max(60.0);
                ui.scope(|ui| {
                    ui.set_max_width(room);
                    ui.add(egui::Label::new(RichText::new(text).color(theme.dim)).truncate());
                });
            }
            for job in bundle.running.iter().take(if ui.available_width() > 900.0 { 2 } else { 1 }) {
                ui.label(RichText::new(job.title).color(theme.dim));
                let (track, response) = ui.allocate_exact_size(vec2(140.0, 6.0), Sense::hover());
                ui.painter().rect_filled(track, 3, theme.raised);
                let fraction = job.progress.fraction();
                response.widget_info(|| {
                    let mut info = WidgetInfo::labeled(WidgetType::ProgressIndicator, true, job.title);
                    info.value = fraction.map(f64::from);
                    info
                });
                let part = fraction.unwrap_or(0.15);
                ui.painter().rect_filled(
                    Rect::from_min_size(track.min, vec2(track.width() * part, track.height())),
                    3,
                    theme.accent,
                );
                let left = job.progress.seconds_left().filter(|seconds| *seconds >= 1.0);
                let text = match (fraction, left) {
                    (Some(part), Some(seconds)) => {
                        format!("{}, {seconds:.0} s left", percent(f64::from((part * 100.0).round() / 100.0)))
                    }
                    (Some(part), None) => percent(f64::from((part * 100.0).round() / 100.0)),
                    _ => "…".to_owned(),
                };
                ui.label(RichText::new(text).color(theme.dim));
                if cross(ui, theme, &format!("Stop: {}", job.title)).clicked() {
                    actions.push(Action::Cancel(job.key));
                }
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let Some(workspace) = bundle.workspace else { return };
                let dataset = workspace.dataset();
                let edits = workspace.history().depth();
                let mut parts = vec![things(dataset.rows(), "sample", "samples")];
                let label = dataset.fields().iter().find_map(|field| workspace.classes(&field.name));
                parts.extend(label.map(|classes| things(classes.used(), "class", "classes")));
                if !dataset.excluded().is_empty() {
                    parts.push(format!("{} excluded", count(dataset.excluded().len())));
                }
                parts.push(match (workspace.read_only(), edits) {
                    (Some(_), _) => "read only".to_owned(),
                    (None, 0) => "no edits".to_owned(),
                    (None, n) => format!("{}, saved", things(n, "edit", "edits")),
                });
                let response = ui.label(RichText::new(parts.join("    ")).color(theme.dim));
                let (project, elsewhere) = workspace.project();
                let place =
                    if elsewhere { "The dataset's folder cannot be written; edits are kept in" } else { "Edits are kept in" };
                response.on_hover_text(
                    workspace.read_only().map_or_else(|| format!("{place} {}", project.display()), ToOwned::to_owned),
                );
            });
        });
    });
}

/// What the app says: cards over the lower right corner. They come and go while one works, and nothing moves under the hand for that.
pub fn notices(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, actions: &mut Vec<Action>) {
    let theme = bundle.theme;
    state.on_notice = false;
    if bundle.notices.is_empty() {
        return;
    }
    let frame = Frame::new()
        .fill(theme.raised)
        .stroke(theme.hairline())
        .corner_radius(theme.corner())
        .inner_margin(Margin::symmetric(12, 6));
    let whole = ui.ctx().content_rect();
    let wide = (whole.width() * 0.6).clamp(260.0, 620.0);
    let place = egui::Area::new(egui::Id::unique("notices"))
        .order(egui::Order::Foreground)
        .anchor(egui::Align2::RIGHT_BOTTOM, vec2(-12.0, -theme.sizes.status_bar - 8.0));
    let shown = place.show(ui.ctx(), |ui| {
        frame.show(ui, |ui| {
            ui.set_max_width(wide);
            ui.spacing_mut().item_spacing.y = 2.0;
            for (i, notice) in bundle.notices.iter().enumerate() {
                let bar = ui.horizontal(|ui| {
                    let (edge, _) = ui.allocate_exact_size(vec2(3.0, 18.0), Sense::hover());
                    ui.painter().rect_filled(edge, 1, if notice.bad { theme.ruby } else { theme.accent });
                    let room = (ui.available_width() - if notice.remedy.is_some() { 220.0 } else { 60.0 }).max(80.0);
                    ui.scope(|ui| {
                        ui.set_max_width(room);
                        ui.add(egui::Label::new(&notice.text).wrap());
                    });
                    if let Some((name, action)) = &notice.remedy
                        && button(ui, theme, name, "", ButtonLook::Plain, true).clicked()
                    {
                        actions.push(action.clone());
                    }
                    if cross(ui, theme, "Dismiss").clicked() {
                        actions.push(Action::Dismiss(i));
                    }
                });
                bar.response.widget_info(|| WidgetInfo::labeled(WidgetType::Label, true, &notice.text));
            }
        })
    });
    state.on_notice = ui.rect_contains_pointer(shown.response.rect);
}
