//! Bodies whose every byte is known: byte `n` of a body is its first byte plus `n`, modulo 251.

use std::sync::LazyLock;

use bytes::Bytes;

const PERIOD: usize = 251;

/// The longest piece, in bytes.
pub(crate) const PIECE_BYTES: usize = 64 * 1024;

static TABLE: LazyLock<Bytes> =
    LazyLock::new(|| (0..PIECE_BYTES + PERIOD).map(|n| (n % PERIOD) as u8).collect());

/// The bytes from `at` on of the body that begins with `first`; no more than a piece.
pub(crate) fn piece(first: usize, at: usize, bytes: usize) -> Bytes {
    let start = (first + at) % PERIOD;
    TABLE.slice(start..start + bytes.min(PIECE_BYTES))
}

/// Reads such a body.
#[derive(Debug)]
pub(crate) struct Check {
    first: usize,
    pub(crate) came: usize,
    pub(crate) is_right: bool,
}

impl Check {
    pub(crate) fn new(first: usize) -> Self {
        Self { first, came: 0, is_right: true }
    }

    pub(crate) fn take(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(PIECE_BYTES) {
            self.is_right &= *part == *piece(self.first, self.came, part.len());
            self.came += part.len();
        }
    }
}
