//! Bytes that can be made again: a body of pseudo-random bytes that ends with a trailer of its
//! SHA-256, and the check of one that was received.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body::{Body, Frame};
use sha2::{Digest, Sha256};

/// The trailer with the SHA-256 of what its sender sent, in hexadecimal. Not one a filter adds.
pub(crate) const SUM: HeaderName = HeaderName::from_static("x-body-sha256");

/// The digests of the bodies of these sizes: the demo's, and one that a test can check. Hashing is
/// most of what the demo costs.
const KNOWN: [(u64, &str); 4] = [
    (1 << 20, "01ac200d5808b9d6e3ab5f05977d9bf4b88eabc21bad6a30c72cc3ad7d53341e"),
    (64 << 20, "0d78f995c5404a0fdf60b99e1d0b10ec17e4b1ee9ec9de97fa41571f4252808b"),
    (1 << 30, "bcb082cc690555e0528405ae78e0eebba938d61be4a248e4c6f7ef44b5a0ab0f"),
    (4 << 30, "e930d7fe1675433c338bfb08b187c17c9df506280c2156557823c118915bb559"),
];

/// Bytes in a chunk.
const CHUNK: usize = 64 << 10;

/// A body of `left` pseudo-random bytes, then the [`SUM`] trailer. No part of it repeats, so that
/// a chunk lost, doubled or moved changes the digest.
pub(crate) struct Pattern {
    state: u64,
    left: u64,
    sum: Option<Sum>,
    sent: Box<dyn FnMut(u64) + Send + Sync>,
}

/// Where the digest in the trailer comes from.
enum Sum {
    /// It is computed as the bytes go.
    Computed(Sha256),
    /// It was computed before.
    Known(String),
}

impl Pattern {
    /// A body of `bytes` bytes.
    pub(crate) fn new(bytes: u64) -> Self {
        let known = KNOWN.iter().find(|(size, _)| *size == bytes);
        let sum = match known {
            Some((_, sum)) => Sum::Known((*sum).to_owned()),
            None => Sum::Computed(Sha256::new()),
        };
        Self { state: bytes, left: bytes, sum: Some(sum), sent: Box::new(|_| {}) }
    }

    /// The same body, if its digest is known, that calls `sent` with the size of each chunk.
    pub(crate) fn known(
        bytes: u64,
        sum: String,
        sent: impl FnMut(u64) + Send + Sync + 'static,
    ) -> Self {
        Self { state: bytes, left: bytes, sum: Some(Sum::Known(sum)), sent: Box::new(sent) }
    }

    /// The next eight bytes: splitmix64.
    fn word(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// The next chunk.
    fn chunk(&mut self) -> Bytes {
        let len = usize::try_from(self.left).unwrap_or(CHUNK).min(CHUNK);
        let mut chunk = vec![0; len.next_multiple_of(8)];
        for word in chunk.chunks_exact_mut(8) {
            word.copy_from_slice(&self.word().to_le_bytes());
        }
        chunk.truncate(len);
        self.left -= len as u64;
        chunk.into()
    }
}

impl Body for Pattern {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = self.get_mut();
        if this.left == 0 {
            let sum = this.sum.take().map(|sum| Frame::trailers(sum_trailer(sum)));
            return Poll::Ready(sum.map(Ok));
        }
        let chunk = this.chunk();
        if let Some(Sum::Computed(hash)) = &mut this.sum {
            hash.update(&chunk);
        }
        (this.sent)(chunk.len() as u64);
        Poll::Ready(Some(Ok(Frame::data(chunk))))
    }
}

/// The trailers with a digest.
fn sum_trailer(sum: Sum) -> HeaderMap {
    let sum = match sum {
        Sum::Computed(hash) => hex(&hash.finalize()),
        Sum::Known(sum) => sum,
    };
    let mut trailers = HeaderMap::new();
    let sum = HeaderValue::from_str(&sum);
    trailers.insert(SUM, sum.expect("hexadecimal digits are a field value"));
    trailers
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_digest_is_that_of_the_bytes() {
        let (bytes, sum) = KNOWN[0];
        let mut pattern = Pattern::new(bytes);
        let mut hash = Sha256::new();
        while pattern.left > 0 {
            hash.update(pattern.chunk());
        }
        assert_eq!(hex(&hash.finalize()), sum);
    }
}
