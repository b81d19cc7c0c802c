//! JPEG at reduced scale: every coefficient is read, but only the low ones of each block are turned into pixels, so that a photograph
//! becomes a thumbnail at the cost of its bytes and not of its pixels.
//!
//! Plain sequential files of 8 bits in one or three channels (ITU T.81, baseline and extended Huffman): nearly all there are. Others
//! are left to the general decoder. Where the file ends early, what came before is shown and said to be torn.

use super::header::Trouble;

/// A picture at reduced scale.
pub struct Reduced {
    pub width: usize,
    pub height: usize,
    /// Four bytes a pixel.
    pub rgba: Vec<u8>,
    /// Whether the file ended, or stopped making sense, before the picture did.
    pub torn: bool,
}

/// Why it was not decoded here.
pub enum Left {
    /// It is of a kind that the general decoder reads.
    General,
    /// Nothing of it can be read.
    Trouble(Trouble),
}

const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28, 35, 42,
    49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];

const FAST: u32 = 10;

/// A Huffman table: codes of up to ten bits are looked up, longer ones found by their length's largest code (T.81, annex F.2.2.3).
struct Huffman {
    /// Length and symbol; length 0 where the code is longer.
    fast: Vec<(u8, u8)>,
    symbols: Vec<u8>,
    /// By length: the first code of that length, one past the last, and the place of the first one's symbol.
    longer: [(u32, u32, usize); 17],
}

impl Huffman {
    fn new(counts: &[u8], symbols: &[u8]) -> Option<Self> {
        let mut table = Self { fast: vec![(0, 0); 1 << FAST], symbols: symbols.to_vec(), longer: [(0, 0, 0); 17] };
        let (mut code, mut place) = (0_u32, 0_usize);
        for length in 1..=16_u32 {
            let n = u32::from(counts[length as usize - 1]);
            if code + n > 1 << length {
                return None;
            }
            table.longer[length as usize] = (code, code + n, place);
            for _ in 0..n {
                let symbol = *symbols.get(place)?;
                if length <= FAST {
                    let first = (code << (FAST - length)) as usize;
                    table.fast[first..first + (1 << (FAST - length))].fill((length as u8, symbol));
                }
                code += 1;
                place += 1;
            }
            code <<= 1;
        }
        Some(table)
    }

    #[inline]
    fn read(&self, bits: &mut Bits<'_>) -> Option<u8> {
        let (length, symbol) = self.fast[bits.peek(FAST) as usize];
        if length > 0 {
            bits.skip(u32::from(length));
            return Some(symbol);
        }
        self.read_long(bits)
    }

    #[cold]
    fn read_long(&self, bits: &mut Bits<'_>) -> Option<u8> {
        for length in FAST + 1..=16 {
            let code = bits.peek(length);
            let (first, end, place) = self.longer[length as usize];
            if code >= first && code < end {
                bits.skip(length);
                return self.symbols.get(place + (code - first) as usize).copied();
            }
        }
        None
    }
}

/// The bits of a scan, stuffing undone. At a marker, or the end, zeros follow, and are counted.
struct Bits<'b> {
    data: &'b [u8],
    at: usize,
    held: u64,
    n: u32,
    made_up: u32,
}

impl Bits<'_> {
    #[inline]
    fn refill(&mut self) {
        if self.n <= 32 {
            if let Some(four) = self.data.get(self.at..self.at + 4) {
                let word = u32::from_be_bytes([four[0], four[1], four[2], four[3]]);
                // No byte of the four is 0xff: they can be taken as they are.
                if !has_ff(word) {
                    self.held |= u64::from(word) << (32 - self.n);
                    self.n += 32;
                    self.at += 4;
                    return;
                }
            }
            self.refill_slowly();
        }
    }

    fn refill_slowly(&mut self) {
        while self.n <= 48 {
            let byte = match (self.data.get(self.at), self.data.get(self.at + 1)) {
                (Some(0xff), Some(0)) => {
                    self.at += 2;
                    0xff
                }
                (Some(0xff) | None, _) => {
                    self.made_up += 8;
                    0
                }
                (Some(byte), _) => {
                    self.at += 1;
                    *byte
                }
            };
            self.held |= u64::from(byte) << (56 - self.n);
            self.n += 8;
        }
    }

    #[inline]
    fn peek(&self, n: u32) -> u32 {
        (self.held >> (64 - n)) as u32
    }

    #[inline]
    fn skip(&mut self, n: u32) {
        self.held <<= n;
        self.n = self.n.saturating_sub(n);
    }

    /// A value of `n` bits, extended by its sign (T.81, F.2.2.1).
    #[inline]
    fn signed(&mut self, n: u32) -> i32 {
        if n == 0 {
            return 0;
        }
        let value = self.peek(n).cast_signed();
        self.skip(n);
        if value < 1 << (n - 1) { value - (1 << n) + 1 } else { value }
    }

    /// Whether more was read than there was.
    fn is_over(&self) -> bool {
        self.made_up > self.n
    }

    /// Goes on behind the next restart marker.
    fn restart(&mut self) -> bool {
        (self.held, self.n, self.made_up) = (0, 0, 0);
        loop {
            match (self.data.get(self.at), self.data.get(self.at + 1)) {
                (Some(0xff), Some(0xd0..=0xd7)) => {
                    self.at += 2;
                    return true;
                }
                (Some(0xff), Some(0 | 0xff)) | (Some(0..0xff), _) => self.at += 1,
                _ => return false,
            }
        }
    }
}

