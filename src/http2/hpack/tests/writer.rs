//! Writes legal blocks, of fields that HTTP/2 allows and of others.
//!
//! The fuzz target has this file too.

use super::naive::{self, Pair, Table, coded};

/// What is drawn from: a number below another one.
pub(crate) type Draw<'a> = dyn FnMut(usize) -> usize + 'a;

/// A client's encoder, which chooses as it likes.
#[derive(Clone)]
pub(crate) struct Writer {
    table: Table,
    max_table_bytes: usize,
}

const NAMES: [&[u8]; 20] = [
    b"a",
    b"te",
    b"grpc-timeout",
    b"x-envoy-internal",
    b"content-type",
    b"x-\"quoted\"!#$%&'*+.^_`|~0123456789",
    b":method",
    b":scheme",
    b":authority",
    b":path",
    b":status",
    b":protocol",
    b"",
    b":",
    b":other",
    b"Upper",
    b"with space",
    b"with:colon",
    b"n\0l",
    b"\xff",
];

const VALUES: [&[u8]; 14] = [
    b"",
    b"a",
    b"trailers",
    b"application/grpc",
    b"GET",
    b"/envoy.service.ext_proc.v3.ExternalProcessor/Process",
    b"with space\tand tab",
    b"\xc3\xa9\x80\xff",
    b" leading",
    b"trailing\t",
    b"\r\n",
    b"n\0l",
    b"\x7f",
    b"{}<>~^|\\",
];

const LIMITS: [usize; 8] = [0, 31, 32, 64, 100, 200, 1000, 4096];

impl Writer {
    pub(crate) fn new(max_table_bytes: usize) -> Self {
        Self { table: Table::new(max_table_bytes), max_table_bytes }
    }

    /// A block of somebody else's goes before the next one.
    pub(crate) fn follow(&mut self, block: &[u8]) {
        _ = naive::decode(&mut self.table, block);
    }

    /// A block, and what it says.
    pub(crate) fn block(&mut self, draw: &mut Draw<'_>) -> (Vec<u8>, Vec<Pair>) {
        let (mut out, mut fields) = (Vec::new(), Vec::new());
        if draw(4) == 3 {
            for _ in 0..1 + draw(3) {
                let limit = LIMITS[draw(LIMITS.len())].min(self.max_table_bytes);
                assert!(self.table.resize(limit));
                integer(&mut out, 0x20, 5, limit);
            }
        }
        for _ in 0..draw(12) {
            fields.push(self.field(&mut out, draw));
        }
        (out, fields)
    }

    fn field(&mut self, out: &mut Vec<u8>, draw: &mut Draw<'_>) -> Pair {
        let (first, bits) = match draw(8) {
            0..3 => {
                let index = self.index(draw);
                integer(out, 0x80, 7, index);
                return self.table.get(index).expect("a known index");
            }
            3..6 => (0x40, 6),
            6 => (0, 4),
            _ => (0x10, 4),
        };
        let name = if draw(2) == 1 {
            let index = self.index(draw);
            integer(out, first, bits, index);
            self.table.get(index).expect("a known index").0
        } else {
            out.push(first);
            let name = NAMES[draw(NAMES.len())].to_vec();
            string(out, &name, draw);
            name
        };
        let value = value(draw);
        string(out, &value, draw);
        let pair = (name, value);
        if bits == 6 {
            self.table.insert(pair.clone());
        }
        pair
    }

    /// One of a field that is there, more often of one that was sent.
    fn index(&self, draw: &mut Draw<'_>) -> usize {
        match self.table.sent.len() {
            sent if sent > 0 && draw(4) > 0 => 62 + draw(sent),
            _ => 1 + draw(61),
        }
    }
}

fn value(draw: &mut Draw<'_>) -> Vec<u8> {
    match draw(8) {
        0..5 => VALUES[draw(VALUES.len())].to_vec(),
        5 => VALUES[draw(8)].repeat(1 + draw(8)),
        6 => (0..draw(40)).map(|_| draw(256) as u8).collect(),
        _ => vec![b'a' + draw(26) as u8; 10 * draw(60)],
    }
}

fn string(out: &mut Vec<u8>, string: &[u8], draw: &mut Draw<'_>) {
    if draw(2) == 1 {
        let coded = coded(string);
        integer(out, 0x80, 7, coded.len());
        out.extend(coded);
    } else {
        integer(out, 0, 7, string.len());
        out.extend(string);
    }
}

/// Section 5.1, as its pseudocode has it.
pub(crate) fn integer(out: &mut Vec<u8>, first: u8, bits: u32, value: usize) {
    let largest = 2_usize.pow(bits) - 1;
    if value < largest {
        out.push(first + value as u8);
        return;
    }
    out.push(first + largest as u8);
    let mut value = value - largest;
    while value >= 128 {
        out.push((value % 128 + 128) as u8);
        value /= 128;
    }
    out.push(value as u8);
}
