//! The trainer's eye: what a trainer makes of the dataset, counted; and a sample as its model sees it, token by token.

use egui::text::{LayoutJob, TextFormat};
use egui::{
    CentralPanel, Color32, DragValue, Frame, Label, Margin, Panel, RichText, Role as WidgetType, ScrollArea, Sense, Ui,
    WidgetInfo, pos2, vec2,
};

use super::ExportForm;
use crate::action::Action;
use crate::data::{Rule, SampleId, SampleSet};
use crate::eye::{DrawnRow, DryRun, RowFate, TRAINERS, TokenKind, Trainer};
use crate::io::{BUILT_IN, ChatModelOf};
use crate::session::Workspace;
use crate::trainers::rows::Reason;
use crate::ui::Bundle;
use crate::ui::state::UiState;
use crate::ui::theme::{STEP, Theme};
use crate::ui::view::View;
use crate::ui::widgets::controls::{ButtonLook, button, choice, dim, right_aligned};
use crate::ui::widgets::limit_chart::{self, LimitChart};
use crate::ui::widgets::text::{count, percent, things, visible};

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
    let Some((asked, rows, run, is_old)) = eye.run(workspace, &state.export.target) else {
        let none = crate::eye::rows_of(workspace.dataset()).is_none();
        let text = if none {
            "Nothing here that a language model learns from: no chats, no instructions, no questions and answers, no text"
        } else {
            "Looking through the trainer's eye…"
        };
        dim(ui, theme, text);
        return;
    };
    if asked.trainer != state.export.target.trainer || asked.model != state.export.target.model {
        dim(ui, theme, "Looking through the trainer's eye…");
        return;
    }
    let odd = rows.odd;
    let mut form = state.export.clone();
    lengths(ui, theme, &mut form, run);
    ui.add_space(STEP * 2.0);
    let side = SIDE.min(ui.available_width() * 0.42);
    let frame = Frame::new().inner_margin(Margin { left: 0, right: 12, top: 0, bottom: 0 });
    let mut shown = None;
    Panel::left("fates").exact_size(side).resizable(false).show_separator_line(false).frame(frame).show(ui, |ui| {
        ScrollArea::vertical().id_salt("fates").auto_shrink(false).show(ui, |ui| {
            shown = fates(ui, theme, &mut form, run, is_old, odd);
        });
    });
    CentralPanel::default().frame(Frame::new()).show(ui, |ui| sample(ui, &mut form, bundle));
    state.export = form;
    if let Some((title, samples)) = shown {
        state.toggle_clause(Rule::Listed { title, samples: samples.into_iter().collect::<SampleSet>().into() }.into());
        state.view = View::Explore;
    }
}

/// For whom.
fn target(ui: &mut Ui, form: &mut ExportForm, bundle: &Bundle<'_>, actions: &mut Vec<Action>) {
    let theme = bundle.theme;
    let target = &mut form.target;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = STEP * 2.0;
        dim(ui, theme, "trainer");
        let names: Vec<&str> = TRAINERS.iter().map(|entry| entry.title).collect();
        if let Some(at) = choice(ui, theme, "Trainer", target.trainer.entry().title, &names) {
            target.trainer = TRAINERS[at].trainer;
            target.length = TRAINERS[at].usual;
            form.walked = None;
        }
        dim(ui, theme, "model");
        let mut names: Vec<String> = BUILT_IN.iter().map(|one| one.name.to_owned()).collect();
        names.push("a model's folder…".to_owned());
        match choice(ui, theme, "Model", &target.model.name(), &names) {
            Some(at) if at < BUILT_IN.len() => target.model = ChatModelOf::BuiltIn(names[at].clone()),
            Some(_) => actions.push(Action::ChooseModel(None)),
            None => {}
        }
        let entry = target.trainer.entry();
        dim(ui, theme, entry.limit);
        let response = ui
            .add(DragValue::new(&mut target.length).range(8..=1_048_576).speed(8.0))
            .on_hover_text(format!("The most tokens of a row; beyond, {}", entry.too_long));
        response.widget_info(|| WidgetInfo::labeled(WidgetType::SpinButton, true, "The most tokens of a row"));
        if target.trainer == Trainer::Trl {
            ui.checkbox(&mut target.answers_only, "answers only").on_hover_text(
                "assistant_only_loss: the chat template must say what is generated, or TRL must have one of its own for it",
            );
        }
        let hint = "A new folder with rows that the trainer takes whole, what reads them, and a configuration; what it cannot take stands in a file of its own, with why";
        if button(ui, theme, "Write for it…", "", ButtonLook::Main, true).on_hover_text(hint).clicked() {
            actions.push(Action::HandOverDialog { target: target.clone() });
        }
    });
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
    ink: Color32,
    samples: Samples,
}