#[inline]
fn has_ff(word: u32) -> bool {
    let inverted = !word;
    inverted.wrapping_sub(0x0101_0101) & word & 0x8080_8080 != 0
}

struct Component {
    id: u8,
    /// Blocks of it in one unit, across and down.
    across: usize,
    down: usize,
    quant: usize,
    /// Pixels that a block becomes, a side.
    side: usize,
    stride: usize,
    plane: Vec<u8>,
    last: i32,
}

/// `side × 8` weights: pixel from coefficient, for a block that becomes `side` pixels: the cosines of a shorter transform over the
/// same low frequencies, scaled so that the mean stays.
fn weights(side: usize) -> [[f32; 8]; 8] {
    let n = side as f64;
    let mut table = [[0.0; 8]; 8];
    for (x, row) in table.iter_mut().enumerate().take(side) {
        for (u, weight) in row.iter_mut().enumerate().take(side) {
            let alpha = if u == 0 { (1.0 / n).sqrt() } else { (2.0 / n).sqrt() };
            let angle = (2 * x + 1) as f64 * u as f64 * std::f64::consts::PI / (2.0 * n);
            *weight = (alpha * angle.cos() * (n / 8.0).sqrt()) as f32;
        }
    }
    table
}

/// Decodes a JPEG of `size` pixels, which its caller has found to be bounded, with each block of 8 × 8 becoming `side` × `side`: 1, 2 or 4.
///
/// # Errors
/// [`Left`].
pub fn decode_reduced(bytes: &[u8], size: (u32, u32), side: usize) -> Result<Reduced, Left> {
    Decoder { bound: (size.0 as usize, size.1 as usize), ..Decoder::default() }.run(bytes, side)
}

#[derive(Default)]
struct Decoder {
    quants: [Option<[u16; 64]>; 4],
    dc: [Option<Huffman>; 4],
    ac: [Option<Huffman>; 4],
    components: Vec<Component>,
    width: usize,
    height: usize,
    /// What its size must be.
    bound: (usize, usize),
    /// The largest sampling factors.
    most: (usize, usize),
    restart: usize,
    transform: Option<u8>,
    torn: bool,
}

fn broken(why: &str) -> Left {
    Left::Trouble(Trouble::Broken(why.to_owned()))
}

