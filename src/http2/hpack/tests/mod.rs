//! What the RFC says, and what it leaves to peers.

mod beside;
mod errors;
mod fields;
mod huffman;
mod naive;
mod numbers;
mod random;
mod rfc;
mod vectors;
mod writer;

use super::super::hpack;
use super::field::Kept;
use super::{Decoder, Field, HpackError};

/// A field as a line: what is dropped is a `?`.
fn shown(field: &Field) -> String {
    let value = |name: &str, value: &http::HeaderValue| {
        format!("{name}: {}", value.as_bytes().escape_ascii())
    };
    match field {
        Field::Method(method) => format!(":method: {method}"),
        Field::Scheme(scheme) => value(":scheme", scheme),
        Field::Authority(authority) => value(":authority", authority),
        Field::Path(path) => value(":path", path),
        Field::Status => ":status: ?".to_owned(),
        Field::Protocol => ":protocol: ?".to_owned(),
        Field::Regular(name, of) => value(name.as_str(), of),
        Field::Malformed => "malformed".to_owned(),
    }
}

/// The fields of a block as lines, and the size of the list in bytes.
fn decoded(decoder: &mut Decoder, block: &[u8]) -> Result<(Vec<String>, usize), HpackError> {
    let (mut lines, mut all) = (Vec::new(), 0);
    decoder.decode(block, |field, bytes| {
        lines.push(shown(&field));
        all += bytes;
    })?;
    Ok((lines, all))
}

/// The entries of the table as lines, the last one first, and what they count for in bytes.
fn table(decoder: &Decoder) -> (Vec<String>, usize) {
    let (entries, bytes) = decoder.table().parts();
    assert_eq!(entries.iter().map(|entry| entry.bytes).sum::<usize>(), bytes);
    let line = |kept: &Kept| shown(&kept.field());
    (entries.iter().map(|entry| line(&entry.kept)).collect(), bytes)
}

/// Bytes as the RFC writes them.
fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex
        .chars()
        .filter(|each| !each.is_whitespace())
        .map(|each| each.to_digit(16).expect("a hexadecimal digit") as u8)
        .collect();
    assert!(digits.len().is_multiple_of(2), "{hex}");
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}
