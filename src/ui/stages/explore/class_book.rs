//! The book of classes: the classes of a column in the order of their keys, and one of them whole: its name, key, colour and guideline, the words
//! that tell it, what is found in it; renamed, merged, split by the filter.

use egui::{
    Align, Frame, Layout, Margin, Panel, RichText, Role as WidgetType, ScrollArea, Sense, Stroke, TextEdit, Ui, WidgetInfo, pos2,
    vec2,
};

use crate::action::Action;
use crate::data::{ClassIndex, Property, Rule, SampleId, digit_of_class};
use crate::operate::Operation;
use crate::session::{ClassFacts, Workspace};
use crate::ui::Bundle;
use crate::ui::state::{Popup, UiState};
use crate::ui::theme::{STEP, Theme};
use crate::ui::view::View;
use crate::ui::widgets::controls::{ButtonLook, button, caption, clipped, dim, name_edit, right_aligned, square, title};
use crate::ui::widgets::rows;
use crate::ui::widgets::text::{count, percent, things, visible};

const ROW: f32 = 28.0;

/// Draws it in what is left of `ui`; closes where the column has no classes any more.
pub fn draw(
    ui: &mut Ui,
    state: &mut UiState,
    bundle: &Bundle<'_>,
    workspace: &Workspace,
    column: &str,
    actions: &mut Vec<Action>,
) {
    let theme = bundle.theme;
    let Some(classes) = workspace.classes(column) else {
        let counting = workspace.dataset().field(column).is_some_and(|field| workspace.dataset().fields()[field].role.is_label());
        if !counting {
            state.class_book.column = None;
        }
        dim(ui, theme, "Counting…");
        return;
    };
    let used = |name: &str| classes.class(name).is_some_and(|class| classes.counts()[class] > 0);
    if !state.class_book.class.as_deref().is_some_and(used) {
        let own = state.selection.cursor.and_then(|id| classes.of(id).first().map(|class| *class as usize));
        let first = own.or_else(|| classes.in_order().find(|class| classes.counts()[*class] > 0));
        state.class_book.follow = true;
        state.class_book.class = first.map(|class| classes.names()[class].to_string());
    }
    let frame = Frame::new().fill(theme.background).inner_margin(Margin { left: 16, right: 8, top: 8, bottom: 0 });
    let wide = (ui.available_width() * 0.42).clamp(200.0, 380.0);
    Panel::left("classes").exact_size(wide).resizable(false).frame(frame).show(ui, |ui| {
        list(ui, state, theme, classes, column);
    });
    let Some(class) = state.class_book.class.clone() else { return };
    let frame = Frame::new().fill(theme.background).inner_margin(Margin { left: 16, right: 16, top: 8, bottom: 8 });
    egui::CentralPanel::default().frame(frame).show(ui, |ui| {
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            ui.set_max_width(ui.available_width().min(620.0));
            one(ui, state, bundle, workspace, classes, (column, &class), actions);
        });
    });
}

