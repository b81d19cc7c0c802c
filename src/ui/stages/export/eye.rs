//! The trainer's eye: what a trainer makes of the dataset, counted; and a sample as its model sees it, token by token.

use egui::{
    CentralPanel, DragValue, Frame, Label, Margin, Panel, RichText, Role as WidgetType, ScrollArea, Sense, TextEdit, Ui,
    WidgetInfo, pos2, vec2,
};

use super::ExportForm;
use crate::action::{Action, PageOf};
use crate::data::{Rule, SampleId, SampleSet};
use crate::eye::{ALIKE, DryRun, MISREAD, Mend, Mending, RowFate, TRAINERS, Trainer, Tuning, UNSEEN, mended_column};
use crate::io::{BUILT_IN, ChatModelOf};
use crate::operate::Operation;
use crate::session::Workspace;
use crate::trainers::llamafactory;
use crate::trainers::rows::Reason;
use crate::ui::Bundle;
use crate::ui::state::UiState;
use crate::ui::theme::{STEP, Theme};
use crate::ui::view::View;
use crate::ui::widgets::controls::{ButtonLook, button, choice, dim, right_aligned, severity};
use crate::ui::widgets::limit_chart::{self, LimitChart};
use crate::ui::widgets::text::{count, percent, things};
use crate::ui::widgets::tokens::drawn;

/// The width of the list of what becomes of rows, and below which the whole it takes less.
const SIDE: f32 = 330.0;
/// Steps of the histogram of lengths.
const BINS: usize = 80;
/// Of lengths, the part that the histogram shows.
const SHOWN: f64 = 0.995;

/// Draws it below its head.
pub fn draw(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, workspace: &Workspace, actions: &mut Vec<Action>) {
    let theme = bundle.theme;
    target(ui, &mut state.export, bundle, actions);
    ui.add_space(STEP * 2.0);
    let eye = bundle.session.eye();
    if let Some(trouble) = eye.trouble() {
        ui.add(Label::new(RichText::new(trouble).color(theme.ruby)).wrap());
        return;
    }
    if eye.template_trouble(&state.export.target).is_some() && eye.run(workspace, &state.export.target).is_none() {
        template(ui, &mut state.export, bundle);
        return;
    }
    let Some((asked, rows, run, is_old)) = eye.run(workspace, &state.export.target) else {
        let none = crate::eye::rows_of(workspace.dataset(), state.export.target.trainer).is_none();
        let text = if none {
            "Nothing here that a language model learns from: no chats, no instructions, no questions and answers, no text"
        } else {
            "Looking through the trainer's eye…"
        };
        dim(ui, theme, text);
        so_far(ui, theme, bundle);
        return;
    };
    let column = mended_column(rows).map(|(field, _)| workspace.dataset().fields()[field].name.to_string());
    if asked.trainer != state.export.target.trainer || asked.model != state.export.target.model {
        dim(ui, theme, "Looking through the trainer's eye…");
        so_far(ui, theme, bundle);
        return;
    }
    let odd = rows.odd;
    let mut form = std::mem::take(&mut state.export);
    lengths(ui, theme, &mut form, run);
    ui.add_space(STEP * 2.0);
    let side = SIDE.min(ui.available_width() * 0.42);
    let frame = Frame::new().inner_margin(Margin { left: 0, right: 12, top: 0, bottom: 0 });
    let mut shown = None;
    Panel::left("fates").exact_size(side).resizable(false).show_separator_line(false).frame(frame).show(ui, |ui| {
        ScrollArea::vertical().id_salt("fates").auto_shrink(false).show(ui, |ui| {
            let fates =
                Fates { theme, run, is_old, odd, mends: form.walked.as_ref().and_then(|(name, _)| eye.mends(name)), column };
            shown = fates.draw(ui, &mut form, actions);
        });
    });
    CentralPanel::default().frame(Frame::new()).show(ui, |ui| {
        if form.writes_template && form.target.trainer.entry().templated {
            template(ui, &mut form, bundle);
        }
        sample(ui, &mut form, bundle);
    });
    state.export = form;
    if let Some((title, samples)) = shown {
        state.toggle_clause(Rule::Listed { title, samples: samples.into_iter().collect::<SampleSet>().into() }.into());
        state.view = View::Explore;
    }
}

