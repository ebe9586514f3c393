use core::fmt;

use bytes::{BufMut, Bytes, BytesMut};

use crate::pool::Lease;

/// A block of a [`BlockPool`](super::BlockPool), to read into. Goes back when it is dropped.
pub struct ReadBlock {
    bytes: Lease<BytesMut>,
}

impl ReadBlock {
    pub(super) fn new(bytes: Lease<BytesMut>) -> Self {
        Self { bytes }
    }

    /// The room that is left, to read into: as with `AsyncReadExt::read_buf` of tokio. It never
    /// grows the block.
    #[inline]
    pub fn room(&mut self) -> impl BufMut {
        let room_bytes = self.room_bytes();
        let bytes: &mut BytesMut = &mut self.bytes;
        bytes.limit(room_bytes)
    }

    /// How much room is left, in bytes. With none left, take the next block.
    #[inline]
    #[must_use]
    pub fn room_bytes(&self) -> usize {
        self.bytes.capacity() - self.bytes.len()
    }

    /// What was read and not yet split off.
    #[inline]
    #[must_use]
    pub fn filled(&self) -> &[u8] {
        &self.bytes
    }

    /// Takes what was read, without copying it. The room behind it stays.
    #[inline]
    #[must_use]
    pub fn split(&mut self) -> Bytes {
        self.bytes.split().freeze()
    }
}

impl fmt::Debug for ReadBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadBlock")
            .field("filled_bytes", &self.bytes.len())
            .field("room_bytes", &self.room_bytes())
            .finish()
    }
}