/// The classes, each with its key, in the order of keys.
fn list(ui: &mut Ui, state: &mut UiState, theme: &Theme, classes: &ClassIndex, column: &str) {
    ui.horizontal(|ui| {
        title(ui, theme, format!("Classes of {}", visible(column)));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if button(ui, theme, "Table", "Esc", ButtonLook::Quiet, true).on_hover_text("Goes back to the table").clicked() {
                state.class_book.column = None;
            }
        });
    });
    let edit = TextEdit::singleline(&mut state.class_book.search).hint_text("Search").desired_width(f32::INFINITY);
    let response = ui.add(edit.margin(Margin::symmetric(8, 4)));
    name_edit(&response, &state.class_book.search, "Search classes");
    ui.add_space(STEP);
    let wanted = state.class_book.search.to_lowercase();
    let total: u64 = classes.counts().iter().sum();
    // The key is that of the place among all classes, with or without samples.
    let shown: Vec<(usize, usize)> = classes
        .in_order()
        .enumerate()
        .filter(|(_, class)| classes.counts()[*class] > 0)
        .filter(|(_, class)| wanted.is_empty() || classes.names()[*class].to_lowercase().contains(&wanted))
        .collect();
    if shown.is_empty() {
        dim(ui, theme, "No class has that in its name");
    }
    let mut area = ScrollArea::vertical().auto_shrink(false);
    if std::mem::take(&mut state.class_book.follow)
        && let Some(at) = shown.iter().position(|(_, class)| Some(&*classes.names()[*class]) == state.class_book.class.as_deref())
    {
        area = area.vertical_scroll_offset((at as f32 * ROW - ui.available_height() / 2.0).max(0.0));
    }
    rows::draw(ui, area, ROW, shown.len(), |ui, rows| {
        for (place, class) in rows.map(|row| shown[row]) {
            let name = &*classes.names()[class];
            let n = classes.counts()[class];
            let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::click());
            let here = state.class_book.class.as_deref() == Some(name);
            let share = percent(n as f64 / total.max(1) as f64);
            response.widget_info(|| WidgetInfo::selected(WidgetType::Button, true, here, format!("Class {name}, {n}, {share}")));
            if here || response.hovered() {
                ui.painter().rect_filled(rect, theme.corner(), if here { theme.tint } else { theme.raised });
            }
            if response.has_focus() {
                ui.painter().rect_stroke(rect, theme.corner(), Stroke::new(1.0, theme.accent), egui::StrokeKind::Inside);
            }
            let y = rect.center().y;
            if let Some(key) = digit_of_class(classes.names(), class, place) {
                right_aligned(ui, pos2(rect.left() + 16.0, y), &key, theme.mono(), theme.dim);
            }
            square(ui, pos2(rect.left() + 30.0, y), theme.class(classes.hue(class)));
            right_aligned(ui, pos2(rect.right() - 58.0, y), &count(n as usize), theme.body(), theme.text);
            right_aligned(ui, pos2(rect.right() - 8.0, y), &share, theme.body(), theme.dim);
            let room = (rect.width() - 40.0 - 110.0).max(20.0);
            clipped(ui, pos2(rect.left() + 40.0, y - 8.0), room, name, theme.body(), theme.text, 1);
            if response.clicked() {
                state.class_book.class = Some(name.to_owned());
            }
        }
    });
}

fn say(property: Property, of: &[&str], value: Option<String>) -> Action {
    let of = of.iter().map(|word| (*word).to_owned()).collect();
    Action::Do(Operation::Say { property, of, value })
}

/// Writes down when a sample is of a class.
fn guide(column: &str, class: &str, text: &str) -> Action {
    let text = text.trim();
    say(Property::Guideline, &[column, class], (!text.is_empty()).then(|| text.to_owned()))
}

/// One class whole.
fn one(
    ui: &mut Ui,
    state: &mut UiState,
    bundle: &Bundle<'_>,
    workspace: &Workspace,
    classes: &ClassIndex,
    (column, name): (&str, &str),
    actions: &mut Vec<Action>,
) {
    let theme = bundle.theme;
    let Some(class) = classes.class(name) else { return };
    let guideline = workspace.dataset().properties().get(Property::Guideline, &[column, name]).unwrap_or_default();
    if let Some((before, text)) = state.class_book.begin(name, guideline) {
        actions.push(guide(column, &before, &text));
    }
    ui.horizontal(|ui| {
        let (rect, _) = ui.allocate_exact_size(vec2(10.0, theme.sizes.control), Sense::hover());
        square(ui, rect.center(), theme.class(classes.hue(class)));
        ui.add(egui::Label::new(RichText::new(visible(name)).font(theme.title())).truncate());
    });
    let n = classes.counts()[class] as usize;
    dim(ui, theme, things(n, "sample", "samples"));
    name_row(ui, state, theme, classes, (column, name), actions);
    key_row(ui, theme, classes, class, column, actions);
    colour_row(ui, theme, classes, class, column, actions);
    caption(ui, theme, "guideline: when a sample is of this class; it stands beside the queue");
    let edit = TextEdit::multiline(&mut state.class_book.guideline)
        .hint_text("A rule, an example, what it is not")
        .desired_width(f32::INFINITY)
        .desired_rows(3)
        .margin(Margin::symmetric(10, 6));
    let response = ui.add(edit);
    name_edit(&response, &state.class_book.guideline, "Guideline");
    state.class_book.typed |= response.changed();
    if response.lost_focus() && std::mem::take(&mut state.class_book.typed) {
        actions.push(guide(column, name, &state.class_book.guideline));
    }
    split_row(ui, state, bundle, classes, (column, name), actions);
    facts(ui, state, bundle, (column, name));
}

