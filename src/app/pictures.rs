//! Pictures beside the window: fetching what views draw, looking at all of them for the checks.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use egui::{ColorImage, Context};

use super::App;
use super::work::{Done, pictures_version};
use crate::data::Dataset;
use crate::io::{PictureCache, altered_by, made_picture, picture_bytes, thumbnail};
use crate::job::Pool;
use crate::pixels::{Trouble, chequered, decode, facts, fit, has_transparency, histogram, read_header};
use crate::ui::View;
use crate::ui::pictures::{Detail, Fetched, Key, Level, Pictures};
use crate::workspace::scan_pictures;

/// What fetches pictures of the open dataset.
pub type Fetcher = Pool<Key, Result<Fetched, Trouble>>;

/// Above this many samples, pictures are looked at when a view asks, not at once.
const MANY: usize = 200_000;
/// The longest that uploading pictures may take of a frame.
const UPLOAD: Duration = Duration::from_millis(4);

impl App {
    /// Begins to fetch pictures of the dataset that is open, where it has any.
    pub(super) fn begin_pictures(&mut self) {
        self.pictures = Pictures::default();
        self.keys.pictures = None;
        self.renew_fetcher();
    }

    /// Begins to fetch pictures of the dataset as it is now; those that are there stay.
    pub(super) fn renew_fetcher(&mut self) {
        self.fetcher = None;
        let Some(workspace) = &self.workspace else { return };
        let dataset = workspace.dataset().clone();
        let Some(field) = dataset.pictures() else { return };
        self.keys.pictures = pictures_version(&dataset);
        let (cache, place) = (Arc::clone(&self.cache), self.cache_place());
        let waker = self.waker.clone();
        let threads = std::thread::available_parallelism().map_or(2, |n| n.get()).min(8);
        let work = move |key: &Key| fetch(&dataset, field, *key, opened(&cache, &place));
        self.fetcher = Some(Pool::new("pictures", threads, waker, work));
    }

    fn cache_place(&self) -> PathBuf {
        self.folders.cache.join("pictures.db")
    }

    /// Takes in pictures that were fetched, as many as a frame has time for.
    pub(super) fn take_pictures(&mut self, ctx: &Context) {
        let Some(fetcher) = &self.fetcher else { return };
        let begun = Instant::now();
        while begun.elapsed() < UPLOAD {
            let Some((key, answer)) = fetcher.take() else { return };
            self.pictures.put(ctx, key, answer.unwrap_or_else(|panic| Err(Trouble::Broken(panic))));
        }
        ctx.request_repaint();
    }

    /// Says what the views drew and is missing.
    pub(super) fn want_pictures(&mut self) {
        let wanted = self.pictures.take_wanted();
        if let Some(fetcher) = &self.fetcher {
            fetcher.want(wanted);
        }
    }

    /// Whether pictures are on their way.
    pub(super) fn is_fetching(&self) -> bool {
        self.fetcher.as_ref().is_some_and(|fetcher| fetcher.is_busy())
    }

    /// Looks at all pictures once more, where that was stopped or has failed.
    pub(super) fn look_again(&mut self) {
        if self.memo.scan.is_none() && !self.jobs.is_running("images") {
            self.keys.scanned = false;
        }
    }

    /// Looks at all pictures, once.
    pub(super) fn schedule_scan(&mut self) {
        let Some(workspace) = &self.workspace else { return };
        let dataset = workspace.dataset();
        let Some(field) = dataset.pictures() else {
            self.memo.scan = None;
            return;
        };
        let asked =
            dataset.rows() <= MANY || matches!(self.state.view, View::Clean | View::Label | View::Augment | View::Balance);
        if self.keys.scanned || !asked {
            return;
        }
        self.keys.scanned = true;
        let (snapshot, cache, place) = (dataset.clone(), Arc::clone(&self.cache), self.cache_place());
        self.jobs.start("images", "Looking at images", move |progress| {
            Ok(Done::Scanned(Arc::new(scan_pictures(&snapshot, field, opened(&cache, &place), progress)?)))
        });
    }
}

/// The cache on disk, opened by whoever needs it first: never by the window itself.
pub type Cache = Arc<OnceLock<Option<PictureCache>>>;

fn opened<'c>(cache: &'c Cache, place: &Path) -> Option<&'c PictureCache> {
    cache.get_or_init(|| PictureCache::open(place, PictureCache::BOUND)).as_ref()
}

fn fetch(dataset: &Dataset, field: usize, (id, level): Key, cache: Option<&PictureCache>) -> Result<Fetched, Trouble> {
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
