//! The pipeline of Augment: its name and menu, its steps as cards that are dragged, what can be added, what stays as it is.

use egui::containers::menu::{MenuButton, MenuConfig};
use egui::{
    Align, Frame, Layout, Margin, PopupCloseBehavior, Rect, RichText, Role as WidgetType, ScrollArea, Sense, Slider, Stroke,
    TextEdit, Ui, WidgetInfo, pos2, vec2,
};

use crate::action::Action;
use crate::data::{Augmentation, Pipeline, Step};
use crate::session::Workspace;
use crate::session::{AugmentForm, starters};
use crate::transform::text_fields;
use crate::ui::Bundle;
use crate::ui::text_model::said_of;
use crate::ui::theme::{STEP, Theme};
use crate::ui::widgets::controls::{caption, choice, clipped, cross, dim, name_edit};
use crate::ui::widgets::text::{percent, things};

/// Draws it.
pub fn draw(ui: &mut Ui, form: &mut AugmentForm, bundle: &Bundle<'_>, workspace: &Workspace, actions: &mut Vec<Action>) {
    pipeline(ui, form, bundle, workspace, actions);
    keep(ui, form, bundle.theme);
}

/// The name of the pipeline, its menu, its steps, and what can be added.
fn pipeline(ui: &mut Ui, form: &mut AugmentForm, bundle: &Bundle<'_>, workspace: &Workspace, actions: &mut Vec<Action>) {
    let theme = bundle.theme;
    ui.label(RichText::new("pipeline").font(theme.note()).color(theme.dim));
    ui.horizontal(|ui| {
        let wide = ui.available_width() - 72.0;
        let edit = TextEdit::singleline(&mut form.pipeline.name)
            .hint_text("Name of the pipeline")
            .desired_width(wide - 16.0)
            .margin(Margin::symmetric(8, 5));
        let response = ui.add(edit);
        name_edit(&response, &form.pipeline.name, "Name of the pipeline");
        let menu = ui.menu_button(RichText::new("Saved").color(theme.dim), |ui| pipelines(ui, form, bundle, actions));
        menu.response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, "Pipelines"));
    });
    ui.add_space(STEP);
    steps(ui, form, bundle, actions);
    ui.scope(|ui| {
        ui.spacing_mut().button_padding = vec2(12.0, 6.0);
        let wide = ui.available_width();
        let dataset = workspace.dataset();
        let (texts, pictures) = (!text_fields(dataset).is_empty(), dataset.pictures().is_some());
        ui.allocate_ui_with_layout(vec2(wide, theme.sizes.control), Layout::top_down_justified(Align::Center), |ui| {
            // A click into the search does not close it.
            let config = MenuConfig::new().close_behavior(PopupCloseBehavior::CloseOnClickOutside);
            let (response, _) = MenuButton::new(RichText::new("+ Add step").color(theme.dim)).config(config).ui(ui, |ui| {
                ui.set_min_width(220.0);
                ScrollArea::vertical().max_height(460.0).show(ui, |ui| add(ui, form, theme, texts, pictures));
            });
            response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, "Add step"));
        });
    });
}

fn pipelines(ui: &mut Ui, form: &mut AugmentForm, bundle: &Bundle<'_>, actions: &mut Vec<Action>) {
    ui.set_min_width(200.0);
    let kept = bundle.pipelines.iter().cloned();
    let more = starters().into_iter().filter(|one| bundle.pipelines.iter().all(|known| known.name != one.name));
    for one in kept.chain(more) {
        if ui.add(egui::Button::new(&one.name).frame(false)).clicked() {
            form.pipeline = one;
            form.from_file = false;
            (form.open, form.upto) = (None, None);
            ui.close();
        }
    }
    ui.separator();
    for (name, action) in [
        ("Keep under its name", Action::KeepPipeline),
        ("Save to a file…", Action::PipelineDialog { save: true }),
        ("Open from a file…", Action::PipelineDialog { save: false }),
    ] {
        if ui.add(egui::Button::new(name).frame(false)).clicked() {
            actions.push(action);
            ui.close();
        }
    }
    if ui.add(egui::Button::new("Empty").frame(false)).clicked() {
        form.pipeline = Pipeline::empty("new pipeline");
        form.from_file = false;
        (form.open, form.upto) = (None, None);
        ui.close();
    }
}

