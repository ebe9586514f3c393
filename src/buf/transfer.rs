//! Moving bytes between buffers, and dropping them at either end.

use std::mem;

use super::BodyBuf;

impl BodyBuf {
    /// Moves all of `other` to the end of this buffer, without copying bytes.
    ///
    /// O(1) if this buffer is empty or `other` has one segment, else O(segments of `other`). If
    /// this buffer is empty the two exchange their segment storage, so that buffers which hand
    /// bytes along do not allocate in steady state.
    ///
    /// # Panics
    ///
    /// If the length would pass `usize::MAX`.
    #[inline]
    #[track_caller]
    pub fn append(&mut self, other: &mut Self) {
        if self.len == 0 && other.first.is_some() && !other.is_open() {
            self.first = other.first.take();
            self.len = mem::take(&mut other.len);
        } else if other.len != 0 {
            self.append_all(other);
        }
        self.invariants();
        other.invariants();
    }

    #[track_caller]
    fn append_all(&mut self, other: &mut Self) {
        // The length first: where it panics, nothing has moved.
        self.grow(other.len);
        other.len = 0;
        other.seal();
        self.seal();
        if self.first.is_none() && self.rest.is_empty() {
            mem::swap(&mut self.first, &mut other.first);
            mem::swap(&mut self.rest, &mut other.rest);
        } else if let Some(segment) = other.first.take() {
            self.link_back(segment);
        } else {
            self.spill();
            self.rest.append(&mut other.rest);
            other.shrink();
        }
    }

    /// Moves all of `other` before the first byte of this buffer, without copying bytes.
    ///
    /// O(segments of `other`); O(1) if this buffer is empty or `other` has one segment.
    ///
    /// # Panics
    ///
    /// If the length would pass `usize::MAX`.
    #[track_caller]
    pub fn prepend_buf(&mut self, other: &mut Self) {
        if self.len == 0 {
            return self.append(other);
        }
        self.grow(other.len);
        other.len = 0;
        other.seal();
        if let Some(segment) = other.first.take() {
            self.link_front(segment);
        } else {
            self.rest.reserve(other.rest.len() + 1);
            while let Some(segment) = other.rest.pop_back() {
                self.link_front(segment);
            }
            other.shrink();
        }
        self.invariants();
        other.invariants();
    }

    /// Takes the first `n` bytes out, without copying.
    ///
    /// O(segments taken). Allocates if more than one segment is taken; [`move_to`](Self::move_to)
    /// with a buffer that is kept does not.
    ///
    /// # Panics
    ///
    /// If `n` is more than [`len`](Self::len).
    #[inline]
    #[track_caller]
    #[must_use = "the bytes are no longer in this buffer"]
    pub fn split_to(&mut self, n: usize) -> Self {
        let mut out = Self::new();
        self.move_to(&mut out, n);
        out
    }

    /// Moves the first `n` bytes to the end of `other`, without copying.
    ///
    /// O(segments moved).
    ///
    /// # Panics
    ///
    /// If `n` is more than [`len`](Self::len), or the length of `other` would pass `usize::MAX`.
    #[inline]
    #[track_caller]
    pub fn move_to(&mut self, other: &mut Self, n: usize) {
        if let Some(first) = &mut self.first
            && n < first.len()
        {
            // The usual case first: a part of the only segment, or nothing.
            self.len -= n;
            let part = first.split_to(n);
            other.push(part);
            self.invariants();
        } else {
            self.move_segments(other, n);
        }
    }

    #[track_caller]
    fn move_segments(&mut self, other: &mut Self, n: usize) {
        self.check_offset(n);
        if n == self.len {
            return other.append(self);
        }
        let mut left = n;
        if let Some(first) = self.first.take() {
            // Not longer than `n`: a part of it is taken in `move_to`.
            left -= first.len();
            other.push(first);
        }
        if let Some(rest) = self.rest.made() {
            while left > 0 {
                let Some(front) = rest.front_mut() else { break };
                let segment = if front.len() > left {
                    front.split_to(left)
                } else {
                    let Some(whole) = rest.pop_front() else { break };
                    whole
                };
                left -= segment.len();
                other.push(segment);
            }
        }
        if left > 0 {
            let packer = self.packer.as_mut();
            let packer = packer.expect("n is at most the length, so bytes are open");
            other.push(packer.take_first(left));
        }
        self.len -= n;
        self.shrink();
        self.invariants();
    }

    /// Drops the first `n` bytes. O(segments dropped).
    ///
    /// # Panics
    ///
    /// If `n` is more than [`len`](Self::len).
    #[inline]
    #[track_caller]
    pub fn advance(&mut self, n: usize) {
        self.check_offset(n);
        let mut left = n;
        while left > 0 {
            match self.front_mut() {
                Some(front) if left < front.len() => {
                    bytes::Buf::advance(front, left);
                    left = 0;
                }
                Some(front) => {
                    left -= front.len();
                    drop(self.unlink_front());
                }
                None => {
                    let packer = self.packer.as_mut();
                    packer.expect("n is at most the length, so bytes are open").skip(left);
                    left = 0;
                }
            }
        }
        self.len -= n;
        self.shrink();
        self.invariants();
    }

    /// Drops all but the first `n` bytes; does nothing if there are no more. O(segments dropped).
    pub fn truncate(&mut self, n: usize) {
        if n >= self.len {
            return;
        }
        let linked = self.len - self.open_bytes().len();
        if let Some(packer) = &mut self.packer {
            packer.truncate(n.saturating_sub(linked));
        }
        let mut extra = linked.saturating_sub(n);
        while extra > 0 {
            let back = match &mut self.first {
                Some(first) => first,
                None => self.rest.back_mut().expect("bytes over n are linked in a segment"),
            };
            if extra < back.len() {
                back.truncate(back.len() - extra);
                break;
            }
            extra -= back.len();
            if self.first.take().is_none() {
                drop(self.rest.pop_back());
            }
        }
        self.len = n;
        self.shrink();
        self.invariants();
    }

    /// The first linked segment.
    #[inline]
    pub(super) fn front_mut(&mut self) -> Option<&mut bytes::Bytes> {
        match &mut self.first {
            Some(first) => Some(first),
            None => self.rest.front_mut(),
        }
    }

    /// Takes the first linked segment out. The caller uncounts it.
    #[inline]
    fn unlink_front(&mut self) -> Option<bytes::Bytes> {
        match self.first.take() {
            Some(first) => Some(first),
            None => self.rest.pop_front(),
        }
    }

    /// Whether its last bytes are packed, so that small ones can be packed behind them.
    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        !self.open_bytes().is_empty()
    }

    /// Panics if `n` is no offset in this buffer (its length is one).
    #[inline]
    #[track_caller]
    pub(super) fn check_offset(&self, n: usize) {
        assert!(n <= self.len, "offset {n} is beyond the length {} of the body buffer", self.len);
    }
}
