//! HPACK as the RFC tells it, without a thought for speed: bytes and lists.
//!
//! The fuzz target has this file too: it names nothing of the decoder's.

use std::collections::HashMap;
use std::sync::LazyLock;

/// A name and a value, as they were sent.
pub(crate) type Pair = (Vec<u8>, Vec<u8>);

/// Fields by index: those of appendix A, and behind them what was sent, the last one first.
#[derive(Clone)]
pub(crate) struct Table {
    pub(crate) sent: Vec<Pair>,
    limit: usize,
    max: usize,
}

pub(crate) fn size((name, value): &Pair) -> usize {
    name.len() + value.len() + 32
}

impl Table {
    pub(crate) fn new(max: usize) -> Self {
        Self { sent: Vec::new(), limit: max, max }
    }

    pub(crate) fn get(&self, index: usize) -> Option<Pair> {
        let bytes = |text: &str| text.as_bytes().to_vec();
        let known = STATIC.get(index.checked_sub(1)?);
        match known {
            Some((name, value)) => Some((bytes(name), bytes(value))),
            None => self.sent.get(index - 1 - STATIC.len()).cloned(),
        }
    }

    pub(crate) fn insert(&mut self, pair: Pair) {
        self.sent.insert(0, pair);
        self.evict();
    }

    /// Answers whether it may be that large.
    pub(crate) fn resize(&mut self, limit: usize) -> bool {
        self.limit = limit;
        self.evict();
        limit <= self.max
    }

    fn evict(&mut self) {
        while self.sent.iter().map(size).sum::<usize>() > self.limit {
            self.sent.pop();
        }
    }
}

/// The fields of a block, and the name of what is wrong behind them.
pub(crate) fn decode(table: &mut Table, block: &[u8]) -> (Vec<Pair>, Result<(), &'static str>) {
    let mut fields = Vec::new();
    let mut left = block;
    let result = decode_to(table, &mut left, &mut fields);
    (fields, result)
}

fn decode_to(
    table: &mut Table,
    left: &mut &[u8],
    fields: &mut Vec<Pair>,
) -> Result<(), &'static str> {
    while let Some(&first) = left.first() {
        if first & 0b1000_0000 != 0 {
            let index = integer(left, 7)?;
            fields.push(table.get(index).ok_or("BadIndex")?);
        } else if first & 0b1100_0000 == 0b0100_0000 {
            let pair = literal(table, left, 6)?;
            fields.push(pair.clone());
            table.insert(pair);
        } else if first & 0b1110_0000 == 0b0010_0000 {
            if !fields.is_empty() {
                return Err("TableSize");
            }
            let limit = integer(left, 5)?;
            if !table.resize(limit) {
                return Err("TableSize");
            }
        } else {
            fields.push(literal(table, left, 4)?);
        }
    }
    Ok(())
}

fn literal(table: &Table, left: &mut &[u8], bits: u32) -> Result<Pair, &'static str> {
    let name = match integer(left, bits)? {
        0 => string(left)?,
        index => table.get(index).ok_or("BadIndex")?.0,
    };
    Ok((name, string(left)?))
}

fn byte(left: &mut &[u8]) -> Result<u8, &'static str> {
    let byte = *left.first().ok_or("Truncated")?;
    *left = &left[1..];
    Ok(byte)
}

fn integer(left: &mut &[u8], bits: u32) -> Result<usize, &'static str> {
    let largest = 2_u128.pow(bits) - 1;
    let mut value = u128::from(byte(left)?) & largest;
    if value == largest {
        let mut factor = 1;
        for n in 1.. {
            let next = u128::from(byte(left)?);
            value += (next % 128) * factor;
            factor *= 128;
            if next < 128 {
                break;
            }
            if n == 5 {
                return Err("IntegerOverflow");
            }
        }
    }
    u32::try_from(value).map(|value| value as usize).map_err(|_| "IntegerOverflow")
}

