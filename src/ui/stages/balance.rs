//! Balance: what every class has and is to have, by dragging bars or by a rule; what that is worth, and what to collect.

use egui::{
    CentralPanel, DragValue, Frame, Margin, Panel, Rect, RichText, Role as WidgetType, ScrollArea, Sense, Slider, Ui, WidgetInfo,
    pos2, vec2,
};

use super::{Stage, no_samples};
use crate::action::Action;
use crate::data::{Evenness, Role};
use crate::learn::probe::ProbedNeed;
use crate::operate::{Tried, Worth};
use crate::session::{BY_HAND, BY_WEIGHT, BalanceForm, BalanceView, Need, RULES, WEIGHTS, Workspace};
use crate::transform::balance::{ClassWeights, Over, Under};
use crate::ui::Bundle;
use crate::ui::state::UiState;
use crate::ui::text_model::whither;
use crate::ui::theme::{STEP, Theme};
use crate::ui::widgets::controls::{ButtonLook, button, caption, choice, clipped, dim, right_aligned, square, title};
use crate::ui::widgets::roles::role_chips;
use crate::ui::widgets::rows;
use crate::ui::widgets::text::{count, cut, number, sentence, things};

/// The stage.
pub const STAGE: Stage = Stage {
    needs: &[Need::Balance, Need::Pictures],
    acts_on: no_samples,
    waiting: |_, _| 0,
    inspector: false,
    draw: |ui, state, bundle, workspace, actions, _| draw(ui, state, bundle, workspace, actions),
};

/// The width of the rule.
const SIDE: f32 = 280.0;
/// The height of a class.
const ROW: f32 = 26.0;
/// The least width at which a class's F1 and what to collect have columns of their own.
const WITH_FIGURES: f32 = 460.0;

/// Draws it.
pub fn draw(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, workspace: &Workspace, actions: &mut Vec<Action>) {
    let theme = bundle.theme;
    let session = bundle.session;
    let frame = Frame::new().fill(theme.background).inner_margin(Margin { left: 16, right: 12, top: 16, bottom: 8 });
    Panel::left("balance rule").exact_size(SIDE.min(ui.available_width() * 0.43)).resizable(false).frame(frame).show(ui, |ui| {
        // What does it stays in sight, however long what leads there.
        if let Some(view) = session.balance().filter(|_| state.balance.rule != WEIGHTS) {
            let frame = Frame::new().fill(theme.background).inner_margin(Margin { left: 0, right: 4, top: 8, bottom: 4 });
            Panel::bottom("balance deed").resizable(false).frame(frame).show(ui, |ui| {
                deed(ui, state, bundle, workspace, view, actions);
            });
        }
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            rule(ui, state, bundle, workspace, actions);
            if let Some(view) = session.balance() {
                ui.add_space(STEP * 3.0);
                result(ui, state, bundle, workspace, view, actions);
            }
        });
    });
    let frame = Frame::new().inner_margin(Margin { left: 20, right: 20, top: 16, bottom: 8 });
    CentralPanel::default().frame(frame).show(ui, |ui| {
        let Some(view) = session.balance() else {
            let text = session.balance_trouble().unwrap_or("Counting…");
            let ink = if session.balance_trouble().is_some() { theme.amber } else { theme.dim };
            let text = sentence(text);
            ui.add(egui::Label::new(RichText::new(text).color(ink)).wrap());
            if workspace.dataset().with_role(Role::is_label).is_none() {
                ui.add_space(STEP * 2.0);
                role_chips(ui, theme, workspace, actions);
            }
            return;
        };
        let dataset = workspace.dataset();
        let first = || dataset.with_role(Role::is_label).map(|field| dataset.fields()[field].name.to_string());
        let column = Some(state.balance.label.clone()).filter(|label| !label.is_empty()).or_else(first).unwrap_or_default();
        classes(
            ui,
            &mut state.balance,
            bundle,
            &column,
            view,
            session.worth().map(|(worth, _)| worth).filter(|worth| worth.needs.len() == view.names.len()),
        );
    });
}

