//! A bar chart of counts: the filtered part against the whole, hover, click, drag across several.

use egui::{Rect, Role as WidgetType, Sense, Ui, WidgetInfo, pos2, vec2};

use super::text::{count, number, percent};
use crate::ui::theme::{STEP, Theme};

/// One bar.
pub struct Bar {
    /// Its name, for the tooltip and for screen readers.
    pub name: String,
    /// How many samples it stands for.
    pub whole: f64,
    /// How many of those the filter leaves; `None` where nothing is filtered.
    pub part: Option<f64>,
    /// Whether it is chosen.
    pub chosen: bool,
}

/// How the axis counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Axis {
    Linear,
    Log,
    /// Shares of the total.
    Share,
}

/// The widest bar: two classes are two bars, not two walls.
const WIDEST: f32 = 96.0;

/// The bars that were clicked or dragged across, first and last.
pub type Picked = Option<(usize, usize)>;

/// Draws bars in `height` points, an axis on the left. Returns what was picked.
pub fn draw(ui: &mut Ui, theme: &Theme, id: &str, bars: &[Bar], axis: Axis, height: f32) -> Picked {
    let left = 44.0;
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::click_and_drag());
    let named = format!("{id}: {} bars", bars.len());
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Image, true, &named));
    let area = Rect::from_min_max(pos2(rect.left() + left, rect.top() + STEP), pos2(rect.right(), rect.bottom() - 1.0));
    if bars.is_empty() || area.width() < 8.0 {
        return None;
    }
    let total: f64 = bars.iter().map(|bar| bar.whole).sum::<f64>().max(1.0);
    let top = bars.iter().map(|bar| bar.whole).fold(1.0, f64::max);
    let scale = |value: f64| match axis {
        Axis::Log => (value + 1.0).ln() / (top + 1.0).ln(),
        _ => value / top,
    };
    let unscale = |part: f64| match axis {
        Axis::Log => ((top + 1.0).ln() * part).exp() - 1.0,
        _ => top * part,
    };
    for part in [0.0, 0.5, 1.0] {
        let y = area.bottom() - part as f32 * area.height();
        let value = unscale(part);
        let text = if axis == Axis::Share { percent(value / total) } else { number(value.round()) };
        let y_text = y.min(rect.bottom() - 6.0).max(rect.top() + 8.0);
        super::controls::right_aligned(ui, pos2(area.left() - STEP * 2.0, y_text), &text, theme.note(), theme.dim);
    }
    ui.painter().vline(area.left(), area.y_range(), theme.hairline());
    let step = (area.width() / bars.len() as f32).min(WIDEST);
    let area = area.with_max_x(area.left() + step * bars.len() as f32);
    ui.painter().hline(area.x_range(), area.bottom(), theme.hairline());
    let gap = if step >= 6.0 {
        2.0
    } else if step >= 3.0 {
        1.0
    } else {
        0.0
    };
    let at = |x: f32| (((x - area.left()) / step).floor().max(0.0) as usize).min(bars.len() - 1);
    let hovered = response.hover_pos().filter(|pos| area.contains(*pos)).map(|pos| at(pos.x));
    // The press is forgotten by the time the button comes up: it is kept from the drag's first frame.
    if response.drag_started() {
        let pressed = ui.input(|input| input.pointer.press_origin()).or(response.interact_pointer_pos());
        ui.data_mut(|data| data.insert_temp(response.id, pressed.unwrap_or_default()));
    }
    let origin: Option<egui::Pos2> = ui.data(|data| data.get_temp(response.id));
    let dragged = origin.filter(|_| response.dragged());
    let range =
        dragged.zip(response.interact_pointer_pos()).map(|(from, to)| (at(from.x).min(at(to.x)), at(from.x).max(at(to.x))));
    for (i, bar) in bars.iter().enumerate() {
        let x = area.left() + i as f32 * step;
        let column = |value: f64| {
            let mut tall = scale(value) as f32 * area.height();
            if value > 0.0 {
                tall = tall.max(1.5);
            }
            Rect::from_min_max(
                pos2(x + gap / 2.0, area.bottom() - tall),
                pos2((x + step - gap / 2.0).max(x + 0.7), area.bottom()),
            )
        };
        let marked = bar.chosen || hovered == Some(i) || range.is_some_and(|(a, b)| (a..=b).contains(&i));
        let bright = if marked { theme.accent } else { theme.bar };
        let corner = egui::CornerRadius { nw: 2, ne: 2, sw: 0, se: 0 };
        match bar.part {
            Some(part) => {
                ui.painter().rect_filled(column(bar.whole), corner, theme.bar_outside);
                ui.painter().rect_filled(column(part), corner, bright);
            }
            None => {
                ui.painter().rect_filled(column(bar.whole), corner, bright);
            }
        }
    }
    if bars.len() <= 200 {
        name_bars(ui, &response, area, step, bars);
    }
    if let Some(bar) = hovered.map(|i| &bars[i]) {
        let mut text = format!("{}\n{} · {}", bar.name, count(bar.whole as usize), percent(bar.whole / total));
        if let Some(part) = bar.part {
            text.push_str(&format!("\n{} in the filter", count(part as usize)));
        }
        response.clone().on_hover_text_at_pointer(text);
    }
    if response.clicked() {
        return response.interact_pointer_pos().filter(|pos| area.expand(2.0).contains(*pos)).map(|pos| (at(pos.x), at(pos.x)));
    }
    if response.drag_stopped() {
        return origin.zip(response.interact_pointer_pos()).map(|(a, b)| (at(a.x).min(at(b.x)), at(a.x).max(at(b.x))));
    }
    None
}