fn string(left: &mut &[u8]) -> Result<Vec<u8>, &'static str> {
    let is_coded = left.first().is_some_and(|first| *first >= 128);
    let len = integer(left, 7)?;
    if left.len() < len {
        return Err("Truncated");
    }
    let (string, rest) = left.split_at(len);
    *left = rest;
    if is_coded { uncoded(string).ok_or("BadHuffman") } else { Ok(string.to_vec()) }
}

/// What each code stands for.
static SYMBOLS: LazyLock<HashMap<(u32, u32), usize>> =
    LazyLock::new(|| CODES.into_iter().enumerate().map(|(symbol, code)| (code, symbol)).collect());

/// Bit by bit.
fn uncoded(coded: &[u8]) -> Option<Vec<u8>> {
    let (mut out, mut code, mut len) = (Vec::new(), 0, 0);
    for bit in coded.iter().flat_map(|byte| (0..8).rev().map(move |n| u32::from(byte >> n & 1))) {
        (code, len) = (code << 1 | bit, len + 1);
        if let Some(symbol) = SYMBOLS.get(&(code, len)) {
            out.push(u8::try_from(*symbol).ok()?);
            (code, len) = (0, 0);
        }
    }
    (len < 8 && code == 2_u32.pow(len) - 1).then_some(out)
}

/// The string as a Huffman-coded one, without its length.
pub(crate) fn coded(string: &[u8]) -> Vec<u8> {
    let mut bits = Vec::new();
    for byte in string {
        let (code, len) = CODES[usize::from(*byte)];
        bits.extend((0..len).rev().map(|n| (code >> n & 1) as u8));
    }
    let in_bytes = bits
        .chunks(8)
        .map(|bits| (0..8).fold(0, |byte, n| byte << 1 | bits.get(n).copied().unwrap_or(1)));
    in_bytes.collect()
}