fn rule(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, workspace: &Workspace, actions: &mut Vec<Action>) {
    let theme = bundle.theme;
    let dataset = workspace.dataset();
    let form = &mut state.balance;
    ui.spacing_mut().combo_width = ui.available_width() - 8.0;
    let labels: Vec<String> =
        dataset.fields().iter().filter(|field| field.role.is_label()).map(|field| field.name.to_string()).collect();
    if labels.len() > 1 {
        ui.label(RichText::new("classes of").font(theme.note()).color(theme.dim));
        let now = if form.label.is_empty() { labels[0].clone() } else { form.label.clone() };
        if let Some(at) = choice(ui, theme, "Classes of", &now, &labels) {
            form.label.clone_from(&labels[at]);
            form.own.clear();
        }
        ui.add_space(STEP);
    }
    ui.label(RichText::new("rule").font(theme.note()).color(theme.dim));
    let names: Vec<String> = RULES.iter().map(|(name, _)| (*name).to_owned()).collect();
    if let Some(at) = choice(ui, theme, "Rule", &names[form.rule], &names) {
        form.rule = at;
        let view = bundle.session.balance();
        let mean = view.map_or(0, |view| {
            let used = view.plan.now.iter().filter(|count| **count > 0).count().max(1) as u64;
            view.plan.now.iter().sum::<u64>() / used
        });
        // A floor of 0 and a cap of nothing do nothing: the mean is where one begins.
        form.n = if matches!(at, 1 | 2) && form.n == 0 { mean } else { form.n };
    }
    dim(ui, theme, RULES[form.rule].1);
    if form.rule <= 2 {
        ui.horizontal(|ui| {
            let mean = form.rule == 0;
            let response = ui.add(DragValue::new(&mut form.n).range(0..=10_000_000_u64).speed(1.0).custom_formatter(
                move |n, _| {
                    if n < 1.0 && mean { "the mean".to_owned() } else { count(n as usize) }
                },
            ));
            response.widget_info(|| WidgetInfo::labeled(WidgetType::SpinButton, true, "Samples a class"));
            dim(ui, theme, "samples a class");
        });
    }
    if bundle.session.balance().is_some() {
        compared(ui, form, bundle, actions);
    }
    if form.rule == WEIGHTS {
        ui.horizontal(|ui| {
            let mut effective = form.beta > 0.0;
            if ui.radio(!effective, "balanced").on_hover_text("n / (K n_c), as scikit-learn has it").clicked() {
                effective = false;
            }
            if ui.radio(effective, "effective number").on_hover_text("(1 − β) / (1 − β^n), Cui et al., 2019").clicked() {
                effective = true;
            }
            form.beta = match (effective, form.beta > 0.0) {
                (true, false) => 0.999,
                (false, true) => 0.0,
                _ => form.beta,
            };
        });
        if form.beta > 0.0 {
            let response = ui.add(Slider::new(&mut form.beta, 0.9..=0.9999).max_decimals(4).text("β"));
            response.widget_info(|| WidgetInfo::slider(true, 0.999, "Beta"));
        }
        return;
    }
    let pipeline = (!state.augment.pipeline.steps.is_empty(), format!("augment, {}", state.augment.pipeline.name));
    ways(ui, form, bundle, pipeline);
    ui.add_space(STEP);
    ui.horizontal(|ui| {
        dim(ui, theme, "seed");
        let response = ui.add(DragValue::new(&mut form.seed).range(0..=u64::MAX / 2));
        response.widget_info(|| WidgetInfo::labeled(WidgetType::SpinButton, true, "Seed"));
    });
}

/// Who goes where there are too many, and how more come about where there are too few. `pipeline`: whether one can augment, and what it is called.
fn ways(ui: &mut Ui, form: &mut BalanceForm, bundle: &Bundle<'_>, (pipeline, named): (bool, String)) {
    let theme = bundle.theme;
    ui.spacing_mut().item_spacing.y = 0.0;
    caption(ui, theme, "too many: who goes first");
    let ways = [
        (Under::Random, "by chance", "Each as probably as any other"),
        (Under::Redundant, "near copies", "Of two that are alike one goes, the most alike first"),
        (Under::Easy, "the easy ones", "What a model is surest of; the hardest are kept"),
    ];
    for (way, name, help) in ways {
        if ui.radio(form.under == way, name).on_hover_text(help).clicked() {
            form.under = way;
        }
    }
    caption(ui, theme, "too few: how more come about");
    let numbers = bundle.session.balance().is_some_and(|view| view.numbers);
    let ways = [
        (Over::Repeat, "the same again", "Rows stand there several times", true),
        (Over::Augment, &named, "By the pipeline that Augment shows", pipeline),
        (Over::Smote, "between neighbours (SMOTE)", "Numbers between those of near samples of the class", numbers),
    ];
    for (way, name, help, enabled) in ways {
        let why = if enabled { help } else { "SMOTE is for numbers alone; a pipeline needs steps" };
        if ui
            .add_enabled(enabled, egui::RadioButton::new(form.over == way, name))
            .on_hover_text(help)
            .on_disabled_hover_text(why)
            .clicked()
        {
            form.over = way;
        }
    }
}