/// What becomes of rows: each reason with how many, a click walks through them. Says which are to be shown in the table.
fn fates(
    ui: &mut Ui,
    theme: &Theme,
    form: &mut ExportForm,
    run: &DryRun,
    is_old: bool,
    odd: usize,
) -> Option<(String, Vec<SampleId>)> {
    let learned = run.kept - run.nothing;
    let text = format!("{} of {} rows are learned from", count(learned), count(run.rows()));
    ui.label(RichText::new(text).font(theme.strong()).color(if is_old { theme.faint } else { theme.text }));
    let share = run.learned as f64 / run.tokens.max(1) as f64;
    dim(ui, theme, format!("{} tokens an epoch, {} of them learned", count(run.tokens as usize), percent(share)));
    if run.packed.sequences > 0 {
        let sequences = things(run.packed.sequences, "sequence", "sequences");
        dim(ui, theme, format!("packed, {sequences}, {} full", percent(run.packed.share())));
    }
    if run.is_failing() {
        ui.add(Label::new(RichText::new("The run would not begin: some rows fail it").color(theme.ruby)).wrap());
    }
    if odd > 0 {
        let text = format!("{} of the first hundred are of another form", things(odd, "row", "rows"));
        ui.add(Label::new(RichText::new(text).color(theme.amber)).wrap());
    }
    ui.add_space(STEP * 2.0);
    let mut lines: Vec<FateLine> = Vec::new();
    let mut add = |text: String, n: usize, ink: Color32, samples: Samples| {
        if n > 0 {
            lines.push(FateLine { text, n, ink, samples });
        }
    };
    for (reason, n) in &run.fails {
        let reason = *reason;
        let said = run.said.get(&reason).map_or(String::new(), |said| format!(": {said}"));
        let all = move |run: &DryRun| run.samples(|fate| fate == RowFate::Fails(reason));
        add(format!("fails the run: {}{said}", reason.words()), *n, theme.ruby, Box::new(all));
    }
    for (reason, n) in &run.dropped {
        let reason = *reason;
        let all = move |run: &DryRun| {
            run.samples(|fate| match fate {
                RowFate::TooLong { .. } => reason == Reason::TooLong,
                fate => fate == RowFate::Dropped(reason),
            })
        };
        add(format!("left out: {}", reason.words()), *n, theme.ruby, Box::new(all));
    }
    let cut = |run: &DryRun| run.samples(|fate| matches!(fate, RowFate::Kept { seen, whole, .. } if whole > seen));
    add("cut at the limit".to_owned(), run.cut, theme.amber, Box::new(cut));
    let nothing = |run: &DryRun| run.samples(|fate| matches!(fate, RowFate::Kept { learned: 0, .. }));
    add("nothing of it is learned".to_owned(), run.nothing, theme.amber, Box::new(nothing));
    add(
        "not taught to stop: no end token is learned".to_owned(),
        run.endless.len(),
        theme.amber,
        Box::new(|run| run.endless.clone()),
    );
    add("control tokens stand in the text".to_owned(), run.control.len(), theme.amber, Box::new(|run| run.control.clone()));
    if lines.is_empty() {
        ui.label(RichText::new("Every row is learned from, whole").color(theme.emerald));
    }
    let mut shown = None;
    for line in lines {
        let here = form.walked.as_ref().is_some_and(|(name, _)| *name == line.text);
        let response = fate_line(ui, theme, &line, here);
        if response.clicked() {
            form.walked = if here { None } else { Some((line.text.clone(), (line.samples)(run))) };
            form.at = 0;
        }
        if here && button(ui, theme, "Show them in the table", "", ButtonLook::Quiet, true).clicked() {
            shown = Some((line.text.clone(), (line.samples)(run)));
        }
    }
    shown
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
    ui.painter().circle_filled(pos2(rect.left() + 8.0, rect.top() + 14.0), 3.0, line.ink);
    ui.painter().galley(pos2(rect.left() + 20.0, rect.top() + 5.0), galley, theme.text);
    right_aligned(ui, pos2(rect.right() - 8.0, rect.top() + 14.0), &count(line.n), theme.body(), theme.dim);
    response
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
    legend(ui, theme, row);
    if let Some((reason, fails, said)) = &row.lost {
        let what = if *fails { "It fails the whole run" } else { "It is left out" };
        let said = if said.is_empty() { String::new() } else { format!(" ({said})") };
        ui.add(Label::new(RichText::new(format!("{what}: {}{said}", reason.words())).color(theme.ruby)).wrap());
    }
    ui.add_space(STEP);
    let frame = Frame::new()
        .fill(theme.panel)
        .stroke(theme.hairline())
        .corner_radius(theme.corner())
        .inner_margin(Margin::symmetric(14, 10));
    frame.show(ui, |ui| {
        ScrollArea::vertical().id_salt(("tokens", id)).auto_shrink(false).show(ui, |ui| {
            let job = tokens(theme, row, ui.available_width() - 8.0);
            ui.add(Label::new(job).selectable(true));
            if row.more > 0 {
                dim(ui, theme, format!("and {}", things(row.more, "more token", "more tokens")));
            }
        });
    });
}