/// The code of each symbol and its length in bits: appendix B.
pub(crate) const CODES: [(u32, u32); 257] = [
    (0x1ff8, 13),
    (0x7fffd8, 23),
    (0xfffffe2, 28),
    (0xfffffe3, 28),
    (0xfffffe4, 28),
    (0xfffffe5, 28),
    (0xfffffe6, 28),
    (0xfffffe7, 28),
    (0xfffffe8, 28),
    (0xffffea, 24),
    (0x3ffffffc, 30),
    (0xfffffe9, 28),
    (0xfffffea, 28),
    (0x3ffffffd, 30),
    (0xfffffeb, 28),
    (0xfffffec, 28),
    (0xfffffed, 28),
    (0xfffffee, 28),
    (0xfffffef, 28),
    (0xffffff0, 28),
    (0xffffff1, 28),
    (0xffffff2, 28),
    (0x3ffffffe, 30),
    (0xffffff3, 28),
    (0xffffff4, 28),
    (0xffffff5, 28),
    (0xffffff6, 28),
    (0xffffff7, 28),
    (0xffffff8, 28),
    (0xffffff9, 28),
    (0xffffffa, 28),
    (0xffffffb, 28),
    (0x14, 6),
    (0x3f8, 10),
    (0x3f9, 10),
    (0xffa, 12),
    (0x1ff9, 13),
    (0x15, 6),
    (0xf8, 8),
    (0x7fa, 11),
    (0x3fa, 10),
    (0x3fb, 10),
    (0xf9, 8),
    (0x7fb, 11),
    (0xfa, 8),
    (0x16, 6),
    (0x17, 6),
    (0x18, 6),
    (0x0, 5),
    (0x1, 5),
    (0x2, 5),
    (0x19, 6),
    (0x1a, 6),
    (0x1b, 6),
    (0x1c, 6),
    (0x1d, 6),
    (0x1e, 6),
    (0x1f, 6),
    (0x5c, 7),
    (0xfb, 8),
    (0x7ffc, 15),
    (0x20, 6),
    (0xffb, 12),
    (0x3fc, 10),
    (0x1ffa, 13),
    (0x21, 6),
    (0x5d, 7),
    (0x5e, 7),
    (0x5f, 7),
    (0x60, 7),
    (0x61, 7),
    (0x62, 7),
    (0x63, 7),
    (0x64, 7),
    (0x65, 7),
    (0x66, 7),
    (0x67, 7),
    (0x68, 7),
    (0x69, 7),
    (0x6a, 7),
    (0x6b, 7),
    (0x6c, 7),
    (0x6d, 7),
    (0x6e, 7),
    (0x6f, 7),
    (0x70, 7),
    (0x71, 7),
    (0x72, 7),
    (0xfc, 8),
    (0x73, 7),
    (0xfd, 8),
    (0x1ffb, 13),
    (0x7fff0, 19),
    (0x1ffc, 13),
    (0x3ffc, 14),
    (0x22, 6),
    (0x7ffd, 15),
    (0x3, 5),
    (0x23, 6),
    (0x4, 5),
    (0x24, 6),
    (0x5, 5),
    (0x25, 6),
    (0x26, 6),
    (0x27, 6),
    (0x6, 5),
    (0x74, 7),
    (0x75, 7),
    (0x28, 6),
    (0x29, 6),
    (0x2a, 6),
    (0x7, 5),
    (0x2b, 6),
    (0x76, 7),
    (0x2c, 6),
    (0x8, 5),
    (0x9, 5),
    (0x2d, 6),
    (0x77, 7),
    (0x78, 7),
    (0x79, 7),
    (0x7a, 7),
    (0x7b, 7),
    (0x7ffe, 15),
    (0x7fc, 11),
    (0x3ffd, 14),
    (0x1ffd, 13),
    (0xffffffc, 28),
    (0xfffe6, 20),
    (0x3fffd2, 22),
    (0xfffe7, 20),
    (0xfffe8, 20),
    (0x3fffd3, 22),
    (0x3fffd4, 22),
    (0x3fffd5, 22),
    (0x7fffd9, 23),
    (0x3fffd6, 22),
    (0x7fffda, 23),
    (0x7fffdb, 23),
    (0x7fffdc, 23),
    (0x7fffdd, 23),
    (0x7fffde, 23),
    (0xffffeb, 24),
    (0x7fffdf, 23),
    (0xffffec, 24),
    (0xffffed, 24),
    (0x3fffd7, 22),
    (0x7fffe0, 23),
    (0xffffee, 24),
    (0x7fffe1, 23),
    (0x7fffe2, 23),
    (0x7fffe3, 23),
    (0x7fffe4, 23),
    (0x1fffdc, 21),
    (0x3fffd8, 22),
    (0x7fffe5, 23),
    (0x3fffd9, 22),
    (0x7fffe6, 23),
    (0x7fffe7, 23),
    (0xffffef, 24),
    (0x3fffda, 22),
    (0x1fffdd, 21),
    (0xfffe9, 20),
    (0x3fffdb, 22),
    (0x3fffdc, 22),
    (0x7fffe8, 23),
    (0x7fffe9, 23),
    (0x1fffde, 21),
    (0x7fffea, 23),
    (0x3fffdd, 22),
    (0x3fffde, 22),
    (0xfffff0, 24),
    (0x1fffdf, 21),
    (0x3fffdf, 22),
    (0x7fffeb, 23),
    (0x7fffec, 23),
    (0x1fffe0, 21),
    (0x1fffe1, 21),
    (0x3fffe0, 22),
    (0x1fffe2, 21),
    (0x7fffed, 23),
    (0x3fffe1, 22),
    (0x7fffee, 23),
    (0x7fffef, 23),
    (0xfffea, 20),
    (0x3fffe2, 22),
    (0x3fffe3, 22),
    (0x3fffe4, 22),
    (0x7ffff0, 23),
    (0x3fffe5, 22),
    (0x3fffe6, 22),
    (0x7ffff1, 23),
    (0x3ffffe0, 26),
    (0x3ffffe1, 26),
    (0xfffeb, 20),
    (0x7fff1, 19),
    (0x3fffe7, 22),
    (0x7ffff2, 23),
    (0x3fffe8, 22),
    (0x1ffffec, 25),
    (0x3ffffe2, 26),
    (0x3ffffe3, 26),
    (0x3ffffe4, 26),
    (0x7ffffde, 27),
    (0x7ffffdf, 27),
    (0x3ffffe5, 26),
    (0xfffff1, 24),
    (0x1ffffed, 25),
    (0x7fff2, 19),
    (0x1fffe3, 21),
    (0x3ffffe6, 26),
    (0x7ffffe0, 27),
    (0x7ffffe1, 27),
    (0x3ffffe7, 26),
    (0x7ffffe2, 27),
    (0xfffff2, 24),
    (0x1fffe4, 21),
    (0x1fffe5, 21),
    (0x3ffffe8, 26),
    (0x3ffffe9, 26),
    (0xffffffd, 28),
    (0x7ffffe3, 27),
    (0x7ffffe4, 27),
    (0x7ffffe5, 27),
    (0xfffec, 20),
    (0xfffff3, 24),
    (0xfffed, 20),
    (0x1fffe6, 21),
    (0x3fffe9, 22),
    (0x1fffe7, 21),
    (0x1fffe8, 21),
    (0x7ffff3, 23),
    (0x3fffea, 22),
    (0x3fffeb, 22),
    (0x1ffffee, 25),
    (0x1ffffef, 25),
    (0xfffff4, 24),
    (0xfffff5, 24),
    (0x3ffffea, 26),
    (0x7ffff4, 23),
    (0x3ffffeb, 26),
    (0x7ffffe6, 27),
    (0x3ffffec, 26),
    (0x3ffffed, 26),
    (0x7ffffe7, 27),
    (0x7ffffe8, 27),
    (0x7ffffe9, 27),
    (0x7ffffea, 27),
    (0x7ffffeb, 27),
    (0xffffffe, 28),
    (0x7ffffec, 27),
    (0x7ffffed, 27),
    (0x7ffffee, 27),
    (0x7ffffef, 27),
    (0x7fffff0, 27),
    (0x3ffffee, 26),
    (0x3fffffff, 30),
];

