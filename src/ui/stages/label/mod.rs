//! Label: the review queue. One sample large in the middle, what its label is and should probably be, and why; one key each.

mod noise;
pub mod state;

use egui::{
    Align, Align2, Frame, Layout, Margin, Panel, Rect, RichText, Role as WidgetType, ScrollArea, Sense, Slider, Stroke, Ui,
    WidgetInfo, pos2, vec2,
};

use super::Stage;
use crate::action::Action;
use crate::checks::label_errors::{Candidate, LabelMethod, LabelReport};
use crate::data::{Role, SampleId};
use crate::learn::neighbours::Neighbour;
use crate::operate::Operation;
use crate::session::{Need, Session, Workspace};
use crate::ui::Bundle;
use crate::ui::commands::Command;
use crate::ui::state::UiState;
use crate::ui::theme::{STEP, Theme};
use crate::ui::widgets::class_colour::class_colour;
use crate::ui::widgets::controls::{
    ButtonLook, button, caption, choice, clipped, dim, right_aligned, severity, severity_ink, square, title,
};
use crate::ui::widgets::roles::role_chips;
use crate::ui::widgets::text::{count, cut, flat, is_code, turns, visible};
use crate::ui::widgets::{guideline, picture, portrait, rows};
pub use state::{Offered, Review, ReviewTab};

/// The stage.
pub const STAGE: Stage = Stage {
    needs: &[Need::Labels, Need::Pictures],
    acts_on: under_review,
    waiting: |session, _| session.labels().map_or(0, |report| report.queue.len()),
    inspector: false,
    draw: |ui, state, bundle, workspace, actions, commands| draw(ui, state, bundle, workspace, actions, commands),
};

/// The sample under review.
fn under_review(state: &UiState, _: &Session) -> Result<Vec<SampleId>, String> {
    if state.review.preview || state.review.tab == ReviewTab::Noise {
        return Err("These samples are listed, not chosen: go back to the queue first".to_owned());
    }
    Ok(state.review.current.into_iter().collect())
}

/// The most of a text that is laid out at once.
const LONGEST: usize = 6_000;
/// A share of real errors among the last decisions below which going on is hardly worth it.
const NOISE: f64 = 0.2;
/// About the width of the tabs in the head.
const TABS: f32 = 220.0;

/// Draws it.
pub fn draw(
    ui: &mut Ui,
    state: &mut UiState,
    bundle: &Bundle<'_>,
    workspace: &Workspace,
    actions: &mut Vec<Action>,
    commands: &mut Vec<Command>,
) {
    let theme = bundle.theme;
    let Some(report) = bundle.session.labels() else {
        return nothing(ui, state, bundle, workspace, actions);
    };
    head(ui, state, bundle, workspace, report, actions);
    if state.review.tab == ReviewTab::Noise {
        return noise::draw(ui, state, bundle, workspace, report, actions);
    }
    if state.review.preview {
        return preview(ui, state, bundle, workspace, report, commands);
    }
    let known = state.review.current.filter(|id| id.row() < workspace.dataset().rows());
    let Some(id) = known else {
        return above_the_line(ui, state, bundle, report);
    };
    let again = || report.again.iter().find(|candidate| candidate.id == id);
    let candidate = if state.review.again == Some(id) { again() } else { report.candidate(id) };
    state.offered = candidate.map(|candidate| Offered::of(candidate, report, workspace)).unwrap_or_default();
    if state.pane.is_open(state.view) {
        return crate::ui::sample::draw(ui, state, bundle, workspace, id, actions, commands);
    }
    let frame = Frame::new().inner_margin(Margin { left: 8, right: 20, top: 16, bottom: 8 });
    let wide = ui.available_width();
    let side = (wide * 0.32).clamp(230.0, 400.0);
    Panel::right("label side").exact_size(side).resizable(false).show_separator_line(false).frame(frame).show(ui, |ui| {
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            near(ui, state, bundle, workspace, report, id, candidate);
        });
    });
    let frame = Frame::new().inner_margin(Margin { left: 20, right: 12, top: 16, bottom: 8 });
    egui::CentralPanel::default().frame(frame).show(ui, |ui| {
        if workspace.dataset().pictures().is_some() {
            picture_of(ui, state, bundle, workspace, id);
        } else {
            sample(ui, theme, workspace, id);
        }
        ui.add_space(STEP * 4.0);
        match candidate {
            Some(candidate) => {
                verdict(ui, bundle, workspace, report, candidate, actions);
                let both = candidate.given.iter().chain(&candidate.suggested).map(|class| &*report.names[*class as usize]);
                guideline::draw(ui, theme, workspace.dataset(), &report.column, both);
            }
            None => settled(ui, bundle, workspace, report, id),
        }
        ui.add_space(STEP * 4.0);
        keys(ui, theme, candidate.is_some(), commands);
        ui.add_space(STEP * 4.0);
        next(ui, state, bundle, workspace, report, id);
    });
}

