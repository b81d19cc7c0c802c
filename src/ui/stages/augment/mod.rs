//! Augment: a pipeline of steps on the left, what it makes of real samples on the right, before anything is made.

mod pipeline;

use egui::{
    Align, CentralPanel, Color32, DragValue, Frame, Layout, Margin, Mesh, Panel, Rect, RichText, Role as WidgetType, ScrollArea,
    Sense, TextureHandle, Ui, WidgetInfo, pos2, vec2,
};

use super::{Stage, no_samples};
use crate::action::Action;
use crate::data::{Role, Rule, SampleId, SampleSet};
use crate::learn::risk::Risk;
use crate::operate::Operation;
use crate::session::{AugmentForm, Estimate, MOST_COPIES, Need, ORIGINALS, Workspace};
use crate::ui::Bundle;
use crate::ui::making::{Drawn, Family, Preview};
use crate::ui::state::UiState;
use crate::ui::text_model::whither;
use crate::ui::theme::{STEP, Theme};
use crate::ui::widgets::controls::{ButtonLook, button, caption, clipped, dim, keycap, severity, title};
use crate::ui::widgets::diff;
use crate::ui::widgets::picture::fitted;
use crate::ui::widgets::text::{count, cut, things};

/// The stage.
pub const STAGE: Stage = Stage {
    needs: &[Need::Augment, Need::Pictures],
    acts_on: no_samples,
    waiting: |_, _| 0,
    inspector: false,
    draw: |ui, state, bundle, workspace, actions, _| draw(ui, state, bundle, workspace, actions),
};

/// The width of the pipeline.
const SIDE: f32 = 280.0;
/// What stands at the right of a row takes as much: the judgement of its label, of its words, and an original's class.
const RISK_WIDE: f32 = 110.0;
const FLUENCY_WIDE: f32 = 90.0;
const CLASS_WIDE: f32 = 200.0;
/// Where texts have less room than this, what is said of them stands below them and not beside them.
const BESIDE: f32 = 440.0;
/// Below this a text reads stilted.
const STILTED: f32 = 0.3;
/// The most of a text that is laid out.
const LONGEST: usize = 1_500;

/// Draws it.
pub fn draw(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, workspace: &Workspace, actions: &mut Vec<Action>) {
    let theme = bundle.theme;
    let frame = Frame::new().fill(theme.background).inner_margin(Margin { left: 16, right: 12, top: 16, bottom: 8 });
    Panel::left("pipeline").exact_size(SIDE).resizable(false).frame(frame).show(ui, |ui| {
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            pipeline::draw(ui, &mut state.augment, bundle, workspace, actions);
            ui.add_space(STEP * 3.0);
            run(ui, state, bundle, workspace, actions);
            made(ui, state, theme, workspace, actions);
        });
    });
    let frame = Frame::new().inner_margin(Margin { left: 20, right: 20, top: 16, bottom: 8 });
    CentralPanel::default().frame(frame).show(ui, |ui| preview(ui, state, bundle, workspace, actions));
}

