//! What is done with boxes on a picture by hand, from one frame to the next.

use egui::Pos2;

use crate::data::SampleId;
use crate::pixels::BoundingBox;

/// What is done with boxes by hand.
#[derive(Debug, Clone, Default)]
pub struct BoxHand {
    /// The sample that the rest is of.
    pub of: Option<SampleId>,
    /// The place of the box that is worked on.
    pub chosen: Option<usize>,
    /// Whether the next drag draws a box.
    pub drawing: bool,
    /// A box while it is moved, and its place.
    pub moved: Option<(usize, BoundingBox)>,
    /// Where a box is drawn from, on screen.
    pub from: Option<Pos2>,
    /// The edges that a drag moves: left, top, right, bottom; all four move it.
    pub edges: [bool; 4],
    /// A name while it is typed.
    pub typed: Option<(usize, String)>,
    /// Why the last edit could not be made.
    pub fault: Option<String>,
}
