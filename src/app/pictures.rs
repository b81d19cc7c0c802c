//! Pictures beside the window: fetching what views draw.

use std::time::{Duration, Instant};

use egui::{ColorImage, Context};

use crate::data::{Dataset, SampleId};
use crate::io::{PictureCache, altered_by, made_picture, picture_bytes, thumbnail};
use crate::job::Pool;
use crate::pixels::{Trouble, chequered, decode, facts, fit, has_transparency, histogram, read_header};
use crate::session::{Session, Workspace};
use crate::ui::making::Preview;
use crate::ui::pictures::{Detail, Fetched, Level, Pictures, ShownKey};

/// What fetches pictures of the open dataset.
type Fetcher = Pool<ShownKey, Result<Fetched, Trouble>>;

/// The longest that uploading pictures may take of a frame.
const UPLOAD: Duration = Duration::from_millis(4);
/// The most threads that fetch.
const HANDS: usize = 8;

/// Pictures on screen, and who fetches them.
#[derive(Default)]
pub(super) struct Gallery {
    pub(super) shown: Pictures,
    /// The preview of Augment.
    pub(super) preview: Option<Preview>,
    fetcher: Option<Fetcher>,
    /// The versions of the pictures that are fetched: those of the source, and those that were made.
    versions: Option<(u64, u64)>,
}

impl Gallery {
    /// Where another column holds the pictures now, or cells of theirs are others, all that was seen is of the old ones. Where samples were made or
    /// are gone, whoever fetches pictures sees them, and what stood in their place is forgotten.
    pub(super) fn follow(&mut self, session: &Session) {
        let Some(dataset) = session.workspace().map(Workspace::dataset) else { return };
        let now = dataset.pictures().map(|field| (dataset.version(field), dataset.made_version(field)));
        let was = self.versions;
        if was == now {
            return;
        }
        if was.map(|(source, _)| source) == now.map(|(source, _)| source) {
            self.shown.forget_from(SampleId::at(dataset.base.rows));
        } else {
            self.shown = Pictures::default();
        }
        self.versions = now;
        self.fetcher = dataset.pictures().map(|field| {
            let (dataset, cache) = (dataset.clone(), session.cache().clone());
            let threads = std::thread::available_parallelism().map_or(2, |n| n.get()).min(HANDS);
            let work = move |key: &ShownKey| fetch(&dataset, field, *key, cache.open());
            Pool::new("pictures", threads, session.desk().waker(), work)
        });
    }

    /// Takes in pictures that were fetched, as many as a frame has time for.
    pub(super) fn take(&mut self, ctx: &Context) {
        let Some(fetcher) = &self.fetcher else { return };
        let begun = Instant::now();
        while begun.elapsed() < UPLOAD {
            let Some((key, answer)) = fetcher.take() else { return };
            self.shown.put(ctx, key, answer.unwrap_or_else(|panic| Err(Trouble::Broken(panic))));
        }
        ctx.request_repaint();
    }

    /// Says what the views drew and is missing.
    pub(super) fn want(&mut self) {
        let wanted = self.shown.take_wanted();
        if let Some(fetcher) = &self.fetcher {
            fetcher.want(wanted);
        }
    }

    /// Whether pictures are on their way.
    pub(super) fn is_fetching(&self) -> bool {
        self.fetcher.as_ref().is_some_and(|fetcher| fetcher.is_busy())
    }
}

fn fetch(dataset: &Dataset, field: usize, (id, level): ShownKey, cache: Option<&PictureCache>) -> Result<Fetched, Trouble> {
    let image = |picture: &crate::pixels::Picture| {
        let size = [picture.width as usize, picture.height as usize];
        if has_transparency(&picture.rgba) {
            return ColorImage::from_rgba_unmultiplied(size, &chequered(picture.clone()).rgba);
        }
        ColorImage::from_rgba_unmultiplied(size, &picture.rgba)
    };
    if let Level::Side(side) = level {
        let picture = thumbnail(dataset, field, id, side, cache)?;
        return Ok(Fetched { image: image(&picture), detail: None });
    }
    if altered_by(dataset, id).is_some() {
        let picture = fit(made_picture(dataset, field, id, Some(Level::WHOLE))?, Level::WHOLE);
        return Ok(Fetched { image: image(&picture), detail: None });
    }
    let bytes = picture_bytes(dataset, field, id)?;
    let picture = fit(decode(&bytes, Some(Level::WHOLE))?, Level::WHOLE);
    let detail = Detail {
        header: read_header(&bytes)?,
        bytes: bytes.len() as u64,
        facts: facts(&bytes),
        histogram: Box::new(histogram(&picture)),
    };
    Ok(Fetched { image: image(&picture), detail: Some(detail) })
}
