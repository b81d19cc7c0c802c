//! Clean: what looks wrong, worst first, with the thresholds that decide.

use egui::{Align, Frame, Layout, Margin, Panel, RichText, Role as WidgetType, Sense, Slider, Ui, WidgetInfo, pos2, vec2};

use super::Stage;
use crate::action::Action;
use crate::checks::{CHECKS, CheckOption, Finding, FindingKind, Options};
use crate::data::{Dataset, Rule, SampleId, SampleSet};
use crate::operate::Operation;
use crate::session::{Need, Session, Workspace};
use crate::ui::Bundle;
use crate::ui::state::UiState;
use crate::ui::theme::{STEP, Theme};
use crate::ui::view::View;
use crate::ui::widgets::controls::{ButtonLook, button, clipped, dim, right_aligned, severity, title};
use crate::ui::widgets::text::{count, flat, things};

/// The stage.
pub const STAGE: Stage = Stage {
    needs: &[Need::Checks, Need::Pictures],
    acts_on: inspected,
    waiting: |_, workspace| workspace.findings().open(),
    inspector: true,
    draw: |ui, state, bundle, workspace, actions, _| draw(ui, state, bundle, workspace, actions),
};

/// The sample that the inspector shows.
// As every stage says it.
#[allow(clippy::unnecessary_wraps)]
fn inspected(state: &UiState, _: &Session) -> Result<Vec<SampleId>, String> {
    let inspector = if state.narrow { state.inspector_narrow } else { state.inspector };
    Ok(state.selection.cursor.filter(|_| inspector).into_iter().collect())
}

const ROW: f32 = 44.0;

/// Draws it.
pub fn draw(ui: &mut Ui, state: &mut UiState, bundle: &Bundle<'_>, workspace: &Workspace, actions: &mut Vec<Action>) {
    let theme = bundle.theme;
    let found = workspace.findings();
    let frame = Frame::new().fill(theme.background).inner_margin(Margin::symmetric(20, 12));
    Panel::top("clean head").resizable(false).frame(frame).show(ui, |ui| {
        ui.horizontal(|ui| {
            title(ui, theme, if workspace.dataset().pictures().is_some() { "Findings" } else { "Outliers" });
            ui.add_space(STEP * 2.0);
            if found.revision.is_some() {
                dim(ui, theme, format!("{} open of {}", count(found.open()), things(found.list.len(), "finding", "findings")));
                let since = workspace.revision() - found.revision.unwrap_or(0);
                if since > 0 {
                    let text = format!("found before your last {}", things(since as usize, "edit", "edits"));
                    ui.label(RichText::new(text).color(theme.amber));
                    if button(ui, theme, "Look again", "", ButtonLook::Plain, true).clicked() {
                        actions.push(Action::Check);
                    }
                }
            } else {
                dim(ui, theme, "Looking…");
            }
        });
        ui.add_space(STEP);
        let before = state.options.clone();
        sliders(ui, theme, &mut state.options, workspace.dataset());
        if state.options != before {
            actions.push(Action::Check);
        }
        ui.add_space(STEP);
        ui.horizontal_wrapped(|ui| {
            let gallery = workspace.dataset().pictures().is_some() && state.gallery.on;
            let all = found.list.len();
            if tab(ui, bundle, "All", all, state.finding_kind.is_none()) {
                state.finding_kind = None;
            }
            for kind in FindingKind::ALL {
                let n = found.of_kind(kind).len();
                if n > 0 && tab(ui, bundle, kind.title(), n, state.finding_kind == Some(kind)) {
                    state.finding_kind = Some(kind);
                }
            }
            // Which samples they are is worked out when it is asked for, not while drawing.
            if !found.list.is_empty()
                && button(
                    ui,
                    theme,
                    if gallery { "Show them in the gallery" } else { "Show them in the table" },
                    "",
                    ButtonLook::Quiet,
                    true,
                )
                .clicked()
            {
                let kinds = |finding: &&Finding| state.finding_kind.is_none_or(|kind| kind == finding.kind);
                let samples: SampleSet = found.list.iter().filter(kinds).flat_map(|f| f.samples.iter().copied()).collect();
                let title = state.finding_kind.map_or("outlier", FindingKind::title).to_lowercase();
                state.toggle_clause(Rule::Listed { title, samples: samples.into() }.into());
                state.view = View::Explore;
            }
        });
    });
    let of_kind = state.finding_kind.map(|kind| found.of_kind(kind));
    let shown = of_kind.map_or(found.list.len(), <[u32]>::len);
    let looking = found.revision.is_none() || bundle.running.iter().any(|job| job.key == "images");
    if shown == 0 {
        let text = match (looking, workspace.dataset().rows()) {
            (true, _) => "Looking…",
            (false, 0) => "There are no samples in this file",
            (false, _) => "Nothing stands out. Lower a threshold to see more",
        };
        ui.painter().text(ui.max_rect().center(), egui::Align2::CENTER_CENTER, text, theme.body(), theme.dim);
        return;
    }
    egui::ScrollArea::vertical().auto_shrink(false).show_rows(ui, ROW, shown, |ui, range| {
        ui.spacing_mut().item_spacing.y = 0.0;
        for at in range {
            let at = of_kind.map_or(at, |places| places[at] as usize);
            row(ui, state, bundle, workspace, &found.list[at], actions);
        }
    });
}

