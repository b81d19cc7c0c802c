//! Split: ratios by dragging, and each part's classes beside the whole while you drag.

pub mod state;

use egui::{DragValue, Frame, Margin, Rect, RichText, Role as WidgetType, ScrollArea, Sense, Ui, WidgetInfo, pos2, vec2};

use super::{Stage, no_samples};
use crate::action::Action;
use crate::data::Role;
use crate::session::Workspace;
use crate::transform::{HashOf, Split, SplitMethod};
use crate::ui::Bundle;
use crate::ui::state::UiState;
use crate::ui::theme::STEP;
use crate::ui::widgets::bars::{self, Axis, Bar};
use crate::ui::widgets::controls::{ButtonLook, button, choice, dim, square, title};
use crate::ui::widgets::roles::role_chips;
use crate::ui::widgets::text::{count, percent, things};
pub use state::SplitForm;

/// The stage.
pub const STAGE: Stage = Stage {
    needs: &[],
    acts_on: no_samples,
    waiting: |_, _| 0,
    inspector: false,
    draw: |ui, state, bundle, workspace, actions, _| draw(ui, state, bundle, workspace, actions),
};

/// The ways to split: name and what it does.
pub const METHODS: [(&str, &str); 7] = [
    ("random", "Each sample by chance"),
    ("stratified", "Each part has the whole's share of each class"),
    ("by group", "Samples of one group stay together: nothing leaks"),
    ("stratified by group", "Groups stay together, classes as even as they allow"),
    ("by time", "The earliest trains, the latest tests"),
    ("by hash of the text", "Samples added later move no earlier one; copies stay together"),
    ("by hash of a column", "Samples added later move no earlier one"),
];

/// The split that the form asks for; `None` where a column is missing.
pub fn wanted(form: &SplitForm, workspace: &Workspace) -> Option<Split> {
    let dataset = workspace.dataset();
    let named = |typed: &String, roles: fn(Role) -> bool| {
        let field = dataset.field(typed).or_else(|| dataset.with_role(roles))?;
        Some(dataset.fields()[field].name.to_string())
    };
    let label = || named(&form.label, Role::is_label);
    let by = |roles: fn(Role) -> bool| named(&form.by, roles);
    let method = match form.method {
        0 => SplitMethod::Random,
        1 => SplitMethod::Stratified { label: label()? },
        2 => SplitMethod::Group { group: by(|role| role == Role::Group)? },
        3 => SplitMethod::StratifiedGroup { label: label()?, group: by(|role| role == Role::Group)? },
        4 => SplitMethod::Time { time: by(|role| role == Role::Time)? },
        5 => SplitMethod::Hash(HashOf::Content),
        _ => SplitMethod::Hash(HashOf::Column(by(|role| role == Role::Id)?)),
    };
    let [a, b] = form.borders.map(|border| (f64::from(border) * 1e3).round() / 1e3);
    let split = if form.folds >= 2 {
        Split::folds(method, form.folds, form.seed)
    } else {
        Split::named(method, &[a, b - a, 1.0 - b], form.seed)
    };
    let near = if form.near && form.together { (form.similarity * 100.0).round() / 100.0 } else { 0.0 };
    Some(Split { together: form.together, near, ..split })
}