/// What stands where nothing waits above the line.
fn above_the_line(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, report: &LabelReport) {
    let theme = bundle.theme;
    let text = if bundle.session.filtered().is_some() {
        "No waiting label is within the filter. Esc clears it"
    } else if state.review.below {
        "Nothing is left to review"
    } else if report.queue.is_empty() && bundle.workspace.is_none_or(|open| open.dataset().reviewed().is_empty()) {
        "No label stands out as wrong"
    } else {
        "Nothing is left to review above the line"
    };
    ui.vertical_centered(|ui| {
        ui.add_space(ui.available_height() * 0.4);
        ui.label(RichText::new(text).font(theme.title()).color(theme.dim));
        if !state.review.below && !report.below.is_empty() {
            ui.add_space(STEP * 3.0);
            dim(ui, theme, "What comes next is likelier right than wrong, in the order of what speaks against it.");
            ui.add_space(STEP * 2.0);
            if button(ui, theme, "Continue below the line", "", ButtonLook::Main, true).clicked() {
                state.review.below = true;
            }
        }
    });
}

fn nothing(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, workspace: &Workspace, actions: &mut Vec<Action>) {
    let theme = bundle.theme;
    let looking = bundle.running.iter().any(|job| job.key == "images");
    let learning = looking || bundle.running.iter().any(|job| job.key == "labels");
    let has_label = workspace.dataset().with_role(Role::is_label).is_some();
    let text = match (&bundle.session.label_trouble(), learning) {
        (_, true) if looking => "Looking at the images first…".to_owned(),
        (_, true) => "Learning from the labels, to see which are probably wrong…".to_owned(),
        (Some(trouble), false) => format!("Labels are not checked: {trouble}"),
        (None, false) if !has_label => "There is no label column: give a column the role label in Collect".to_owned(),
        (None, false) => "Labels have not been checked".to_owned(),
    };
    ui.vertical_centered(|ui| {
        ui.add_space(ui.available_height() * 0.4);
        ui.add(egui::Label::new(RichText::new(text).font(theme.title()).color(theme.dim)).wrap());
        ui.add_space(STEP * 3.0);
        if !learning && has_label && button(ui, theme, "Look for label errors", "", ButtonLook::Main, true).clicked() {
            actions.push(Action::CheckLabels);
        }
        if !has_label {
            role_chips(ui, theme, workspace, actions);
        }
        if bundle.session.model_name().is_some()
            && !learning
            && button(ui, theme, "Use the built-in embedding", "", ButtonLook::Plain, true).clicked()
        {
            actions.push(Action::BuiltInModel);
        }
        if state.review.method != LabelMethod::Noise
            && !learning
            && button(ui, theme, "Use the noise model", "", ButtonLook::Plain, true).clicked()
        {
            state.review.method = LabelMethod::Noise;
        }
    });
}