/// Writes the names of a chart's bars below them, where they have room for one; drawn right behind the chart.
pub fn names_below<'n>(ui: &mut Ui, theme: &Theme, names: impl ExactSizeIterator<Item = &'n str>) {
    const LEAST: f32 = 52.0;
    let left = 44.0;
    let step = ((ui.available_width() - left) / names.len().max(1) as f32).min(WIDEST);
    if step < LEAST {
        return;
    }
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 16.0), Sense::hover());
    for (i, name) in names.enumerate() {
        let x = rect.left() + left + i as f32 * step + 2.0;
        super::controls::clipped(ui, pos2(x, rect.top() + 2.0), step - 6.0, name, theme.note(), theme.dim, 1);
    }
}

/// Gives each bar a name of its own in the accessibility tree, without drawing anything.
fn name_bars(ui: &Ui, response: &egui::Response, area: Rect, step: f32, bars: &[Bar]) {
    for (i, bar) in bars.iter().enumerate() {
        let rect = Rect::from_min_size(pos2(area.left() + i as f32 * step, area.top()), vec2(step, area.height()));
        let one = ui.interact(rect, response.id.with(("bar", i)), Sense::hover());
        one.widget_info(|| WidgetInfo::labeled(WidgetType::Image, true, format!("{}: {}", bar.name, count(bar.whole as usize))));
    }
}

/// A histogram without axes, for the table's header.
pub fn spark(ui: &Ui, theme: &Theme, rect: Rect, counts: &[u64]) {
    let top = counts.iter().copied().max().unwrap_or(0).max(1) as f32;
    let step = rect.width() / counts.len().max(1) as f32;
    for (i, n) in counts.iter().enumerate().filter(|(_, n)| **n > 0) {
        let tall = (*n as f32 / top * rect.height()).max(1.0);
        let x = rect.left() + i as f32 * step;
        let bar = Rect::from_min_max(pos2(x, rect.bottom() - tall), pos2(x + (step - 0.6).max(0.8), rect.bottom()));
        ui.painter().rect_filled(bar, 0, theme.bar);
    }
}