/// What the plan comes to, and what it is worth.
fn result(
    ui: &mut Ui,
    state: &mut UiState,
    bundle: &Bundle<'_>,
    workspace: &Workspace,
    view: &BalanceView,
    actions: &mut Vec<Action>,
) {
    let theme = bundle.theme;
    let plan = &view.plan;
    let line = |ui: &mut Ui, name: &str, now: String, then: String| {
        let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width() - 8.0, 20.0), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(WidgetType::Label, true, format!("{name}: {now}, planned {then}")));
        clipped(ui, rect.min + vec2(0.0, 2.0), rect.width() * 0.5, name, theme.body(), theme.dim, 1);
        let arrow = if then.is_empty() { now } else { format!("{now} → {then}") };
        right_aligned(ui, rect.right_center(), &arrow, theme.body(), theme.text);
    };
    if state.balance.rule == WEIGHTS {
        return weights_instead(ui, bundle, workspace, actions);
    }
    caption(ui, theme, "train part, now and planned");
    let (now, then) = (Evenness::of(&plan.now), Evenness::of(&plan.planned));
    let more = plan.more() as usize;
    line(ui, "samples", count(view.samples), count(view.samples - plan.gone.len() + more));
    line(ui, "largest to smallest", number(now.ratio), number(then.ratio));
    line(ui, "evenness", format!("{:.2}", now.evenness), format!("{:.2}", then.evenness));
    let [real, planned] = view.effective.map(|size| count(size.round() as usize));
    line(ui, "effective size", real, planned);
    line(ui, "most repeated", things(view.most as usize, "time", "times"), String::new());
    probe_says(ui, bundle, actions);
}

/// What makes the plan an edit.
fn deed(ui: &mut Ui, state: &UiState, bundle: &Bundle<'_>, workspace: &Workspace, view: &BalanceView, actions: &mut Vec<Action>) {
    let (theme, plan) = (bundle.theme, &view.plan);
    let more = plan.more() as usize;
    if state.balance.over == Over::Augment && more > 0 {
        whither(ui, bundle, &state.augment.pipeline);
    }
    let running = bundle.running.iter().any(|job| job.key == "augment");
    let planning = bundle.running.iter().any(|job| job.key == "balance") || bundle.session.is_judging(&state.augment);
    let nothing = plan.gone.is_empty() && more == 0;
    let text = match (plan.gone.len(), more) {
        _ if running => "Balancing…".to_owned(),
        _ if planning => "Planning…".to_owned(),
        (0, 0) => "Nothing to do".to_owned(),
        (0, n) => format!("Add {}", things(n, "sample", "samples")),
        (n, 0) => format!("Exclude {}", things(n, "sample", "samples")),
        (out, new) => format!("Exclude {}, add {}", count(out), count(new)),
    };
    // What the probe calls worse is not proposed: it is there for whoever knows better.
    let worse = bundle.session.worth().is_some_and(|(worth, is_old)| !is_old && worth.gain.2 < 0.0);
    if worse {
        let text = "The probe calls this worse than the samples as they are: another rule, or class weights, may serve better.";
        ui.add(egui::Label::new(RichText::new(text).color(theme.amber)).wrap());
    }
    let look = if worse { ButtonLook::Plain } else { ButtonLook::Main };
    if button(ui, theme, &text, "", look, !nothing && !running && !planning && workspace.read_only().is_none()).clicked() {
        actions.push(Action::ApplyBalance);
    }
    if workspace.dataset().with_role(|role| role == Role::Split).is_some() {
        dim(ui, theme, "Only the train part is touched");
    }
}

