//! What lies over the window: the palette, pickers, prompts, the cheat sheet. One at a time; Esc closes it.

use std::sync::Arc;

use egui::{
    Align2, Area, Frame, Id, Key, Margin, Order, RichText, Role as WidgetType, ScrollArea, Sense, TextEdit, Ui, WidgetInfo, pos2,
    vec2,
};
use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use super::Bundle;
use super::commands::Command;
use super::state::{Popup, UiState};
use super::theme::{STEP, Theme};
use super::widgets::controls::{ButtonLook, button, right_aligned, square, title};
use super::widgets::text::{count, samples};
use crate::action::Action;
use crate::data::{Clause, Filter, Property, Role, Rule, class_by_digit, clause_of, digit_of_class};
use crate::operate::Operation;

/// What a line of a list does.
enum Choice {
    Command(Command),
    Action(Action),
    Clause(Clause),
    /// In the place of another.
    Instead(usize, Clause),
    Filter(Filter),
}

/// One line of a list.
struct Line {
    text: String,
    right: String,
    colour: Option<egui::Color32>,
    enabled: bool,
    choice: Choice,
}

/// Draws the popup that is open, if any.
pub fn draw(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, actions: &mut Vec<Action>, commands: &mut Vec<Command>) {
    let Some(popup) = state.popup.clone() else { return };
    let ctx = ui.ctx().clone();
    if ctx.input(|input| input.key_pressed(Key::Escape)) && state.rebinding.is_none() {
        state.popup = None;
        return;
    }
    let theme = bundle.theme;
    // The window behind is dimmed and a click on it closes what lies over it.
    let screen = ctx.content_rect();
    let behind = Area::new(Id::unique("behind popup")).order(Order::Middle).fixed_pos(screen.min).show(&ctx, |ui| {
        let (rect, response) = ui.allocate_exact_size(screen.size(), Sense::click());
        ui.painter().rect_filled(rect, 0, theme.background.gamma_multiply(0.6));
        response
    });
    if behind.inner.clicked() {
        state.popup = None;
        return;
    }
    let wide = 520.0_f32.min(screen.width() - 32.0);
    Area::new(Id::unique(("popup", std::mem::discriminant(&popup))))
        .order(Order::Foreground)
        .anchor(Align2::CENTER_TOP, vec2(0.0, 64.0))
        .show(&ctx, |ui| {
            let frame = Frame::new()
                .fill(theme.panel)
                .stroke(theme.hairline())
                .corner_radius(theme.corner())
                .inner_margin(Margin::same(12));
            frame.show(ui, |ui| {
                ui.set_width(wide);
                match &popup {
                    Popup::Keys => super::keys::draw(ui, state, theme, actions),
                    Popup::Confirm => confirm(ui, state, theme, actions),
                    Popup::Replace => super::replace::draw(ui, state, bundle, actions),
                    Popup::Column => super::new_column::draw(ui, state, bundle, actions),
                    Popup::Database => super::database::draw(ui, state, bundle, actions),
                    Popup::TextModel => super::text_model::draw(ui, state, bundle, actions),
                    Popup::OpenPath | Popup::SavePath { .. } | Popup::ModelPath => path(ui, state, bundle, &popup, actions),
                    Popup::Palette => {
                        let lines = palette(state, bundle);
                        list(ui, state, theme, "Search or run a command", lines, actions, commands);
                    }
                    Popup::Class => {
                        let lines = classes(state, bundle);
                        let n = state.selection.len();
                        list(ui, state, theme, &format!("Class for {}", samples(n)), lines, actions, commands);
                    }
                    Popup::Tag => {
                        let lines = tags(state, bundle);
                        let n = state.selection.len();
                        list(ui, state, theme, &format!("Tag for {}", samples(n)), lines, actions, commands);
                    }
                    Popup::Rename { column, from } => {
                        let lines = renames(state, bundle, column, from);
                        list(
                            ui,
                            state,
                            theme,
                            &if state.merges {
                                format!("Merge {from} into which class?")
                            } else {
                                format!("New name for {from}")
                            },
                            lines,
                            actions,
                            commands,
                        );
                    }
                    Popup::Filter | Popup::ChangeClause(_) => {
                        let at = if let Popup::ChangeClause(at) = popup { Some(at) } else { None };
                        let lines = filters(state, bundle, at);
                        list(
                            ui,
                            state,
                            theme,
                            "Text, or a condition: price > 20, text words 3..10, label is a or b",
                            lines,
                            actions,
                            commands,
                        );
                    }
                    Popup::ExportName(column) => {
                        let lines = export_names(state, bundle, column);
                        list(ui, state, theme, &format!("Name of {column} in what is saved"), lines, actions, commands);
                    }
                    Popup::KeepFilter => {
                        let lines = kept(state, bundle);
                        list(ui, state, theme, "A name for this filter", lines, actions, commands);
                    }
                }
            });
        });
}

