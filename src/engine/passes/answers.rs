//! Numbers in answers: lists of them as bytes, the least byte first.

/// 64-bit numbers as bytes.
pub fn longs(list: impl IntoIterator<Item = u64>) -> Vec<u8> {
    list.into_iter().flat_map(u64::to_le_bytes).collect()
}

/// 32-bit numbers as bytes.
pub fn shorts(list: impl IntoIterator<Item = u32>) -> Vec<u8> {
    list.into_iter().flat_map(u32::to_le_bytes).collect()
}

/// Bytes as 64-bit numbers; what is left over is left.
pub fn read_longs(bytes: &[u8]) -> Vec<u64> {
    bytes.as_chunks::<8>().0.iter().map(|chunk| u64::from_le_bytes(*chunk)).collect()
}

/// Bytes as 32-bit numbers; what is left over is left.
pub fn read_shorts(bytes: &[u8]) -> Vec<u32> {
    bytes.as_chunks::<4>().0.iter().map(|chunk| u32::from_le_bytes(*chunk)).collect()
}

/// A place: the piece above, the row below.
pub fn place(piece: usize, row: u32) -> u64 {
    (piece as u64) << 32 | u64::from(row)
}

/// The piece and the row of a place.
pub fn placed(place: u64) -> (usize, u32) {
    ((place >> 32) as usize, place as u32)
}