/// Where rows are left as they are: what can be had instead.
fn weights_instead(ui: &mut Ui, bundle: &Bundle<'_>, workspace: &Workspace, actions: &mut Vec<Action>) {
    let theme = bundle.theme;
    if bundle.session.tried().and_then(|list| list.first()).is_some_and(|best| best.gain.0 <= 0.0) {
        let text = "No rule that was tried is better than the samples as they are: weights leave every row in place.";
        ui.add(egui::Label::new(RichText::new(text).color(theme.dim)).wrap());
        ui.add_space(STEP);
    }
    let enabled = workspace.read_only().is_none();
    if button(ui, theme, "Add as sample weights", "", ButtonLook::Main, enabled)
        .on_hover_text("A column sample_weight: the weight of each sample's class")
        .clicked()
    {
        actions.push(Action::AddWeights);
    }
    ui.add_space(STEP);
    if button(ui, theme, "Copy as JSON", "", ButtonLook::Plain, true).clicked() {
        actions.push(Action::CopyWeights);
    }
}

/// What the probe says, and of which plan.
fn probe_says(ui: &mut Ui, bundle: &Bundle<'_>, actions: &mut Vec<Action>) {
    let theme = bundle.theme;
    caption(ui, theme, "macro-F1 of a quick probe");
    let probing = bundle.running.iter().any(|job| job.key == "probe" || job.key == "likeness");
    let worth = bundle.session.worth();
    let is_old = worth.is_none_or(|(_, is_old)| is_old);
    let worth = worth.map(|(worth, _)| worth);
    match worth {
        Some(worth) => {
            let ink = if is_old { theme.faint } else { theme.text };
            let say = |score: &crate::learn::probe::ProbeScore| {
                format!("{:.3} ({:.3} to {:.3})", score.macro_f1, score.low, score.high)
            };
            ui.label(RichText::new(format!("now  {}", say(&worth.now))).color(ink));
            ui.label(RichText::new(format!("then {}", say(&worth.then))).color(ink));
            let (gain, low, high) = worth.gain;
            let sign = |value: f64| if value < 0.0 { format!("−{:.3}", -value) } else { format!("+{value:.3}") };
            let sure = low > 0.0 || high < 0.0;
            let (word, ink) = match (sure, gain > 0.0) {
                (true, true) => ("better", theme.emerald),
                (true, false) => ("worse", theme.ruby),
                _ => ("no clear difference", theme.dim),
            };
            let ink = if is_old { theme.faint } else { ink };
            ui.label(RichText::new(format!("{} ({} to {}): {word}", sign(gain), sign(low), sign(high))).color(ink));
            if is_old && !probing {
                dim(ui, theme, "of an earlier plan");
            }
        }
        None if probing => {
            dim(ui, theme, "Probing…");
        }
        None => {
            dim(ui, theme, "not probed");
        }
    }
    if (is_old || worth.is_none())
        && !probing
        && button(ui, theme, "Probe it", "", ButtonLook::Plain, true)
            .on_hover_text("Five folds of a linear model on embeddings; the same real samples are tested both times")
            .clicked()
    {
        actions.push(Action::Probe);
    }
}

/// What the probe says of several rules, the best first: a click asks for one.
fn compared(ui: &mut Ui, form: &mut BalanceForm, bundle: &Bundle<'_>, actions: &mut Vec<Action>) {
    let theme = bundle.theme;
    let running = |key: &str| bundle.running.iter().any(|job| job.key == key);
    caption(ui, theme, "rules held against each other");
    if running("trying") {
        dim(ui, theme, "Trying rules…");
        return;
    }
    let Some(list) = bundle.session.tried() else {
        if button(ui, theme, "Try them", "", ButtonLook::Plain, !running("likeness"))
            .on_hover_text("Every rule by the same quick probe; the best one is asked for")
            .clicked()
        {
            actions.push(Action::TryRules);
        }
        return;
    };
    if list.is_empty() {
        dim(ui, theme, "None changes anything: classes are even");
        return;
    }
    for tried in list {
        let (name, chosen) = (tried_name(tried), form.is_of(tried));
        let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width() - 8.0, 22.0), Sense::click());
        let (gain, low, high) = tried.gain;
        let sign = |value: f64| if value < 0.0 { format!("−{:.3}", -value) } else { format!("+{value:.3}") };
        response.widget_info(|| WidgetInfo::selected(WidgetType::RadioButton, true, chosen, format!("{name}: {}", sign(gain))));
        if chosen || response.hovered() {
            let fill = if chosen { theme.raised } else { theme.hover };
            ui.painter().rect_filled(rect, STEP / 2.0, fill);
        }
        let ink = match (low > 0.0, high < 0.0) {
            (true, _) => theme.emerald,
            (_, true) => theme.ruby,
            _ => theme.dim,
        };
        clipped(ui, rect.min + vec2(6.0, 3.0), rect.width() * 0.7, &name, theme.body(), theme.text, 1);
        right_aligned(ui, rect.right_center() - vec2(6.0, 0.0), &sign(gain), theme.body(), ink);
        let response = response.on_hover_text(format!(
            "Macro-F1 {:.3} → {:.3}, the difference {} to {}; {} excluded, {} added",
            tried.now,
            tried.then,
            sign(low),
            sign(high),
            count(tried.gone),
            count(tried.more as usize)
        ));
        if response.clicked() {
            form.choose(tried);
        }
    }
}

