//! From a file's bytes to upright pixels, within bounds of memory, whatever the file claims.

use std::io::Cursor;
use std::sync::{Mutex, PoisonError};

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::{ImageDecoder as _, ImageFormat};

use super::header::{Coding, Header, Trouble, has_end, read_header};
use super::jpeg::{Left, decode_reduced};
use crate::job::guarded;

/// Upright pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Pixels across and down.
    pub width: u32,
    pub height: u32,
    /// Red, green, blue and opacity, a byte each, row by row. Colours are not multiplied by the opacity.
    pub rgba: Vec<u8>,
    /// Whether the file ends before the picture does: the rest is grey.
    pub torn: bool,
}

/// The most bytes that decoding one picture may take: its own pixels and ours.
const BOUND: u64 = 352 << 20;
/// Above this, one picture is decoded at a time.
const LARGE: u64 = 24 << 20;
static LARGE_ONE: Mutex<()> = Mutex::new(());

/// Decodes the first frame, upright. Where `least` is given, the longer side need not be longer than that: a JPEG is then decoded at a
/// reduced scale, and whatever is left is scaled down to between `least` and twice that.
///
/// # Errors
/// [`Trouble`].
pub fn decode(bytes: &[u8], least: Option<u32>) -> Result<Picture, Trouble> {
    let header = read_header(bytes)?;
    let (width, height) = (u64::from(header.width), u64::from(header.height));
    let huge = || Trouble::Huge { width, height };
    if header.coding == Coding::Jpeg
        && let Some(side) = least.and_then(|least| reduced_side(&header, least))
    {
        // The planes are of the reduced size; a header that lies about it costs no more.
        let cost = width.saturating_mul(height) * (side * side) as u64 / 64 * 10;
        if cost > BOUND {
            return Err(huge());
        }
        let one = (cost > LARGE).then(|| LARGE_ONE.lock().unwrap_or_else(PoisonError::into_inner));
        match guarded(|| decode_reduced(bytes, (header.width, header.height), side)) {
            Ok(Ok(reduced)) => {
                let (width, height) = (reduced.width as u32, reduced.height as u32);
                let picture = Picture { width, height, rgba: reduced.rgba, torn: reduced.torn };
                return Ok(upright(shrunk(picture, least), header.orientation));
            }
            Ok(Err(Left::Trouble(trouble))) => return Err(trouble),
            Ok(Err(Left::General)) => drop(one),
            Err(panic) => return Err(Trouble::Broken(panic)),
        }
    }
    let stored =
        if header.coding == Coding::Jpeg { 9 } else { u64::from(header.channels.max(3)) * u64::from(header.bits.div_ceil(8)) };
    let cost = width.checked_mul(height).and_then(|pixels| pixels.checked_mul(stored + 4)).ok_or_else(huge)?;
    if cost > BOUND {
        return Err(huge());
    }
    let _one = (cost > LARGE).then(|| LARGE_ONE.lock().unwrap_or_else(PoisonError::into_inner));
    // Decoders of strangers' bytes: a panic in one is a damaged picture.
    let picture = guarded(|| decode_whole(bytes, &header)).unwrap_or_else(|panic| Err(Trouble::Broken(panic)))?;
    Ok(upright(shrunk(picture, least), header.orientation))
}

/// Where less is asked for, a large picture is let go of before the next one may be decoded.
fn shrunk(picture: Picture, least: Option<u32>) -> Picture {
    match least {
        Some(least) => fit(picture, least.saturating_mul(2)),
        None => picture,
    }
}

/// The side that a block of 8 may be reduced to so that the longer side is still `least`; `None` where only the whole will do.
fn reduced_side(header: &Header, least: u32) -> Option<usize> {
    let longer = u64::from(header.width.max(header.height));
    [1, 2, 4].into_iter().find(|side| (longer * *side as u64).div_ceil(8) >= u64::from(least))
}