/// What is known of a run that goes on.
fn so_far(ui: &mut Ui, theme: &Theme, bundle: &Bundle<'_>) {
    let Some(known) = bundle.session.eye().so_far() else { return };
    ui.add_space(STEP);
    let n = |n: u64| count(n as usize);
    ui.label(format!("{} of {} looked at", n(known.rows), things(known.all as usize, "row", "rows")));
    let lines = [
        (known.kept, "learned from", false),
        (known.cut, "of these cut", false),
        (known.left_out, "left out", false),
        (known.failing, "fail the run", true),
    ];
    for (rows, words, is_bad) in lines {
        let colour = if is_bad && rows > 0 { theme.ruby } else { theme.dim };
        ui.label(RichText::new(format!("{} {words}", n(rows))).color(colour));
    }
    dim(ui, theme, format!("{} learned", things(known.learned as usize, "token", "tokens")));
}

/// For whom.
fn target(ui: &mut Ui, form: &mut ExportForm, bundle: &Bundle<'_>, actions: &mut Vec<Action>) {
    let theme = bundle.theme;
    let ExportForm { target, writes_template: writes, walked, .. } = form;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(STEP * 2.0, STEP * 1.5);
        dim(ui, theme, "trainer");
        let names: Vec<&str> = TRAINERS.iter().map(|entry| entry.title).collect();
        if let Some(at) = choice(ui, theme, "Trainer", target.trainer.entry().title, &names) {
            *target = target.for_trainer(TRAINERS[at].trainer);
            *walked = None;
        }
        let entry = target.trainer.entry();
        let mut names: Vec<String> = BUILT_IN.iter().map(|one| one.name.to_owned()).collect();
        names.push("a model's folder…".to_owned());
        let chosen = entry.model.is_none().then(|| {
            dim(ui, theme, "model");
            choice(ui, theme, "Model", &target.model.name(), &names)
        });
        match chosen.flatten() {
            Some(at) if at < BUILT_IN.len() => target.model = ChatModelOf::BuiltIn(names[at].clone()),
            Some(_) => actions.push(Action::ChooseModel(None)),
            None => {}
        }
        let forms = ["as they stand", "as written for it"];
        dim(ui, theme, "rows");
        if let Some(at) = choice(ui, theme, "Rows", forms[usize::from(target.as_written)], &forms) {
            target.as_written = at == 1;
        }
        dim(ui, theme, entry.limit);
        let response = ui
            .add(DragValue::new(&mut target.length).range(8..=1_048_576).speed(8.0))
            .on_hover_text(format!("The most tokens of a row; beyond, {}", entry.too_long));
        response.widget_info(|| WidgetInfo::labeled(WidgetType::SpinButton, true, "The most tokens of a row"));
        if let Some(hint) = entry.answers_only {
            ui.checkbox(&mut target.answers_only, "answers only").on_hover_text(hint);
        }
        if target.trainer == Trainer::LlamaFactory {
            let own = "the model's template";
            let names: Vec<&str> = std::iter::once(own).chain(llamafactory::template_names()).collect();
            let shown = if target.factory.is_empty() { own } else { target.factory.as_str() };
            if let Some(at) = choice(ui, theme, "LLaMA-Factory's template", shown, &names) {
                target.factory = if at == 0 { String::new() } else { names[at].to_owned() };
            }
        }
        if entry.templated {
            let hint = "The chat template that the trainer renders with: look at it, or write another";
            let look = if *writes { ButtonLook::Plain } else { ButtonLook::Quiet };
            if button(ui, theme, "Template", "", look, true).on_hover_text(hint).clicked() {
                *writes = !*writes;
            }
        }
        dim(ui, theme, "epochs");
        let response = ui
            .add(DragValue::new(&mut target.epochs).range(1..=100).speed(0.05))
            .on_hover_text("How often the whole is gone through");
        response.widget_info(|| WidgetInfo::labeled(WidgetType::SpinButton, true, "Epochs"));
    });
}

