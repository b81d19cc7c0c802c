//! Pictures on screen: thumbnails and whole ones as textures, within bounds of memory. A view asks for what it draws; what is missing
//! is noted, and the app has it fetched. Never reads or decodes anything itself.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use egui::{ColorImage, Context, TextureHandle, TextureOptions};

use crate::data::SampleId;
use crate::pixels::{Facts, Header, Trouble};

/// At which size a picture is fetched: the longer side in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    Side(u32),
    /// As large as a screen can show, with what is known of it.
    Whole,
    /// The same for looking at single pixels: they are squares, and not a fog.
    Pixels,
}

impl Level {
    /// The sizes of thumbnails.
    pub const SIDES: [u32; 4] = [64, 128, 256, 512];
    /// The longer side of a whole picture at most: what every graphics driver takes as one texture.
    pub const WHOLE: u32 = 2_048;

    /// The smallest that fills `pixels`.
    pub fn filling(pixels: f32) -> Self {
        Self::SIDES.into_iter().find(|side| *side as f32 >= pixels).map_or(Self::Whole, Self::Side)
    }

    /// The longer side in pixels at most.
    pub fn most(self) -> u32 {
        match self {
            Self::Side(side) => side,
            Self::Whole | Self::Pixels => Self::WHOLE,
        }
    }
}

/// What is fetched.
pub type ShownKey = (SampleId, Level);

/// What the inspector says of a whole picture.
#[derive(Debug, Clone)]
pub struct Detail {
    pub header: Header,
    /// The file's size.
    pub bytes: u64,
    pub facts: Facts,
    /// How many pixels have each value, of red, green and blue.
    pub histogram: Box<[[u32; 256]; 3]>,
}

/// What was fetched.
pub struct Fetched {
    pub image: ColorImage,
    /// With whole pictures.
    pub detail: Option<Detail>,
}

/// A picture that is there.
pub struct Shown {
    pub texture: TextureHandle,
    /// Pixels across and down, of the texture.
    pub size: egui::Vec2,
    pub detail: Option<Detail>,
    bytes: usize,
    used: Cell<u64>,
}

/// What there is to draw.
pub enum Draw<'p> {
    Picture(&'p Shown),
    /// There is none, and why.
    Trouble(&'p Trouble),
    /// It is on its way.
    Waiting,
}

/// Every picture on screen, and those that were lately.
#[derive(Default)]
pub struct Pictures {
    kept: HashMap<ShownKey, Shown>,
    /// What could not be fetched: too large as a whole, a picture may still have a thumbnail.
    troubles: HashMap<ShownKey, Trouble>,
    bytes: usize,
    frame: u64,
    wanted: RefCell<Vec<ShownKey>>,
    soon: RefCell<Vec<ShownKey>>,
}

impl Pictures {
    /// The most bytes of textures that are kept.
    pub const BOUND: usize = 256 << 20;

    /// The picture of a sample to fill `pixels` a side; another size of it until that is there.
    pub fn get(&self, id: SampleId, pixels: f32) -> Draw<'_> {
        self.at(id, Level::filling(pixels))
    }

    /// The whole picture of a sample.
    pub fn whole(&self, id: SampleId) -> Draw<'_> {
        self.at(id, Level::Whole)
    }

    /// The same, its pixels as squares.
    pub fn pixels(&self, id: SampleId) -> Draw<'_> {
        self.at(id, Level::Pixels)
    }

    fn at(&self, id: SampleId, level: Level) -> Draw<'_> {
        if let Some(shown) = self.kept.get(&(id, level)) {
            shown.used.set(self.frame);
            return Draw::Picture(shown);
        }
        let trouble = self.troubles.get(&(id, level));
        if trouble.is_none() {
            self.wanted.borrow_mut().push((id, level));
        }
        // The nearest size that is there stands in.
        let mut others =
            [Level::Whole].into_iter().chain(Level::SIDES.into_iter().rev().map(Level::Side)).filter(|other| *other != level);
        match others.find_map(|other| self.kept.get(&(id, other))) {
            Some(shown) => {
                shown.used.set(self.frame);
                Draw::Picture(shown)
            }
            None => trouble.map_or(Draw::Waiting, Draw::Trouble),
        }
    }

    /// Notes a picture that will probably be drawn soon.
    pub fn soon(&self, id: SampleId, pixels: f32) {
        let key = (id, Level::filling(pixels));
        if !self.kept.contains_key(&key) && !self.troubles.contains_key(&key) {
            self.soon.borrow_mut().push(key);
        }
    }

    /// What views asked for since the last call and is not there, the most wanted first. Begins a new frame.
    pub fn take_wanted(&mut self) -> Vec<ShownKey> {
        self.frame += 1;
        let mut wanted = std::mem::take(&mut *self.wanted.borrow_mut());
        wanted.append(&mut self.soon.borrow_mut());
        wanted
    }

    /// Takes in what was fetched.
    pub fn put(&mut self, ctx: &Context, key: ShownKey, fetched: Result<Fetched, Trouble>) {
        let fetched = match fetched {
            Ok(fetched) => fetched,
            Err(trouble) => {
                self.troubles.insert(key, trouble);
                return;
            }
        };
        let [width, height] = fetched.image.size;
        let bytes = width * height * 4;
        let options = match key.1 {
            Level::Pixels => TextureOptions { magnification: egui::TextureFilter::Nearest, ..TextureOptions::LINEAR },
            Level::Side(_) | Level::Whole => TextureOptions::LINEAR,
        };
        let texture = ctx.load_texture(format!("picture {}", key.0.0), fetched.image, options);
        let size = egui::vec2(width as f32, height as f32);
        let shown = Shown { texture, size, detail: fetched.detail, bytes, used: Cell::new(self.frame) };
        if let Some(old) = self.kept.insert(key, shown) {
            self.bytes -= old.bytes;
        }
        self.bytes += bytes;
        self.make_room();
    }

    /// Lets go of what was drawn longest ago, until an eighth of the bound is free. What the last frames drew stays.
    fn make_room(&mut self) {
        if self.bytes <= Self::BOUND {
            return;
        }
        let mut old: Vec<(u64, ShownKey)> =
            self.kept.iter().map(|(key, shown)| (shown.used.get(), *key)).filter(|(used, _)| used + 2 < self.frame).collect();
        old.sort_unstable();
        for (_, key) in old {
            if self.bytes <= Self::BOUND / 8 * 7 {
                break;
            }
            if let Some(gone) = self.kept.remove(&key) {
                self.bytes -= gone.bytes;
            }
        }
    }

    /// Forgets what was fetched of the samples from `first` on.
    pub fn forget_from(&mut self, first: SampleId) {
        self.kept.retain(|(id, _), shown| {
            let stays = *id < first;
            if !stays {
                self.bytes -= shown.bytes;
            }
            stays
        });
        self.troubles.retain(|(id, _), _| *id < first);
    }

    /// How many bytes of textures are kept.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}