/// The menu of steps: what is typed leaves those whose name or help holds it, and `Enter` takes the first.
fn add(ui: &mut Ui, form: &mut AugmentForm, theme: &Theme, texts: bool, pictures: bool) {
    if !texts && !pictures {
        dim(ui, theme, "No column holds texts or images: Collect says what columns mean");
        return;
    }
    let id = egui::Id::unique("step search");
    let mut typed: String = ui.data(|data| data.get_temp(id)).unwrap_or_default();
    let edit = TextEdit::singleline(&mut typed).hint_text("Search steps").desired_width(f32::INFINITY);
    let response = ui.add(edit.margin(Margin::symmetric(8, 5)));
    name_edit(&response, &typed, "Search steps");
    let enter = response.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
    if ui.memory(|memory| memory.focused().is_none()) {
        response.request_focus();
    }
    let wanted = typed.trim().to_lowercase();
    let matches = |op: &Augmentation| {
        let named = op.title().to_lowercase();
        wanted.is_empty() || named.contains(&wanted) || wanted.len() > 2 && op.help().to_lowercase().contains(&wanted)
    };
    let mut chosen = None;
    for (of_pictures, shown, name) in [(false, texts, "texts"), (true, pictures, "images")] {
        let mut list =
            Augmentation::ALL.into_iter().filter(|op| shown && op.is_of_pictures() == of_pictures && matches(op)).peekable();
        if list.peek().is_some() {
            ui.label(RichText::new(name).font(theme.note()).color(theme.dim));
        }
        for op in list {
            let clicked = ui.add(egui::Button::new(op.title()).frame(false)).on_hover_text(op.help()).clicked();
            if chosen.is_none() && (clicked || enter && !wanted.is_empty()) {
                chosen = Some(op);
            }
        }
    }
    ui.data_mut(|data| data.insert_temp(id, typed));
    if let Some(op) = chosen {
        form.pipeline.steps.push(Step::new(op));
        form.open = Some(form.pipeline.steps.len() - 1);
        form.upto = None;
        ui.data_mut(|data| data.remove::<String>(id));
        ui.close();
    }
}

/// What a step says of itself in one line.
fn summary(step: &Step) -> String {
    let p = if step.off {
        "off".to_owned()
    } else if step.p >= 1.0 {
        "always".to_owned()
    } else {
        format!("p {}", short(step.p))
    };
    match step.op.range() {
        None => match step.op.list() {
            Some(_) => format!("{p}, {}", things(step.list.len(), "line", "lines")),
            None => p,
        },
        Some(range) => {
            let part = range.unit.starts_with("of ") && range.most <= 1.0;
            let say = |value: f64| if part { percent(value).replace(".0 %", " %") } else { short(value) };
            let unit = if part { range.unit.trim_start_matches("of it").to_owned() } else { range.unit.to_owned() };
            let numbers = if (step.low - step.high).abs() < 1e-9 {
                say(step.low)
            } else {
                format!("{} to {}", say(step.low), say(step.high))
            };
            match step.op {
                Augmentation::BackTranslation => format!("{p}, by way of {}", step.list.join(", ")),
                Augmentation::Paraphrase => format!("{p}, {unit} {numbers}"),
                _ => format!("{p}, {numbers} {unit}").trim_end().to_owned(),
            }
        }
    }
}

fn short(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').replace('-', "−")
}