/// What is made of it: at the right end of the head, the last first.
pub fn handing(ui: &mut Ui, theme: &Theme, form: &mut ExportForm, actions: &mut Vec<Action>) {
    let target = &mut form.target;
    let hint = "What the trainer makes of the dataset as a page of HTML, or as Markdown where the name ends in .md";
    if button(ui, theme, "Report…", "", ButtonLook::Quiet, true).on_hover_text(hint).clicked() {
        actions.push(Action::ReportDialog { of: PageOf::DryRun(target.clone()) });
    }
    let hint = "A new folder with rows that the trainer takes whole, what reads them, and a configuration; what it cannot take stands in a file of its own, with why";
    if button(ui, theme, "Write for it…", "", ButtonLook::Main, true).on_hover_text(hint).clicked() {
        actions.push(Action::HandOverDialog { target: target.clone() });
    }
    let hint =
        "What was done here, and this folder at its end, as a recipe: lapidary run does it all to another version of the data";
    if button(ui, theme, "Recipe…", "", ButtonLook::Quiet, true).on_hover_text(hint).clicked() {
        actions.push(Action::ReportDialog { of: PageOf::Recipe(Some(target.clone())) });
    }
    if target.trainer != Trainer::OpenAi {
        let titles = Tuning::ALL.map(Tuning::title);
        if let Some(at) = choice(ui, theme, "What is trained", target.tuning.title(), &titles) {
            target.tuning = Tuning::ALL[at];
        }
    }
}

/// How long rows are, with the limit to drag and what it costs.
fn lengths(ui: &mut Ui, theme: &Theme, form: &mut ExportForm, run: &DryRun) {
    let Some(longest) = run.lengths.last().copied() else { return };
    let usual = run.lengths[((run.lengths.len() - 1) as f64 * SHOWN) as usize];
    let limit = form.target.length;
    // The limit is in sight where it is not far beyond all rows.
    let most = f64::from(usual).max((limit as f64).min(f64::from(longest) * 1.25)).max(16.0) * 1.04;
    let mut bins = vec![0u64; BINS];
    let mut from = 0;
    for (at, bin) in bins.iter_mut().enumerate() {
        let end = (most * (at + 1) as f64 / BINS as f64) as u32;
        let to = if at + 1 == BINS { run.lengths.len() } else { run.lengths.partition_point(|length| *length < end) };
        *bin = (to - from) as u64;
        from = to;
    }
    let chart = LimitChart {
        name: "Tokens a row, and the limit",
        bins: &bins,
        least: 0.0,
        most,
        limit: limit as f64,
        write: &|value| count(value.round() as usize),
        below: false,
    };
    if let Some(to) = limit_chart::draw(ui, theme, &chart) {
        form.target.length = (to.round() as usize).max(8);
    }
    let (n, tokens) = run.beyond(form.target.length);
    let all: u64 = run.lengths.iter().map(|length| u64::from(*length)).sum();
    let text = if n == 0 {
        format!("tokens a row; none is longer than {}", count(form.target.length))
    } else {
        format!(
            "tokens a row; {} {} longer than {}, {} of all tokens beyond it",
            things(n, "row", "rows"),
            if n == 1 { "is" } else { "are" },
            count(form.target.length),
            percent(tokens as f64 / all.max(1) as f64)
        )
    };
    dim(ui, theme, text);
}

/// The samples of a line.
type Samples = Box<dyn Fn(&DryRun) -> Vec<SampleId>>;