fn head(
    ui: &mut Ui,
    state: &mut UiState,
    bundle: &Bundle<'_>,
    workspace: &Workspace,
    report: &LabelReport,
    actions: &mut Vec<Action>,
) {
    let theme = bundle.theme;
    let frame = Frame::new().fill(theme.background).inner_margin(Margin::symmetric(20, 10));
    Panel::top("label head").resizable(false).frame(frame).show(ui, |ui| {
        ui.horizontal(|ui| {
            title(ui, theme, "Label errors");
            ui.add_space(STEP * 2.0);
            let (done, left) = (workspace.dataset().reviewed().len(), report.queue.len());
            dim(ui, theme, format!("{} reviewed, {} worth a look", count(done), count(left)));
            // What is chosen on the right has room first.
            let wide = (ui.available_width() - TABS).clamp(0.0, 120.0);
            let (track, response) = ui.allocate_exact_size(vec2(wide, 6.0), Sense::hover());
            let part = done as f32 / (done + left).max(1) as f32;
            response.widget_info(|| WidgetInfo::labeled(WidgetType::ProgressIndicator, true, "reviewed"));
            ui.painter().rect_filled(track, 3, theme.raised);
            ui.painter().rect_filled(Rect::from_min_size(track.min, vec2(track.width() * part, track.height())), 3, theme.accent);
            let (real, of) = bundle.session.streak();
            if of > 0 {
                let text = if of == 1 {
                    format!("the last decision {} the label", if real == 1 { "changed" } else { "kept" })
                } else {
                    format!("{real} of the last {of} {} real", if real == 1 { "was" } else { "were" })
                };
                if of >= 20 && (real as f64) < NOISE * of as f64 {
                    let text = format!("{text}: the rest is hardly worth your time");
                    ui.label(RichText::new(text).color(theme.emerald));
                } else {
                    dim(ui, theme, text);
                }
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                for (tab, name) in [(ReviewTab::Noise, "Noise and classes"), (ReviewTab::Queue, "Queue")] {
                    let here = state.review.tab == tab;
                    let ink = if here { theme.text } else { theme.dim };
                    if ui.selectable_label(here, RichText::new(name).color(ink)).clicked() {
                        state.review.tab = tab;
                    }
                }
            });
        });
        ui.add_space(STEP);
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().slider_width = 90.0;
            let label = dim(ui, theme, "accept all above");
            let slider = ui.add(Slider::new(&mut state.review.threshold, 0.6..=1.0).fixed_decimals(2));
            slider.clone().labelled_by(label.id);
            slider.widget_info(|| WidgetInfo::slider(true, f64::from(state.review.threshold), "accept all above"));
            let n = above(report, bundle, workspace, state.review.threshold).count();
            let text = if state.review.preview { "Back to the queue".to_owned() } else { format!("Preview {}", count(n)) };
            if button(ui, theme, &text, "", ButtonLook::Plain, n > 0 || state.review.preview).clicked() {
                state.review.preview = !state.review.preview;
                state.review.tab = ReviewTab::Queue;
            }
            ui.add_space(STEP * 3.0);
            let names: Vec<String> = LabelMethod::all().map(spoken).collect();
            let shown = spoken(state.review.method);
            if let Some(at) = choice(ui, theme, "method", &shown, &names) {
                state.review.method = LabelMethod::all().nth(at).unwrap_or_default();
            }
            let model = bundle.session.model_name().unwrap_or_else(|| "built-in embedding".to_owned());
            let folder = if workspace.dataset().pictures().is_some() {
                "CLIP or DINOv2 folder…"
            } else {
                "sentence-transformers folder…"
            };
            let models = ["built-in embedding", folder, "probability columns", "probability file…"].map(str::to_owned);
            match choice(ui, theme, "embedding", &model, &models) {
                Some(0) => actions.push(Action::BuiltInModel),
                Some(1) => actions.push(Action::ChooseModel(None)),
                Some(2) => actions.push(Action::ProbabilityColumns),
                Some(_) => actions.push(Action::ProbabilityFile),
                None => {}
            }
            if let Some(doubt) = report.doubt() {
                ui.label(RichText::new("hardly told apart").color(theme.amber)).on_hover_text(doubt);
            }
            if bundle.session.are_labels_old() {
                let what = if workspace.dataset().pictures().is_some() { "images" } else { "texts" };
                ui.label(RichText::new(format!("{what} were edited since")).color(theme.amber));
            }
            if button(ui, theme, "Look again", "", ButtonLook::Quiet, true)
                .on_hover_text("Learn anew from the labels as they are now")
                .clicked()
            {
                actions.push(Action::CheckLabels);
            }
        });
    });
}