/// The options of the checks that fit, as many in a row as there is room for.
fn sliders(ui: &mut Ui, theme: &Theme, options: &mut Options, dataset: &Dataset) {
    let all: Vec<&CheckOption> = CHECKS.iter().filter(|entry| entry.fits(dataset)).flat_map(|entry| entry.options).collect();
    let wide = 196.0;
    let columns = ((ui.available_width() / wide).floor() as usize).max(1);
    ui.spacing_mut().slider_width = 56.0;
    for row in all.chunks(columns) {
        ui.horizontal(|ui| {
            for option in row {
                // Names of one width stand in columns.
                ui.allocate_ui_with_layout(
                    vec2(wide - STEP * 2.0, theme.sizes.control),
                    Layout::left_to_right(Align::Center),
                    |ui| {
                        ui.set_min_width(wide - STEP * 2.0);
                        let (place, label) = ui.allocate_exact_size(vec2(64.0, theme.sizes.control), Sense::hover());
                        let label = label.on_hover_text(option.help);
                        clipped(ui, place.left_center() - vec2(0.0, 8.0), 64.0, option.label, theme.body(), theme.dim, 1);
                        let mut value = options.get(option);
                        let response = ui.add(Slider::new(&mut value, option.least..=option.most).fixed_decimals(2));
                        options.set(option, value);
                        response.clone().labelled_by(label.id);
                        response.widget_info(|| WidgetInfo::slider(true, value, option.label));
                    },
                );
            }
        });
    }
}

fn tab(ui: &mut Ui, bundle: &Bundle<'_>, name: &str, n: usize, here: bool) -> bool {
    let text = RichText::new(format!("{name}  {}", count(n)));
    let response = ui.selectable_label(here, text.color(if here { bundle.theme.text } else { bundle.theme.dim }));
    response.clicked()
}

fn row(
    ui: &mut Ui,
    state: &mut UiState,
    bundle: &Bundle<'_>,
    workspace: &Workspace,
    finding: &Finding,
    actions: &mut Vec<Action>,
) {
    let theme = bundle.theme;
    let dataset = workspace.dataset();
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::click());
    response.widget_info(|| {
        WidgetInfo::labeled(
            WidgetType::Button,
            true,
            format!("{} in {}: {}", finding.kind.title(), finding.column, finding.reason),
        )
    });
    let first = finding.samples[0];
    let settled = workspace.findings().is_settled(finding);
    let here = finding.samples.len() == 1 && state.selection.cursor == Some(first);
    if here || response.hovered() {
        ui.painter().rect_filled(rect, 0, if here { theme.tint } else { theme.raised });
    }
    ui.painter().hline(rect.x_range(), rect.bottom(), theme.hairline());
    let middle = rect.center().y;
    severity(ui, theme, pos2(rect.left() + 26.0, middle), finding.severity);
    let ink = if settled { theme.faint } else { theme.text };
    ui.painter().text(
        pos2(rect.left() + 40.0, middle),
        egui::Align2::LEFT_CENTER,
        format!("{:.2}", finding.severity),
        theme.body(),
        ink,
    );
    clipped(ui, pos2(rect.left() + 84.0, rect.top() + 5.0), 130.0, finding.kind.title(), theme.strong(), ink, 1);
    clipped(ui, pos2(rect.left() + 84.0, rect.top() + 24.0), 130.0, &finding.column, theme.note(), theme.dim, 1);
    let mut left = rect.left() + 224.0;
    if dataset.pictures().is_some() {
        for id in finding.samples.iter().take(3) {
            let place = egui::Rect::from_min_size(pos2(left, rect.top() + 3.0), vec2(ROW - 6.0, ROW - 6.0));
            crate::ui::widgets::picture::draw(ui, theme, bundle.pictures, *id, place, false);
            left = place.right() + STEP;
        }
        left += STEP;
    }
    let room = rect.right() - left - 110.0;
    let text = match finding.samples.as_slice() {
        [one] => dataset
            .with_role(|role| matches!(role, crate::data::Role::Text | crate::data::Role::Image))
            .and_then(|field| dataset.text(field, *one))
            .unwrap_or_default(),
        _ => things(finding.samples.len(), "sample", "samples").into(),
    };
    clipped(ui, pos2(left, rect.top() + 5.0), room, &flat(&text, 1), theme.body(), ink, 1);
    clipped(ui, pos2(left, rect.top() + 24.0), room, &finding.reason, theme.note(), theme.dim, 1);
    let action = egui::Rect::from_min_max(pos2(rect.right() - 104.0, rect.top()), rect.max);
    if settled {
        right_aligned(ui, pos2(rect.right() - 20.0, middle), "settled", theme.note(), theme.emerald);
    } else {
        ui.scope_builder(
            egui::UiBuilder::new().max_rect(action).layout(egui::Layout::left_to_right(egui::Align::Center)),
            |ui| {
                // Of copies the first, the largest, stays.
                let (text, from) = if finding.kind.is_of_copies() { ("Keep one", 1) } else { ("Exclude", 0) };
                let response = button(ui, theme, text, "", ButtonLook::Danger, true);
                let response =
                    if from == 1 { response.on_hover_text("Exclude all but the first, which has most pixels") } else { response };
                if response.clicked() {
                    actions.push(Action::Do(Operation::Exclude { samples: finding.samples[from..].to_vec(), on: true }));
                }
            },
        );
    }
    if response.on_hover_text(&finding.reason).clicked() {
        if finding.samples.len() == 1 {
            state.selection.cursor = Some(first);
            state.selection.chosen = SampleSet::default();
            state.selection.place = bundle.session.visible().place(first, first.row()).unwrap_or(0);
            state.selection.anchor = state.selection.place;
        } else {
            let samples: SampleSet = finding.samples.iter().copied().collect();
            let title = format!("{} in {}", finding.kind.title().to_lowercase(), finding.column);
            state.toggle_clause(Rule::Listed { title, samples: samples.into() }.into());
            state.view = View::Explore;
        }
    }
}
