use std::fmt;

use bytes::Buf;

use super::BodyBuf;

/// A position in a [`BodyBuf`] that reads on without consuming. Made by [`BodyBuf::cursor`].
///
/// It is a [`Buf`]: integers, `copy_to_slice` and the like read across segments.
///
/// # Examples
///
/// ```
/// use bytes::{Buf, Bytes};
/// use tidegate::buf::BodyBuf;
///
/// let body = BodyBuf::from_iter([Bytes::from_static(b"\x00"), Bytes::from_static(b"\x2arest")]);
/// let mut cursor = body.cursor();
/// assert_eq!(cursor.get_u16(), 42);
/// assert_eq!(cursor.position(), 2);
/// assert_eq!(body.len(), 6);
/// ```
#[derive(Clone)]
pub struct Cursor<'a> {
    buf: &'a BodyBuf,
    position: usize,
    /// Index of the segment under the position.
    index: usize,
    /// What is left of that segment. Invariant: empty only at the end of the buffer.
    chunk: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(super) fn new(buf: &'a BodyBuf) -> Self {
        Self { buf, position: 0, index: 0, chunk: buf.chunk_at(0).unwrap_or_default() }
    }

    /// The offset of the next byte.
    #[inline]
    #[must_use]
    pub const fn position(&self) -> usize {
        self.position
    }

    /// What is left of the segment under the position; empty only at the end. It lives as long as
    /// the borrow of the buffer.
    #[inline]
    #[must_use]
    pub const fn slice(&self) -> &'a [u8] {
        self.chunk
    }

    /// The next byte, and goes behind it; `None` at the end.
    #[inline]
    pub fn read_byte(&mut self) -> Option<u8> {
        let byte = *self.chunk.first()?;
        self.skip(1);
        Some(byte)
    }

    /// The next byte; `None` at the end.
    #[inline]
    #[must_use]
    pub fn peek_byte(&self) -> Option<u8> {
        self.chunk.first().copied()
    }

    /// Copies as much as there is, at most `dst.len()` bytes, and goes behind it. Returns how many.
    pub fn read(&mut self, dst: &mut [u8]) -> usize {
        let n = dst.len().min(self.remaining());
        self.copy_to_slice(&mut dst[..n]);
        n
    }

    /// Goes to offset `position` (the length of the buffer is one). O(segments between).
    ///
    /// # Panics
    ///
    /// If `position` is more than the length of the buffer.
    #[track_caller]
    pub fn seek(&mut self, position: usize) {
        self.buf.check_offset(position);
        if position < self.position {
            *self = Self::new(self.buf);
        }
        self.skip(position - self.position);
    }

    #[inline]
    fn skip(&mut self, n: usize) {
        let mut left = n;
        while left >= self.chunk.len() && !self.chunk.is_empty() {
            left -= self.chunk.len();
            self.index += 1;
            self.chunk = self.buf.chunk_at(self.index).unwrap_or_default();
        }
        self.chunk = &self.chunk[left..];
        self.position += n;
        self.invariants();
    }

    fn invariants(&self) {
        debug_assert_eq!(self.chunk.is_empty(), self.position == self.buf.len());
    }
}

impl Buf for Cursor<'_> {
    #[inline]
    fn remaining(&self) -> usize {
        self.buf.len() - self.position
    }

    #[inline]
    fn chunk(&self) -> &[u8] {
        self.chunk
    }

    /// # Panics
    ///
    /// If fewer than `n` bytes remain.
    #[inline]
    #[track_caller]
    fn advance(&mut self, n: usize) {
        let remaining = self.remaining();
        assert!(n <= remaining, "advanced by {n} where {remaining} bytes remain");
        self.skip(n);
    }
}

impl fmt::Debug for Cursor<'_> {
    /// Shows the position and the buffer's counts, never body bytes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cursor").field("position", &self.position).field("buf", self.buf).finish()
    }
}