/// Draws it.
pub fn draw(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, workspace: &Workspace, actions: &mut Vec<Action>) {
    let theme = bundle.theme;
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        Frame::new().inner_margin(Margin::same(20)).show(ui, |ui| {
            ui.set_width(ui.available_width().min(1_100.0));
            if !state.split.chosen {
                let labelled = workspace.dataset().with_role(Role::is_label).is_some() || !state.split.label.is_empty();
                state.split.method = usize::from(labelled);
            }
            let before = state.split.clone();
            ui.horizontal(|ui| {
                title(ui, theme, "Split");
                ui.add_space(STEP * 2.0);
                dim(ui, theme, METHODS[state.split.method].1);
            });
            ui.add_space(STEP * 2.0);
            form(ui, &mut state.split, bundle, workspace);
            let dataset = workspace.dataset();
            if matches!(state.split.method, 1 | 3) && state.split.label.is_empty() && dataset.with_role(Role::is_label).is_none()
            {
                ui.add_space(STEP * 2.0);
                ui.label(RichText::new("There is no label column to keep the shares of.").color(theme.amber));
                role_chips(ui, theme, workspace, actions);
            }
            ui.add_space(STEP * 3.0);
            if state.split.folds < 2 {
                ratios(ui, &mut state.split, bundle);
                ui.add_space(STEP * 3.0);
            }
            if (state.split != before
                || bundle.session.split().is_none()
                    && bundle.session.split_trouble().is_none()
                    && bundle.running.iter().all(|job| job.key != "split"))
                && let Some(split) = wanted(&state.split, workspace)
            {
                actions.push(Action::PreviewSplit(split));
            }
            result(ui, state, bundle, workspace, actions);
        });
    });
}

fn form(ui: &mut Ui, form: &mut SplitForm, bundle: &Bundle<'_>, workspace: &Workspace) {
    let theme = bundle.theme;
    let dataset = workspace.dataset();
    let columns: Vec<String> = dataset.fields().iter().map(|field| field.name.to_string()).collect();
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = STEP * 2.0;
        ui.spacing_mut().combo_width = 150.0;
        dim(ui, theme, "how");
        let names: Vec<String> = METHODS.iter().map(|(name, _)| (*name).to_owned()).collect();
        if let Some(at) = choice(ui, theme, "How to split", &names[form.method], &names) {
            (form.method, form.chosen) = (at, true);
        }
        let first = |roles: fn(Role) -> bool| {
            dataset.with_role(roles).map(|field| dataset.fields()[field].name.to_string()).unwrap_or_default()
        };
        if matches!(form.method, 1 | 3) {
            dim(ui, theme, "classes of");
            let now = if form.label.is_empty() { first(Role::is_label) } else { form.label.clone() };
            if let Some(at) = choice(ui, theme, "Classes of", &now, &columns) {
                form.label.clone_from(&columns[at]);
            }
        }
        if matches!(form.method, 2 | 3 | 4 | 6) {
            let (name, role): (_, fn(Role) -> bool) = match form.method {
                4 => ("time", |role| role == Role::Time),
                6 => ("id", |role| role == Role::Id),
                _ => ("groups of", |role| role == Role::Group),
            };
            dim(ui, theme, name);
            let now = if form.by.is_empty() { first(role) } else { form.by.clone() };
            if let Some(at) = choice(ui, theme, "By column", &now, &columns) {
                form.by.clone_from(&columns[at]);
            }
        }
        if !matches!(form.method, 4 | 6) {
            ui.checkbox(&mut form.together, "copies stay together")
                .on_hover_text("Samples that are the same but for case and white space, or the same picture, are in one part");
            if form.together && workspace.dataset().pictures().is_none() {
                ui.checkbox(&mut form.near, "near ones, too, from")
                    .on_hover_text("Texts that share this part of their pairs of words, or more, are in one part: no test of what was nearly learned");
                let response = ui.add_enabled(form.near, DragValue::new(&mut form.similarity).range(0.3..=1.0).speed(0.01).fixed_decimals(2));
                response.widget_info(|| WidgetInfo::labeled(WidgetType::SpinButton, form.near, "Similarity of near copies"));
            }
        }
        ui.add_space(STEP * 2.0);
        dim(ui, theme, "folds");
        let mut folds = form.folds.max(1);
        let response = ui.add(
            DragValue::new(&mut folds)
                .range(1..=50)
                .custom_formatter(|n, _| if n < 2.0 { "none".to_owned() } else { format!("{n:.0}") }),
        );
        response.widget_info(|| WidgetInfo::labeled(WidgetType::SpinButton, true, "Folds"));
        form.folds = if folds < 2 { 0 } else { folds };
        dim(ui, theme, "seed");
        let response = ui.add(DragValue::new(&mut form.seed).range(0..=u64::MAX / 2));
        response.widget_info(|| WidgetInfo::labeled(WidgetType::SpinButton, true, "Seed"));
    });
}