/// Seed, copies, what it comes to, and the button.
fn run(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, workspace: &Workspace, actions: &mut Vec<Action>) {
    let theme = bundle.theme;
    let form = &mut state.augment;
    ui.horizontal(|ui| {
        dim(ui, theme, "seed");
        let response = ui.add(DragValue::new(&mut form.seed).range(0..=u64::MAX / 2));
        response.widget_info(|| WidgetInfo::labeled(WidgetType::SpinButton, true, "Seed"));
        ui.add_space(STEP * 2.0);
        dim(ui, theme, "copies of each");
        let response = ui.add(DragValue::new(&mut form.copies).range(1..=MOST_COPIES).speed(0.1));
        response.widget_info(|| WidgetInfo::labeled(WidgetType::SpinButton, true, "Copies of each"));
    });
    caption(ui, theme, "this run");
    let running = bundle.running.iter().any(|job| job.key == "augment");
    let ready = bundle.drafted.filter(|preview| preview.trouble.is_none() && !is_idle(form));
    let mut text = "Add samples".to_owned();
    if let Some(preview) = ready {
        let Estimate { parents, same, risky, seconds, bytes, asks } = preview.estimate;
        let asked = parents as f64 * f64::from(form.copies);
        let left = (asked * (1.0 - same - risky)).max(0.0).round() as usize;
        let split = workspace.dataset().with_role(|role| role == Role::Split).is_some();
        let what = if split { "training sample" } else { "sample" };
        ui.label(format!("{} × {}", things(parents, what, &format!("{what}s")), form.copies));
        // Of several models, the slowest: known once all are.
        let paces: Option<Vec<f64>> = form.pipeline.models().iter().map(|name| bundle.answers.seconds_each(name)).collect();
        let each = paces.and_then(|paces| paces.into_iter().reduce(f64::max));
        let seconds = seconds + asks * each.unwrap_or(0.0);
        let time = asked * seconds;
        // Two digits: it is an estimate.
        let rate = 1.0 / seconds.max(1e-9);
        let step = 10.0_f64.powf((rate.log10().floor() - 1.0).max(0.0));
        let pace = format!("{} a second", count(((rate / step).round() * step) as usize));
        let time = match time {
            _ if asks > 0.0 && each.is_none() => "as long as it takes to ask".to_owned(),
            time if time < 1.5 => "under 2 s".to_owned(),
            time if time < 120.0 && asks > 0.0 => format!("about {time:.0} s"),
            time if time < 120.0 => format!("about {time:.0} s at {pace}"),
            time => format!("about {} min", count((time / 60.0).round() as usize)),
        };
        let size = asked * bytes / 1e6;
        let size = if size >= 0.1 { format!(", {size:.1} MB of text") } else { String::new() };
        ui.label(format!("{}, {time}{size}", things(asked.round() as usize, "new sample", "new samples")))
            .on_hover_text(format!("Measured on this preview: {pace}"));
        if asks > 0.0 {
            questions(ui, form, bundle, asks * asked, each);
        }
        if form.pipeline.alters_pictures() {
            dim(ui, theme, "Images are drawn when they are looked at, and written only by an export");
        }
        if risky * asked >= 0.5 {
            let line =
                format!("about {} above risk {:.2} will be dropped", count((risky * asked).round() as usize), form.most_risk);
            ui.label(RichText::new(line).color(theme.amber));
        }
        if same * asked >= 0.5 {
            dim(ui, theme, format!("about {} come out as they were, and are left out", count((same * asked).round() as usize)));
        }
        text = if risky + same > 0.0 {
            format!("Add about {} samples", count(left))
        } else {
            format!("Add {}", things(left, "sample", "samples"))
        };
        if left == 0 {
            "Nothing to add".clone_into(&mut text);
        }
    } else if form.pipeline.steps.is_empty() {
        dim(ui, theme, "Add a step: each alters a sample a little");
    } else if is_idle(form) {
        dim(ui, theme, "Every step is switched off");
    }
    ui.add_space(STEP * 2.0);
    let judging = bundle.session.is_judging(form);
    let waiting = judging || bundle.session.is_draft_stale();
    // Without a model there would be nothing but the error.
    let answered = form.pipeline.models().is_empty() || bundle.session.asking_trouble().is_none();
    let enabled =
        answered && ready.is_some() && !running && !waiting && workspace.read_only().is_none() && text != "Nothing to add";
    let shown = match (running, judging) {
        (true, _) => "Making samples…",
        (_, true) => "Learning to judge labels…",
        _ => &text,
    };
    if button(ui, theme, shown, "", ButtonLook::Main, enabled).clicked() {
        actions.push(Action::Augment);
    }
}

/// Whether no step does anything.
fn is_idle(form: &AugmentForm) -> bool {
    form.pipeline.steps.iter().all(|step| step.off)
}

/// What a run asks text models, and where its texts go.
fn questions(ui: &mut Ui, form: &AugmentForm, bundle: &Bundle<'_>, asks: f64, each: Option<f64>) {
    let many = things(asks.round() as usize, "question", "questions");
    let names = form.pipeline.models().join(", ");
    let pace = match each {
        None => String::new(),
        Some(seconds) if seconds > 1.0 => format!(", {seconds:.1} s each"),
        Some(seconds) => format!(", {:.1} a second", 1.0 / seconds.max(1e-6)),
    };
    ui.label(format!("about {many} to {names}{pace}"));
    whither(ui, bundle, &form.pipeline);
}

