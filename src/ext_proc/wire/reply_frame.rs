use core::fmt;
use std::io::IoSlice;

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::ReplyBody;
use super::head::Head;

/// A reply as it goes out: a frame of gRPC, a `ProcessingResponse` in it, and the segments of the
/// body at its end as they are.
///
/// Written vectored, through [`Buf::chunks_vectored`], nothing of a body is copied. Without header
/// mutations and metadata, making one allocates nothing.
pub struct ReplyFrame {
    pub(super) head: Head,
    pub(super) body: ReplyBody,
}

impl ReplyFrame {
    /// A frame that somebody else has encoded: of another service on the same connection.
    #[cfg(feature = "ext-proc-server")]
    pub(in crate::ext_proc) fn plain(frame: Bytes) -> Self {
        Self { head: Head::Heap(frame), body: ReplyBody::new() }
    }

    /// Takes the next piece out: what stands before the body, then the segments of the body as they
    /// are. For transports that carry [`Bytes`] only: it allocates once, for what stands before.
    pub fn pop_front(&mut self) -> Option<Bytes> {
        self.head.take().or_else(|| self.body.pop_front())
    }
}

impl Buf for ReplyFrame {
    #[inline]
    fn remaining(&self) -> usize {
        self.head.left().len() + self.body.len()
    }

    #[inline]
    fn chunk(&self) -> &[u8] {
        match self.head.left() {
            [] => self.body.chunk(),
            left => left,
        }
    }

    fn chunks_vectored<'a>(&'a self, dst: &mut [IoSlice<'a>]) -> usize {
        let left = self.head.left();
        if left.is_empty() {
            return self.body.chunks_vectored(dst);
        }
        let Some((slot, rest)) = dst.split_first_mut() else { return 0 };
        *slot = IoSlice::new(left);
        1 + self.body.chunks_vectored(rest)
    }

    #[inline]
    #[track_caller]
    fn advance(&mut self, n: usize) {
        let taken = self.head.advance(n);
        if taken < n {
            Buf::advance(&mut self.body, n - taken);
        }
    }

    /// The first `n` bytes as one segment: of a body whose head was taken, without copying if they
    /// lie in one.
    #[track_caller]
    fn copy_to_bytes(&mut self, n: usize) -> Bytes {
        if self.head.left().is_empty() {
            return self.body.copy_to_bytes(n);
        }
        assert!(n <= self.remaining(), "{n} bytes of {}", self.remaining());
        let mut out = BytesMut::with_capacity(n);
        out.put(self.take(n));
        out.freeze()
    }
}

impl fmt::Debug for ReplyFrame {
    /// Shows counts, never bytes: they are somebody's data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplyFrame")
            .field("head_bytes", &self.head.left().len())
            .field("body", &self.body)
            .finish()
    }
}