/// One line of what becomes of rows.
struct FateLine {
    text: String,
    n: usize,
    /// How bad that is, 0 to 1.
    bad: f64,
    samples: Samples,
}

/// What becomes of rows.
struct Fates<'f> {
    theme: &'f Theme,
    run: &'f DryRun,
    is_old: bool,
    odd: usize,
    /// What would mend the rows that are walked through, where that was tried; and the column of chats.
    mends: Option<&'f [Mend]>,
    column: Option<String>,
}

impl Fates<'_> {
    /// Draws each reason with how many, a click walks through them. Says which are to be shown in the table.
    fn draw(&self, ui: &mut Ui, form: &mut ExportForm, actions: &mut Vec<Action>) -> Option<(String, Vec<SampleId>)> {
        self.counts(ui, form);
        ui.add_space(STEP * 2.0);
        let lines = lines(self.run);
        if lines.is_empty() {
            ui.label(RichText::new("Every row is learned from, whole").color(self.theme.emerald));
        }
        // Where nothing is so any more, nothing is walked through.
        let gone = |name: &String| !lines.iter().any(|line| line.text == *name);
        if !self.is_old && form.walked.as_ref().is_some_and(|(name, _)| gone(name)) {
            (form.walked, form.at) = (None, 0);
        }
        let mut shown = None;
        for line in lines {
            let here = form.walked.as_ref().is_some_and(|(name, _)| *name == line.text);
            if fate_line(ui, self.theme, &line, here).clicked() {
                form.walked = if here { None } else { Some((line.text.clone(), (line.samples)(self.run))) };
                form.at = 0;
            }
            if !here {
                continue;
            }
            // Of very many rows they are gathered when something is to be done with them, and not for every frame.
            let samples = || (line.samples)(self.run);
            ui.horizontal_wrapped(|ui| {
                if button(ui, self.theme, "Show them in the table", "", ButtonLook::Quiet, true).clicked() {
                    shown = Some((line.text.clone(), samples()));
                }
                let hint = "They stay in the dataset, and go to no trainer";
                if button(ui, self.theme, "Exclude them", "", ButtonLook::Quiet, true).on_hover_text(hint).clicked() {
                    actions.push(Action::Do(Operation::Exclude { samples: samples(), on: true }));
                }
            });
            self.repairs(ui, form, &line, actions);
            ui.add_space(STEP);
        }
        shown
    }

    fn counts(&self, ui: &mut Ui, form: &ExportForm) {
        let (theme, run) = (self.theme, self.run);
        let text = format!("{} of {} rows are learned from", count(run.trained()), count(run.rows()));
        ui.label(RichText::new(text).font(theme.strong()).color(if self.is_old { theme.faint } else { theme.text }));
        let share = run.learned as f64 / run.tokens.max(1) as f64;
        if !run.fails.is_empty() && run.kept > 0 {
            let left = things(run.kept, "row", "rows");
            dim(ui, theme, format!("of the {left} that do not fail, were the others out:"));
        }
        dim(ui, theme, format!("{} tokens an epoch, {} of them learned", count(run.tokens as usize), percent(share)));
        let epochs = things(form.target.epochs as usize, "epoch", "epochs");
        let all = count(run.tokens as usize * form.target.epochs as usize);
        let steps = things(run.steps(&form.target), "step", "steps");
        let of = if run.packs() { "packed sequences" } else { "rows" };
        dim(ui, theme, format!("{all} in {epochs}, {steps} of {} {of}", run.batch(&form.target)));
        if run.packed.sequences > 0 {
            let sequences = things(run.packed.sequences, "sequence", "sequences");
            let is = if run.packs() { "packed" } else { "if packed" };
            dim(ui, theme, format!("{is}, {sequences}, {} full", percent(run.packed.share())));
        }
        if run.judged > 0 {
            dim(ui, theme, format!("{} good answers, {} bad", count(run.good), count(run.judged - run.good)));
        }
        if run.is_failing() {
            ui.add(Label::new(RichText::new("The run would not begin").color(theme.ruby)).wrap());
        }
        for note in run.notes(&form.target) {
            ui.add(Label::new(RichText::new(note).color(theme.amber)).wrap());
        }
        if self.odd > 0 {
            let text = format!("{} of the first hundred are of another form", things(self.odd, "row", "rows"));
            ui.add(Label::new(RichText::new(text).color(theme.amber)).wrap());
        }
    }

    /// What would mend them, and what it would come to.
    fn repairs(&self, ui: &mut Ui, form: &ExportForm, line: &FateLine, actions: &mut Vec<Action>) {
        let (Some(mends), Some(column)) = (self.mends, &self.column) else { return };
        for mend in mends.iter().filter(|mend| mend.learned > 0) {
            let samples = Vec::new();
            let (title, help, operation) = match mend.mending {
                Mending::Repair(repair) => {
                    (repair.title(), repair.help(), Operation::RepairChats { samples, column: column.clone(), repair })
                }
                Mending::Split => (
                    "Cut into several",
                    "each is cut before a question and begins with the system's words; further parts are new samples",
                    Operation::SplitChats { samples, column: column.clone(), target: Box::new(form.target.clone()) },
                ),
            };
            let tried = if mend.tried < line.n { " that were tried" } else { "" };
            let comes = format!("mends {} of {}{tried}", count(mend.learned), count(mend.tried));
            ui.horizontal_wrapped(|ui| {
                if button(ui, self.theme, title, "", ButtonLook::Plain, true).on_hover_text(help).clicked() {
                    actions.push(Action::Do(operation.of(&(line.samples)(self.run))));
                }
                dim(ui, self.theme, comes);
            });
        }
    }
}

