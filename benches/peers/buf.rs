//! Chained buffers that people use today.

use bytes::{Buf, Bytes, BytesMut};
use bytes_utils::SegmentedBuf;

use crate::rows::{Chained, Part};
use crate::{Way, way};
use buf_list::BufList;

/// All peers.
pub(crate) const WAYS: &[Way] = &[
    way::<SegmentedBuf<Bytes>>(
        "bytes_utils_segmented",
        "bytes-utils' `SegmentedBuf`, piece by piece where it would copy over a border",
    ),
    way::<BufList>(
        "buf_list",
        "buf-list's `BufList`, which hands out a clone of all it is given; piece by piece where it \
         would copy over a border",
    ),
    way::<BytesMut>(
        "copying_bytes_mut",
        "one `BytesMut` that everything is copied into, as is done most; no segment is left, so \
         what leaves one by one are pieces of 16 KiB",
    ),
];

/// The first `n` bytes of `from`, piece by piece.
fn pieces(from: &mut impl Buf, n: usize, mut to: impl FnMut(Bytes)) {
    let mut left = n.min(from.remaining());
    while left > 0 {
        let piece = from.chunk().len().min(left);
        left -= piece;
        to(from.copy_to_bytes(piece));
    }
}

/// The first segment of `from`.
fn first(from: &mut impl Buf) -> Option<Bytes> {
    let len = from.chunk().len();
    (len > 0).then(|| from.copy_to_bytes(len))
}

impl Chained for SegmentedBuf<Bytes> {
    type Part = Bytes;

    fn push(&mut self, segment: Bytes) {
        Self::push(self, segment);
    }

    fn pop(&mut self) -> Option<Bytes> {
        first(self)
    }

    fn move_to(&mut self, to: &mut Self, n: usize) {
        pieces(self, n, |piece| to.push(piece));
    }

    fn split(&mut self, n: usize) -> Bytes {
        self.copy_to_bytes(n)
    }

    fn append(&mut self, other: &mut Self) {
        while let Some(segment) = first(other) {
            self.push(segment);
        }
    }

    fn clear(&mut self) {
        self.advance(self.remaining());
    }
}

impl Chained for BufList {
    type Part = Bytes;

    fn push(&mut self, segment: Bytes) {
        self.push_chunk(segment);
    }

    fn pop(&mut self) -> Option<Bytes> {
        first(self)
    }

    fn move_to(&mut self, to: &mut Self, n: usize) {
        pieces(self, n, |piece| drop(to.push_chunk(piece)));
    }

    fn split(&mut self, n: usize) -> Bytes {
        self.copy_to_bytes(n)
    }

    fn append(&mut self, other: &mut Self) {
        while let Some(segment) = first(other) {
            self.push_chunk(segment);
        }
    }

    fn clear(&mut self) {
        self.advance(self.remaining());
    }
}

/// Bytes that leave a copying buffer at once.
const PIECE_BYTES: usize = 16 * 1024;

impl Chained for BytesMut {
    type Part = Self;

    fn push(&mut self, segment: Bytes) {
        self.extend_from_slice(&segment);
    }

    fn pop(&mut self) -> Option<Self> {
        (!self.is_empty()).then(|| self.split_to(PIECE_BYTES.min(self.len())))
    }

    fn move_to(&mut self, to: &mut Self, n: usize) {
        to.unsplit(self.split_to(n.min(self.len())));
    }

    fn split(&mut self, n: usize) -> Self {
        self.split_to(n)
    }

    fn append(&mut self, other: &mut Self) {
        self.unsplit(other.split());
    }

    fn clear(&mut self) {
        Self::clear(self);
    }
}

impl Part for BytesMut {
    fn add_to(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self);
    }
}