impl Decoder {
    fn run(mut self, bytes: &[u8], side: usize) -> Result<Reduced, Left> {
        let mut at = 2;
        let mut scanned = vec![];
        loop {
            // Up to the next marker; what stands between is passed over.
            while bytes.get(at).is_some_and(|byte| *byte != 0xff) {
                at += 1;
            }
            while bytes.get(at).is_some_and(|byte| *byte == 0xff) {
                at += 1;
            }
            let Some(marker) = bytes.get(at).copied() else { break };
            at += 1;
            if marker == 0xd9 {
                break;
            }
            if matches!(marker, 0 | 0x01 | 0xd0..=0xd8) {
                continue;
            }
            let Some(length) = bytes.get(at..at + 2).map(|two| usize::from(u16::from_be_bytes([two[0], two[1]]))) else { break };
            let Some(body) = bytes.get(at + 2..at + length.max(2)) else { break };
            at += length.max(2);
            match marker {
                0xdb => self.read_quants(body).ok_or_else(|| broken("its quantisation table is torn"))?,
                0xc4 => self.read_huffman(body).ok_or_else(|| broken("its Huffman table is torn"))?,
                0xc0 | 0xc1 => self.read_frame(body, side)?,
                0xc2..=0xcf => return Err(Left::General),
                0xdd => self.restart = body.get(..2).map_or(0, |two| usize::from(u16::from_be_bytes([two[0], two[1]]))),
                0xee if body.starts_with(b"Adobe") => self.transform = body.get(11).copied(),
                0xda => {
                    let (end, of) = self.scan(body, &bytes[at..])?;
                    at += end;
                    scanned.extend(of);
                    if self.torn || (0..self.components.len()).all(|component| scanned.contains(&component)) {
                        break;
                    }
                }
                _ => {}
            }
        }
        if self.components.is_empty() || scanned.is_empty() {
            return Err(broken("it ends before its pixels begin"));
        }
        self.torn |= !(0..self.components.len()).all(|component| scanned.contains(&component));
        Ok(self.colours(side))
    }

    fn read_quants(&mut self, mut body: &[u8]) -> Option<()> {
        while let Some((head, rest)) = body.split_first() {
            let (wide, place) = (head >> 4 != 0, usize::from(head & 3));
            let mut table = [0; 64];
            let (own, rest) = rest.split_at_checked(if wide { 128 } else { 64 })?;
            for (i, value) in table.iter_mut().enumerate() {
                *value = if wide { u16::from_be_bytes([own[i * 2], own[i * 2 + 1]]) } else { u16::from(own[i]) };
            }
            self.quants[place] = Some(table);
            body = rest;
        }
        Some(())
    }

    fn read_huffman(&mut self, mut body: &[u8]) -> Option<()> {
        while let Some((head, rest)) = body.split_first() {
            let (counts, rest) = rest.split_at_checked(16)?;
            let total = counts.iter().map(|count| usize::from(*count)).sum();
            let (symbols, rest) = rest.split_at_checked(total)?;
            let table = Huffman::new(counts, symbols)?;
            let place = usize::from(head & 3);
            if head >> 4 == 0 {
                self.dc[place] = Some(table);
            } else {
                self.ac[place] = Some(table);
            }
            body = rest;
        }
        Some(())
    }

    fn read_frame(&mut self, body: &[u8], side: usize) -> Result<(), Left> {
        let torn = || broken("its frame header is torn");
        let head: &[u8; 6] = body.get(..6).and_then(|head| head.try_into().ok()).ok_or_else(torn)?;
        let number = usize::from(head[5]);
        if head[0] != 8 || !matches!(number, 1 | 3) || !self.components.is_empty() {
            return Err(Left::General);
        }
        (self.height, self.width) =
            ((usize::from(head[1]) << 8) | usize::from(head[2]), (usize::from(head[3]) << 8) | usize::from(head[4]));
        // A second header that says more than the first would cost what nobody has bounded.
        if self.width == 0 || self.height == 0 || (self.width, self.height) != self.bound {
            return Err(Left::General);
        }
        let of = |i: usize| body.get(6 + i * 3..9 + i * 3).map(|three| (three[0], three[1], three[2]));
        for i in 0..number {
            let (id, sampling, quant) = of(i).ok_or_else(torn)?;
            let (across, down) = (usize::from(sampling >> 4), usize::from(sampling & 15));
            if !(1..=4).contains(&across) || !(1..=4).contains(&down) {
                return Err(torn());
            }
            // A single channel is never interleaved: its sampling says nothing.
            let (across, down) = if number == 1 { (1, 1) } else { (across, down) };
            self.most = (self.most.0.max(across), self.most.1.max(down));
            let quant = usize::from(quant & 3);
            self.components.push(Component { id, across, down, quant, side, stride: 0, plane: Vec::new(), last: 0 });
        }
        let most = self.most;
        let (units_across, units_down) = self.units();
        for component in &mut self.components {
            if !most.0.is_multiple_of(component.across) || !most.1.is_multiple_of(component.down) {
                return Err(Left::General);
            }
            // A channel at half the resolution is decoded at twice the scale: then nothing has to be made up between its pixels.
            let ratio = (most.0 / component.across).min(most.1 / component.down);
            if !ratio.is_power_of_two() {
                return Err(Left::General);
            }
            component.side = (side * ratio).min(8);
            component.stride = units_across * component.across * component.side;
            component.plane = vec![128; component.stride * units_down * component.down * component.side];
        }
        Ok(())
    }