/// A field to type in that has the keyboard.
fn field(ui: &mut Ui, typed: &mut String, theme: &Theme, name: &str) -> egui::Response {
    let edit = TextEdit::singleline(typed)
        .hint_text(name)
        .desired_width(f32::INFINITY)
        .margin(Margin::symmetric(10, 6))
        .font(theme.body());
    let response = ui.add(edit);
    response.widget_info(|| WidgetInfo::text_edit(true, "", "", name));
    if !response.has_focus() && !response.lost_focus() {
        response.request_focus();
    }
    response
}

fn list(
    ui: &mut Ui,
    state: &mut UiState,
    theme: &Theme,
    name: &str,
    lines: Vec<Line>,
    actions: &mut Vec<Action>,
    commands: &mut Vec<Command>,
) {
    let step = |key| ui.input_mut(|input| input.consume_key(egui::Modifiers::NONE, key));
    let (down, up) = (step(Key::ArrowDown), step(Key::ArrowUp));
    let response = field(ui, &mut state.typed, theme, name);
    if response.changed() {
        state.marked = 0;
    }
    if down {
        state.marked += 1;
    }
    if up {
        state.marked = state.marked.saturating_sub(1);
    }
    state.marked = state.marked.min(lines.len().saturating_sub(1));
    let entered = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
    ui.add_space(STEP);
    let mut picked = None;
    ScrollArea::vertical().max_height(380.0).min_scrolled_height(380.0).auto_shrink([false, true]).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        for (at, line) in lines.iter().enumerate() {
            let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), theme.sizes.control), Sense::click());
            response
                .widget_info(|| WidgetInfo::selected(WidgetType::ListBoxOption, line.enabled, at == state.marked, &line.text));
            if at == state.marked || response.hovered() {
                ui.painter().rect_filled(rect, theme.corner(), if at == state.marked { theme.tint } else { theme.hover });
                if (down || up) && at == state.marked {
                    response.scroll_to_me(None);
                }
            }
            let mut x = rect.left() + 10.0;
            if let Some(colour) = line.colour {
                square(ui, pos2(x + 4.0, rect.center().y), colour);
                x += 16.0;
            }
            let ink = if line.enabled { theme.text } else { theme.faint };
            super::widgets::controls::clipped(
                ui,
                pos2(x, rect.center().y - 8.0),
                rect.right() - x - 110.0,
                &line.text,
                theme.body(),
                ink,
                1,
            );
            right_aligned(ui, pos2(rect.right() - 10.0, rect.center().y), &line.right, theme.mono(), theme.dim);
            if response.clicked() && line.enabled {
                picked = Some(at);
            }
        }
        if lines.is_empty() {
            ui.label(RichText::new("Nothing fits").color(theme.dim));
        }
    });
    if entered {
        picked = lines.get(state.marked).filter(|line| line.enabled).map(|_| state.marked);
    }
    let Some(line) = picked.and_then(|at| lines.into_iter().nth(at)) else { return };
    state.popup = None;
    match line.choice {
        Choice::Command(command) => commands.push(command),
        Choice::Action(action) => actions.push(action),
        Choice::Clause(clause) => state.toggle_clause(clause),
        Choice::Instead(at, clause) => {
            let mut filter = state.filter.clone();
            if let Some(old) = filter.clauses.get_mut(at) {
                *old = clause;
            }
            state.set_filter(filter);
        }
        Choice::Filter(filter) => state.set_filter(filter),
    }
}

/// So many lines are listed at most: whoever looks for another types more of it.
const MOST_LINES: usize = 1_000;

/// What is looked for; `None` where nothing is typed.
fn pattern_of(typed: &str) -> Option<Pattern> {
    (!typed.trim().is_empty()).then(|| Pattern::parse(typed, CaseMatching::Ignore, Normalization::Smart))
}

