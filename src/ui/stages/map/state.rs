//! How the map is shown.

use egui::{Pos2, TextureHandle, Vec2};

/// What points are coloured by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ink {
    #[default]
    Label,
    Split,
    Found,
    Plain,
}

impl Ink {
    /// Every way, with its name.
    pub const ALL: [(Self, &'static str); 4] =
        [(Self::Label, "label"), (Self::Split, "part of the split"), (Self::Found, "what was found"), (Self::Plain, "nothing")];
}

/// What a picture of the points was drawn of.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct DrawnOf {
    pub map: usize,
    pub revision: u64,
    pub filter: (usize, usize),
    pub findings: usize,
    pub size: [usize; 2],
    pub zoom: f32,
    pub offset: Vec2,
    pub ink: Ink,
    pub dark: bool,
}

/// How the map is shown.
#[derive(Clone, Default)]
pub struct MapState {
    pub ink: Ink,
    /// 1 shows all; and how far it is moved, in points.
    pub zoom: f32,
    pub offset: Vec2,
    /// What both were in the frame before.
    pub seen: Option<(f32, Vec2)>,
    /// The lasso while it is drawn, on screen.
    pub lasso: Vec<Pos2>,
    /// The picture of the points, and what it was drawn of.
    pub drawn: Option<(DrawnOf, TextureHandle)>,
}

impl std::fmt::Debug for MapState {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("MapState").field("ink", &self.ink).field("zoom", &self.zoom).finish_non_exhaustive()
    }
}
