//! What training saw of each sample, on a map: how sure the model was of its label, and by how much that went to and fro (Swayamdipta et al. 2020). A frame that is drawn shows who is in it.

use egui::{Color32, Mesh, Pos2, Rect, RichText, Role as WidgetType, Sense, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use super::lines::{line, show};
use crate::action::{Action, TrainAction};
use crate::data::SampleId;
use crate::operate::JudgeFigures;
use crate::session::Workspace;
use crate::train::{Run, SampleSeen};
use crate::ui::Bundle;
use crate::ui::state::UiState;
use crate::ui::theme::{STEP, Theme};
use crate::ui::widgets::controls::{ButtonLook, button, dim, right_aligned};
use crate::ui::widgets::text::{count, cut, things};

/// The most width of the map, and how high it is for its width.
const WIDTH: f32 = 460.0;
const SLOPE: f32 = 0.72;
/// Hardest samples that are listed.
const HARDEST: usize = 12;
/// The most samples that are drawn: of more every so-manieth.
const DRAWN: usize = 20_000;

/// The regions of the map, thirds by rank as the paper has them: easy, ambiguous, hard; and the hardest, by place.
fn regions(seen: &[SampleSeen], rows: usize) -> ([Vec<SampleId>; 3], Vec<u32>) {
    let ordered = |of: &dyn Fn(&SampleSeen) -> f32| -> Vec<u32> {
        let mut order: Vec<u32> = (0..seen.len() as u32).filter(|at| (seen[*at as usize].0 as usize) < rows).collect();
        order.sort_by(|a, b| of(&seen[*b as usize]).total_cmp(&of(&seen[*a as usize])).then(a.cmp(b)));
        order
    };
    let hard = ordered(&|one| -one.1);
    let third = |order: &[u32]| order.iter().take(seen.len() / 3).map(|at| SampleId(seen[*at as usize].0)).collect();
    let found = [third(&ordered(&|one| one.1)), third(&ordered(&|one| one.2)), third(&hard)];
    (found, hard.into_iter().take(HARDEST).collect())
}

/// Which of two judges finds wrong labels better: measured with labels that are made wrong on purpose.
fn judges(ui: &mut Ui, bundle: &Bundle<'_>, workspace: &Workspace, run: &Run, actions: &mut Vec<Action>) {
    let theme = bundle.theme;
    let running = bundle.running.iter().any(|job| job.key == "judges");
    ui.add_space(STEP * 2.0);
    if let Some(found) = bundle.session.teaching().judges(workspace, &run.lesson) {
        let one = |name: &str, of: JudgeFigures| {
            format!("{name} {:.3} ({:.0} % of the first {})", of.auroc, of.precision * 100.0, found.planted)
        };
        let text = format!(
            "{} of {} labels were made wrong on purpose. How often a wrong one stands above a right one: {}, {}, {}.",
            count(found.planted),
            count(found.rows),
            one("the noise model", found.model),
            one("training", found.training),
            one("both together", found.both)
        );
        ui.add(egui::Label::new(RichText::new(text).color(theme.text)).wrap());
        return;
    }
    let words = if running { "Making labels wrong on purpose…" } else { "Which finds wrong labels better?" };
    let tip = "Makes one label in twenty of the train part wrong, in a copy, teaches this run's lesson on it and fits the noise model of Label, and says which of them finds those labels. Takes as long as the run did";
    if button(ui, theme, words, "", ButtonLook::Plain, !running).on_hover_text(tip).clicked() {
        actions.push(Action::Train(TrainAction::Judge(Box::new(run.lesson.clone()))));
    }
}

pub fn draw(
    ui: &mut Ui,
    state: &mut UiState,
    bundle: &Bundle<'_>,
    workspace: &Workspace,
    (id, run, stale): (i64, &Run, bool),
    actions: &mut Vec<Action>,
) {
    let theme = bundle.theme;
    let dataset = workspace.dataset();
    let seen = &run.seen;
    if run.epochs.len() < 2 {
        let text = "Of one epoch there is little to see: how often a label is gone back on shows after several.";
        ui.add(egui::Label::new(RichText::new(text).color(theme.amber)).wrap());
    }
    if stale {
        let text = "The train part has changed since: this is what training saw then.";
        ui.add(egui::Label::new(RichText::new(text).color(theme.amber)).wrap());
    }
    if state.train.regions.as_ref().is_none_or(|(of, ..)| *of != id) {
        let (found, hardest) = regions(seen, dataset.rows());
        state.train.regions = Some((id, found, hardest));
    }
    // Taken out while it is drawn: what is shown changes the filter.
    let Some((id, found, order)) = state.train.regions.take() else { return };
    ui.horizontal_wrapped(|ui| {
        let said = [
            ("Easy", "The third that it was surest of"),
            ("Ambiguous", "The third that went to and fro most: these teach it most"),
            ("Hard", "The third that it was least sure of: wrong labels are among them"),
        ];
        for ((name, tip), list) in said.into_iter().zip(&found) {
            let text = format!("{name} {}", count(list.len()));
            if button(ui, theme, &text, "", ButtonLook::Plain, !list.is_empty()).on_hover_text(tip).clicked() {
                show(state, format!("{name} to learn"), list.iter().copied());
            }
        }
        dim(ui, theme, "or draw a frame on the map");
        if seen.len() > DRAWN {
            dim(ui, theme, format!("(one in {} is drawn)", seen.len().div_ceil(DRAWN)));
        }
    });
    ui.add_space(STEP);
    let wide = ui.available_width();
    let beside = wide > WIDTH + 280.0;
    let side = wide.min(WIDTH);
    let hardest = |ui: &mut Ui, state: &mut UiState| {
        dim(ui, theme, "hardest to learn: how sure it was of their label");
        let text = dataset
            .field(run.lesson.text.as_deref().unwrap_or_default())
            .or_else(|| dataset.with_role(|role| role == crate::data::Role::Text));
        let label = dataset.field(&run.lesson.label);
        for one in order.iter().map(|at| &seen[*at as usize]).filter(|one| (one.0 as usize) < dataset.rows()) {
            let id = SampleId(one.0);
            let read = |field: Option<usize>| field.and_then(|field| dataset.text(field, id)).unwrap_or_default();
            let words = format!("{}: {}", read(label), cut(&read(text), 160).replace(['\n', '\r'], " "));
            if line(ui, theme, &words, one.1, &format!("{:.2}", one.1)).clicked() {
                show(state, "Hard to learn".to_owned(), [id]);
            }
        }
    };
    if beside {
        ui.horizontal_top(|ui| {
            ui.vertical(|ui| {
                ui.set_max_width(side);
                map(ui, state, theme, run, side);
            });
            ui.add_space(STEP * 4.0);
            ui.vertical(|ui| hardest(ui, state));
        });
    } else {
        map(ui, state, theme, run, side);
        ui.add_space(STEP * 2.0);
        hardest(ui, state);
    }
    state.train.regions = Some((id, found, order));
    judges(ui, bundle, workspace, run, actions);
}

/// The map itself.
fn map(ui: &mut Ui, state: &mut UiState, theme: &Theme, run: &Run, side: f32) {
    let (rect, response) = ui.allocate_exact_size(vec2(side, side * SLOPE), Sense::drag());
    let n = run.seen.len();
    response
        .widget_info(|| WidgetInfo::labeled(WidgetType::Image, true, format!("Data map of {}", things(n, "sample", "samples"))));
    let area = Rect::from_min_max(rect.min + vec2(32.0, 4.0), rect.max - vec2(8.0, 18.0));
    // A share goes to and fro by half at most.
    let place = |one: &SampleSeen| -> Pos2 {
        pos2(area.left() + area.width() * (one.2 / 0.5).min(1.0), area.bottom() - area.height() * one.1.clamp(0.0, 1.0))
    };
    ui.painter().rect_stroke(area, 0, theme.hairline(), StrokeKind::Inside);
    let epochs = run.epochs.len().max(1) as f32;
    let half = if n > 5_000 { 1.0 } else { 1.75 };
    let mut mesh = Mesh::default();
    // So many are enough to see where they lie.
    for one in run.seen.iter().step_by(n.div_ceil(DRAWN).max(1)) {
        let ink: Color32 = theme.ruby.lerp_to_gamma(theme.emerald, (one.4 as f32 / epochs).min(1.0));
        mesh.add_colored_rect(Rect::from_center_size(place(one), vec2(half, half) * 2.0), ink.gamma_multiply(0.75));
    }
    ui.painter().add(mesh);
    for part in [0.0f32, 0.5, 1.0] {
        let y = area.bottom() - area.height() * part;
        right_aligned(ui, pos2(area.left() - STEP, y), &format!("{part:.1}"), theme.note(), theme.dim);
        let x = area.left() + area.width() * part;
        let text = format!("{:.2}", part / 2.0);
        ui.painter().text(pos2(x, area.bottom() + 2.0), egui::Align2::CENTER_TOP, text, theme.note(), theme.dim);
    }
    let words = "Across: how much it went to and fro; up: how sure of its label. Green was right in every epoch, red in none.";
    ui.add(egui::Label::new(RichText::new(words).font(theme.note()).color(theme.dim)).wrap());
    if response.drag_started() {
        state.train.frame = response.interact_pointer_pos();
    }
    let Some((from, now)) = state.train.frame.zip(ui.input(|input| input.pointer.latest_pos())) else { return };
    let frame = Rect::from_two_pos(from, now).intersect(area);
    ui.painter().rect(frame, 0, theme.accent.gamma_multiply(0.12), theme.hairline(), StrokeKind::Inside);
    if response.drag_stopped() {
        state.train.frame = None;
        let within: Vec<SampleId> = run.seen.iter().filter(|one| frame.contains(place(one))).map(|one| SampleId(one.0)).collect();
        if !within.is_empty() {
            show(state, "A frame on the data map".to_owned(), within);
        }
    }
}