/// A method's name as a person says it.
fn spoken(method: LabelMethod) -> String {
    match method {
        LabelMethod::Noise => "noise model".to_owned(),
        LabelMethod::Cleanlab(filter) => format!("cleanlab: {}", filter.name().replace('_', " ")),
    }
}

fn above<'r>(
    report: &'r LabelReport,
    bundle: &'r Bundle<'_>,
    workspace: &'r Workspace,
    least: f32,
) -> impl Iterator<Item = &'r Candidate> {
    let (filtered, dataset) = (bundle.session.filtered(), workspace.dataset());
    // The report may be older than the last decisions.
    let waits = move |id: SampleId| !dataset.is_reviewed(id) && !dataset.is_excluded(id);
    report.queue.iter().filter(move |candidate| {
        candidate.wrong >= least && filtered.is_none_or(|filtered| filtered.contains(candidate.id)) && waits(candidate.id)
    })
}

/// A probability as it is said: nothing is certain.
fn probability(p: f32) -> String {
    format!("{:.2}", p.min(0.99))
}

/// The text of a sample, for reading.
fn words(workspace: &Workspace, id: SampleId) -> String {
    let dataset = workspace.dataset();
    let of =
        |wanted: Role| dataset.fields().iter().enumerate().filter(move |(_, field)| field.role == wanted).map(|(place, _)| place);
    let mut parts: Vec<String> =
        of(Role::Text).filter_map(|field| dataset.text(field, id)).map(|text| text.into_owned()).collect();
    if parts.is_empty() {
        for field in of(Role::Messages) {
            parts.extend(
                turns(cut(&dataset.text(field, id).unwrap_or_default(), 100_000))
                    .into_iter()
                    .map(|(who, what)| format!("{who}: {what}")),
            );
        }
    }
    parts.join("\n\n")
}

fn sample(ui: &mut Ui, theme: &Theme, workspace: &Workspace, id: SampleId) {
    let all = words(workspace, id);
    let frame = Frame::new()
        .fill(theme.panel)
        .stroke(theme.hairline())
        .corner_radius(theme.corner())
        .inner_margin(Margin::symmetric(28, 22));
    let tallest = (ui.available_height() * 0.38).max(64.0);
    frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        ScrollArea::vertical().id_salt(("sample", id)).max_height(tallest).auto_shrink([false, true]).show(ui, |ui| {
            let shown = cut(&all, LONGEST);
            let long = shown.chars().count() > 600;
            let size = match is_code(shown) {
                true => theme.mono(),
                false if long => theme.title(),
                false => theme.sample(),
            };
            let mut job =
                egui::text::LayoutJob::simple(visible(shown).into_owned(), size.clone(), theme.text, ui.available_width());
            job.sections.iter_mut().for_each(|section| section.format.line_height = Some(size.size * 1.5));
            ui.add(egui::Label::new(job).wrap());
            if all.len() > shown.len() {
                dim(ui, theme, format!("{} more characters", count(all.len() - shown.len())));
            }
        });
    });
}

/// The picture under review, large; with its text below, where it has one.
fn picture_of(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, workspace: &Workspace, id: SampleId) {
    // What stands below is needed more than the last of the picture.
    let tall = (ui.available_height() - 340.0).clamp(110.0, (ui.available_height() * 0.56).max(110.0));
    let (place, _) = ui.allocate_exact_size(vec2(ui.available_width(), tall), Sense::hover());
    portrait::draw(ui, bundle.theme, bundle.pictures, &mut state.viewer, workspace.dataset(), id, place);
    let text = words(workspace, id);
    if !text.is_empty() {
        ui.add_space(STEP);
        ui.add(egui::Label::new(cut(&flat(&text, 2), 400)).wrap());
    }
}

/// The key that gives a class to the sample under review.
fn offered_key(candidate: &Candidate, report: &LabelReport, workspace: &Workspace, class: u32) -> String {
    let name = &*report.names[class as usize];
    Offered::of(candidate, report, workspace).key_of(name).unwrap_or_default()
}

/// The colour of a class: the same as everywhere.
fn colour(theme: &Theme, workspace: &Workspace, report: &LabelReport, class: u32) -> egui::Color32 {
    class_colour(theme, workspace, &report.column, &report.names[class as usize]).unwrap_or(theme.class(class as usize))
}