/// What was made before: shown, thinned, made anew.
fn made(ui: &mut Ui, state: &mut UiState, theme: &Theme, workspace: &Workspace, actions: &mut Vec<Action>) {
    let dataset = workspace.dataset();
    if dataset.made() == 0 {
        return;
    }
    caption(ui, theme, "made so far");
    for (at, made) in dataset.batches().iter().enumerate() {
        let first = made.batch.first.row();
        let kept = made.batch.len() - dataset.excluded().count_within(first..first + made.batch.len());
        if kept == 0 {
            continue;
        }
        ui.label(format!("{} by {}, seed {}", count(kept), cut(&made.title(), 40), made.batch.seed));
        ui.horizontal_wrapped(|ui| {
            let link = |ui: &mut Ui, text: &str, help: &str| {
                ui.link(RichText::new(text).color(theme.accent)).on_hover_text(help).clicked()
            };
            if link(ui, "show", "Show these samples in Explore") {
                show(state, "made", made.batch.ids().collect());
            }
            let risky = |id: &SampleId| {
                let risk = dataset.origins(*id).and_then(|origins| origins.risk);
                risk.is_some_and(|risk| risk > state.augment.most_risk) && !dataset.is_excluded(*id)
            };
            if !made.batch.risks.is_empty() && link(ui, "above the risk", "Show those whose label risk is above the threshold") {
                let list: Vec<_> = made.batch.ids().filter(risky).collect();
                show(state, "label risk above the threshold", list);
            }
            if made.pipeline.is_some() && link(ui, "make anew", "With another seed, in the place of these") {
                actions.push(Action::MakeAnew(at));
            }
            if link(ui, "exclude", "Take these out again; undo brings them back") {
                actions.push(Action::Do(Operation::Exclude { samples: made.batch.ids().collect(), on: true }));
            }
        });
    }
}

fn show(state: &mut UiState, name: &str, list: Vec<SampleId>) {
    let samples: SampleSet = list.into_iter().collect();
    state.filter.clauses.retain(|clause| !matches!(clause.rule, Rule::Listed { .. }));
    state.toggle_clause(Rule::Listed { title: name.to_owned(), samples: samples.into() }.into());
    state.view = crate::ui::View::Explore;
}

/// Originals and what is drawn of them.
fn preview(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, workspace: &Workspace, actions: &mut Vec<Action>) {
    let theme = bundle.theme;
    let parents = bundle.drafted.map_or(0, |preview| preview.estimate.parents);
    let form = &mut state.augment;
    ui.horizontal(|ui| {
        title(ui, theme, "Preview");
        ui.add_space(STEP);
        // What stands at the right comes first; hints take what is left.
        if parents > 0 && ui.available_width() > 340.0 {
            dim(ui, theme, format!("{} of {}, new draw with", ORIGINALS.min(parents), count(parents)));
            keycap(ui, theme, "R");
            if ui.available_width() > 380.0 {
                dim(ui, theme, "others with");
                keycap(ui, theme, "J");
                keycap(ui, theme, "K");
            }
        }
        if form.pipeline.alters_pictures() {
            let _ = ui.checkbox(&mut form.changes, "changes").on_hover_text("Show what has changed: grey is as it was");
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if workspace.dataset().with_role(Role::is_label).is_some() {
                let response = ui.add(DragValue::new(&mut form.most_risk).range(0.0..=1.0).speed(0.005).fixed_decimals(2));
                response.widget_info(|| WidgetInfo::labeled(WidgetType::SpinButton, true, "Drop above label risk"));
                dim(ui, theme, "drop above risk").on_hover_text(
                    "How probably the label is another now: the judgement of a model that never saw the original. 1 keeps all",
                );
            }
        });
    });
    if let Some(upto) = form.upto {
        dim(ui, theme, format!("Steps 1 to {} only", upto + 1));
    }
    ui.add_space(STEP * 2.0);
    let Some(shown) = bundle.drafted else {
        dim(ui, theme, "Drawing…");
        return;
    };
    if let Some(trouble) = &shown.trouble {
        ui.add(egui::Label::new(RichText::new(trouble).color(theme.amber)).wrap());
        return;
    }
    if let Some(trouble) = bundle.session.asking_trouble() {
        ui.horizontal_wrapped(|ui| {
            let mut letters = trouble.chars();
            let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
            ui.label(RichText::new(format!("{first}{}", letters.as_str())).color(theme.amber));
            let names = state.augment.pipeline.models();
            let known = |name: &&str| bundle.text_models.iter().find(|model| model.name == *name);
            let refused = names.iter().filter_map(known).find(|model| !model.is_allowed());
            let remedy = match refused {
                Some(model) => ("Allow it", Action::AllowTextModel(model.name.clone())),
                None if names.iter().any(|name| known(name).is_none()) => return,
                None if names.is_empty() => ("Draw it", Action::AskAgain),
                None => ("Ask", Action::AskAgain),
            };
            if ui.link(RichText::new(remedy.0).color(theme.accent)).clicked() {
                actions.push(remedy.1);
            }
        });
        ui.add_space(STEP);
    }
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| families(ui, &state.augment, bundle, workspace, shown));
}