/// Keeps the lines that fit what is typed, the best first; in their own order where nothing is typed.
fn fit(lines: Vec<Line>, typed: &str) -> Vec<Line> {
    let Some(pattern) = pattern_of(typed) else { return lines };
    let (mut matcher, mut letters) = (Matcher::new(Config::DEFAULT), Vec::new());
    let mut scored: Vec<(u32, Line)> = lines
        .into_iter()
        .filter_map(|line| pattern.score(Utf32Str::new(&line.text, &mut letters), &mut matcher).map(|score| (score, line)))
        .collect();
    scored.sort_by_key(|(score, line)| (std::cmp::Reverse(*score), line.text.len()));
    scored.into_iter().map(|(_, line)| line).collect()
}

fn palette(state: &UiState, bundle: &Bundle<'_>) -> Vec<Line> {
    let line = |text: String, right: String, choice| Line { text, right, colour: None, enabled: true, choice };
    let lines: Vec<Line> = Command::all()
        .into_iter()
        .filter(|command| *command != Command::Palette)
        .map(|command| {
            let enabled = bundle.workspace.is_some() || !command.needs_dataset();
            let right = if enabled { command.key_text() } else { "no dataset".to_owned() };
            Line { enabled, ..line(command.title().to_owned(), right, Choice::Command(command)) }
        })
        .collect();
    if let Some(workspace) = bundle.workspace {
        let typed = state.typed.trim();
        if !typed.is_empty() {
            let rule = Rule::Contains { column: None, text: typed.to_owned(), regex: false, case: false };
            let mut fitted = fit(lines, &state.typed);
            let meaning = Choice::Action(Action::FindMeaning(typed.to_owned()));
            fitted.push(line(format!("Find samples that mean “{typed}”"), String::new(), meaning));
            fitted.push(line(format!("Filter: any column contains “{typed}”"), String::new(), Choice::Clause(rule.into())));
            for field in workspace.dataset().fields() {
                let Some(classes) = workspace.classes(&field.name) else { continue };
                let named = classes.names().iter().filter(|name| name.to_lowercase().contains(&typed.to_lowercase())).take(8);
                for name in named {
                    let rule = Rule::Class { column: field.name.to_string(), classes: vec![name.to_string()] };
                    fitted.push(line(format!("Filter: {} is {name}", field.name), String::new(), Choice::Clause(rule.into())));
                }
            }
            return fitted;
        }
    }
    let mut lines = fit(lines, &state.typed);
    lines.sort_by_key(|line| !line.enabled);
    lines
}

fn class_lines(state: &UiState, bundle: &Bundle<'_>, column: &str, choice: impl Fn(&str) -> Choice) -> Vec<Line> {
    let Some(classes) = bundle.workspace.and_then(|workspace| workspace.classes(column)) else { return Vec::new() };
    // A class that was renamed or merged away is none any more.
    let live =
        classes.in_order().enumerate().map(|(key, i)| (key, i, &classes.names()[i])).filter(|(_, i, _)| classes.counts()[*i] > 0);
    // Of more classes than digits, the queue's keys go by what is likely: none is promised here.
    let keyed = classes.used() <= 10;
    let line = |(key, i, name): (usize, usize, &Arc<str>)| Line {
        text: name.to_string(),
        right: match digit_of_class(classes.names(), i, key).filter(|_| keyed) {
            Some(key) => format!("{}   {key}", count(classes.counts()[i] as usize)),
            None => count(classes.counts()[i] as usize),
        },
        colour: Some(bundle.theme.class(classes.hue(i))),
        enabled: true,
        choice: choice(name),
    };
    // Of very many classes only those that are looked at become lines.
    let Some(pattern) = pattern_of(&state.typed) else { return live.take(MOST_LINES).map(line).collect() };
    let (mut matcher, mut letters) = (Matcher::new(Config::DEFAULT), Vec::new());
    let mut scored: Vec<(u32, usize, usize)> = live
        .filter_map(|(key, i, name)| pattern.score(Utf32Str::new(name, &mut letters), &mut matcher).map(|score| (score, key, i)))
        .collect();
    scored.sort_by_key(|(score, _, i)| (std::cmp::Reverse(*score), classes.names()[*i].len()));
    scored.into_iter().take(MOST_LINES).map(|(_, key, i)| line((key, i, &classes.names()[i]))).collect()
}