/// Appendix A.
const STATIC: [(&str, &str); 61] = [
    (":authority", ""),
    (":method", "GET"),
    (":method", "POST"),
    (":path", "/"),
    (":path", "/index.html"),
    (":scheme", "http"),
    (":scheme", "https"),
    (":status", "200"),
    (":status", "204"),
    (":status", "206"),
    (":status", "304"),
    (":status", "400"),
    (":status", "404"),
    (":status", "500"),
    ("accept-charset", ""),
    ("accept-encoding", "gzip, deflate"),
    ("accept-language", ""),
    ("accept-ranges", ""),
    ("accept", ""),
    ("access-control-allow-origin", ""),
    ("age", ""),
    ("allow", ""),
    ("authorization", ""),
    ("cache-control", ""),
    ("content-disposition", ""),
    ("content-encoding", ""),
    ("content-language", ""),
    ("content-length", ""),
    ("content-location", ""),
    ("content-range", ""),
    ("content-type", ""),
    ("cookie", ""),
    ("date", ""),
    ("etag", ""),
    ("expect", ""),
    ("expires", ""),
    ("from", ""),
    ("host", ""),
    ("if-match", ""),
    ("if-modified-since", ""),
    ("if-none-match", ""),
    ("if-range", ""),
    ("if-unmodified-since", ""),
    ("last-modified", ""),
    ("link", ""),
    ("location", ""),
    ("max-forwards", ""),
    ("proxy-authenticate", ""),
    ("proxy-authorization", ""),
    ("range", ""),
    ("referer", ""),
    ("refresh", ""),
    ("retry-after", ""),
    ("server", ""),
    ("set-cookie", ""),
    ("strict-transport-security", ""),
    ("transfer-encoding", ""),
    ("user-agent", ""),
    ("vary", ""),
    ("via", ""),
    ("www-authenticate", ""),
];
