//! What several benches measure with.

#![allow(dead_code)]

use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use image::imageops::{FilterType, crop_imm, resize};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

/// Processor time of this process, in seconds.
pub fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks: f64 = [11, 12].iter().filter_map(|at| fields.get(*at)?.parse::<f64>().ok()).sum();
    ticks / 100.0
}

/// A result, the time on the clock, and the processor's.
pub fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration, f64) {
    let (start, before) = (Instant::now(), processor_seconds());
    let value = work();
    (value, start.elapsed(), processor_seconds() - before)
}

/// Photographs of about 110 kB: parts of the full-size ones among the hand signs where those are here, else drawn ones.
pub fn photographs(folder: &Path, n: usize) -> Vec<PathBuf> {
    let full: Vec<image::RgbImage> = ["IMG_5874", "IMG_5935", "IMG_5978"]
        .iter()
        .filter_map(|name| image::open(format!("../shared/data/sign_digits/Dataset/7/{name}.JPG")).ok())
        .map(|picture| picture.into_rgb8())
        .collect();
    let mut random = StdRng::seed_from_u64(5);
    (0..n)
        .map(|i| {
            let picture = match full.get(i % 3) {
                Some(full) => {
                    let wide = random.random_range(1_400..2_600);
                    let (high, most) = (wide * 3 / 4, full.width().min(full.height()));
                    let (x, y) = (random.random_range(0..most - wide), random.random_range(0..most - high));
                    resize(&crop_imm(full, x, y, wide, high).to_image(), 1_280, 960, FilterType::Triangle)
                }
                None => image::RgbImage::from_fn(1_280, 960, |x, y| {
                    let noise = random.random_range(0..24) as u8;
                    image::Rgb([(x / 8) as u8 + noise, (y / 6) as u8 + noise, 90 + noise])
                }),
            };
            let path = folder.join(format!("{i:05}.jpg"));
            let mut out = BufWriter::new(std::fs::File::create(&path).unwrap());
            image::codecs::jpeg::JpegEncoder::new_with_quality(&mut out, 86).encode_image(&picture).unwrap();
            path
        })
        .collect()
}
