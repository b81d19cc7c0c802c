//! Pictures of made samples: the parent's, read where it lies and altered. Nothing is kept of them; an export writes them out.

use crate::data::{Dataset, Pipeline, SampleId};
use crate::io::pictures::images::picture_bytes;
use crate::pixels::{Coding, Picture, Trouble, decode, fit, read_header};

/// The quality that altered photographs are saved at.
const QUALITY: u8 = 95;

/// A picture as it is read for altering, and how large it is beside the whole one.
///
/// # Errors
/// [`Trouble`].
pub fn picture_to_alter(dataset: &Dataset, field: usize, id: SampleId, most: Option<u32>) -> Result<(Picture, f64), Trouble> {
    let bytes = picture_bytes(dataset, field, id)?;
    let Some(most) = most else { return Ok((decode(&bytes, None)?, 1.0)) };
    let header = read_header(&bytes)?;
    let picture = fit(decode(&bytes, Some(most))?, most);
    let unit = f64::from(picture.width.max(picture.height)) / f64::from(header.width.max(header.height).max(1));
    Ok((picture, unit))
}

/// The pipeline that alters the picture of a sample, where it was made so.
pub fn altered_by(dataset: &Dataset, id: SampleId) -> Option<&Pipeline> {
    dataset.origins(id)?.made.of_pictures()
}

/// The picture of a parent (and of another, where the pipeline mixes) as one draw alters it, its longer side about `most` pixels.
///
/// # Errors
/// [`Trouble`]: a parent's picture is missing, or cannot be read.
pub fn altered_picture(
    dataset: &Dataset,
    field: usize,
    (parent, other): (SampleId, Option<SampleId>),
    pipeline: &Pipeline,
    draw: u64,
    most: u32,
) -> Result<Picture, Trouble> {
    altered(dataset, field, (parent, other), pipeline, draw, Some(most))
}

fn altered(
    dataset: &Dataset,
    field: usize,
    (parent, other): (SampleId, Option<SampleId>),
    pipeline: &Pipeline,
    draw: u64,
    most: Option<u32>,
) -> Result<Picture, Trouble> {
    let (picture, unit) = picture_to_alter(dataset, field, parent, most)?;
    let other = match other {
        Some(other) => Some(picture_to_alter(dataset, field, other, most)?.0),
        None => None,
    };
    Ok(pipeline.alter(draw, pipeline.steps.len(), picture, unit, other.as_ref(), Vec::new()).0)
}

/// Pixels across and down of a sample's picture, upright.
///
/// # Errors
/// [`Trouble`].
pub fn picture_size(dataset: &Dataset, field: usize, id: SampleId) -> Result<(u32, u32), Trouble> {
    let header = read_header(&picture_bytes(dataset, field, id)?)?;
    // Half of the eight ways to lie are on a side.
    Ok(if header.orientation >= 5 { (header.height, header.width) } else { (header.width, header.height) })
}

/// The altered picture of a made sample, its longer side about `most` pixels where that is given.
///
/// # Errors
/// [`Trouble`]: a parent's picture is missing, or cannot be read.
pub fn made_picture(dataset: &Dataset, field: usize, id: SampleId, most: Option<u32>) -> Result<Picture, Trouble> {
    let origins = dataset.origins(id).ok_or(Trouble::NoPath)?;
    match origins.made.of_pictures() {
        Some(pipeline) => altered(dataset, field, (origins.parent, origins.other), pipeline, origins.draw, most),
        None => Ok(picture_to_alter(dataset, field, origins.parent, most)?.0),
    }
}

/// The file of a made sample's picture: a JPEG of a JPEG, else a PNG; with its ending.
///
/// # Errors
/// [`Trouble`].
pub fn made_file(dataset: &Dataset, field: usize, id: SampleId) -> Result<(Vec<u8>, &'static str), Trouble> {
    let origins = dataset.origins(id).ok_or(Trouble::NoPath)?;
    let coding = read_header(&picture_bytes(dataset, field, origins.parent)?)?.coding;
    let picture = made_picture(dataset, field, id, None)?;
    let mut bytes = Vec::new();
    let (width, height) = (picture.width, picture.height);
    let failed = |error: image::ImageError| Trouble::Unreadable(format!("it cannot be written: {error}"));
    if coding == Coding::Jpeg {
        let rgb: Vec<u8> = picture.rgba.as_chunks::<4>().0.iter().flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
        let mut encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, QUALITY);
        encoder.encode(&rgb, width, height, image::ExtendedColorType::Rgb8).map_err(failed)?;
        return Ok((bytes, "jpg"));
    }
    let encoder = image::codecs::png::PngEncoder::new(&mut bytes);
    image::ImageEncoder::write_image(encoder, &picture.rgba, width, height, image::ExtendedColorType::Rgba8).map_err(failed)?;
    Ok((bytes, "png"))
}