/// Another name; one that another class has merges both.
fn name_row(
    ui: &mut Ui,
    state: &mut UiState,
    theme: &Theme,
    classes: &ClassIndex,
    (column, name): (&str, &str),
    actions: &mut Vec<Action>,
) {
    caption(ui, theme, "name");
    ui.horizontal_wrapped(|ui| {
        let edit = TextEdit::singleline(&mut state.class_book.name).desired_width(240.0).margin(Margin::symmetric(10, 5));
        let response = ui.add(edit);
        name_edit(&response, &state.class_book.name, "Name of the class");
        let to = state.class_book.name.trim().to_owned();
        let other = !to.is_empty() && to != name;
        let merges = other && classes.class(&to).is_some_and(|class| classes.counts()[class] > 0);
        let entered = response.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
        let text = if merges { "Merge" } else { "Rename" };
        if (button(ui, theme, text, "Enter", ButtonLook::Plain, other).clicked() || entered) && other {
            actions.push(Action::Do(Operation::RenameClass { column: column.to_owned(), from: name.to_owned(), to: to.clone() }));
            state.class_book.class = Some(to);
            state.class_book.follow = true;
        }
        if button(ui, theme, "Merge into…", "", ButtonLook::Plain, classes.used() > 1).clicked() {
            state.pop(Popup::Rename { column: column.to_owned(), from: name.to_owned() });
            state.merges = true;
        }
    });
}

/// Its place, which is its key.
fn key_row(ui: &mut Ui, theme: &Theme, classes: &ClassIndex, class: usize, column: &str, actions: &mut Vec<Action>) {
    let order: Vec<usize> = classes.in_order().collect();
    let place = order.iter().position(|other| *other == class).unwrap_or(0);
    // Digits name themselves.
    if digit_of_class(classes.names(), class, 0) != Some("1".to_owned()) {
        return;
    }
    caption(ui, theme, "key");
    let mut to = None;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(STEP, STEP);
        for key in 1..=9.min(order.len()) {
            let here = place + 1 == key;
            let response = ui.selectable_label(here, RichText::new(key.to_string()).font(theme.mono()));
            if response.on_hover_text(format!("Gives it the key {key}; the others move up")).clicked() && !here {
                to = Some(key - 1);
            }
        }
        ui.add_space(STEP * 2.0);
        if button(ui, theme, "Earlier", "", ButtonLook::Quiet, place > 0).clicked() {
            to = Some(place - 1);
        }
        if button(ui, theme, "Later", "", ButtonLook::Quiet, place + 1 < order.len()).clicked() {
            to = Some(place + 1);
        }
    });
    let Some(to) = to else { return };
    let mut order = order;
    let moved = order.remove(place);
    order.insert(to, moved);
    let names: Vec<&str> = order.iter().map(|class| &*classes.names()[*class]).collect();
    actions.push(say(Property::ClassOrder, &[column], serde_json::to_string(&names).ok()));
}

/// Its colour, the same everywhere.
fn colour_row(ui: &mut Ui, theme: &Theme, classes: &ClassIndex, class: usize, column: &str, actions: &mut Vec<Action>) {
    caption(ui, theme, "colour");
    let (name, now) = (&*classes.names()[class], classes.hue(class) % theme.hues());
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(STEP, STEP);
        for hue in 0..theme.hues() {
            let (rect, response) = ui.allocate_exact_size(vec2(24.0, 24.0), Sense::click());
            let here = hue == now;
            response.widget_info(|| WidgetInfo::selected(WidgetType::Button, true, here, format!("Colour {}", hue + 1)));
            ui.painter().rect_filled(rect.shrink(4.0), 3, theme.class(hue));
            let ring = if here || response.has_focus() {
                theme.text
            } else if response.hovered() {
                theme.dim
            } else {
                egui::Color32::TRANSPARENT
            };
            ui.painter().rect_stroke(rect.shrink(1.0), 5, Stroke::new(1.5, ring), egui::StrokeKind::Inside);
            if response.clicked() && !here {
                // Its own colour needs no saying.
                let value = (hue != class % theme.hues()).then(|| hue.to_string());
                actions.push(say(Property::ClassColour, &[column, name], value));
            }
        }
    });
}