/// The lines of what becomes of rows.
fn lines(run: &DryRun) -> Vec<FateLine> {
    let (red, amber) = (1.0, 0.5);
    let mut lines: Vec<FateLine> = Vec::new();
    let mut add = |text: String, n: usize, bad: f64, samples: Samples| {
        if n > 0 {
            lines.push(FateLine { text, n, bad, samples });
        }
    };
    for (reason, n) in &run.fails {
        let reason = *reason;
        let said = run.said.get(&reason).map_or(String::new(), |said| format!(": {said}"));
        let all = move |run: &DryRun| run.samples(|fate| fate == RowFate::Fails(reason));
        add(format!("fails the run: {}{said}", reason.words()), *n, red, Box::new(all));
    }
    for (reason, n) in &run.dropped {
        let reason = *reason;
        let all = move |run: &DryRun| {
            run.samples(|fate| match fate {
                RowFate::TooLong { .. } => reason == Reason::TooLong,
                fate => fate == RowFate::Dropped(reason),
            })
        };
        add(format!("left out: {}", reason.words()), *n, red, Box::new(all));
    }
    add("cut at the limit".to_owned(), run.cut, amber, Box::new(|run| run.samples(RowFate::is_cut)));
    let nothing = |run: &DryRun| run.samples(|fate| matches!(fate, RowFate::Kept { learned: 0, .. }));
    add("nothing of it is learned".to_owned(), run.nothing, amber, Box::new(nothing));
    let endless = "not taught to stop: no end token is learned".to_owned();
    add(endless, run.endless.len(), amber, Box::new(|run| run.endless.clone()));
    add(ALIKE.to_owned(), run.alike.len(), amber, Box::new(|run| run.alike.clone()));
    add(MISREAD.to_owned(), run.misread.len(), red, Box::new(|run| run.misread.clone()));
    add(run.undrawn_words(), run.undrawn.len(), red, Box::new(|run| run.undrawn.clone()));
    add(UNSEEN.to_owned(), run.unseen.len(), amber, Box::new(|run| run.unseen.clone()));
    add("control tokens stand in the text".to_owned(), run.control.len(), amber, Box::new(|run| run.control.clone()));
    lines
}