fn steps(ui: &mut Ui, form: &mut AugmentForm, bundle: &Bundle<'_>, actions: &mut Vec<Action>) {
    let theme = bundle.theme;
    let (mut gone, mut moved) = (None, None);
    let mut tops: Vec<Rect> = Vec::new();
    let dragged: Option<usize> = ui.data(|data| data.get_temp(egui::Id::unique("dragged step")));
    for at in 0..form.pipeline.steps.len() {
        let open = form.open == Some(at);
        let beyond = form.upto.is_some_and(|upto| at > upto);
        let fill = if dragged == Some(at) { theme.tint } else { theme.panel };
        let edge = if open { Stroke::new(1.0, theme.accent) } else { theme.hairline() };
        let frame = Frame::new().fill(fill).stroke(edge).corner_radius(theme.corner()).inner_margin(Margin::symmetric(12, 8));
        let shown = frame.show(ui, |ui| {
            ui.set_width(ui.available_width());
            let (head, response) = ui.allocate_exact_size(vec2(ui.available_width(), 36.0), Sense::click());
            let step = &form.pipeline.steps[at];
            let named = format!("Step {}: {}, {}", at + 1, step.op.title(), summary(step));
            response.widget_info(|| WidgetInfo::selected(WidgetType::ListBoxOption, true, open, &named));
            let ink = if beyond || step.happens() == 0.0 { theme.faint } else { theme.text };
            let wide = head.width() - 46.0;
            clipped(ui, head.min, wide, step.op.title(), theme.strong(), ink, 1);
            let low = if beyond { theme.faint } else { theme.dim };
            clipped(ui, head.min + vec2(0.0, 20.0), wide, &summary(step), theme.note(), low, 1);
            if response.on_hover_text(step.op.help()).clicked() {
                form.open = if open { None } else { Some(at) };
            }
            let grip = Rect::from_min_size(pos2(head.right() - 20.0, head.top()), vec2(20.0, 20.0));
            let grip = ui.interact(grip, ui.scope_id().with(("grip", at)), Sense::drag());
            grip.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, format!("Drag step {}", at + 1)));
            for (x, y) in (0..2).flat_map(|x| (0..3).map(move |y| (x, y))) {
                let dot = grip.rect.center() + vec2(x as f32 * 5.0 - 2.5, y as f32 * 5.0 - 5.0);
                ui.painter().circle_filled(dot, 1.2, if grip.hovered() { theme.text } else { theme.faint });
            }
            let grip = grip.on_hover_cursor(egui::CursorIcon::Grab);
            if grip.drag_started() {
                ui.data_mut(|data| data.insert_temp(egui::Id::unique("dragged step"), at));
            }
            if grip.drag_stopped() {
                moved = grip.interact_pointer_pos().or(ui.input(|input| input.pointer.latest_pos())).map(|pos| (at, pos.y));
            }
            let place = Rect::from_min_size(pos2(head.right() - 42.0, head.top()), vec2(20.0, 20.0));
            let mut corner = ui.new_child(egui::UiBuilder::new().max_rect(place));
            if cross(&mut corner, theme, &format!("Take step {} away", at + 1)).clicked() {
                gone = Some(at);
            }
            if open {
                ui.add_space(STEP);
                if form.pipeline.steps[at].op.asks() {
                    model(ui, &mut form.pipeline.steps[at], bundle, actions);
                }
                numbers(ui, theme, form, at, &mut moved);
            }
        });
        tops.push(shown.response.rect);
    }
    if let Some((from, y)) = moved {
        ui.data_mut(|data| data.remove::<usize>(egui::Id::unique("dragged step")));
        let to = tops.iter().enumerate().filter(|(at, rect)| *at != from && rect.center().y < y).count();
        let step = form.pipeline.steps.remove(from);
        form.pipeline.steps.insert(to.min(form.pipeline.steps.len()), step);
        if form.open == Some(from) {
            form.open = Some(to);
        }
        form.upto = None;
    }
    if let Some(at) = gone {
        form.pipeline.steps.remove(at);
        (form.open, form.upto) = (None, None);
    }
}

/// The text model that a step asks, and of translations the language that they come back to.
fn model(ui: &mut Ui, step: &mut Step, bundle: &Bundle<'_>, actions: &mut Vec<Action>) {
    let theme = bundle.theme;
    let known = bundle.text_models.iter().find(|model| model.name == step.model);
    ui.horizontal(|ui| {
        let mut options: Vec<String> = bundle.text_models.iter().map(|model| model.name.clone()).collect();
        options.push("New…".to_owned());
        let shown = if step.model.is_empty() { "choose" } else { step.model.as_str() };
        dim(ui, theme, "asks");
        match choice(ui, theme, "Text model", shown, &options) {
            Some(at) if at + 1 == options.len() => actions.push(Action::NameTextModel(None)),
            Some(at) => step.model.clone_from(&options[at]),
            None => {}
        }
        if let Some(model) = known
            && ui.link(RichText::new("change").color(theme.accent)).clicked()
        {
            actions.push(Action::NameTextModel(Some(model.name.clone())));
        }
    });
    let (line, ink) = match known {
        None if step.model.is_empty() => ("Name a text model: one on this machine, or an address".to_owned(), theme.dim),
        None => (format!("There is no text model {:?} here", step.model), theme.amber),
        Some(model) => said_of(model, theme),
    };
    ui.add(egui::Label::new(RichText::new(line).font(theme.note()).color(ink)).wrap());
    if step.op == Augmentation::BackTranslation {
        caption(ui, theme, "language of the texts");
        let edit = TextEdit::singleline(&mut step.language).hint_text("English").desired_width(f32::INFINITY);
        let response = ui.add(edit.margin(Margin::symmetric(8, 5)));
        name_edit(&response, &step.language, "Language of the texts");
    }
}

