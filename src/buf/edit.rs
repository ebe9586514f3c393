//! Changing bytes in the middle: by segments, never by copying.
//!
//! Each edit is O(segments before the place, to find it, and segments between it and the nearer
//! end, to make room). It may leave up to two segments more than there were;
//! [`settle`](BodyBuf::settle) bounds what a series of edits leaves.

use std::ops::Range;

use bytes::Bytes;

use super::BodyBuf;

impl BodyBuf {
    /// Inserts a segment so that its first byte is at offset `at`. An empty one is dropped.
    ///
    /// # Panics
    ///
    /// If `at` is more than [`len`](Self::len), or the length would pass `usize::MAX`.
    #[track_caller]
    pub fn insert(&mut self, at: usize, segment: Bytes) {
        self.check_offset(at);
        if segment.is_empty() {
            return;
        }
        if at == self.len {
            self.push(segment);
        } else if at == 0 {
            self.prepend(segment);
        } else {
            self.grow(segment.len());
            let index = self.boundary(at);
            self.rest.insert(index, segment);
        }
        self.invariants();
    }

    /// Takes the bytes of `range` out, without copying. The bytes around it join.
    ///
    /// Allocates if more than one segment is taken.
    ///
    /// # Panics
    ///
    /// If the range ends before it starts or beyond [`len`](Self::len).
    #[track_caller]
    #[must_use = "the bytes are no longer in this buffer"]
    pub fn remove(&mut self, range: Range<usize>) -> Self {
        self.check_range(&range);
        let mut out = Self::new();
        if range.start == 0 {
            self.move_to(&mut out, range.end);
        } else if range.start < range.end {
            let start = self.boundary(range.start);
            let end = self.boundary(range.end);
            for segment in self.rest.drain(start..end) {
                out.push(segment);
            }
            self.len -= range.len();
            self.shrink();
        }
        self.invariants();
        out
    }

    /// Puts `segment` in the place of the bytes of `range`, which are dropped. Either may be empty.
    ///
    /// # Panics
    ///
    /// If the range ends before it starts or beyond [`len`](Self::len), or the length would pass
    /// `usize::MAX`.
    #[track_caller]
    pub fn replace(&mut self, range: Range<usize>, segment: Bytes) {
        self.check_range(&range);
        if range.start == 0 {
            self.advance(range.end);
        } else if range.end == self.len {
            self.truncate(range.start);
        } else if range.start < range.end {
            let start = self.boundary(range.start);
            let end = self.boundary(range.end);
            self.rest.drain(start..end);
            self.len -= range.len();
            self.shrink();
        }
        self.insert(range.start, segment);
    }

    /// Makes `at` the border of two segments, cutting one if need be, and returns the index in
    /// `rest` of the segment that starts there. Afterwards all segments are in `rest`.
    fn boundary(&mut self, at: usize) -> usize {
        self.seal();
        self.spill();
        let mut start = 0;
        for index in 0..self.rest.len() {
            if start == at {
                return index;
            }
            let segment = &mut self.rest[index];
            let end = start + segment.len();
            if at < end {
                let behind = segment.split_off(at - start);
                self.rest.insert(index + 1, behind);
                return index + 1;
            }
            start = end;
        }
        self.rest.len()
    }

    /// Panics unless `range` lies in this buffer.
    #[inline]
    #[track_caller]
    pub(super) fn check_range(&self, range: &Range<usize>) {
        assert!(
            range.start <= range.end && range.end <= self.len,
            "range {range:?} does not lie in the length {} of the body buffer",
            self.len
        );
    }
}
