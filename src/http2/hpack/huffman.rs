//! The Huffman code of strings (RFC 7541, section 5.2 and appendix B).
//!
//! The code is canonical: codes of one length are consecutive numbers in the order of their
//! symbols, and those of the next length follow. So its lengths say all of it.

use super::hpack_error::HpackError;

/// The end of a string, which is never sent: the beginning of its code is the padding.
const EOS: u16 = 256;

/// The longest code, in bits.
const LONGEST: u32 = 30;

/// How long the code of each symbol is, in bits: appendix B.
#[rustfmt::skip]
const LENGTHS: [u8; EOS as usize + 1] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
    28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
     6, 10, 10, 12, 13,  6,  8, 11, 10, 10,  8, 11,  8,  6,  6,  6,
     5,  5,  5,  6,  6,  6,  6,  6,  6,  6,  7,  8, 15,  6, 12, 10,
    13,  6,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,
     7,  7,  7,  7,  7,  7,  7,  7,  8,  7,  8, 13, 19, 13, 14,  6,
    15,  5,  6,  5,  6,  5,  6,  6,  6,  5,  7,  7,  6,  6,  6,  5,
     6,  7,  6,  5,  5,  6,  7,  7,  7,  7,  7, 15, 11, 14, 13, 28,
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
    21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
    19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
    30,
];

/// Codes of one length.
#[derive(Clone, Copy)]
struct Length {
    /// The first code.
    first: u32,
    count: u32,
    /// Where their symbols begin in `SYMBOLS`.
    at: usize,
}

/// By length.
const CODES: [Length; LONGEST as usize + 1] = codes();

/// The symbols in the order of their codes.
const SYMBOLS: [u16; EOS as usize + 1] = symbols();

/// Codes up to this length, in bits, are looked up: all lower-case letters, digits and most of
/// what else is in names and values.
const SHORT_BITS: u32 = 8;

/// What strings begin with a short code: its length, 0 where the code is longer, and its symbol.
static SHORT: [(u8, u8); 1 << SHORT_BITS] = short();

const fn codes() -> [Length; LONGEST as usize + 1] {
    let mut codes = [Length { first: 0, count: 0, at: 0 }; LONGEST as usize + 1];
    let mut symbol = 0;
    while symbol < LENGTHS.len() {
        codes[LENGTHS[symbol] as usize].count += 1;
        symbol += 1;
    }
    let mut bits = 1;
    while bits < codes.len() {
        let before = codes[bits - 1];
        codes[bits].first = (before.first + before.count) << 1;
        codes[bits].at = before.at + before.count as usize;
        bits += 1;
    }
    codes
}

const fn symbols() -> [u16; EOS as usize + 1] {
    let mut symbols = [0; EOS as usize + 1];
    let mut used = [0; LONGEST as usize + 1];
    let mut symbol = 0;
    while symbol <= EOS {
        let bits = LENGTHS[symbol as usize] as usize;
        symbols[CODES[bits].at + used[bits]] = symbol;
        used[bits] += 1;
        symbol += 1;
    }
    symbols
}

#[allow(clippy::cast_possible_truncation, reason = "short codes are of ASCII")]
const fn short() -> [(u8, u8); 1 << SHORT_BITS] {
    let mut short = [(0, 0); 1 << SHORT_BITS];
    let mut bits = 1;
    while bits <= SHORT_BITS {
        let Length { first, count, at } = CODES[bits as usize];
        let mut i = 0;
        while i < count << (SHORT_BITS - bits) {
            let symbol = SYMBOLS[at + (i >> (SHORT_BITS - bits)) as usize];
            assert!(symbol <= 0x7f);
            short[((first << (SHORT_BITS - bits)) + i) as usize] = (bits as u8, symbol as u8);
            i += 1;
        }
        bits += 1;
    }
    short
}

/// Bits that have been read and belong to no symbol yet.
struct Bits {
    /// The first one is the highest.
    bits: u64,
    count: u32,
}

impl Bits {
    /// Takes bytes of `coded` until there are enough for the longest code, or none left.
    #[inline]
    fn fill(&mut self, coded: &mut &[u8]) {
        if let Some((bytes, rest)) = coded.split_first_chunk() {
            self.bits |= u64::from(u32::from_be_bytes(*bytes)) << (32 - self.count);
            self.count += 32;
            *coded = rest;
            return;
        }
        for byte in core::mem::take(coded) {
            self.bits |= u64::from(*byte) << (56 - self.count);
            self.count += 8;
        }
    }

    #[inline]
    fn take(&mut self, count: u32) {
        self.bits <<= count;
        self.count -= count;
    }

    /// The first symbol, of those with long codes, or none if there are too few bits for it.
    #[allow(clippy::cast_possible_truncation, reason = "codes have 30 bits at most")]
    fn long(&mut self) -> Result<Option<u8>, HpackError> {
        for bits in SHORT_BITS + 1..=self.count.min(LONGEST) {
            let Length { first, count, at } = CODES[bits as usize];
            let nth = ((self.bits >> (64 - bits)) as u32).wrapping_sub(first);
            if nth < count {
                self.take(bits);
                let symbol = u8::try_from(SYMBOLS[at + nth as usize]);
                return symbol.map(Some).map_err(|_| HpackError::BadHuffman);
            }
        }
        Ok(None)
    }

    /// Whether what is left is nothing but padding: less than a byte of the beginning of EOS.
    fn is_padding(&self) -> bool {
        self.count < 8 && self.bits.leading_ones() >= self.count
    }
}

/// Writes the string that `coded` stands for behind `out`: at most 8/5 of its length.
pub(super) fn decode(mut coded: &[u8], out: &mut Vec<u8>) -> Result<(), HpackError> {
    out.reserve(coded.len() * 8 / 5);
    let mut bits = Bits { bits: 0, count: 0 };
    loop {
        if bits.count < 32 {
            bits.fill(&mut coded);
        }
        let (len, symbol) = SHORT[(bits.bits >> (64 - SHORT_BITS)) as usize];
        let len = u32::from(len);
        if len > 0 && len <= bits.count {
            bits.take(len);
            out.push(symbol);
            continue;
        }
        match if len == 0 { bits.long()? } else { None } {
            Some(symbol) => out.push(symbol),
            None if bits.is_padding() => return Ok(()),
            None => return Err(HpackError::BadHuffman),
        }
    }
}
