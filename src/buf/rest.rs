//! Bytes that come to rest: packing, compaction, and the bound on bookkeeping.

use std::collections::VecDeque;

use bytes::Bytes;

use super::{BodyBuf, Packer};
use crate::limits::{
    BOOKKEEPING_BASE_BYTES, BOOKKEEPING_BYTES_PER_BYTE, BYTES_PER_SEGMENT_AT_REST,
    PACK_BELOW_BYTES, PACK_BLOCK_BYTES, SEGMENT_SLOTS_KEPT, SEGMENTS_AT_REST,
    SLOTS_PER_SEGMENT_KEPT,
};
use crate::unwind::drop_contained;

impl BodyBuf {
    /// As [`push`](Self::push), for bytes that stay: a segment below
    /// [`PACK_BELOW_BYTES`] is copied behind the other small ones. Larger ones are never copied.
    ///
    /// Returns the number of bytes copied.
    ///
    /// # Panics
    ///
    /// If the length would pass `usize::MAX`.
    #[inline]
    #[track_caller]
    pub fn push_at_rest(&mut self, segment: Bytes) -> usize {
        let copied = self.rest_one(segment);
        copied + self.settle()
    }

    /// As [`append`](Self::append), for bytes that stay: segments below [`PACK_BELOW_BYTES`] are
    /// copied, one behind the other. Larger ones are never copied.
    ///
    /// Returns the number of bytes copied. O(segments of `other`).
    ///
    /// # Panics
    ///
    /// If the length would pass `usize::MAX`.
    #[track_caller]
    pub fn append_at_rest(&mut self, other: &mut Self) -> usize {
        if self.len == 0 && !other.has_small() {
            self.append(other);
            return self.settle();
        }
        assert!(self.len.checked_add(other.len).is_some(), "a body buffer's length fits usize");
        let mut copied = 0;
        while let Some(segment) = other.pop_front() {
            copied += self.rest_one(segment);
        }
        copied + self.settle()
    }

    /// Brings a buffer that was edited, or filled by passing operations, back under the bounds of
    /// bytes at rest: [compacts](Self::compact) it if it has more than
    /// `SEGMENTS_AT_REST + len / BYTES_PER_SEGMENT_AT_REST` segments, and gives back what it
    /// allocated for many more segments than it has.
    ///
    /// Returns the number of bytes copied. O(1) if there is nothing to do; amortised O(1) over the
    /// operations that made it necessary.
    #[inline]
    pub fn settle(&mut self) -> usize {
        let mut copied = 0;
        if self.segment_count() > SEGMENTS_AT_REST + self.len / BYTES_PER_SEGMENT_AT_REST {
            copied = self.compact();
        }
        self.shrink();
        debug_assert!(
            self.bookkeeping_bytes()
                <= BOOKKEEPING_BASE_BYTES.saturating_add(self.len * BOOKKEEPING_BYTES_PER_BYTE),
            "bookkeeping at rest is bounded"
        );
        copied
    }

    /// As [`settle`](Self::settle), for what a filter has left of bytes that rest. Of less than
    /// [`PACK_BELOW_BYTES`] in all, everything is copied, so that the rest of a line does not keep
    /// the buffer that it was read into.
    ///
    /// Returns the number of bytes copied. What was copied is not copied again, unless more has
    /// come since.
    #[inline]
    pub(crate) fn settle_rest(&mut self) -> usize {
        if self.len >= PACK_BELOW_BYTES || self.lies_in_block() {
            return self.settle();
        }
        self.pack_all();
        self.shrink();
        self.len
    }

    /// Whether all bytes lie in the open block, one behind the other up to its room. They may be
    /// segments of their own there: a filter that lends them for a poll ends the open ones.
    ///
    /// A segment that happens to end where the block begins is taken for one of it: it is not
    /// copied then, and nothing else.
    #[inline]
    fn lies_in_block(&self) -> bool {
        let mut end = self.open_bytes().as_ptr();
        self.first.iter().chain(self.rest.iter()).rev().all(|segment| {
            let range = segment.as_ptr_range();
            let joins = range.end == end;
            end = range.start;
            joins
        })
    }

    #[cold]
    fn pack_all(&mut self) {
        self.seal();
        self.spill();
        // All in one block, so that it is done.
        self.packer.get_or_insert_default().make_room(self.len);
        while let Some(segment) = self.rest.pop_front() {
            self.pack(&segment);
            drop_contained(segment);
        }
        self.invariants();
    }