/// What of it the filter leaves becomes a class of its own.
fn split_row(
    ui: &mut Ui,
    state: &mut UiState,
    bundle: &Bundle<'_>,
    classes: &ClassIndex,
    (column, name): (&str, &str),
    actions: &mut Vec<Action>,
) {
    let theme = bundle.theme;
    if classes.is_many() {
        return;
    }
    caption(ui, theme, "split: what the filter leaves of it gets another class");
    if state.filter.is_empty() {
        dim(ui, theme, "Filter by what sets them apart first, by a word for example (Ctrl F)");
        return;
    }
    ui.horizontal_wrapped(|ui| {
        let edit = TextEdit::singleline(&mut state.class_book.split_into).hint_text("Class").desired_width(240.0);
        let response = ui.add(edit.margin(Margin::symmetric(10, 5)));
        name_edit(&response, &state.class_book.split_into, "Class for what the filter leaves");
        let to = state.class_book.split_into.trim().to_owned();
        let enabled = !to.is_empty() && to != name;
        if button(ui, theme, "Split it off", "", ButtonLook::Plain, enabled).clicked()
            && let Some(class) = classes.class(name).and_then(|class| u32::try_from(class).ok())
        {
            let samples: Vec<SampleId> = bundle.session.visible().iter().filter(|id| classes.of(*id).contains(&class)).collect();
            if samples.is_empty() {
                actions.push(Action::Notice(format!("The filter leaves no sample of {name}")));
            } else {
                actions.push(Action::Do(Operation::SetCells { samples, column: column.to_owned(), text: to, review: false }));
                state.class_book.split_into.clear();
            }
        }
    });
}

/// What is known of it: the words that tell it, its lengths, what was found.
fn facts(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, (column, name): (&str, &str)) {
    let theme = bundle.theme;
    let known = bundle.session.class_facts(column, name);
    let none = ClassFacts::default();
    let facts = known.unwrap_or(&none);
    if known.is_none() {
        caption(ui, theme, "the words that tell it");
        dim(ui, theme, "Looking…");
        return;
    }
    if !facts.words.is_empty() {
        let of = facts.looked_at.map_or(String::new(), |n| format!(", in {} of all samples", count(n)));
        caption(ui, theme, &format!("the words that tell it: in so many of its texts, and of the others{of}"));
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = vec2(STEP * 1.5, STEP * 1.5);
            for word in &facts.words {
                let text = format!("{}  {} : {}", visible(&word.word), count(word.inside as usize), count(word.outside as usize));
                let hint = format!("Log-odds ratio of {:.1} standard deviations. Click to see its samples with the word", word.z);
                if button(ui, theme, &text, "", ButtonLook::Plain, true).on_hover_text(hint).clicked() {
                    show_word(state, column, name, &word.word);
                }
            }
        });
    }
    let mut said = Vec::new();
    if let Some((own, all)) = facts.lengths {
        said.push(format!("{own:.0} words a text at the median, {all:.0} of all"));
    }
    let wrong = bundle.session.labels().filter(|report| report.column == column).map_or(0, |report| {
        let of = |class: &u32| &*report.names[*class as usize] == name;
        report.queue.iter().filter(|candidate| candidate.given.iter().any(of)).count()
    });
    if facts.flagged > 0 {
        said.push(format!("something was found on {}", things(facts.flagged, "sample", "samples")));
    }
    caption(ui, theme, "its samples");
    if !said.is_empty() {
        ui.add(egui::Label::new(said.join("; ")).wrap());
    }
    ui.horizontal_wrapped(|ui| {
        if button(ui, theme, "Show them in the table", "", ButtonLook::Plain, true).clicked() {
            let clause = Rule::Class { column: column.to_owned(), classes: vec![name.to_owned()] }.into();
            if !state.filter.clauses.contains(&clause) {
                state.toggle_clause(clause);
            }
            state.class_book.column = None;
        }
        if wrong > 0 {
            let text = format!("Review {} that {} wrong", count(wrong), if wrong == 1 { "looks" } else { "look" });
            if button(ui, theme, &text, "", ButtonLook::Plain, true).clicked() {
                let clause = Rule::Class { column: column.to_owned(), classes: vec![name.to_owned()] }.into();
                if !state.filter.clauses.contains(&clause) {
                    state.toggle_clause(clause);
                }
                state.view = View::Label;
            }
        }
    });
}

/// Filters by a class and a word.
fn show_word(state: &mut UiState, column: &str, name: &str, word: &str) {
    let class = Rule::Class { column: column.to_owned(), classes: vec![name.to_owned()] }.into();
    // As a word, whatever stands around it.
    let pattern = format!(r"(?-u:\b){}", regex_escape(word));
    let text = Rule::Contains {
        column: None,
        text: if word.is_ascii() { pattern } else { word.to_owned() },
        regex: word.is_ascii(),
        case: false,
    };
    let mut filter = state.filter.clone();
    for clause in [class, text.into()] {
        if !filter.clauses.contains(&clause) {
            filter.clauses.push(clause);
        }
    }
    state.set_filter(filter);
}

/// Words of letters, digits and underscores mean themselves in a pattern.
fn regex_escape(word: &str) -> String {
    word.chars().filter(|letter| letter.is_alphanumeric() || *letter == '_').collect()
}