/// A way that was tried, in a few words.
fn tried_name(tried: &Tried) -> String {
    let (rule, more) = (tried.rule.words(), tried.more > 0);
    match tried.over {
        Over::Smote if more => format!("{rule}, SMOTE"),
        _ if more => format!("{rule}, repeated"),
        _ => rule,
    }
}

/// A row a class: what it has, what it is to have, what it needs.
fn classes(ui: &mut Ui, form: &mut BalanceForm, bundle: &Bundle<'_>, column: &str, view: &BalanceView, worth: Option<&Worth>) {
    let theme = bundle.theme;
    let plan = &view.plan;
    let weights = (form.rule == WEIGHTS)
        .then(|| if form.beta > 0.0 { ClassWeights::Effective(form.beta) } else { ClassWeights::Balanced }.of(&plan.now));
    // What a column of figures would leave no bar for stands in the tip.
    let columns = worth.is_some() && ui.available_width() > WITH_FIGURES;
    ui.horizontal_wrapped(|ui| {
        title(ui, theme, cut(&format!("Classes of {column}"), 60));
        ui.add_space(STEP);
        let used = plan.now.iter().filter(|count| **count > 0).count();
        let text = if weights.is_some() {
            format!("{}, and the weight of each", things(used, "class", "classes"))
        } else {
            format!("{}, now and planned; drag a bar to plan by hand", things(used, "class", "classes"))
        };
        dim(ui, theme, text);
    });
    let (left, right) = ((ui.available_width() * 0.26).clamp(100.0, 250.0), if columns { 250.0 } else { 110.0 });
    let head = ui.allocate_exact_size(vec2(ui.available_width(), 22.0), Sense::hover()).0;
    let heading = |x: f32, text: &str| right_aligned(ui, pos2(x, head.center().y), text, theme.note(), theme.dim);
    let last = head.right() - 12.0;
    heading(if columns { last - 146.0 } else { last }, if weights.is_some() { "now, weight" } else { "now → planned" });
    if columns {
        heading(last - 90.0, "F1");
        heading(last, "to collect");
    }
    let mut order: Vec<usize> = (0..view.names.len()).filter(|class| plan.now[*class] > 0).collect();
    order.sort_by_key(|class| (std::cmp::Reverse(plan.now[*class]), *class));
    let classes = bundle.workspace.and_then(|workspace| workspace.classes(column));
    let top = plan.now.iter().chain(&plan.planned).copied().max().unwrap_or(1).max(1) as f32 * 1.04;
    let mut dragged = None;
    rows::draw(ui, ScrollArea::vertical().auto_shrink(false), ROW, order.len(), |ui, rows| {
        for class in rows.map(|row| order[row]) {
            let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width() - 12.0, ROW), Sense::click_and_drag());
            let (now, then) = (plan.now[class], plan.planned[class]);
            let name = &view.names[class];
            response.widget_info(|| WidgetInfo::slider(true, then as f64, format!("{name}: {now} now, {then} planned")));
            let hue = classes.map_or(class, |classes| classes.class(name).map_or(class, |class| classes.hue(class)));
            square(ui, pos2(rect.left() + 5.0, rect.center().y), theme.class(hue));
            clipped(ui, pos2(rect.left() + 16.0, rect.center().y - 8.0), left - 24.0, name, theme.body(), theme.text, 1);
            let area =
                Rect::from_min_max(pos2(rect.left() + left, rect.top() + 5.0), pos2(rect.right() - right, rect.bottom() - 5.0));
            let wide = |value: u64| (value as f32 / top * area.width()).max(1.0);
            let bar = |from: f32, to: f32, ink| {
                let corner = egui::CornerRadius { nw: 0, ne: 2, sw: 0, se: 2 };
                ui.painter().rect_filled(
                    Rect::from_min_max(pos2(area.left() + from, area.top()), pos2(area.left() + to, area.bottom())),
                    corner,
                    ink,
                );
            };
            let kept = wide(now.min(then));
            if weights.is_none() && then < now {
                bar(0.0, wide(now), theme.bar_outside);
            }
            bar(0.0, if weights.is_some() { wide(now) } else { kept }, theme.bar);
            if weights.is_none() && then > now {
                bar(kept, wide(then), theme.accent.gamma_multiply(0.45));
            }
            if weights.is_none() {
                let x = area.left() + wide(then);
                let lit = response.hovered() || response.dragged();
                let grip = Rect::from_center_size(pos2(x, area.center().y), vec2(3.0, area.height() + 4.0));
                ui.painter().rect_filled(grip, 1, if lit { theme.accent } else { theme.dim });
                if let Some(pos) = response.interact_pointer_pos().filter(|_| response.dragged() || response.clicked()) {
                    let part = ((pos.x - area.left()) / area.width()).clamp(0.0, 1.5);
                    dragged = Some((class, (part * top).round().max(0.0) as u64));
                }
            }
            let weight = weights.as_ref().map(|weights| weights[class]);
            let need = worth.map(|worth| &worth.needs[class]);
            figures(ui, theme, rect, (now, then, weight), need.filter(|_| columns), form.wanted);
            let needs = need.map_or(String::new(), |need| {
                let (f1, more, _) = needed(need, form.wanted);
                format!("\nF1 {f1}, to collect: {more}")
            });
            response.on_hover_text_at_pointer(format!(
                "{name}\n{} now, {} planned{needs}",
                count(now as usize),
                count(then as usize)
            ));
        }
    });
    if let Some((class, value)) = dragged {
        let fresh = form.own.is_empty();
        if !matches!(form.rule, BY_HAND | BY_WEIGHT) || fresh {
            // What the rule says is where the hand begins.
            form.own = view.names.iter().zip(&plan.planned).map(|(name, count)| (name.to_string(), *count)).collect();
            form.rule = if form.rule == BY_WEIGHT { BY_WEIGHT } else { BY_HAND };
        }
        form.own.insert(view.names[class].to_string(), value);
    }
}