fn decode_whole(bytes: &[u8], header: &Header) -> Result<Picture, Trouble> {
    let format = match header.coding {
        Coding::Png => ImageFormat::Png,
        Coding::Jpeg => ImageFormat::Jpeg,
        Coding::WebP => ImageFormat::WebP,
        Coding::Gif => ImageFormat::Gif,
        Coding::Bmp => ImageFormat::Bmp,
        Coding::Tiff => ImageFormat::Tiff,
    };
    let broken = |error: &image::ImageError| {
        if let image::ImageError::Unsupported(what) = error {
            let kind = what.to_string().to_lowercase();
            let float = kind.contains("float") || kind.contains("unknown(32)") || kind.contains("unknown(64)");
            let kind = if float { "of floating-point numbers" } else { "of an unusual kind" };
            return Trouble::Foreign(format!("a {} {kind}", header.coding.title()));
        }
        let text = error.to_string();
        let text = text.split_once(": ").filter(|(start, _)| start.starts_with("Format error")).map_or(&*text, |(_, rest)| rest);
        Trouble::Broken(text.lines().next().unwrap_or_default().chars().take(160).collect())
    };
    let mut reader = image::ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = image::Limits::default();
    limits.max_alloc = Some(BOUND);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|error| broken(&error))?;
    let (width, height) = decoder.dimensions();
    // What the decoder believes counts, not what we read.
    if u64::from(width) * u64::from(height) * u64::from(decoder.color_type().bytes_per_pixel() + 4) > BOUND {
        return Err(Trouble::Huge { width: width.into(), height: height.into() });
    }
    let mut limits = image::Limits::default();
    limits.max_alloc = Some(BOUND);
    decoder.set_limits(limits).map_err(|error| broken(&error))?;
    let rgba = image::DynamicImage::from_decoder(decoder).map_err(|error| broken(&error))?.into_rgba8();
    let torn = header.coding == Coding::Jpeg && !has_end(bytes);
    Ok(Picture { width, height, rgba: rgba.into_raw(), torn })
}

/// Turns and mirrors a picture by its EXIF orientation (Exif 2.3, tag 0x0112).
fn upright(picture: Picture, orientation: u8) -> Picture {
    if orientation <= 1 {
        return picture;
    }
    let (w, h) = (picture.width as usize, picture.height as usize);
    let (width, height) = if orientation >= 5 { (h, w) } else { (w, h) };
    let mut rgba = vec![0_u8; picture.rgba.len()];
    let from = picture.rgba.as_chunks::<4>().0;
    for (y, row) in rgba.chunks_exact_mut(width * 4).enumerate() {
        for (x, pixel) in row.as_chunks_mut::<4>().0.iter_mut().enumerate() {
            let (sx, sy) = match orientation {
                2 => (w - 1 - x, y),
                3 => (w - 1 - x, h - 1 - y),
                4 => (x, h - 1 - y),
                5 => (y, x),
                6 => (y, h - 1 - x),
                7 => (w - 1 - y, h - 1 - x),
                _ => (w - 1 - y, x),
            };
            *pixel = from[sy * w + sx];
        }
    }
    Picture { width: width as u32, height: height as u32, rgba, torn: picture.torn }
}

/// Scales to exactly `width × height`, each at least 1. Down by area-aware filters, so that nothing shimmers.
pub fn scale(picture: &Picture, width: u32, height: u32, filter: FilterType) -> Option<Picture> {
    let from = ImageRef::new(picture.width, picture.height, &picture.rgba, PixelType::U8x4).ok()?;
    let mut to = Image::new(width.max(1), height.max(1), PixelType::U8x4);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter));
    let opaque = picture.rgba.as_chunks::<4>().0.iter().all(|pixel| pixel[3] == 255);
    Resizer::new().resize(&from, &mut to, &options.use_alpha(!opaque)).ok()?;
    Some(Picture { width: width.max(1), height: height.max(1), rgba: to.into_vec(), torn: picture.torn })
}