/// The probability, the range and the list of one step.
fn numbers(ui: &mut Ui, theme: &Theme, form: &mut AugmentForm, at: usize, moved: &mut Option<(usize, f32)>) {
    let step = &mut form.pipeline.steps[at];
    ui.spacing_mut().slider_width = ui.available_width() - 116.0;
    let slide = |ui: &mut Ui, name: &str, value: &mut f64, least: f64, most: f64| {
        ui.horizontal(|ui| {
            let (rect, _) = ui.allocate_exact_size(vec2(34.0, theme.sizes.control), Sense::hover());
            clipped(ui, rect.left_center() - vec2(0.0, 7.0), 34.0, name, theme.note(), theme.dim, 1);
            let whole = most - least > 20.0;
            let response = ui.add(Slider::new(value, least..=most).max_decimals(if whole { 0 } else { 2 }));
            response.widget_info(|| WidgetInfo::slider(true, *value, name));
        });
    };
    slide(ui, "p", &mut step.p, 0.0, 1.0);
    if let Some(range) = step.op.range() {
        let low = step.low;
        slide(ui, "from", &mut step.low, range.least, range.most);
        slide(ui, "to", &mut step.high, range.least, range.most);
        // The end that was not moved gives way.
        if step.low > step.high {
            if step.low == low { step.low = step.high } else { step.high = step.low }
        }
        dim(ui, theme, range.unit);
    }
    if let Some(what) = step.op.list() {
        caption(ui, theme, what);
        let mut text = step.list.join("\n");
        let edit = TextEdit::multiline(&mut text).hint_text(what).desired_rows(3).desired_width(f32::INFINITY);
        let response = ui.add(edit);
        name_edit(&response, &text, what);
        if response.changed() {
            step.list = text.split('\n').map(str::to_owned).collect();
        }
        if response.lost_focus() {
            step.list.retain(|line| !line.trim().is_empty());
        }
    }
    ui.horizontal(|ui| {
        let mut on = !form.pipeline.steps[at].off;
        if ui
            .checkbox(&mut on, "on")
            .on_hover_text("Switched off, a step does nothing, and the others draw what they drew")
            .changed()
        {
            form.pipeline.steps[at].off = !on;
        }
        let only = form.upto == Some(at);
        if ui.selectable_label(only, "up to here").on_hover_text("Preview the steps up to this one").clicked() {
            form.upto = if only { None } else { Some(at) };
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let name = |way: &str| format!("Move step {} {way}", at + 1);
            let last = at + 1 == form.pipeline.steps.len();
            let down = ui.add_enabled(!last, egui::Button::new("↓").small());
            down.widget_info(|| WidgetInfo::labeled(WidgetType::Button, !last, name("down")));
            let up = ui.add_enabled(at > 0, egui::Button::new("↑").small());
            up.widget_info(|| WidgetInfo::labeled(WidgetType::Button, at > 0, name("up")));
            if down.clicked() {
                *moved = None;
                form.pipeline.steps.swap(at, at + 1);
                (form.open, form.upto) = (Some(at + 1), None);
            }
            if up.clicked() {
                form.pipeline.steps.swap(at, at - 1);
                (form.open, form.upto) = (Some(at - 1), None);
            }
        });
    });
}

/// Terms that stay, and a user's own synonyms.
fn keep(ui: &mut Ui, form: &mut AugmentForm, theme: &Theme) {
    if !form.pipeline.alters_texts() {
        return;
    }
    ui.add_space(STEP);
    egui::CollapsingHeader::new(RichText::new("protected terms, own synonyms").font(theme.note()).color(theme.dim)).show(
        ui,
        |ui| {
            let id = |name: &str| egui::Id::unique(("pipeline text", name));
            let edit = |ui: &mut Ui, name: &str, now: String, hint: &str| -> Option<String> {
                let mut text: String = ui.data(|data| data.get_temp(id(name))).unwrap_or(now);
                let edit = TextEdit::multiline(&mut text).desired_rows(2).desired_width(f32::INFINITY).hint_text(hint);
                let response = ui.add(edit);
                name_edit(&response, &text, name);
                if response.has_focus() {
                    ui.data_mut(|data| data.insert_temp(id(name), text.clone()));
                } else {
                    ui.data_mut(|data| data.remove::<String>(id(name)));
                }
                response.changed().then_some(text)
            };
            let now = form.pipeline.protected.join("\n");
            if let Some(text) = edit(ui, "Protected terms, one a line", now, "terms that stay as they are, one a line") {
                form.pipeline.protected =
                    text.lines().map(|line| line.trim().to_lowercase()).filter(|line| !line.is_empty()).collect();
            }
            let now: Vec<String> =
                form.pipeline.lexicon.iter().map(|(word, list)| format!("{word}: {}", list.join(", "))).collect();
            if let Some(text) = edit(ui, "Own synonyms", now.join("\n"), "refund: repayment, reimbursement") {
                let list =
                    |words: &str| words.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect();
                form.pipeline.lexicon = text
                    .lines()
                    .filter_map(|line| line.split_once(':'))
                    .map(|(word, words)| (word.trim().to_lowercase(), list(words)))
                    .filter(|(word, words): &(String, Vec<String>)| !word.is_empty() && !words.is_empty())
                    .collect();
            }
        },
    );
}