/// What stands at the end of a class's row: its counts, or its weight, and what it needs.
fn figures(
    ui: &mut Ui,
    theme: &Theme,
    rect: Rect,
    (now, then, weight): (u64, u64, Option<f64>),
    need: Option<&ProbedNeed>,
    wanted: f32,
) {
    let counts = match weight {
        Some(weight) => format!("{}, {}", count(now as usize), number(weight)),
        None if now == then => count(now as usize),
        None => format!("{} → {}", count(now as usize), count(then as usize)),
    };
    let (last, middle) = (rect.right(), rect.center().y);
    let first = if need.is_some() { last - 146.0 } else { last };
    right_aligned(ui, pos2(first, middle), &counts, theme.body(), theme.text);
    let Some(need) = need else { return };
    let (f1, more, weak) = needed(need, wanted);
    // Where nearly all fall short of what is wanted, the weakest are what is to be seen.
    let weakest = need.f1 < f64::from(wanted) * 0.6;
    right_aligned(ui, pos2(last - 90.0, middle), &f1, theme.body(), if weakest { theme.amber } else { theme.dim });
    right_aligned(ui, pos2(last, middle), &more, theme.body(), if weak { theme.text } else { theme.dim });
}

/// A class's F1, how many samples more would bring it to `wanted` (0 to 1), and whether it is below.
fn needed(need: &ProbedNeed, wanted: f32) -> (String, String, bool) {
    let f1 = if need.f1.is_finite() { format!("{:.2}", need.f1) } else { "–".to_owned() };
    let weak = need.f1 < f64::from(wanted);
    let more = match need.more {
        Some(n) if n > need.have * 9 => "over 10 ×".to_owned(),
        Some(n) => format!("{} more", count(n as usize)),
        None if weak => "unclear".to_owned(),
        None => "enough".to_owned(),
    };
    (f1, more, weak)
}