    fn units(&self) -> (usize, usize) {
        (self.width.div_ceil(8 * self.most.0), self.height.div_ceil(8 * self.most.1))
    }

    /// Reads one scan; returns where it ends, and which components it held.
    fn scan(&mut self, head: &[u8], data: &[u8]) -> Result<(usize, Vec<usize>), Left> {
        let torn = || broken("its scan header is torn");
        let number = usize::from(*head.first().ok_or_else(torn)?);
        let mut of = Vec::new();
        for i in 0..number {
            let pair = head.get(1 + i * 2..3 + i * 2).ok_or_else(torn)?;
            let place = self.components.iter().position(|component| component.id == pair[0]).ok_or_else(torn)?;
            of.push((place, usize::from(pair[1] >> 4 & 3), usize::from(pair[1] & 3)));
        }
        if of.is_empty() {
            return Err(torn());
        }
        let (units_across, units_down) = self.units();
        let alone = number == 1;
        let (across, down) = if alone {
            let component = &self.components[of[0].0];
            let blocks = |size: usize, own: usize, most: usize| (size * own).div_ceil(8 * most);
            (blocks(self.width, component.across, self.most.0), blocks(self.height, component.down, self.most.1))
        } else {
            (units_across, units_down)
        };
        let mut bits = Bits { data, at: 0, held: 0, n: 0, made_up: 0 };
        self.components.iter_mut().for_each(|component| component.last = 0);
        let tables: Vec<[[f32; 8]; 8]> = self.components.iter().map(|component| weights(component.side)).collect();
        let mut coefficients = [0.0_f32; 64];
        'units: for unit in 0..across * down {
            if self.restart > 0 && unit > 0 && unit % self.restart == 0 {
                if !bits.restart() {
                    self.torn = true;
                    break;
                }
                self.components.iter_mut().for_each(|component| component.last = 0);
            }
            let (x, y) = (unit % across, unit / across);
            for (place, dc, ac) in &of {
                let component = &mut self.components[*place];
                let (Some(dc), Some(ac), Some(quant)) = (&self.dc[*dc], &self.ac[*ac], &self.quants[component.quant]) else {
                    return Err(broken("a table that its scan needs is missing"));
                };
                let (blocks_across, blocks_down) = if alone { (1, 1) } else { (component.across, component.down) };
                for block in 0..blocks_across * blocks_down {
                    let (bx, by) = (x * blocks_across + block % blocks_across, y * blocks_down + block / blocks_across);
                    let start = (by * component.stride + bx) * component.side;
                    let Some(flat) = read_block(&mut bits, dc, ac, quant, component, &mut coefficients) else {
                        self.torn = true;
                        break 'units;
                    };
                    if start + (component.side - 1) * component.stride + component.side <= component.plane.len() {
                        paint(component, start, &coefficients, flat, &tables[*place]);
                    }
                }
            }
            if bits.is_over() {
                self.torn = true;
                break;
            }
        }
        Ok((bits.at.min(data.len()), of.into_iter().map(|(place, ..)| place).collect()))
    }

    /// The planes as pixels.
    fn colours(self, side: usize) -> Reduced {
        let (width, height) = ((self.width * side).div_ceil(8), (self.height * side).div_ceil(8));
        let mut rgba = vec![255; width * height * 4];
        let torn = self.torn;
        if let [grey] = self.components.as_slice() {
            for (y, row) in rgba.chunks_exact_mut(width * 4).enumerate() {
                for (pixel, value) in row.as_chunks_mut::<4>().0.iter_mut().zip(&grey.plane[y * grey.stride..]) {
                    *pixel = [*value, *value, *value, 255];
                }
            }
            return Reduced { width, height, rgba, torn };
        }
        let [a, b, c] = self.components.as_slice() else { return Reduced { width, height, rgba, torn } };
        // How many of the picture's pixels one of the plane's covers.
        let step = |component: &Component| {
            let wide = self.most.0 * side / (component.across * component.side);
            let high = self.most.1 * side / (component.down * component.side);
            (wide.max(1), high.max(1))
        };
        let plain_rgb = self.transform == Some(0) || (self.transform.is_none() && [a.id, b.id, c.id] == *b"RGB");
        let steps = [step(a), step(b), step(c)];
        for (y, row) in rgba.chunks_exact_mut(width * 4).enumerate() {
            let line = |component: &'_ Component, step: (usize, usize)| (y / step.1) * component.stride;
            let (la, lb, lc) = (&a.plane[line(a, steps[0])..], &b.plane[line(b, steps[1])..], &c.plane[line(c, steps[2])..]);
            let even = steps.iter().all(|step| step.0 == 1);
            for (x, pixel) in row.as_chunks_mut::<4>().0.iter_mut().enumerate() {
                let (p, q, r) =
                    if even { (la[x], lb[x], lc[x]) } else { (la[x / steps[0].0], lb[x / steps[1].0], lc[x / steps[2].0]) };
                *pixel = if plain_rgb { [p, q, r, 255] } else { rgb(p, q, r) };
            }
        }
        Reduced { width, height, rgba, torn }
    }
}