fn named(report: &LabelReport, classes: &[u32]) -> String {
    classes.iter().map(|class| &*report.names[*class as usize]).collect::<Vec<_>>().join(", ")
}

fn verdict(
    ui: &mut Ui,
    bundle: &Bundle<'_>,
    workspace: &Workspace,
    report: &LabelReport,
    candidate: &Candidate,
    actions: &mut Vec<Action>,
) {
    let theme = bundle.theme;
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 40.0), Sense::hover());
    let (given, suggested) = (named(report, &candidate.given), named(report, &candidate.suggested));
    let against = candidate.against();
    let says = if candidate.evidence.is_some() { "speaks against it" } else { "probably wrong" };
    response.widget_info(|| {
        WidgetInfo::labeled(WidgetType::Label, true, format!("given {given}, suggested {suggested}, {says} {against:.2}"))
    });
    let half = (rect.width() - 110.0) / 2.0;
    let sides = [
        ("given", &given, &candidate.given, theme.body(), 0.0),
        ("suggested", &suggested, &candidate.suggested, theme.strong(), half),
    ];
    for (caption, name, classes, font, x) in sides {
        let left = rect.left() + x;
        ui.painter().text(pos2(left, rect.top()), Align2::LEFT_TOP, caption, theme.note(), theme.dim);
        if let Some(class) = classes.first() {
            square(ui, pos2(left + 4.0, rect.top() + 28.0), colour(theme, workspace, report, *class));
        }
        clipped(ui, pos2(left + 14.0, rect.top() + 19.0), half - 50.0, name, font, theme.text, 1);
    }
    ui.painter().text(pos2(rect.left() + half - 24.0, rect.top() + 28.0), Align2::CENTER_CENTER, "→", theme.body(), theme.dim);
    right_aligned(ui, pos2(rect.right(), rect.top() + 7.0), says, theme.note(), theme.dim);
    let sure = f64::from(against);
    right_aligned(ui, pos2(rect.right(), rect.top() + 28.0), &probability(against), theme.title(), severity_ink(theme, sure));
    severity(ui, theme, pos2(rect.right() - 44.0, rect.top() + 28.0), sure);
    ui.add_space(STEP * 2.0);
    let frame = Frame::new()
        .fill(theme.panel)
        .stroke(theme.hairline())
        .corner_radius(theme.corner())
        .inner_margin(Margin::symmetric(14, 8));
    frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.spacing_mut().item_spacing.y = 0.0;
        let least =
            if candidate.top.len() > 4 { candidate.top.iter().filter(|(_, p)| *p >= 0.01).count().clamp(3, 6) } else { 4 };
        for (n, (class, p)) in candidate.top.iter().take(least).enumerate() {
            let key = offered_key(candidate, report, workspace, *class);
            if bar(ui, bundle, workspace, report, (n, *class, *p), &key) {
                let column = report.column.clone();
                actions.push(if report.many {
                    let cell = report.cell(Some(workspace.dataset()), &candidate.toggled(*class));
                    Action::Do(Operation::Accept { list: vec![(candidate.id, cell)], column })
                } else {
                    Action::Do(Operation::SetCells {
                        samples: vec![candidate.id],
                        column,
                        text: report.names[*class as usize].to_string(),
                        review: false,
                    })
                });
            }
        }
    });
}