/// Scales down so that the longer side is at most `most`, proportions kept; a smaller picture stays as it is.
pub fn fit(picture: Picture, most: u32) -> Picture {
    let longer = picture.width.max(picture.height);
    if longer <= most {
        return picture;
    }
    let side = |side: u32| ((f64::from(side) * f64::from(most) / f64::from(longer)).round() as u32).max(1);
    let (width, height) = (side(picture.width), side(picture.height));
    scale(&picture, width, height, FilterType::Bilinear).unwrap_or(picture)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture of 3 × 2 pixels, numbered from 0.
    fn numbered() -> Picture {
        Picture { width: 3, height: 2, rgba: (0..6).flat_map(|n| [n, n, n, 255]).collect(), torn: false }
    }

    #[test]
    fn every_orientation_by_hand() {
        let rows = |orientation| {
            let turned = upright(numbered(), orientation);
            let numbers: Vec<u8> = turned.rgba.as_chunks::<4>().0.iter().map(|pixel| pixel[0]).collect();
            numbers.chunks(turned.width as usize).map(<[u8]>::to_vec).collect::<Vec<_>>()
        };
        assert_eq!(rows(1), [[0, 1, 2], [3, 4, 5]]);
        assert_eq!(rows(2), [[2, 1, 0], [5, 4, 3]]);
        assert_eq!(rows(3), [[5, 4, 3], [2, 1, 0]]);
        assert_eq!(rows(4), [[3, 4, 5], [0, 1, 2]]);
        assert_eq!(rows(5), [[0, 3], [1, 4], [2, 5]]);
        assert_eq!(rows(6), [[3, 0], [4, 1], [5, 2]]);
        assert_eq!(rows(7), [[5, 2], [4, 1], [3, 0]]);
        assert_eq!(rows(8), [[2, 5], [1, 4], [0, 3]]);
    }

    /// A photograph-like picture: slopes, an edge, some texture.
    fn scene(width: u32, height: u32) -> image::RgbImage {
        image::RgbImage::from_fn(width, height, |x, y| {
            let wave = ((x as f32 * 0.11).sin() + (y as f32 * 0.07).cos()) * 30.0;
            let edge = if x * 3 > y * 4 { 60.0 } else { 0.0 };
            let part = |base: f32| (base + wave + edge).clamp(0.0, 255.0) as u8;
            image::Rgb([part(90.0), part(70.0 + y as f32 * 0.2), part(120.0 - x as f32 * 0.1)])
        })
    }

    fn jpeg(picture: &image::RgbImage) -> Vec<u8> {
        let mut bytes = Vec::new();
        image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 90).encode_image(picture).unwrap();
        bytes
    }

    #[test]
    fn a_reduced_jpeg_is_the_whole_one_made_smaller() {
        for (width, height) in [(320, 240), (317, 203), (1_000, 64)] {
            let bytes = jpeg(&scene(width, height));
            let whole = decode(&bytes, None).unwrap();
            assert_eq!((whole.width, whole.height), (width, height));
            for side in [1, 2, 4] {
                let Ok(reduced) = decode_reduced(&bytes, (width, height), side) else { panic!("not decoded") };
                assert_eq!(
                    (reduced.width, reduced.height),
                    ((width as usize * side).div_ceil(8), (height as usize * side).div_ceil(8))
                );
                // Each reduced pixel against the mean of those it stands for, away from the torn edge of the last block.
                let step = 8 / side;
                let (mut off, mut n) = (0.0, 0.0);
                for y in 0..height as usize / step {
                    for x in 0..width as usize / step {
                        for channel in 0..3 {
                            let mut sum = 0.0;
                            for (dx, dy) in (0..step * step).map(|i| (i % step, i / step)) {
                                sum += f64::from(whole.rgba[((y * step + dy) * width as usize + x * step + dx) * 4 + channel]);
                            }
                            off += (sum / (step * step) as f64 - f64::from(reduced.rgba[(y * reduced.width + x) * 4 + channel]))
                                .abs();
                            n += 1.0;
                        }
                    }
                }
                assert!(off / n < 2.5, "{width} × {height} at {side}: off by {:.2} on average", off / n);
            }
        }
    }

    #[test]
    fn a_jpeg_cut_anywhere_or_altered_is_shown_or_refused() {
        let bytes = jpeg(&scene(160, 120));
        for cut in (2..bytes.len()).step_by(37) {
            if let Ok(picture) = decode(&bytes[..cut], Some(40)) {
                assert!(picture.torn, "cut at {cut} of {}", bytes.len());
                assert_eq!(picture.rgba.len(), (picture.width * picture.height * 4) as usize);
            }
        }
        let mut altered = bytes.clone();
        for at in (0..bytes.len()).step_by(11) {
            altered[at] ^= 0x5a;
            let _ = decode(&altered, Some(40));
            let _ = decode(&altered, None);
            altered[at] = bytes[at];
        }
    }

    #[test]
    fn what_claims_too_much_is_refused_before_it_costs_anything() {
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\x01\x86\xa0\0\x01\x86\xa0\x08\x06\0\0\0\0\0\0\0";
        assert_eq!(decode(png, Some(256)), Err(Trouble::Huge { width: 100_000, height: 100_000 }));
        let mut bmp = vec![0; 54];
        bmp[..2].copy_from_slice(b"BM");
        bmp[14] = 40;
        bmp[18..22].copy_from_slice(&60_000_u32.to_le_bytes());
        bmp[22..26].copy_from_slice(&60_000_u32.to_le_bytes());
        bmp[28] = 24;
        assert_eq!(decode(&bmp, None), Err(Trouble::Huge { width: 60_000, height: 60_000 }));
    }
}