/// JFIF's conversion, in sixteenths of a thousandth.
#[inline]
fn rgb(y: u8, cb: u8, cr: u8) -> [u8; 4] {
    let (y, cb, cr) = ((i32::from(y) << 16) + 32_768, i32::from(cb) - 128, i32::from(cr) - 128);
    let part = |value: i32| (value >> 16).clamp(0, 255) as u8;
    [part(y + 91_881 * cr), part(y - 22_554 * cb - 46_802 * cr), part(y + 116_130 * cb), 255]
}

/// Reads one block's coefficients, dequantised, into `out`: those that a block of `side` pixels needs. Says whether all but the first
/// are 0; `None` where the bits make no sense.
#[inline]
fn read_block(
    bits: &mut Bits<'_>,
    dc: &Huffman,
    ac: &Huffman,
    quant: &[u16; 64],
    component: &mut Component,
    out: &mut [f32; 64],
) -> Option<bool> {
    let side = component.side as u8;
    bits.refill();
    let size = u32::from(dc.read(bits)?);
    if size > 11 {
        return None;
    }
    component.last = component.last.wrapping_add(bits.signed(size));
    if side > 1 {
        out.fill(0.0);
    }
    out[0] = component.last as f32 * f32::from(quant[0]);
    let (mut k, mut flat) = (1_usize, true);
    while k < 64 {
        bits.refill();
        let symbol = ac.read(bits)?;
        let (run, size) = (usize::from(symbol >> 4), u32::from(symbol & 15));
        if size == 0 {
            if run < 15 {
                break;
            }
            k += 16;
            continue;
        }
        k += run;
        if k > 63 {
            return None;
        }
        let place = ZIGZAG[k];
        if place & 7 < side && place >> 3 < side {
            out[usize::from(place)] = bits.signed(size) as f32 * f32::from(quant[k]);
            flat = false;
        } else {
            bits.skip(size);
        }
        k += 1;
    }
    Some(flat)
}

fn paint(component: &mut Component, start: usize, coefficients: &[f32; 64], flat: bool, weights: &[[f32; 8]; 8]) {
    let (side, stride) = (component.side, component.stride);
    if flat {
        let value = (coefficients[0] / 8.0 + 128.5).clamp(0.0, 255.0) as u8;
        for row in component.plane[start..].chunks_mut(stride).take(side) {
            row[..side].fill(value);
        }
        return;
    }
    match side {
        2 => paint_of::<2>(&mut component.plane[start..], stride, coefficients, weights),
        4 => paint_of::<4>(&mut component.plane[start..], stride, coefficients, weights),
        _ => paint_of::<8>(&mut component.plane[start..], stride, coefficients, weights),
    }
}

#[inline]
fn paint_of<const N: usize>(plane: &mut [u8], stride: usize, coefficients: &[f32; 64], weights: &[[f32; 8]; 8]) {
    // Down the columns first, then along the rows.
    let mut half = [[0.0_f32; N]; N];
    for (y, row) in half.iter_mut().enumerate() {
        for v in 0..N {
            let weight = weights[y][v];
            for u in 0..N {
                row[u] += weight * coefficients[v * 8 + u];
            }
        }
    }
    for (y, from) in half.iter().enumerate() {
        let mut values = [128.5_f32; N];
        for (x, value) in values.iter_mut().enumerate() {
            for u in 0..N {
                *value += weights[x][u] * from[u];
            }
        }
        for (to, value) in plane[y * stride..y * stride + N].iter_mut().zip(values) {
            *to = value.clamp(0.0, 255.0) as u8;
        }
    }
}