const NAMES: [&str; 3] = ["train", "validation", "test"];

/// One bar in three parts; the borders between them are dragged.
fn ratios(ui: &mut Ui, form: &mut SplitForm, bundle: &Bundle<'_>) {
    let theme = bundle.theme;
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 56.0), Sense::hover());
    let borders = [0.0, form.borders[0], form.borders[1], 1.0];
    for part in 0..3 {
        let from = rect.left() + borders[part] * rect.width();
        let to = rect.left() + borders[part + 1] * rect.width();
        let piece = Rect::from_min_max(pos2(from + 1.0, rect.top()), pos2((to - 1.0).max(from + 1.0), rect.bottom()));
        ui.painter().rect(piece, theme.corner(), theme.panel, theme.hairline(), egui::StrokeKind::Inside);
        ui.painter().rect_filled(Rect::from_min_max(pos2(piece.left(), piece.bottom() - 4.0), piece.max), 2, theme.class(part));
        if piece.width() > 64.0 {
            ui.painter().text(
                piece.center() + vec2(0.0, -11.0),
                egui::Align2::CENTER_CENTER,
                NAMES[part],
                theme.body(),
                theme.dim,
            );
            let share = percent(f64::from(borders[part + 1] - borders[part]));
            ui.painter().text(piece.center() + vec2(0.0, 8.0), egui::Align2::CENTER_CENTER, share, theme.strong(), theme.text);
        }
    }
    for i in 0..2 {
        let x = rect.left() + form.borders[i] * rect.width();
        let grip = Rect::from_center_size(pos2(x, rect.center().y), vec2(12.0, rect.height()));
        let response = ui
            .interact(grip, ui.scope_id().with(("border", i)), Sense::click_and_drag())
            .on_hover_cursor(egui::CursorIcon::ResizeHorizontal);
        let name = format!("Border between {} and {}", NAMES[i], NAMES[i + 1]);
        response.widget_info(|| WidgetInfo::slider(true, f64::from(form.borders[i]), &name));
        let ink = if response.hovered() || response.dragged() || response.has_focus() { theme.accent } else { theme.dim };
        ui.painter().rect_filled(Rect::from_center_size(grip.center(), vec2(3.0, 24.0)), 2, ink);
        let step = if response.has_focus() {
            ui.input(|input| {
                f32::from(u8::from(input.key_pressed(egui::Key::ArrowRight)))
                    - f32::from(u8::from(input.key_pressed(egui::Key::ArrowLeft)))
            }) * 0.01
        } else {
            0.0
        };
        if let Some(pos) = response.interact_pointer_pos().filter(|_| response.dragged()) {
            form.borders[i] = (pos.x - rect.left()) / rect.width();
        }
        form.borders[i] = ((form.borders[i] + step) * 100.0).round() / 100.0;
        form.borders[0] = form.borders[0].clamp(0.0, form.borders[1]);
        form.borders[1] = form.borders[1].clamp(form.borders[0], 1.0);
    }
}