/// What the colours mean, with how many.
fn legend(ui: &mut Ui, theme: &Theme, row: &DrawnRow) {
    ui.horizontal_wrapped(|ui| {
        for (kind, name, n) in [
            (TokenKind::Trained, "learned", row.learned),
            (TokenKind::Masked, "only read", row.seen - row.learned),
            (TokenKind::Cut, "cut off", row.cut),
        ] {
            let (rect, _) = ui.allocate_exact_size(vec2(14.0, 14.0), Sense::hover());
            let (ground, _) = look(theme, kind, 0);
            ui.painter().rect(rect, 3, ground, theme.hairline(), egui::StrokeKind::Inside);
            if kind == TokenKind::Cut {
                ui.painter().line_segment([rect.left_center(), rect.right_center()], egui::Stroke::new(1.0, theme.ruby));
            }
            dim(ui, theme, format!("{name} {}", count(n)));
            ui.add_space(STEP);
        }
    });
}

/// The ground and the ink of a token; every second is a shade apart.
fn look(theme: &Theme, kind: TokenKind, at: usize) -> (Color32, Color32) {
    let shade = if at.is_multiple_of(2) { 0.30 } else { 0.18 };
    match kind {
        TokenKind::Trained => (theme.emerald.gamma_multiply(shade), theme.text),
        TokenKind::Masked if at.is_multiple_of(2) => (theme.raised, theme.dim),
        TokenKind::Masked => (theme.panel, theme.dim),
        TokenKind::Cut => (theme.ruby.gamma_multiply(shade * 0.5), theme.faint),
    }
}

/// The tokens as a text: white space and control tokens are seen.
fn tokens(theme: &Theme, row: &DrawnRow, wide: f32) -> LayoutJob {
    let mut job = LayoutJob { wrap: egui::text::TextWrapping::wrap_at_width(wide), ..LayoutJob::default() };
    for (at, token) in row.tokens.iter().enumerate() {
        let (background, color) = look(theme, token.kind, at);
        let color = if token.control { theme.accent } else { color };
        let strikethrough = if token.kind == TokenKind::Cut {
            egui::Stroke::new(1.0, theme.ruby.gamma_multiply(0.6))
        } else {
            egui::Stroke::NONE
        };
        let format = TextFormat {
            font_id: theme.mono(),
            color,
            background,
            strikethrough,
            line_height: Some(22.0),
            ..TextFormat::default()
        };
        // A line's end is drawn, and is one.
        let text = token.text.replace('\n', "↵\n").replace('\t', "→");
        let text = if token.control { text } else { seen(&text) };
        job.append(&text, 0.0, format);
    }
    job
}

/// What nobody would see, so that it is seen; blanks and line ends stay.
fn seen(text: &str) -> String {
    text.split_inclusive('\n')
        .map(|line| match line.strip_suffix('\n') {
            Some(line) => format!("{}\n", visible_but_blanks(line)),
            None => visible_but_blanks(line),
        })
        .collect()
}

fn visible_but_blanks(text: &str) -> String {
    let core = text.trim_matches(' ');
    let (before, behind) = (text.len() - text.trim_start_matches(' ').len(), text.len() - text.trim_end_matches(' ').len());
    if core.is_empty() {
        "·".repeat(text.len())
    } else {
        format!("{}{}{}", " ".repeat(before), visible(core), " ".repeat(behind))
    }
}
