//! What bodies are made of.

/// The longest segment, in bytes.
pub(super) const MOST_SEGMENT_BYTES: usize = 4 * 1024;

/// Payload starts anywhere in the first period and never passes the end.
pub(super) const PERIOD: usize = 251;
pub(super) const TEXT_BYTES: usize = PERIOD + MOST_SEGMENT_BYTES;

/// Each byte is its position modulo 251.
pub(super) static POSITIONS: [u8; TEXT_BYTES] = {
    let mut text = [0; TEXT_BYTES];
    let mut i = 0;
    while i < text.len() {
        text[i] = (i % PERIOD) as u8;
        i += 1;
    }
    text
};

/// Two letters in no order, one of them rare: needles match in part and at many places.
pub(super) static LETTERS: [u8; TEXT_BYTES] = {
    let mut text = [0; TEXT_BYTES];
    let mut i = 0;
    let mut x = 1_u32;
    while i < text.len() {
        x = x.wrapping_mul(1_103_515_245).wrapping_add(12_345);
        text[i] = b'a' + ((x >> 16) & (x >> 17) & 1) as u8;
        i += 1;
    }
    text
};