fn families(ui: &mut Ui, form: &AugmentForm, bundle: &Bundle<'_>, workspace: &Workspace, preview: &Preview) {
    let theme = bundle.theme;
    for family in &preview.families {
        Frame::new().fill(theme.panel).stroke(theme.hairline()).corner_radius(theme.corner()).show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.spacing_mut().item_spacing.y = 0.0;
            if family.picture.is_some() {
                pictures(ui, form, theme, workspace, family);
            } else {
                texts(ui, form, bundle, workspace, family);
            }
        });
        ui.add_space(STEP * 3.0);
    }
}

/// The risk of a draw, right-aligned: amber from half of the threshold on, ruby with a triangle above it.
fn risk_note(ui: &Ui, theme: &Theme, form: &AugmentForm, right: egui::Pos2, risk: Option<Risk>) -> f32 {
    let Some(risk) = risk else { return 0.0 };
    let (ink, mark) = if risk.label > form.most_risk {
        (theme.ruby, Some(0.9))
    } else if risk.label > form.most_risk / 2.0 {
        (theme.amber, Some(0.6))
    } else {
        (theme.dim, None)
    };
    let galley = ui.painter().layout_no_wrap(format!("label risk {:.2}", risk.label), theme.note(), ink);
    let size = galley.size();
    ui.painter().galley(right - vec2(size.x, size.y / 2.0), galley, ink);
    if let Some(mark) = mark {
        severity(ui, theme, right - vec2(size.x + 10.0, 0.0), mark);
    }
    size.x + 20.0
}

/// The class of an original, at the right.
fn class_note(ui: &Ui, theme: &Theme, workspace: &Workspace, parent: SampleId, right: egui::Pos2) {
    let dataset = workspace.dataset();
    let label = dataset.with_role(Role::is_label).map(|field| &dataset.fields()[field].name);
    let Some(classes) = label.and_then(|name| workspace.classes(name)) else { return };
    let names: Vec<&str> = classes.of(parent).iter().map(|class| &*classes.names()[*class as usize]).collect();
    let Some(first) = classes.of(parent).first() else { return };
    let name = names.join(", ");
    let short = cut(&name, 32);
    let dots = if short.len() < name.len() { "…" } else { "" };
    let galley = ui.painter().layout_no_wrap(format!("{short}{dots}"), theme.note(), theme.dim);
    let size = galley.size();
    ui.painter().galley(right - vec2(size.x, size.y / 2.0), galley, theme.dim);
    ui.painter().circle_filled(right - vec2(size.x + 10.0, 0.0), 3.5, theme.class(classes.hue(*first as usize)));
}

/// How fluent a draw is: dim where it reads as its original does, amber where it does not.
fn fluency_note(ui: &Ui, theme: &Theme, right: egui::Pos2, fluency: Option<f32>) {
    let Some(fluency) = fluency else { return };
    let ink = if fluency < STILTED { theme.amber } else { theme.dim };
    let galley = ui.painter().layout_no_wrap(format!("fluency {fluency:.2}"), theme.note(), ink);
    let size = galley.size();
    ui.painter().galley(right - vec2(size.x, size.y / 2.0), galley, ink);
}