fn classes(state: &UiState, bundle: &Bundle<'_>) -> Vec<Line> {
    let Some(workspace) = bundle.workspace else { return Vec::new() };
    let dataset = workspace.dataset();
    // Where there is no label yet, the first class makes its column.
    let column = dataset.with_role(Role::is_label).map_or("label".to_owned(), |field| dataset.fields()[field].name.to_string());
    let fresh = dataset.field(&column).is_none();
    let chosen = state.selection.samples();
    let set = |text: &str| {
        Choice::Action(Action::Do(Operation::SetCells {
            samples: chosen.clone(),
            column: column.clone(),
            text: text.to_owned(),
            review: false,
        }))
    };
    let mut lines = class_lines(state, bundle, &column, set);
    let typed = state.typed.trim();
    // A digit alone is the key of a class, where classes have keys.
    if let (Some(classes), Ok(digit @ 0..=9)) = (workspace.classes(&column), typed.parse::<usize>())
        && classes.used() <= 10
        && let Some(place) =
            class_by_digit(classes.names(), digit, classes.in_order()).filter(|place| classes.counts()[*place] > 0)
    {
        let name = &classes.names()[place];
        lines.retain(|line| line.text != **name);
        let (right, colour) = (digit.to_string(), Some(bundle.theme.class(classes.hue(place))));
        lines.insert(0, Line { text: name.to_string(), right, colour, enabled: true, choice: set(name) });
    }
    if !typed.is_empty() && !lines.iter().any(|line| line.text == typed) {
        let place = if fresh { " in a new column “label”" } else { "" };
        let text = format!("New class “{typed}”{place}");
        lines.push(Line { text, right: String::new(), colour: None, enabled: true, choice: set(typed) });
    }
    lines
}

fn tags(state: &UiState, bundle: &Bundle<'_>) -> Vec<Line> {
    let Some(workspace) = bundle.workspace else { return Vec::new() };
    let chosen = state.selection.samples();
    let line = |tag: &str, text: String, right: String| Line {
        text,
        right,
        colour: None,
        enabled: true,
        choice: Choice::Action(Action::Do(Operation::Tag { samples: chosen.clone(), tag: tag.to_owned(), on: true })),
    };
    let known = workspace.dataset().tags().map(|(tag, set)| line(tag, tag.to_owned(), count(set.len())));
    let mut lines = fit(known.collect(), &state.typed);
    let typed = state.typed.trim();
    if !typed.is_empty() && !lines.iter().any(|known| known.text == typed) {
        lines.push(line(typed, format!("New tag “{typed}”"), String::new()));
    }
    lines
}

fn renames(state: &UiState, bundle: &Bundle<'_>, column: &str, from: &str) -> Vec<Line> {
    let typed = state.typed.trim();
    let to = |to: &str| {
        Choice::Action(Action::Do(Operation::RenameClass { column: column.to_owned(), from: from.to_owned(), to: to.to_owned() }))
    };
    let merges = state.merges;
    let mut lines = class_lines(state, bundle, column, to);
    lines.retain(|line| line.text != from);
    let exists = lines.iter().any(|line| line.text == typed);
    for line in &mut lines {
        line.text = format!("Merge into {}", line.text);
    }
    if merges {
        // Whoever asked to merge gets no new name by a few letters of one that there is.
        return lines;
    }
    if typed.is_empty() {
        // Nothing happens by pressing Enter too soon.
        let text = "Type a new name, or choose a class to merge into".to_owned();
        lines.insert(0, Line { text, right: String::new(), colour: None, enabled: false, choice: to(from) });
    } else if !exists {
        let text = format!("Rename to “{typed}”");
        lines.insert(0, Line { text, right: String::new(), colour: None, enabled: true, choice: to(typed) });
    }
    lines
}

