//! Body bytes in order, without copying them: [`BodyBuf`].
//!
//! A buffer is a FIFO chain of [`Bytes`] segments. Pushing, popping, splitting and moving hand over
//! reference-counted segments; the bytes stay where they were read.
//!
//! # Layout
//!
//! | part | holds |
//! |---|---|
//! | `first` | the only segment, inline: a chunk that passes through never touches the heap |
//! | `rest` | all segments, once there have been two at a time |
//! | `packer` | the open packing block, logically behind the others: small bytes at rest |
//!
//! # Passing and resting
//!
//! Bytes that pass ([`push`], [`append`], [`pop_front`], [`move_to`]) are never copied, however
//! small. Bytes that come to rest ([`push_at_rest`], [`append_at_rest`]) are copied if their
//! segment is below [`PACK_BELOW_BYTES`]: a thousand one-byte segments would cost 32 handles'
//! bytes for each byte held, and pin a thousand read buffers. Segments of 512 bytes and more are
//! never copied by any operation but [`flatten`] and its kin. Every copy is counted:
//! [`copied_bytes`].
//!
//! # Bookkeeping
//!
//! After an operation "at rest", and after [`settle`]:
//!
//! - `segment_count() <= SEGMENTS_AT_REST + len() / BYTES_PER_SEGMENT_AT_REST`,
//! - `bookkeeping_bytes() <= BOOKKEEPING_BASE_BYTES + len() * BOOKKEEPING_BYTES_PER_BYTE`,
//!
//! all four from [`limits`](crate::limits). Segments that leave a buffer take their slots along: it
//! keeps at most [`SEGMENT_SLOTS_KEPT`](crate::limits::SEGMENT_SLOTS_KEPT), and a few for each
//! segment that is left. Memory that a segment keeps alive besides its own bytes (a slice of 600
//! bytes pins the whole block it was read into) is the reader's: it is not counted.
//!
//! # Cost
//!
//! Everything is O(1) in bytes and amortised O(1) in segments unless its documentation says
//! otherwise. Splitting a segment made from a `Vec` or `Box` costs one allocation inside `bytes`,
//! the first time; shared and static ones cost none.
//!
//! This module never counts watermarks, locks, wakes, or reads a clock.
//!
//! [`push`]: BodyBuf::push
//! [`append`]: BodyBuf::append
//! [`pop_front`]: BodyBuf::pop_front
//! [`move_to`]: BodyBuf::move_to
//! [`push_at_rest`]: BodyBuf::push_at_rest
//! [`append_at_rest`]: BodyBuf::append_at_rest
//! [`flatten`]: BodyBuf::flatten
//! [`copied_bytes`]: BodyBuf::copied_bytes
//! [`settle`]: BodyBuf::settle
//! [`PACK_BELOW_BYTES`]: crate::limits::PACK_BELOW_BYTES

mod chunks;
mod cursor;
mod edit;
mod find;
mod packer;
mod read;
mod rest;
mod segments;
mod traits;
mod transfer;

use bytes::Bytes;

pub use chunks::Chunks;
pub use cursor::Cursor;

use packer::Packer;
use segments::Segments;

use crate::unwind::{drop_contained, drop_each_contained};

/// A FIFO chain of body segments with O(1) length. See the [module](self) for what it promises.
///
/// # Examples
///
/// ```
/// use bytes::Bytes;
/// use tidegate::buf::BodyBuf;
///
/// let mut body = BodyBuf::new();
/// body.push(Bytes::from_static(b"hello, "));
/// body.push(Bytes::from_static(b"world"));
/// assert_eq!(body.find(b", w", 0), Some(5));
///
/// let hello = body.split_to(5);
/// assert_eq!(hello, b"hello");
/// assert_eq!(body.len(), 7);
/// assert_eq!(body.copied_bytes(), 0);
/// ```
#[derive(Default)]
pub struct BodyBuf {
    /// Invariant: if this is `Some`, `rest` is empty.
    first: Option<Bytes>,
    /// Invariant: holds no empty segment.
    rest: Segments,
    /// Made by the first copy. Its open bytes are the last of the buffer.
    packer: Option<Box<Packer>>,
    /// Invariant: the sum of all segments and the open bytes of `packer`.
    len: usize,
}

impl BodyBuf {
    /// An empty buffer. Does not allocate.
    #[inline]
    #[must_use]
    pub const fn new() -> Self {
        Self { first: None, rest: Segments::new(), packer: None, len: 0 }
    }

    /// How many bytes it holds.
    #[inline]
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether it holds no byte (and therefore no segment).
    #[inline]
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many segments it holds. Bytes in the open packing block are one.
    #[inline]
    #[must_use]
    pub fn segment_count(&self) -> usize {
        usize::from(self.first.is_some())
            + self.rest.len()
            + usize::from(!self.open_bytes().is_empty())
    }

    /// How many bytes this buffer has ever copied: by packing, compaction, flattening, and by
    /// `copy_to_bytes` across segments. Reading bytes out to a caller's slice does not count.
    #[inline]
    #[must_use]
    pub fn copied_bytes(&self) -> u64 {
        self.packer.as_ref().map_or(0, |packer| packer.copied_bytes())
    }

    /// Adds a segment at the end, without copying. An empty one is dropped.
    ///
    /// # Panics
    ///
    /// If the length would pass `usize::MAX` (shared segments count each time they are pushed).
    #[inline]
    #[track_caller]
    pub fn push(&mut self, segment: Bytes) {
        if segment.is_empty() {
            return;
        }
        if self.len == 0 {
            self.len = segment.len();
            self.first = Some(segment);
        } else {
            self.grow(segment.len());
            // The usual case in one piece, so that it can be inlined.
            if self.first.is_none()
                && !self.is_open()
                && let Some(rest) = self.rest.made()
            {
                rest.push_back(segment);
            } else {
                self.push_behind(segment);
            }
        }
        self.invariants();
    }

