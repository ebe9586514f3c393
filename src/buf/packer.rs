use core::mem;

use bytes::{Bytes, BytesMut};

use crate::limits::{PACK_BELOW_BYTES, PACK_BLOCK_BYTES};

/// Copies small bytes one behind the other into blocks, and counts every copy of its buffer.
///
/// A block is reused when all slices of it have been dropped, so that small chunks which are held
/// and released one after the other allocate nothing.
#[derive(Default)]
pub(super) struct Packer {
    /// The open bytes, and behind them the room that is left in the block.
    open: BytesMut,
    /// The block that was used up last. When the open one is, its slices have usually gone: bytes
    /// that rest for one chunk each, as the last line of it, need two blocks in turn.
    used: Option<BytesMut>,
    copied_bytes: u64,
}

impl Packer {
    /// The bytes packed since the last [`take`](Self::take).
    #[inline]
    pub(super) fn open_bytes(&self) -> &[u8] {
        &self.open
    }

    /// The bytes of the open block that hold nothing yet.
    fn room_bytes(&self) -> usize {
        self.open.capacity() - self.open.len()
    }

    /// What it keeps alive besides the bytes that it holds: the room in the open block, and the
    /// used one, which may be nobody else's.
    pub(super) fn spare_bytes(&self) -> usize {
        self.room_bytes() + if self.used.is_some() { PACK_BLOCK_BYTES } else { 0 }
    }

    pub(super) const fn copied_bytes(&self) -> u64 {
        self.copied_bytes
    }

    /// Whether `n` bytes more can join the open ones.
    #[inline]
    pub(super) fn has_room(&self, n: usize) -> bool {
        n <= self.room_bytes()
    }

    /// Copies `bytes` behind the open ones. Without room for them a new block is begun.
    ///
    /// # Panics
    ///
    /// If there is no room while open bytes are left: they must be taken first.
    pub(super) fn pack(&mut self, bytes: &[u8]) {
        debug_assert!(bytes.len() < PACK_BELOW_BYTES, "only small bytes are packed");
        self.make_room(bytes.len());
        self.open.extend_from_slice(bytes);
        self.count(bytes.len());
    }

    /// Begins a new block, if the open one has no room for `n` bytes more.
    ///
    /// # Panics
    ///
    /// As [`pack`](Self::pack).
    pub(super) fn make_room(&mut self, n: usize) {
        // Asked before each run, not only when the room is used up: of a block that is open in the
        // middle of a run, the run's own first part would keep it from being reused.
        let fresh = self.open.is_empty() && self.open.try_reclaim(PACK_BLOCK_BYTES);
        if fresh || self.has_room(n) {
            return;
        }
        assert!(self.open.is_empty(), "open bytes are taken before a new block is begun");
        let mut block = self.used.take().unwrap_or_default();
        if !block.try_reclaim(PACK_BLOCK_BYTES) {
            block = BytesMut::with_capacity(PACK_BLOCK_BYTES);
        }
        let used = mem::replace(&mut self.open, block);
        // Before the first copy there is no block that could have been used up.
        self.used = (self.copied_bytes != 0).then_some(used);
    }

    /// Counts a copy made elsewhere.
    pub(super) fn count(&mut self, n: usize) {
        // `usize` is at most 64 bits on every target, and no counter of copies runs past 2^64.
        self.copied_bytes = self.copied_bytes.saturating_add(n as u64);
    }

    /// Takes the open bytes as a segment; the room behind them stays.
    #[inline]
    pub(super) fn take(&mut self) -> Option<Bytes> {
        if self.open.is_empty() {
            return None;
        }
        Some(self.open.split().freeze())
    }

    /// Takes the first `n` open bytes as a segment.
    pub(super) fn take_first(&mut self, n: usize) -> Bytes {
        self.open.split_to(n).freeze()
    }

    /// Drops the first `n` open bytes.
    pub(super) fn skip(&mut self, n: usize) {
        if n == self.open.len() {
            // Unlike `advance`, this leaves the whole room for what comes.
            self.open.clear();
        } else {
            bytes::Buf::advance(&mut self.open, n);
        }
    }

    /// Drops all open bytes but the first `n`.
    pub(super) fn truncate(&mut self, n: usize) {
        self.open.truncate(n);
    }

    /// Drops the open bytes, and begins to count anew. The block stays, unless none of it is left.
    pub(super) fn reset(&mut self) {
        self.open.clear();
        self.used = None;
        self.copied_bytes = 0;
        if !self.open.try_reclaim(PACK_BLOCK_BYTES) && self.open.capacity() == 0 {
            // A view of nothing would keep the block of its slices alive.
            self.open = BytesMut::new();
        }
    }

    /// What it keeps alive after [`reset`](Self::reset), however much of it has been given away.
    pub(super) fn block_bytes(&self) -> usize {
        if self.open.capacity() == 0 { 0 } else { PACK_BLOCK_BYTES }
    }

    /// Drops the open bytes.
    pub(super) fn clear(&mut self) {
        self.open.clear();
    }
}