fn filters(state: &UiState, bundle: &Bundle<'_>, instead: Option<usize>) -> Vec<Line> {
    let (Some(workspace), typed) = (bundle.workspace, state.typed.trim()) else { return Vec::new() };
    let dataset = workspace.dataset();
    if typed.is_empty() {
        let kept = dataset.properties().all(Property::Filter).filter_map(|(of, json)| {
            let (name, filter) = (of.first()?, Filter::from_json(json)?);
            let text = format!("{name}:  {}", words_of(&filter));
            Some(Line { text, right: "kept".to_owned(), colour: None, enabled: true, choice: Choice::Filter(filter) })
        });
        return kept.collect();
    }
    let line = |text: String, right: &str, clause: Clause| Line {
        text,
        right: right.to_owned(),
        colour: None,
        enabled: true,
        choice: match instead {
            Some(at) => Choice::Instead(at, clause),
            None => Choice::Clause(clause),
        },
    };
    let contains = |column: Option<String>, regex, case| Rule::Contains { column, text: typed.to_owned(), regex, case }.into();
    // What is a condition is one; as a text it is offered all the same.
    let condition = clause_of(typed, dataset).map(|clause| line(format!("Samples whose {clause}"), "condition", clause));
    let mut lines: Vec<Line> = condition.into_iter().collect();
    lines.push(line(format!("Any column contains “{typed}”"), "", contains(None, false, false)));
    for field in dataset.fields().iter().filter(|field| matches!(field.role, Role::Text | Role::Messages)) {
        lines.push(line(format!("{} contains “{typed}”", field.name), "", contains(Some(field.name.to_string()), false, false)));
    }
    lines.push(line(format!("Any column contains “{typed}”, capitals matter"), "Aa", contains(None, false, true)));
    lines.push(line(format!("Any column matches /{typed}/"), "regex", contains(None, true, false)));
    lines
}

/// The name that a column has in what is saved.
fn export_names(state: &UiState, bundle: &Bundle<'_>, column: &str) -> Vec<Line> {
    let Some(workspace) = bundle.workspace else { return Vec::new() };
    let typed = state.typed.trim();
    let line = |text: String, value: Option<String>| {
        let operation = Operation::Say { property: Property::ExportName, of: vec![column.to_owned()], value };
        let choice = Choice::Action(Action::Do(operation));
        Line { text, right: String::new(), colour: None, enabled: true, choice }
    };
    let mut lines = Vec::new();
    if !typed.is_empty() && typed != column {
        lines.push(line(format!("Save it as “{typed}”"), Some(typed.to_owned())));
    }
    if workspace.dataset().properties().get(Property::ExportName, &[column]).is_some() {
        lines.push(line(format!("Save it under its own name, {column}"), None));
    }
    lines
}

/// A filter in words.
pub fn words_of(filter: &Filter) -> String {
    filter.clauses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", and ")
}

/// Names for the filter: a new one, or one that is taken, which means this filter then.
fn kept(state: &UiState, bundle: &Bundle<'_>) -> Vec<Line> {
    let Some(workspace) = bundle.workspace else { return Vec::new() };
    let typed = state.typed.trim();
    let dead = |text: String| {
        let choice = Choice::Filter(state.filter.clone());
        vec![Line { text, right: String::new(), colour: None, enabled: false, choice }]
    };
    let json = match state.filter.to_json() {
        Ok(json) => json,
        Err(list) => return dead(format!("“{list}” is a list of samples: tag them, and filter by the tag")),
    };
    let line = |name: &str, text: String| {
        let operation = Operation::Say { property: Property::Filter, of: vec![name.to_owned()], value: Some(json.clone()) };
        let choice = Choice::Action(Action::Do(operation));
        Line { text, right: String::new(), colour: None, enabled: true, choice }
    };
    let known = workspace.dataset().properties().all(Property::Filter).filter_map(|(of, _)| of.first());
    let mut lines = fit(known.map(|name| line(name, format!("{name}: mean this filter from now on"))).collect(), typed);
    if typed.is_empty() {
        lines.splice(0..0, dead(format!("Type a name for: {}", words_of(&state.filter))));
    } else {
        lines.insert(0, line(typed, format!("Keep it as “{typed}”")));
    }
    lines
}