fn texts(ui: &mut Ui, form: &AugmentForm, bundle: &Bundle<'_>, workspace: &Workspace, family: &Family) {
    let theme = bundle.theme;
    let wide = ui.available_width() - 28.0;
    let beside = wide >= BESIDE;
    // How much of the width is left to a text, where so much is said beside it.
    let left = |notes: f32| if beside { wide - notes } else { wide };
    let row = |ui: &mut Ui, job: egui::text::LayoutJob, named: &str, drawn: Option<&Drawn>| {
        let galley = ui.painter().layout_job(job);
        let size = vec2(ui.available_width(), galley.size().y + if beside { 14.0 } else { 34.0 });
        let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(WidgetType::Label, true, named));
        ui.painter().galley(rect.min + vec2(14.0, 7.0), galley, theme.text);
        let right = pos2(rect.right() - 14.0, if beside { rect.top() + 17.0 } else { rect.bottom() - 15.0 });
        if let Some(drawn) = drawn {
            let wide = risk_note(ui, theme, form, right, drawn.risk);
            fluency_note(
                ui,
                theme,
                right - vec2(wide.max(if drawn.risk.is_some() { RISK_WIDE } else { 0.0 }), 0.0),
                drawn.fluency,
            );
            let steps: Vec<&str> =
                drawn.steps.iter().filter_map(|at| form.pipeline.steps.get(*at)).map(|step| step.op.title()).collect();
            let far = drawn.risk.map_or(String::new(), |risk| format!("\ndistance from the original {:.2}", risk.distance));
            let what = if steps.is_empty() { "no step happened".to_owned() } else { steps.join(", ") };
            let fluent = drawn.fluency.map_or(String::new(), |fluency| {
                format!(
                    "\nfluency {fluency:.2}: how usual its words are one after the other, in this dataset, beside the original's"
                )
            });
            response.on_hover_text(format!("{what}{far}{fluent}"));
        } else {
            class_note(ui, theme, workspace, family.parent, right);
        }
        ui.painter().hline(rect.x_range(), rect.bottom(), theme.hairline());
    };
    for (place, text) in family.texts.iter().enumerate() {
        let before = cut(text, LONGEST);
        row(ui, diff::layout(theme, before, before, left(CLASS_WIDE)), &format!("Original: {before}"), None);
        for drawn in &family.draws {
            if let Some(key) = drawn.waiting {
                let begun = bundle.answers.begun(key).unwrap_or_default();
                let line = if bundle.session.asking_trouble().is_some() {
                    "no answer".to_owned()
                } else if begun.trim().is_empty() {
                    "waiting for an answer…".to_owned()
                } else {
                    format!("{} …", cut(begun.trim(), LONGEST))
                };
                let job = egui::text::LayoutJob::simple(line.clone(), theme.body(), theme.faint, wide);
                row(ui, job, &format!("Draw: {line}"), Some(drawn));
                continue;
            }
            let after = drawn.texts.get(place).map_or("", |text| cut(text, LONGEST));
            let room = f32::from(u8::from(drawn.risk.is_some())) * RISK_WIDE
                + f32::from(u8::from(drawn.fluency.is_some())) * FLUENCY_WIDE;
            let risk = drawn.risk.map_or(String::new(), |risk| format!(", label risk {:.2}", risk.label));
            let fluency = drawn.fluency.map_or(String::new(), |fluency| format!(", fluency {fluency:.2}"));
            row(ui, diff::layout(theme, before, after, left(room)), &format!("Draw: {after}{fluency}{risk}"), Some(drawn));
        }
        if family.draws.is_empty() {
            let mut job = egui::text::LayoutJob::default();
            let format = egui::text::TextFormat { font_id: theme.note(), color: theme.dim, ..Default::default() };
            job.append("No draw changes it: it is left out", 0.0, format);
            row(ui, job, "No draw changes it", None);
        }
    }
}

fn paint(ui: &Ui, texture: &TextureHandle, place: Rect) {
    let rect = fitted(place, texture.size_vec2());
    let mut mesh = Mesh::with_texture(texture.id());
    mesh.add_rect_with_uv(rect, Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0)), Color32::from_white_alpha(255));
    ui.painter().add(mesh);
}

fn pictures(ui: &mut Ui, form: &AugmentForm, theme: &Theme, workspace: &Workspace, family: &Family) {
    let n = family.draws.len() + 1;
    let gap = 12.0;
    let side = ((ui.available_width() - gap * (n as f32 + 1.0)) / n as f32).clamp(48.0, 220.0);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), side + gap * 2.0 + 20.0), Sense::hover());
    let place = |at: usize| Rect::from_min_size(rect.min + vec2(gap + at as f32 * (side + gap), gap), vec2(side, side));
    let name =
        workspace.dataset().pictures().and_then(|field| workspace.dataset().text(field, family.parent)).unwrap_or_default();
    match &family.picture {
        Some(Ok(texture)) => paint(ui, texture, place(0)),
        Some(Err(trouble)) => {
            clipped(ui, place(0).min, side, trouble, theme.note(), theme.ruby, 4);
        }
        None => {}
    }
    clipped(ui, place(0).left_bottom() + vec2(0.0, 6.0), side, &name, theme.note(), theme.dim, 1);
    ui.painter().vline(place(1).left() - gap / 2.0, rect.y_range().shrink(gap), theme.hairline());
    for (at, drawn) in family.draws.iter().enumerate() {
        let here = place(at + 1);
        if let Some(texture) = drawn.changed.as_ref().or(drawn.picture.as_ref()) {
            paint(ui, texture, here);
        }
        risk_note(ui, theme, form, here.right_bottom() + vec2(0.0, 13.0), drawn.risk);
        let steps: Vec<&str> =
            drawn.steps.iter().filter_map(|at| form.pipeline.steps.get(*at)).map(|step| step.op.title()).collect();
        let response = ui.interact(here, ui.scope_id().with(("drawn", family.parent.0, at)), Sense::hover());
        let said = if steps.is_empty() { "no step happened".to_owned() } else { steps.join(", ") };
        response.widget_info(|| WidgetInfo::labeled(WidgetType::Image, true, format!("Draw {} of {name}: {said}", at + 1)));
        response.on_hover_text(said);
    }
}