/// One likely class, its probability as a bar; says whether it was clicked.
fn bar(
    ui: &mut Ui,
    bundle: &Bundle<'_>,
    workspace: &Workspace,
    report: &LabelReport,
    (n, class, p): (usize, u32, f32),
    key: &str,
) -> bool {
    let theme = bundle.theme;
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 26.0), Sense::click());
    let name = &report.names[class as usize];
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, format!("Choose {name}, {p:.2}")));
    if response.hovered() {
        ui.painter().rect_filled(rect.expand2(vec2(6.0, 0.0)), theme.corner(), theme.hover);
    }
    let y = rect.center().y;
    square(ui, pos2(rect.left() + 4.0, y), colour(theme, workspace, report, class));
    let text = (rect.width() * 0.38).max(90.0);
    clipped(ui, pos2(rect.left() + 16.0, y - 8.0), text - 24.0, name, theme.body(), theme.text, 1);
    let track = Rect::from_min_max(pos2(rect.left() + text, y - 4.0), pos2(rect.right() - 84.0, y + 4.0));
    ui.painter().rect_filled(track, 4, theme.raised);
    let fill = Rect::from_min_size(track.min, vec2(track.width() * p.clamp(0.0, 1.0), track.height()));
    ui.painter().rect_filled(fill, 4, if n == 0 { theme.accent } else { theme.bar });
    right_aligned(ui, pos2(rect.right() - 36.0, y), &probability(p), theme.body(), theme.text);
    let cap = Rect::from_center_size(pos2(rect.right() - 12.0, y), vec2(20.0, 18.0));
    ui.painter().rect(cap, 3, theme.raised, theme.hairline(), egui::StrokeKind::Inside);
    ui.painter().text(cap.center(), Align2::CENTER_CENTER, key, theme.mono(), theme.dim);
    response.on_hover_text(&**name).clicked()
}

/// What stands in place of the verdict on a sample that is not in the queue any more.
fn settled(ui: &mut Ui, bundle: &Bundle<'_>, workspace: &Workspace, report: &LabelReport, id: SampleId) {
    let theme = bundle.theme;
    let dataset = workspace.dataset();
    let label = dataset.field(&report.column).and_then(|field| dataset.text(field, id)).unwrap_or_default().into_owned();
    let said = if dataset.is_excluded(id) {
        "excluded"
    } else if dataset.is_reviewed(id) {
        "reviewed"
    } else {
        "no longer looks wrong"
    };
    ui.horizontal(|ui| {
        ui.label(RichText::new(label).font(theme.strong()));
        ui.label(RichText::new(said).color(theme.emerald));
    });
}

fn keys(ui: &mut Ui, theme: &Theme, waits: bool, commands: &mut Vec<Command>) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = STEP * 2.0;
        let all = [
            (Command::Accept, "Accept", ButtonLook::Main, waits),
            (Command::Review, "Keep", ButtonLook::Plain, true),
            (Command::PickClass, "Another class", ButtonLook::Plain, true),
            (Command::Exclude, "Exclude", ButtonLook::Plain, true),
            (Command::Undo, "Undo", ButtonLook::Plain, true),
            (Command::Previous, "Back", ButtonLook::Quiet, true),
            (Command::Next, "Pass", ButtonLook::Quiet, true),
        ];
        for (command, text, look, enabled) in all {
            if button(ui, theme, text, &command.key_text(), look, enabled).on_hover_text(command.title()).clicked() {
                commands.push(command);
            }
        }
    });
}

fn next(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, workspace: &Workspace, report: &LabelReport, id: SampleId) {
    let theme = bundle.theme;
    let waits = |candidate: &&Candidate| {
        candidate.id != id
            && !workspace.dataset().is_reviewed(candidate.id)
            && !state.review.passed.contains(&candidate.id)
            && bundle.session.filtered().is_none_or(|filtered| filtered.contains(candidate.id))
    };
    let room = ((ui.available_height() - 36.0) / theme.sizes.row).max(0.0) as usize;
    let below = if state.review.below { &report.below[..] } else { &[] };
    let list: Vec<&Candidate> = report.queue.iter().chain(below).filter(waits).take(room.min(14)).collect();
    if list.is_empty() {
        return;
    }
    caption(ui, theme, "next in the queue, by expected gain");
    ui.spacing_mut().item_spacing.y = 0.0;
    for candidate in list {
        if row(ui, bundle, workspace, report, candidate) {
            state.review.current = Some(candidate.id);
            state.selection.cursor = Some(candidate.id);
        }
    }
}

