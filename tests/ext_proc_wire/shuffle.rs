//! The same message, written by somebody with other habits.

use prost::encoding::{decode_varint, encode_varint};

use crate::kit::Rng;

/// The message with its fields in another order, unknown fields between them, and its numbers
/// longer than they need be. So are the messages in it that the decoder reads as they come.
pub(crate) fn shuffled(message: &[u8], rng: &mut Rng) -> Vec<u8> {
    rewrite(message, Level::Root, rng)
}

#[derive(Clone, Copy, PartialEq)]
enum Level {
    Root,
    Part,
    Config,
    HeaderMap,
    HeaderValue,
}

impl Level {
    fn inner(self, field: u64) -> Option<Self> {
        match (self, field) {
            (Self::Root, 2 | 3 | 6 | 7) => Some(Self::Part),
            (Self::Root, 4 | 5 | 11) => Some(Self::Config),
            (Self::Part, 1) => Some(Self::HeaderMap),
            (Self::HeaderMap, 1) => Some(Self::HeaderValue),
            _ => None,
        }
    }
}

fn rewrite(mut message: &[u8], level: Level, rng: &mut Rng) -> Vec<u8> {
    let mut fields = Vec::new();
    while !message.is_empty() {
        let key = decode_varint(&mut message).expect("a key");
        let mut field = Vec::new();
        number(key, &mut field, rng);
        match key & 7 {
            0 => number(decode_varint(&mut message).expect("a number"), &mut field, rng),
            2 => {
                let len = decode_varint(&mut message).expect("a length") as usize;
                let (bytes, rest) = message.split_at(len);
                message = rest;
                let bytes = match level.inner(key >> 3) {
                    Some(inner) => rewrite(bytes, inner, rng),
                    None => bytes.to_vec(),
                };
                number(bytes.len() as u64, &mut field, rng);
                field.extend(bytes);
            }
            other => panic!("wire type {other}: the messages have none"),
        }
        fields.push(field);
    }
    // The order of the fields of a head counts.
    if level != Level::HeaderMap {
        for i in (1..fields.len()).rev() {
            fields.swap(i, rng.below(i + 1));
        }
    }
    for _ in 0..rng.below(3) {
        let at = rng.below(fields.len() + 1);
        fields.insert(at, unknown(rng));
    }
    fields.concat()
}

/// Sometimes with needless bytes at its end, up to ten in all.
fn number(value: u64, out: &mut Vec<u8>, rng: &mut Rng) {
    let start = out.len();
    encode_varint(value, out);
    if rng.below(8) == 0 {
        let most = 10 - (out.len() - start);
        let more = rng.below(most + 1);
        if more > 0 {
            *out.last_mut().expect("a byte") |= 0x80;
            out.extend(std::iter::repeat_n(0x80, more - 1));
            out.push(0);
        }
    }
}

/// Of a number that nobody uses.
fn unknown(rng: &mut Rng) -> Vec<u8> {
    let mut field = Vec::new();
    let number = [17, 1000, (1 << 29) - 1][rng.below(3)];
    let wire_type = [0, 1, 2, 5][rng.below(4)];
    encode_varint(number << 3 | wire_type, &mut field);
    match wire_type {
        0 => encode_varint(rng.word(), &mut field),
        1 => field.extend(rng.word().to_le_bytes()),
        2 => {
            let len = rng.below(300);
            encode_varint(len as u64, &mut field);
            field.extend(std::iter::repeat_n(0xff, len));
        }
        _ => field.extend([0xff; 4]),
    }
    field
}
