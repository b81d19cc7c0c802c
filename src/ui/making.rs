//! The previews of Augment on screen: their pictures as textures.

use egui::{ColorImage, Context, TextureHandle, TextureOptions};

use crate::data::{AskKey, SampleId};
use crate::learn::risk::Risk;
use crate::pixels::{Picture, chequered};
use crate::session::{Drafted, Estimate};

/// One altered sample of the preview.
pub struct Drawn {
    /// The altered texts, one a column.
    pub texts: Vec<String>,
    /// The altered picture, and where it differs.
    pub picture: Option<TextureHandle>,
    pub changed: Option<TextureHandle>,
    /// What a model says of it, where there is one.
    pub risk: Option<Risk>,
    /// How fluent it is beside its original, 0 to 1.
    pub fluency: Option<f32>,
    /// The steps that happened.
    pub steps: Vec<usize>,
    /// The question that it waits for.
    pub waiting: Option<AskKey>,
}

/// An original and what is drawn of it.
pub struct Family {
    pub parent: SampleId,
    pub texts: Vec<String>,
    pub picture: Option<Result<TextureHandle, String>>,
    pub draws: Vec<Drawn>,
}

/// The preview.
#[derive(Default)]
pub struct Preview {
    pub families: Vec<Family>,
    pub estimate: Estimate,
    /// Why there is none.
    pub trouble: Option<String>,
}

/// The preview on screen: its pictures as textures.
pub fn shown(ctx: &Context, drafted: &Drafted) -> Preview {
    let texture = |name: String, picture: &Picture| {
        let picture = chequered(picture.clone());
        let image = ColorImage::from_rgba_unmultiplied([picture.width as usize, picture.height as usize], &picture.rgba);
        ctx.load_texture(name, image, TextureOptions::LINEAR)
    };
    let families = drafted
        .families
        .iter()
        .map(|family| Family {
            parent: family.parent,
            texts: family.texts.clone(),
            picture: family.picture.as_ref().map(|picture| {
                picture.as_ref().map(|picture| texture(format!("original {}", family.parent.0), picture)).map_err(Clone::clone)
            }),
            draws: family
                .draws
                .iter()
                .map(|drawn| Drawn {
                    texts: drawn.texts.clone(),
                    picture: drawn.picture.as_ref().map(|picture| texture("drawn".to_owned(), picture)),
                    changed: drawn.changed.as_ref().map(|picture| texture("changed".to_owned(), picture)),
                    risk: drawn.risk,
                    fluency: drawn.fluency,
                    steps: drawn.steps.clone(),
                    waiting: drawn.waiting,
                })
                .collect(),
        })
        .collect();
    Preview { families, estimate: drafted.estimate, trouble: drafted.trouble.clone() }
}