/// One line of a list of candidates: text, given, suggested, probability. Says whether it was clicked.
fn row(ui: &mut Ui, bundle: &Bundle<'_>, workspace: &Workspace, report: &LabelReport, candidate: &Candidate) -> bool {
    let theme = bundle.theme;
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), theme.sizes.row), Sense::click());
    let (given, suggested) = (named(report, &candidate.given), named(report, &candidate.suggested));
    let pictures = workspace.dataset().pictures();
    let all = match pictures {
        Some(field) => workspace.dataset().text(field, candidate.id).unwrap_or_default().into_owned(),
        None => words(workspace, candidate.id),
    };
    let text = flat(&all, 1);
    response.widget_info(|| {
        WidgetInfo::labeled(WidgetType::Button, true, format!("{}: {given}, suggested {suggested}", cut(&text, 120)))
    });
    if response.hovered() {
        ui.painter().rect_filled(rect, 0, theme.raised);
    }
    ui.painter().hline(rect.x_range(), rect.bottom(), theme.hairline());
    let y = rect.center().y;
    let (a, b) = (rect.left() + rect.width() * 0.46, rect.left() + rect.width() * 0.69);
    let mut left = rect.left() + 8.0;
    if pictures.is_some() {
        let place = Rect::from_min_size(pos2(left, rect.top() + 2.0), vec2(rect.height() - 4.0, rect.height() - 4.0));
        picture::draw(ui, theme, bundle.pictures, candidate.id, place, false);
        left = place.right() + STEP * 2.0;
    }
    clipped(ui, pos2(left, y - 8.0), a - left - 12.0, &text, theme.body(), theme.text, 1);
    for (x, end, name, classes) in [(a, b, &given, &candidate.given), (b, rect.right() - 44.0, &suggested, &candidate.suggested)]
    {
        if let Some(class) = classes.first() {
            square(ui, pos2(x + 4.0, y), colour(theme, workspace, report, *class));
        }
        clipped(ui, pos2(x + 14.0, y - 8.0), end - x - 24.0, name, theme.body(), theme.text, 1);
    }
    right_aligned(ui, pos2(rect.right() - 8.0, y), &probability(candidate.against()), theme.body(), theme.dim);
    response.clicked()
}

fn near(
    ui: &mut Ui,
    state: &UiState,
    bundle: &Bundle<'_>,
    workspace: &Workspace,
    report: &LabelReport,
    id: SampleId,
    candidate: Option<&Candidate>,
) {
    let theme = bundle.theme;
    ui.set_width(ui.available_width());
    if let Some(candidate) = candidate {
        caption(ui, theme, "why it is here");
        Frame::new().fill(theme.raised).inner_margin(Margin { left: 14, right: 10, top: 8, bottom: 8 }).show(ui, |ui| {
            ui.set_width(ui.available_width());
            let bar = ui.min_rect();
            ui.add(egui::Label::new(&candidate.reason).wrap());
            let bottom = ui.min_rect().bottom() + 8.0;
            ui.painter().vline(
                bar.left() - 13.0,
                bar.top() - 8.0..=bottom,
                Stroke::new(2.0, severity_ink(theme, f64::from(candidate.against()))),
            );
        });
    }
    caption(ui, theme, "nearest labelled samples");
    let known = bundle.session.near(id);
    let list: &[Neighbour] = known.or_else(|| candidate.map(|candidate| candidate.near.as_slice())).unwrap_or_default();
    if list.is_empty() {
        dim(ui, theme, if known.is_none() { "Looking…" } else { "None is like it" });
    }
    let dataset = workspace.dataset();
    let field = dataset.field(&report.column);
    if dataset.pictures().is_some() {
        near_pictures(ui, bundle, workspace, report, list);
    }
    let texts = if dataset.pictures().is_some() { 0 } else { 6 };
    for found in list.iter().take(texts) {
        let other = SampleId(found.row);
        let label = field.and_then(|field| dataset.text(field, other)).unwrap_or_default().into_owned();
        let text = words(workspace, other);
        let text = flat(&text, 3).into_owned();
        let likeness = ui.painter().layout_no_wrap(format!("{:.2}", found.likeness), theme.note(), theme.dim);
        let width = ui.available_width();
        let mut job = egui::text::LayoutJob::simple(cut(&text, 400).to_owned(), theme.body(), theme.text, width - 44.0);
        job.wrap.max_rows = 2;
        let galley = ui.painter().layout_job(job);
        let (rect, response) = ui.allocate_exact_size(vec2(width, galley.size().y + 30.0), Sense::hover());
        response.widget_info(|| {
            WidgetInfo::labeled(WidgetType::Label, true, format!("{}: {label}, likeness {:.2}", cut(&text, 120), found.likeness))
        });
        let top = rect.top() + 4.0;
        ui.painter().galley(pos2(rect.right() - likeness.size().x, top + 2.0), likeness, theme.dim);
        let bottom = top + galley.size().y + 10.0;
        ui.painter().galley(pos2(rect.left(), top), galley, theme.text);
        if let Some(colour) = class_colour(theme, workspace, &report.column, &label) {
            square(ui, pos2(rect.left() + 4.0, bottom), colour);
        }
        clipped(ui, pos2(rect.left() + 14.0, bottom - 7.0), width - 20.0, &label, theme.note(), theme.dim, 1);
        ui.painter().hline(rect.x_range(), rect.bottom(), theme.hairline());
        response.on_hover_text(text);
    }
    if state.review.passed.contains(&id) {
        dim(ui, theme, "You passed it over before");
    }
}

