//! Field blocks: written without cleverness, read with all of it (RFC 7541).

use std::collections::VecDeque;

use crate::huffman;

pub(crate) type Field = (String, Vec<u8>);

/// The fields as literals that nobody indexes.
pub(crate) fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    fields.iter().flat_map(|(name, value)| literal(0, name.as_bytes(), value.as_bytes())).collect()
}

/// What a literal begins with that its reader puts into the dynamic table.
pub(crate) const INDEXED: u8 = 0x40;

/// What a literal begins with that nobody may ever index.
pub(crate) const NEVER_INDEXED: u8 = 0x10;

/// A literal with a name of its own.
pub(crate) fn literal(begins: u8, name: &[u8], value: &[u8]) -> Vec<u8> {
    [&[begins], &string(name)[..], &string(value)].concat()
}

/// A field of the tables: from 62 on it is the dynamic one.
pub(crate) fn indexed(index: usize) -> Vec<u8> {
    number(0x80, 7, index)
}

/// The latest entry of the dynamic table.
pub(crate) const LATEST: usize = 62;

/// A change of the size of the dynamic table.
pub(crate) fn table_bytes(bytes: usize) -> Vec<u8> {
    number(0x20, 5, bytes)
}

pub(crate) fn string(text: &[u8]) -> Vec<u8> {
    [&number(0, 7, text.len())[..], text].concat()
}

pub(crate) fn huffman_string(text: &[u8]) -> Vec<u8> {
    let code = huffman::encode(text);
    [&number(0x80, 7, code.len())[..], &code].concat()
}

/// `number` in the lower `bits` of a byte that begins with `begins`, and as many more as it takes.
pub(crate) fn number(begins: u8, bits: u8, number: usize) -> Vec<u8> {
    let most = (1_usize << bits) - 1;
    if number < most {
        return vec![begins | u8::try_from(number).unwrap()];
    }
    let mut bytes = vec![begins | u8::try_from(most).unwrap()];
    let mut rest = number - most;
    while rest >= 128 {
        bytes.push(u8::try_from(rest % 128).unwrap() | 128);
        rest /= 128;
    }
    bytes.push(u8::try_from(rest).unwrap());
    bytes
}

/// What an entry counts besides its name and value, in bytes (RFC 7541, section 4.1).
const ENTRY_BYTES: usize = 32;

/// Reads what a server writes, and panics where it is wrong.
pub(crate) struct Decoder {
    table: VecDeque<Field>,
    /// What the table may hold now.
    bytes: usize,
    /// What the client has allowed.
    allowed_bytes: usize,
    /// Whether the next block has to begin by making the table smaller.
    owes_update: bool,
}

impl Decoder {
    pub(crate) fn new() -> Self {
        Self { table: VecDeque::new(), bytes: 4096, allowed_bytes: 4096, owes_update: false }
    }

    /// The server has acknowledged that the table may hold `bytes`.
    pub(crate) fn allow(&mut self, bytes: usize) {
        self.allowed_bytes = bytes;
        self.owes_update |= bytes < self.bytes;
    }

    pub(crate) fn fields(&mut self, mut block: &[u8]) -> Vec<Field> {
        let mut fields = Vec::new();
        while let Some(&first) = block.first() {
            if first & 0xe0 == 0x20 {
                assert!(fields.is_empty(), "a size that changes inside of a block");
                self.bytes = take_number(&mut block, 5);
                assert!(self.bytes <= self.allowed_bytes, "a table of {} bytes", self.bytes);
                self.owes_update = false;
                self.evict();
                continue;
            }
            assert!(!self.owes_update, "the table has to become smaller (RFC 7541, section 4.2)");
            if first & 0x80 != 0 {
                fields.push(self.entry(take_number(&mut block, 7)));
                continue;
            }
            let is_indexed = first & 0x40 != 0;
            let index = take_number(&mut block, if is_indexed { 6 } else { 4 });
            let name = match index {
                0 => String::from_utf8(take_string(&mut block)).unwrap(),
                _ => self.entry(index).0,
            };
            let field = (name, take_string(&mut block));
            if is_indexed {
                self.table.push_front(field.clone());
                self.evict();
            }
            fields.push(field);
        }
        fields
    }

    fn entry(&self, index: usize) -> Field {
        assert_ne!(index, 0, "there is no entry 0");
        match STATIC.get(index - 1) {
            Some((name, value)) => ((*name).to_owned(), value.as_bytes().to_vec()),
            None => self.table[index - 1 - STATIC.len()].clone(),
        }
    }

    fn evict(&mut self) {
        let size = |field: &Field| field.0.len() + field.1.len() + ENTRY_BYTES;
        while self.table.iter().map(size).sum::<usize>() > self.bytes {
            self.table.pop_back();
        }
    }
}

fn take(block: &mut &[u8], bytes: usize) -> Vec<u8> {
    let (taken, rest) = block.split_at(bytes);
    *block = rest;
    taken.to_vec()
}

fn take_number(block: &mut &[u8], bits: u8) -> usize {
    let most = (1_usize << bits) - 1;
    let mut number = usize::from(take(block, 1)[0]) & most;
    let mut shift = 0;
    while number >= most {
        let byte = usize::from(take(block, 1)[0]);
        number += (byte & 127) << shift;
        shift += 7;
        if byte < 128 {
            break;
        }
    }
    number
}

fn take_string(block: &mut &[u8]) -> Vec<u8> {
    let is_huffman = block[0] & 0x80 != 0;
    let bytes = take_number(block, 7);
    let text = take(block, bytes);
    if is_huffman { huffman::decode(&text) } else { text }
}

/// RFC 7541, appendix A.
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

/// RFC 7541, appendix C.5: responses, a table of 256 bytes, evictions.
#[test]
fn the_example_of_the_rfc() {
    let mut decoder = Decoder::new();
    decoder.allow(256);
    let date = "Mon, 21 Oct 2013 20:13:21 GMT";
    let first = [
        &table_bytes(256)[..],
        &[0x48],
        &huffman_string(b"302"),
        &[0x58],
        &string(b"private"),
        &[0x61],
        &string(date.as_bytes()),
        &[0x6e],
        &string(b"https://www.example.com"),
    ];
    let named = |fields: &[(&str, &str)]| -> Vec<Field> {
        let field = |(name, value): &(&str, &str)| ((*name).into(), (*value).into());
        fields.iter().map(field).collect()
    };
    let mut expected = vec![
        (":status", "302"),
        ("cache-control", "private"),
        ("date", date),
        ("location", "https://www.example.com"),
    ];
    assert_eq!(decoder.fields(&first.concat()), named(&expected));
    expected[0].1 = "307";
    let second = [&[0x48], &string(b"307")[..], &[0xc1, 0xc0, 0xbf]].concat();
    assert_eq!(decoder.fields(&second), named(&expected));
    assert_eq!(decoder.table.len(), 4, "302 had to go");
}