fn result(ui: &mut Ui, state: &UiState, bundle: &Bundle<'_>, workspace: &Workspace, actions: &mut Vec<Action>) {
    let theme = bundle.theme;
    if let Some(trouble) = bundle.session.split_trouble() {
        ui.label(RichText::new(trouble).color(theme.ruby));
        return;
    }
    if wanted(&state.split, workspace).is_none() {
        if matches!(state.split.method, 1 | 3) && workspace.dataset().with_role(Role::is_label).is_none() {
            return;
        }
        dim(ui, theme, "No column has the role that this needs. Choose one above, or say what columns mean in Collect.");
        return;
    }
    let Some((_, planned)) = bundle.session.split() else {
        dim(ui, theme, "Working it out…");
        return;
    };
    let (plan, sizes, plan_classes) = (&planned.plan, &planned.sizes, &planned.classes);
    let dataset = workspace.dataset();
    let label = dataset.field(&state.split.label).or_else(|| dataset.with_role(Role::is_label));
    let classes = label.and_then(|field| workspace.classes(&dataset.fields()[field].name));
    let whole = plan_classes.last();
    apply(ui, state, bundle, workspace, plan.samples.len(), actions);
    ui.add_space(STEP * 2.0);
    if let Some(n) = plan.copies {
        let text = format!("{} across parts", things(n, "copy", "copies"));
        let ink = match n {
            _ if plan.samples.is_empty() => theme.dim,
            0 => theme.emerald,
            _ => theme.amber,
        };
        ui.label(RichText::new(text).color(ink)).on_hover_text("Samples in a later part that stand in an earlier one too");
    }
    for note in &plan.notes {
        ui.label(RichText::new(note).color(theme.amber));
    }
    ui.add_space(STEP * 2.0);
    for (part, name) in plan.names.iter().enumerate() {
        theme.card().show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.horizontal(|ui| {
                let (rect, _) = ui.allocate_exact_size(vec2(10.0, 10.0), Sense::hover());
                square(ui, rect.center(), theme.class(part));
                ui.label(RichText::new(name).font(theme.strong()));
                dim(
                    ui,
                    theme,
                    format!(
                        "{}, {}",
                        things(sizes[part], "sample", "samples"),
                        percent(sizes[part] as f64 / plan.samples.len().max(1) as f64)
                    ),
                );
                if let (Some(counts), Some(whole)) = (plan_classes.get(part), whole) {
                    let missing = counts.iter().zip(whole).filter(|(have, all)| **have == 0 && **all > 0).count();
                    if missing > 0 {
                        ui.label(
                            RichText::new(format!("{} no sample here", things(missing, "class has", "classes have")))
                                .color(theme.amber),
                        );
                    }
                }
            });
            let (Some(classes), Some(counts), Some(whole)) = (classes, plan_classes.get(part), whole) else { return };
            if counts.len() != classes.names().len() {
                return;
            }
            // The part in shares, the whole behind it: an even part hides what lies behind.
            let total: u64 = whole.iter().sum();
            let mine: u64 = counts.iter().sum();
            let bars: Vec<Bar> = planned
                .largest
                .iter()
                .map(|class| Bar {
                    name: format!(
                        "{}: {} of {}",
                        classes.names()[*class],
                        count(counts[*class] as usize),
                        count(whole[*class] as usize)
                    ),
                    whole: whole[*class] as f64,
                    part: Some(counts[*class] as f64 / mine.max(1) as f64 * total as f64),
                    chosen: false,
                })
                .collect();
            bars::draw(ui, theme, &format!("Classes of {name}"), &bars, Axis::Share, 84.0);
            bars::names_below(ui, theme, planned.largest.iter().map(|class| &*classes.names()[*class]));
        });
        ui.add_space(STEP * 2.0);
    }
}

/// The button that writes the split, and what pressing it does to a split that stands already.
fn apply(ui: &mut Ui, state: &UiState, bundle: &Bundle<'_>, workspace: &Workspace, samples: usize, actions: &mut Vec<Action>) {
    let (theme, dataset) = (bundle.theme, workspace.dataset());
    ui.horizontal_wrapped(|ui| {
        let text = format!("Split {}", things(samples, "sample", "samples"));
        // Where there is a split, another one is not what comes next.
        let split = dataset.with_role(|role| role == Role::Split).is_some();
        let look = if split { ButtonLook::Plain } else { ButtonLook::Main };
        if button(ui, theme, &text, "", look, workspace.read_only().is_none() && samples > 0).clicked() {
            actions.push(Action::ApplySplit);
        }
        let there = dataset.with_role(|role| role == Role::Split).map(|field| dataset.fields()[field].name.to_string());
        if let Some(name) = there {
            ui.label(
                RichText::new(format!("There is a split already, in “{name}”: this one replaces it, and undo brings it back."))
                    .color(theme.dim),
            );
            return;
        }
        dim(ui, theme, format!("Writes a column “split” (seed {}); undo takes it back", state.split.seed));
    });
}
