//! What tells the bytes and fields of one message from those of all others.

use bytes::Bytes;
use http::HeaderMap;

/// A byte that a filter has added.
pub(crate) const ADDED: u8 = 254;
/// A byte of the body of a local reply.
pub(crate) const REPLIED: u8 = 255;
/// Every head and every trailer map of an exchange carries its number.
pub(crate) const MARK_FIELD: &str = "x-exchange";
/// A trailer that a filter has added.
pub(crate) const ADDED_FIELD: &str = "x-added";

const MODULUS: usize = 251;

/// Every place of the longest body, from any start.
static PATTERN: [u8; MODULUS * 20] = {
    let mut pattern = [0; MODULUS * 20];
    let mut i = 0;
    while i < pattern.len() {
        pattern[i] = (i % MODULUS) as u8;
        i += 1;
    }
    pattern
};

/// Whether the byte is of a body that a peer has sent.
pub(crate) fn is_body(byte: u8) -> bool {
    usize::from(byte) < MODULUS
}

/// `len` bytes of the body of a message, from position `at`: each is its position modulo 251,
/// counted from a place that is the message's own.
pub(crate) fn body_bytes(stream: u8, request: bool, at: usize, len: usize) -> Bytes {
    let origin = usize::from(stream) * 60 + usize::from(request) * 30;
    let from = (origin + at) % MODULUS;
    Bytes::from_static(&PATTERN[from..from + len])
}

/// The exchange that a map belongs to, if it says so.
pub(crate) fn mark_of(map: &HeaderMap) -> Option<u8> {
    map.get(MARK_FIELD).and_then(|mark| mark.to_str().ok()?.parse().ok())
}