    /// Copies neighbouring segments below [`PACK_BELOW_BYTES`] into common blocks. A small segment
    /// between two larger ones stays.
    ///
    /// Afterwards there are at most `2 + len / 256` segments. Returns the number of bytes copied.
    /// O(segments).
    pub fn compact(&mut self) -> usize {
        if self.segment_count() < 2 {
            return 0;
        }
        self.seal();
        self.spill();
        let before = self.copied_bytes();
        let mut previous_is_small = false;
        // One turn of the deque: each segment is taken at the front and linked or packed behind.
        for left in (0..self.rest.len()).rev() {
            let segment = self.rest.pop_front().expect("the deque is turned once");
            let small = segment.len() < PACK_BELOW_BYTES;
            let next_is_small = left > 0
                && self.rest.front().is_some_and(|segment| segment.len() < PACK_BELOW_BYTES);
            if small && (previous_is_small || next_is_small) {
                self.pack(&segment);
                drop_contained(segment);
            } else {
                self.seal();
                self.link_back(segment);
            }
            previous_is_small = small;
        }
        self.invariants();
        let copied = self.copied_bytes() - before;
        usize::try_from(copied).expect("no more was copied than the buffer holds")
    }

    /// What this buffer costs besides the bytes it holds, in bytes: its own size, its slots for
    /// segments (used or not), and the empty part of the open packing block.
    #[must_use]
    pub fn bookkeeping_bytes(&self) -> usize {
        let packer = self.packer.as_ref();
        size_of::<Self>()
            + self.rest.heap_bytes()
            + packer.map_or(0, |packer| size_of::<Packer>() + packer.spare_bytes())
    }

    /// What it costs after [`reset`](Self::reset), in bytes: packing blocks count whole.
    pub(crate) fn kept_bytes(&self) -> usize {
        let packer = self.packer.as_ref();
        size_of::<Self>()
            + self.rest.heap_bytes()
            + packer.map_or(0, |packer| size_of::<Packer>() + packer.block_bytes())
    }

    /// Packs or pushes one segment. Returns the number of bytes copied.
    #[inline]
    #[track_caller]
    fn rest_one(&mut self, segment: Bytes) -> usize {
        let n = segment.len();
        if n >= PACK_BELOW_BYTES {
            self.push(segment);
            return 0;
        }
        if n == 0 {
            return 0;
        }
        self.grow(n);
        self.pack(&segment);
        drop_contained(segment);
        self.invariants();
        n
    }

    /// Copies `bytes` behind the open ones; the caller counts them in `len`.
    fn pack(&mut self, bytes: &[u8]) {
        let mut packer = self.packer.take().unwrap_or_default();
        if !packer.has_room(bytes.len())
            && let Some(full) = packer.take()
        {
            self.link_back(full);
        }
        packer.pack(bytes);
        self.packer = Some(packer);
    }

    /// Whether a segment is small enough to be packed.
    fn has_small(&self) -> bool {
        !self.open_bytes().is_empty()
            || self
                .first
                .iter()
                .chain(self.rest.iter())
                .any(|segment| segment.len() < PACK_BELOW_BYTES)
    }

    /// Gives back slots that far fewer segments would not miss.
    #[inline]
    pub(super) fn shrink(&mut self) {
        if self.rest.slots() > SEGMENT_SLOTS_KEPT {
            self.shrink_large();
        }
    }

    #[inline(never)]
    fn shrink_large(&mut self) {
        let wanted = SEGMENT_SLOTS_KEPT + SLOTS_PER_SEGMENT_KEPT * self.rest.len();
        if self.rest.slots() > wanted {
            let kept = SEGMENT_SLOTS_KEPT + 2 * self.rest.len();
            self.rest.shrink_to(kept);
        }
    }
}

const _: () = assert!(
    size_of::<Bytes>() * SLOTS_PER_SEGMENT_KEPT
        <= BYTES_PER_SEGMENT_AT_REST * BOOKKEEPING_BYTES_PER_BYTE,
    "the stated factor covers the slots of a segment"
);
const _: () = assert!(
    size_of::<Bytes>() * (SEGMENT_SLOTS_KEPT + SLOTS_PER_SEGMENT_KEPT * SEGMENTS_AT_REST)
        + 2 * PACK_BLOCK_BYTES
        + size_of::<BodyBuf>()
        + size_of::<VecDeque<Bytes>>()
        + size_of::<Packer>()
        <= BOOKKEEPING_BASE_BYTES,
    "the stated base covers kept slots, both blocks and the buffer itself"
);
const _: () = assert!(size_of::<BodyBuf>() <= 7 * size_of::<u64>(), "a buffer is 56 bytes");