    /// Adds a segment before the first byte, without copying. An empty one is dropped.
    ///
    /// # Panics
    ///
    /// If the length would pass `usize::MAX`.
    #[track_caller]
    pub fn prepend(&mut self, segment: Bytes) {
        if segment.is_empty() {
            return;
        }
        self.grow(segment.len());
        self.link_front(segment);
        self.invariants();
    }

    /// Takes the first segment out.
    #[inline]
    pub fn pop_front(&mut self) -> Option<Bytes> {
        // One return a place: joined, the segment would be moved through memory once more.
        if let Some(segment) = self.first.take() {
            self.len -= segment.len();
            self.invariants();
            return Some(segment);
        }
        if let Some(segment) = self.rest.pop_front() {
            self.len -= segment.len();
            self.shrink();
            self.invariants();
            return Some(segment);
        }
        self.pop_open()
    }

    /// Whether all of it is one segment that was not packed: a chunk that only passes.
    #[inline]
    pub(crate) const fn is_one_chunk(&self) -> bool {
        self.first.is_some()
    }

    /// As [`push`](Self::push), for a buffer that [is vacant](Self::is_vacant) and a segment that
    /// has bytes.
    #[inline]
    pub(crate) fn push_only(&mut self, segment: Bytes) {
        debug_assert!(self.is_vacant() && !segment.is_empty(), "it takes the place of nothing");
        self.len = segment.len();
        self.first = Some(segment);
    }

    /// Whether it is empty, seen so that the compiler knows a [`push`](Self::push) to drop nothing.
    #[inline]
    pub(crate) const fn is_vacant(&self) -> bool {
        self.len == 0 && self.first.is_none()
    }

    /// Drops everything. Keeps what it allocated for segments, up to
    /// [`SEGMENT_SLOTS_KEPT`](crate::limits::SEGMENT_SLOTS_KEPT) slots, and the packing block.
    pub fn clear(&mut self) {
        self.first = None;
        self.rest.clear();
        if let Some(packer) = &mut self.packer {
            packer.clear();
        }
        self.len = 0;
        self.shrink();
        self.invariants();
    }

    /// As [`clear`](Self::clear), for an owner that cannot pass on a panic in the drop of a
    /// segment: each is contained. Says how many bytes there were.
    #[inline]
    pub(crate) fn discard(&mut self) -> u64 {
        if self.len == 0 { 0 } else { self.discard_all() }
    }

    fn discard_all(&mut self) -> u64 {
        let bytes = self.len as u64;
        drop_contained(self.first.take());
        drop_each_contained(self.rest.drain_all());
        self.clear();
        bytes
    }

    /// As [`discard`](Self::discard), and forgets what it has copied: for the next owner.
    pub(crate) fn reset(&mut self) {
        self.discard();
        if let Some(packer) = &mut self.packer {
            packer.reset();
        }
    }

    /// Counts `n` bytes that are about to be linked.
    #[inline]
    #[track_caller]
    fn grow(&mut self, n: usize) {
        self.len = self.len.checked_add(n).expect("a body buffer's length fits usize");
    }

    /// Links a segment behind all others. The caller has sealed the open bytes and counts it.
    #[inline]
    fn link_back(&mut self, segment: Bytes) {
        if self.first.is_none() && self.rest.is_empty() {
            self.first = Some(segment);
        } else {
            self.spill();
            self.rest.push_back(segment);
        }
    }

    /// Links a segment before all others. The caller counts it.
    #[inline]
    fn link_front(&mut self, segment: Bytes) {
        if self.first.is_none() && self.rest.is_empty() {
            self.first = Some(segment);
        } else {
            self.spill();
            self.rest.push_front(segment);
        }
    }

    /// Moves what is not in the deque there, in order, and links a segment behind it.
    #[cold]
    fn push_behind(&mut self, segment: Bytes) {
        self.spill();
        if let Some(open) = self.take_open() {
            self.rest.push_back(open);
        }
        self.rest.push_back(segment);
    }

    #[cold]
    fn pop_open(&mut self) -> Option<Bytes> {
        let open = self.take_open()?;
        self.len -= open.len();
        self.invariants();
        Some(open)
    }

    /// Moves the only segment to the deque, where there is room for more.
    #[inline]
    fn spill(&mut self) {
        if let Some(segment) = self.first.take() {
            self.rest.push_back(segment);
        }
    }

    /// Ends the open bytes, if any, and links them as a segment. Does not copy.
    #[inline]
    fn seal(&mut self) {
        if let Some(segment) = self.take_open() {
            self.link_back(segment);
        }
    }

    /// Takes the open bytes out as a segment. The caller links or uncounts it.
    #[inline]
    fn take_open(&mut self) -> Option<Bytes> {
        self.packer.as_mut()?.take()
    }

    /// The open bytes: the last of the buffer.
    #[inline]
    fn open_bytes(&self) -> &[u8] {
        self.packer.as_ref().map_or(&[], |packer| packer.open_bytes())
    }

    /// Recounts the length in debug builds while the buffer is small enough for that.
    #[inline]
    fn invariants(&self) {
        if cfg!(debug_assertions) {
            debug_assert!(self.first.is_none() || self.rest.is_empty(), "two first segments");
            if self.rest.len() <= 64 {
                let segments = self.first.iter().chain(self.rest.iter());
                debug_assert!(segments.clone().all(|s| !s.is_empty()), "an empty segment");
                let linked: usize = segments.map(Bytes::len).sum();
                debug_assert_eq!(self.len, linked + self.open_bytes().len(), "the cached length");
            }
        }
    }
}

#[cfg(test)]
mod tests;