/// The nearest pictures, three in a row, each with its class and likeness.
fn near_pictures(ui: &mut Ui, bundle: &Bundle<'_>, workspace: &Workspace, report: &LabelReport, list: &[Neighbour]) {
    let (theme, dataset) = (bundle.theme, workspace.dataset());
    let field = dataset.field(&report.column);
    let side = ((ui.available_width() - STEP * 4.0) / 3.0).floor();
    for row in list.chunks(3).take(3) {
        let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), side + 36.0), Sense::hover());
        for (i, found) in row.iter().enumerate() {
            let other = SampleId(found.row);
            let cell = Rect::from_min_size(rect.min + vec2(i as f32 * (side + STEP * 2.0), 0.0), vec2(side, side));
            picture::draw(ui, theme, bundle.pictures, other, cell, false);
            let label = field.and_then(|field| dataset.text(field, other)).unwrap_or_default().into_owned();
            let y = cell.bottom() + 10.0;
            if let Some(colour) = class_colour(theme, workspace, &report.column, &label) {
                square(ui, pos2(cell.left() + 4.0, y), colour);
            }
            clipped(ui, pos2(cell.left() + 14.0, y - 8.0), side - 48.0, &label, theme.body(), theme.text, 1);
            right_aligned(ui, pos2(cell.right(), y), &format!("{:.2}", found.likeness), theme.note(), theme.dim);
            let response = ui.interact(cell, ui.scope_id().with(("near", found.row)), Sense::hover());
            let name = format!("Nearest: sample {}, {label}, likeness {:.2}", found.row, found.likeness);
            response.widget_info(|| WidgetInfo::labeled(WidgetType::Image, true, &name));
        }
    }
}

/// What accepting everything above the threshold would change: looked at before it is done.
fn preview(
    ui: &mut Ui,
    state: &mut UiState,
    bundle: &Bundle<'_>,
    workspace: &Workspace,
    report: &LabelReport,
    commands: &mut Vec<Command>,
) {
    let theme = bundle.theme;
    let list: Vec<&Candidate> = above(report, bundle, workspace, state.review.threshold).collect();
    let frame = Frame::new().inner_margin(Margin::symmetric(20, 12));
    egui::CentralPanel::default().frame(frame).show(ui, |ui| {
        ui.horizontal(|ui| {
            let text = format!("Accept all {}", count(list.len()));
            if button(ui, theme, &text, &Command::Accept.key_text(), ButtonLook::Main, !list.is_empty()).clicked() {
                commands.push(Command::Accept);
            }
            let words = if list.len() == 1 { "1 sample gets" } else { "These samples get" };
            dim(ui, theme, format!("{words} the suggested label. One undo takes it back"));
        });
        ui.add_space(STEP * 2.0);
        rows::draw(ui, ScrollArea::vertical().auto_shrink(false), theme.sizes.row, list.len(), |ui, range| {
            for candidate in &list[range] {
                if row(ui, bundle, workspace, report, candidate) {
                    state.review.current = Some(candidate.id);
                    state.selection.cursor = Some(candidate.id);
                    state.review.preview = false;
                }
            }
        });
    });
}