/// What a key would do to very many samples.
fn confirm(ui: &mut Ui, state: &mut UiState, theme: &Theme, actions: &mut Vec<Action>) {
    let Some((words, action)) = state.confirm.clone() else {
        state.popup = None;
        return;
    };
    let drops = matches!(action, Action::DropTyped(_));
    title(ui, theme, if drops { words.clone() } else { format!("{words}?") });
    let then = match action {
        Action::DropTyped(_) => "Go back, and Ctrl Enter saves it.",
        Action::QuitNow => "What is being saved is put away; the edits are kept.",
        _ => "One key takes it back, too.",
    };
    ui.label(RichText::new(then).color(theme.dim));
    ui.add_space(STEP * 2.0);
    let entered = ui.input_mut(|input| input.consume_key(egui::Modifiers::NONE, Key::Enter));
    if drops {
        // The key that one strikes without looking loses nothing.
        ui.horizontal(|ui| {
            if button(ui, theme, "Go back to it", "Enter", ButtonLook::Main, true).clicked() || entered {
                state.confirm = None;
                state.popup = None;
                state.pane.claims = state.pane.at.is_some();
            } else if button(ui, theme, "Drop it and go on", "", ButtonLook::Plain, true).clicked() {
                actions.push(action);
                state.confirm = None;
                state.popup = None;
            }
        });
        return;
    }
    ui.horizontal(|ui| {
        if button(ui, theme, &words, "Enter", ButtonLook::Main, true).clicked() || entered {
            actions.push(action);
            state.confirm = None;
            state.popup = None;
        } else if button(ui, theme, "Leave it", "Esc", ButtonLook::Plain, true).clicked() {
            state.confirm = None;
            state.popup = None;
        }
    });
}

/// Puts the cursor of a field behind what stands in it.
fn to_end(ui: &Ui, id: Id, text: &str) {
    if let Some(mut state) = egui::TextEdit::load_state(ui.ctx(), id) {
        let end = egui::text::CCursor::new(text.chars().count());
        state.cursor.set_char_range(Some(egui::text::CCursorRange::one(end)));
        state.store(ui.ctx(), id);
    }
}

fn path(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, popup: &Popup, actions: &mut Vec<Action>) {
    let theme = bundle.theme;
    let (heading, hint) = match popup {
        Popup::SavePath { folder: true } => ("Save to which folder?", "Path of a folder"),
        Popup::SavePath { folder: false } => ("Save under which name?", "Path of a new file"),
        Popup::ModelPath => ("Read samples with which model?", "Path of a model folder"),
        Popup::OpenPath if state.asks_for.is_some() => (state.asks_for.unwrap_or_default(), "Path of a file"),
        _ => ("Open which file or folder?", "Path of a file or a folder of images"),
    };
    title(ui, theme, heading);
    // Tab goes on with the first that fits, before anything else has it.
    let completes = ui.input_mut(|input| input.consume_key(egui::Modifiers::NONE, Key::Tab));
    let typed = state.typed.clone();
    let fitting = move |path: &&String| path.to_lowercase().starts_with(&typed.to_lowercase()) && **path != typed;
    let fits: Vec<String> = bundle.session.completions().iter().filter(fitting).take(8).cloned().collect();
    if let Some(first) = fits.first().filter(|_| completes) {
        state.typed.clone_from(first);
    }
    let response = field(ui, &mut state.typed, theme, hint);
    if completes {
        to_end(ui, response.id, &state.typed);
    }
    if response.changed() || completes || state.typed.is_empty() {
        actions.push(Action::CompletePath(state.typed.clone()));
    }
    let entered = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
    for path in fits {
        let shown = std::path::Path::new(&path).file_name().map_or(path.clone(), |name| name.to_string_lossy().into_owned());
        let end = if path.ends_with(std::path::MAIN_SEPARATOR) { "/" } else { "" };
        if ui.add(egui::Button::new(format!("{shown}{end}")).frame(false)).clicked() {
            state.typed.clone_from(&path);
            to_end(ui, response.id, &path);
            actions.push(Action::CompletePath(path));
        }
    }
    ui.label(
        RichText::new("The desktop offers no file dialog here: type or paste a path; Tab goes on with the first that fits.")
            .font(theme.note())
            .color(theme.dim),
    );
    let name = if matches!(popup, Popup::OpenPath | Popup::ModelPath) { "Open" } else { "Save" };
    let enabled = !state.typed.trim().is_empty();
    if (button(ui, theme, name, "Enter", ButtonLook::Main, enabled).clicked() || entered) && enabled {
        let typed = std::path::PathBuf::from(state.typed.trim());
        actions.push(Action::PathTyped(typed));
        state.popup = None;
    }
}
