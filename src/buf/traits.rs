//! What other crates and the language expect of a buffer.

use std::{fmt, io::IoSlice};

use bytes::{Buf, Bytes, BytesMut};

use super::BodyBuf;
use crate::watermark::Weigh;

impl Buf for BodyBuf {
    #[inline]
    fn remaining(&self) -> usize {
        self.len
    }

    #[inline]
    fn chunk(&self) -> &[u8] {
        match self.first.as_ref().or_else(|| self.rest.front()) {
            Some(segment) => segment,
            None => self.open_bytes(),
        }
    }

    fn chunks_vectored<'a>(&'a self, dst: &mut [IoSlice<'a>]) -> usize {
        let mut n = 0;
        for (slot, chunk) in dst.iter_mut().zip(self.chunks()) {
            *slot = IoSlice::new(chunk);
            n += 1;
        }
        n
    }

    #[inline]
    #[track_caller]
    fn advance(&mut self, n: usize) {
        Self::advance(self, n);
    }

    /// The first `n` bytes as one segment: without copying if they lie in one, else copied and
    /// counted.
    #[track_caller]
    fn copy_to_bytes(&mut self, n: usize) -> Bytes {
        self.check_offset(n);
        if n <= self.chunk().len() {
            let mut out = self.split_to(n);
            return out.pop_front().unwrap_or_default();
        }
        let mut out = BytesMut::with_capacity(n);
        for chunk in self.chunks() {
            out.extend_from_slice(&chunk[..chunk.len().min(n - out.len())]);
        }
        Self::advance(self, n);
        self.count_copied(n);
        out.freeze()
    }
}

impl Clone for BodyBuf {
    /// Shares the segments. The bytes of the open packing block (less than
    /// [`PACK_BLOCK_BYTES`](crate::limits::PACK_BLOCK_BYTES)) are copied, and counted by the clone,
    /// whose counter starts from zero.
    fn clone(&self) -> Self {
        let mut clone = Self {
            first: self.first.clone(),
            rest: self.rest.clone(),
            packer: None,
            len: self.len - self.open_bytes().len(),
        };
        if !self.open_bytes().is_empty() {
            clone.count_copied(self.open_bytes().len());
            clone.push(Bytes::copy_from_slice(self.open_bytes()));
        }
        clone.invariants();
        clone
    }
}

impl fmt::Debug for BodyBuf {
    /// Shows counts, never body bytes: they are somebody's data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyBuf")
            .field("len", &self.len)
            .field("segments", &self.segment_count())
            .field("copied_bytes", &self.copied_bytes())
            .finish_non_exhaustive()
    }
}

impl PartialEq<[u8]> for BodyBuf {
    fn eq(&self, other: &[u8]) -> bool {
        let mut left = other;
        self.len == left.len()
            && self.chunks().all(|chunk| {
                let (head, tail) = left.split_at(chunk.len());
                left = tail;
                chunk == head
            })
    }
}

impl<const N: usize> PartialEq<[u8; N]> for BodyBuf {
    fn eq(&self, other: &[u8; N]) -> bool {
        *self == other[..]
    }
}

impl PartialEq<&[u8]> for BodyBuf {
    fn eq(&self, other: &&[u8]) -> bool {
        *self == **other
    }
}

impl<const N: usize> PartialEq<&[u8; N]> for BodyBuf {
    fn eq(&self, other: &&[u8; N]) -> bool {
        *self == other[..]
    }
}

impl PartialEq for BodyBuf {
    /// Equal bytes, however they are cut into segments.
    fn eq(&self, other: &Self) -> bool {
        if self.len != other.len {
            return false;
        }
        let mut theirs = other.cursor();
        self.chunks().all(|chunk| {
            let mut left = chunk;
            while !left.is_empty() {
                let n = left.len().min(theirs.slice().len());
                if left[..n] != theirs.slice()[..n] {
                    return false;
                }
                left = &left[n..];
                Buf::advance(&mut theirs, n);
            }
            true
        })
    }
}

impl Eq for BodyBuf {}

impl From<Bytes> for BodyBuf {
    fn from(segment: Bytes) -> Self {
        let mut buf = Self::new();
        buf.push(segment);
        buf
    }
}

impl From<&'static [u8]> for BodyBuf {
    fn from(segment: &'static [u8]) -> Self {
        Bytes::from_static(segment).into()
    }
}

impl From<&'static str> for BodyBuf {
    fn from(segment: &'static str) -> Self {
        Bytes::from_static(segment.as_bytes()).into()
    }
}

impl From<Vec<u8>> for BodyBuf {
    fn from(segment: Vec<u8>) -> Self {
        Bytes::from(segment).into()
    }
}

impl Extend<Bytes> for BodyBuf {
    fn extend<I: IntoIterator<Item = Bytes>>(&mut self, segments: I) {
        for segment in segments {
            self.push(segment);
        }
    }
}

impl FromIterator<Bytes> for BodyBuf {
    fn from_iter<I: IntoIterator<Item = Bytes>>(segments: I) -> Self {
        let mut buf = Self::new();
        buf.extend(segments);
        buf
    }
}

impl Weigh for Bytes {
    /// Its length. The buffer it is a slice of may be larger, and is kept alive by it.
    fn weight_bytes(&self) -> u64 {
        self.len() as u64
    }
}

impl Weigh for BodyBuf {
    /// Its length.
    fn weight_bytes(&self) -> u64 {
        self.len() as u64
    }
}
