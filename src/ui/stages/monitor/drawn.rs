//! What the parts of Monitor draw alike: the mark of a verdict, a small bar.

use egui::{Color32, Pos2, Rect, Shape, Stroke, Ui, pos2, vec2};

use crate::monitor::{BatchReport, DriftVerdict};
use crate::ui::theme::Theme;

/// What is said of a whole batch.
pub fn verdict_of(report: &BatchReport) -> DriftVerdict {
    if report.moved().next().is_some() {
        DriftVerdict::Moved
    } else if report.columns.iter().all(|one| one.verdict == DriftVerdict::TooFew) {
        DriftVerdict::TooFew
    } else {
        DriftVerdict::Steady
    }
}

/// The mark of a verdict, in shape as well as colour: a diamond for what moved, a disc for what is steady, a ring where too few rows tell; a dash where nothing is known.
pub fn mark(ui: &Ui, theme: &Theme, at: Pos2, verdict: Option<DriftVerdict>) {
    let painter = ui.painter();
    match verdict {
        Some(DriftVerdict::Moved) => {
            let r = 5.0;
            let points = vec![at + vec2(0.0, -r), at + vec2(r, 0.0), at + vec2(0.0, r), at + vec2(-r, 0.0)];
            painter.add(Shape::convex_polygon(points, theme.amber, Stroke::NONE));
        }
        Some(DriftVerdict::Steady) => {
            painter.circle_filled(at, 3.5, theme.emerald);
        }
        Some(DriftVerdict::TooFew) => {
            painter.circle_stroke(at, 3.5, Stroke::new(1.5, theme.dim));
        }
        None => {
            painter.line_segment([at - vec2(3.5, 0.0), at + vec2(3.5, 0.0)], Stroke::new(1.5, theme.faint));
        }
    }
}

/// Two shares above each other as bars: before, and now; the whole width is `most`, the largest of those that stand together.
pub fn two_bars(ui: &Ui, theme: &Theme, rect: Rect, (before, now): (f64, f64), most: f64, ink: Color32) {
    let most = most.max(before).max(now).max(1e-9);
    let wide = |share: f64| rect.width() * (share / most) as f32;
    let half = rect.height() / 2.0;
    let bar =
        |at: f32, share: f64| Rect::from_min_size(pos2(rect.left(), rect.top() + at), vec2(wide(share).max(1.0), half - 1.0));
    ui.painter().rect_filled(bar(0.0, before), 1, theme.bar_outside);
    ui.painter().rect_filled(bar(half, now), 1, ink);
}
