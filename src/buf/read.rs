//! Looking at bytes without taking them out.

use std::ops::Range;

use bytes::{Bytes, BytesMut};

use super::{BodyBuf, Chunks, Cursor};

impl BodyBuf {
    /// The bytes in order, one non-empty slice a segment.
    #[inline]
    #[must_use]
    pub fn chunks(&self) -> Chunks<'_> {
        Chunks::new(self)
    }

    /// The segments in order. Ends the open packing block (without copying), so that its bytes are
    /// a segment too: clone the segments to share them.
    pub fn segments(&mut self) -> impl ExactSizeIterator<Item = &Bytes> + DoubleEndedIterator {
        self.seal();
        self.spill();
        self.invariants();
        self.rest.iter()
    }

    /// A reader over the bytes that consumes none of them.
    #[inline]
    #[must_use]
    pub fn cursor(&self) -> Cursor<'_> {
        Cursor::new(self)
    }

    /// Copies the bytes of `range` to `dst`. O(segments up to the end of the range).
    ///
    /// # Panics
    ///
    /// If the range does not lie in the buffer, or `dst` is not as long as it.
    #[track_caller]
    pub fn copy_range_to(&self, range: Range<usize>, dst: &mut [u8]) {
        self.check_range(&range);
        assert_eq!(range.len(), dst.len(), "the destination is as long as the range");
        let mut skip = range.start;
        let mut filled = 0;
        for chunk in self.chunks() {
            if filled == dst.len() {
                break;
            }
            if skip >= chunk.len() {
                skip -= chunk.len();
                continue;
            }
            let n = (chunk.len() - skip).min(dst.len() - filled);
            dst[filled..filled + n].copy_from_slice(&chunk[skip..skip + n]);
            filled += n;
            skip = 0;
        }
    }

    /// All bytes as one slice. If there is more than one segment they are copied into one, and
    /// counted in [`copied_bytes`](Self::copied_bytes). O(bytes) then.
    pub fn flatten(&mut self) -> &[u8] {
        if self.segment_count() > 1 {
            let mut flat = BytesMut::with_capacity(self.len);
            for chunk in self.chunks() {
                flat.extend_from_slice(chunk);
            }
            self.clear();
            self.push(flat.freeze());
            self.count_copied(self.len);
        }
        self.chunks().next().unwrap_or_default()
    }

    /// All bytes as one segment, which stays in the buffer too. Copies as
    /// [`flatten`](Self::flatten) does: not at all if there is one segment.
    #[must_use]
    pub fn to_bytes(&mut self) -> Bytes {
        self.flatten();
        self.seal();
        self.invariants();
        self.first.as_ref().or_else(|| self.rest.front()).cloned().unwrap_or_default()
    }

    /// Counts bytes that this buffer copied outside of its packer.
    pub(super) fn count_copied(&mut self, n: usize) {
        self.packer.get_or_insert_default().count(n);
    }

    /// The bytes of the segment with that index: linked ones first, then the open ones.
    pub(super) fn chunk_at(&self, index: usize) -> Option<&[u8]> {
        let linked = match &self.first {
            Some(first) => (index == 0).then_some(first),
            None => self.rest.get(index),
        };
        if let Some(segment) = linked {
            return Some(segment);
        }
        (index + 1 == self.segment_count()).then(|| self.open_bytes())
    }
}