fn fate_line(ui: &mut Ui, theme: &Theme, line: &FateLine, here: bool) -> egui::Response {
    let galley = ui.painter().layout(line.text.clone(), theme.body(), theme.text, ui.available_width() - 86.0);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), galley.size().y + 10.0), Sense::click());
    response.widget_info(|| WidgetInfo::selected(WidgetType::Button, true, here, format!("{}, {}", line.text, count(line.n))));
    if here || response.hovered() {
        ui.painter().rect_filled(rect, theme.corner(), if here { theme.tint } else { theme.hover });
    }
    if response.has_focus() {
        ui.painter().rect_stroke(rect, theme.corner(), egui::Stroke::new(1.0, theme.accent), egui::StrokeKind::Inside);
    }
    severity(ui, theme, pos2(rect.left() + 8.0, rect.top() + 14.0), line.bad);
    ui.painter().galley(pos2(rect.left() + 20.0, rect.top() + 5.0), galley, theme.text);
    right_aligned(ui, pos2(rect.right() - 8.0, rect.top() + 14.0), &count(line.n), theme.body(), theme.dim);
    response
}

/// The chat template, to be looked at and written: what is looked at follows.
fn template(ui: &mut Ui, form: &mut ExportForm, bundle: &Bundle<'_>) {
    let theme = bundle.theme;
    let eye = bundle.session.eye();
    let own = eye.template(&form.target).unwrap_or_default().to_owned();
    let mut text = if form.target.template.is_empty() { own.clone() } else { form.target.template.clone() };
    let high = (ui.available_height() * 0.45).max(80.0);
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new("Chat template").font(theme.strong()));
        if form.target.has_template() {
            dim(ui, theme, "your own, laid beside what is written");
            if button(ui, theme, "The model's again", "", ButtonLook::Quiet, true).clicked() {
                form.target.template.clear();
                text.clone_from(&own);
            }
        } else {
            dim(ui, theme, "the model's; what you write here takes its place");
        }
    });
    ScrollArea::vertical().id_salt("template").max_height(high).auto_shrink([false, true]).show(ui, |ui| {
        let edit = TextEdit::multiline(&mut text).code_editor().font(theme.mono()).desired_width(f32::INFINITY).desired_rows(6);
        let response = ui.add(edit);
        response.widget_info(|| WidgetInfo::text_edit(true, "", &text, "Chat template"));
        if response.changed() {
            form.target.template = if text == own { String::new() } else { text.clone() };
        }
    });
    if let Some(why) = eye.template_trouble(&form.target) {
        ui.add(Label::new(RichText::new(why).color(theme.ruby)).wrap());
    }
    ui.add_space(STEP * 2.0);
}

/// The sample that is looked at.
fn sample(ui: &mut Ui, form: &mut ExportForm, bundle: &Bundle<'_>) {
    let theme = bundle.theme;
    let all = form.walked_through(bundle.session);
    let Some(id) = form.looked_at(bundle.session) else {
        dim(ui, theme, "No sample is left to look at");
        return;
    };
    ui.horizontal_wrapped(|ui| {
        let text = format!("Sample {}, {} of {}", id.0, count(form.at.min(all.saturating_sub(1)) + 1), count(all));
        ui.label(RichText::new(text).font(theme.strong()));
        if button(ui, theme, "Back", "K", ButtonLook::Quiet, form.at > 0).clicked() {
            form.step(bundle.session, -1);
        }
        if button(ui, theme, "Next", "J", ButtonLook::Quiet, form.at + 1 < all).clicked() {
            form.step(bundle.session, 1);
        }
    });
    let Some(row) = bundle.session.eye().row(id) else {
        dim(ui, theme, "Cutting into tokens…");
        return;
    };
    drawn(ui, theme, row, id, None);
}
