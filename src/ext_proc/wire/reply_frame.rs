use core::fmt;
use std::io::IoSlice;

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::ReplyBody;
#[cfg(feature = "ext-proc-server")]
use super::encode::{take_body, write_head};
use super::head::Head;
#[cfg(feature = "ext-proc-server")]
use super::head::INLINE_BYTES;
#[cfg(feature = "ext-proc-server")]
use super::{Reply, WireError};

/// How much may stand before a reply that joins others: both lie inline then.
#[cfg(feature = "ext-proc-server")]
const JOINED_BYTES: usize = INLINE_BYTES / 2;

/// A reply as it goes out: a frame of gRPC, a `ProcessingResponse` in it, and the segments of the
/// body at its end as they are. Short replies without a body can go before it.
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

    /// Whether another reply may go out with it: it has no body, and is short.
    #[cfg(feature = "ext-proc-server")]
    pub(in crate::ext_proc) fn can_be_joined(&self) -> bool {
        self.body.is_empty() && self.head.left().len() <= JOINED_BYTES
    }

    /// Adds a reply to one that can be joined, behind it: what is ready at once goes out at once,
    /// as a frame of HTTP/2 costs more than a reply.
    ///
    /// # Errors
    ///
    /// As [`encode`](super::encode()); what is here is as it was then.
    #[cfg(feature = "ext-proc-server")]
    pub(in crate::ext_proc) fn join(&mut self, reply: &mut Reply) -> Result<(), WireError> {
        debug_assert!(self.body.is_empty(), "a body is the last of its frame");
        self.head = write_head(self.head.left(), reply)?;
        self.body = take_body(&mut reply.part);
        Ok(())
    }

    /// One without anything before its body.
    #[cfg(test)]
    #[cfg(feature = "ext-proc-server")]
    pub(in crate::ext_proc) fn of_body(body: ReplyBody) -> Self {
        Self { head: Head::Heap(Bytes::new()), body }
    }

    /// The segments of the body that are left, if they are few.
    #[cfg(feature = "ext-proc-server")]
    pub(in crate::ext_proc) fn few_segments(&self) -> &[Bytes] {
        self.body.few_segments()
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

#[cfg(test)]
#[cfg(feature = "ext-proc-server")]
mod tests {
    use super::*;
    use crate::exchange::Direction;
    use crate::ext_proc::wire::{BodyChange, HeaderMutation, Part, encode};

    /// Its frame has 11 bytes besides the name.
    fn trailers(name: &'static str) -> Reply {
        let mut mutation = HeaderMutation::new();
        mutation.remove(name);
        Reply::of(Part::Trailers { direction: Direction::Request, mutation })
    }

    fn body(text: &'static str) -> Reply {
        let body = Bytes::from_static(text.as_bytes()).into();
        Reply::of(Part::Body {
            direction: Direction::Response,
            mutation: HeaderMutation::new(),
            change: BodyChange::Replace(body),
            clear_route_cache: false,
        })
    }

    fn frame(reply: Reply) -> ReplyFrame {
        encode(reply).expect("a short reply")
    }

    fn bytes(mut frame: ReplyFrame) -> Bytes {
        frame.copy_to_bytes(frame.remaining())
    }

    #[test]
    fn a_short_reply_without_a_body_can_be_joined_and_no_other() {
        let edge = frame(trailers("a-name-of-twentyone-b"));
        assert_eq!(edge.remaining(), JOINED_BYTES);
        assert!(edge.can_be_joined());
        assert!(!frame(trailers("a-name-of-twentytwo-by")).can_be_joined());
        let with_body = frame(body("x"));
        assert!(with_body.remaining() < JOINED_BYTES && !with_body.can_be_joined());
    }

    #[test]
    fn what_is_joined_goes_out_behind_what_was_there() {
        for first in ["a", "a-name-of-twentyone-b"] {
            for second in [|| body("hello"), || trailers("a"), || trailers("a-long-name-of-many")] {
                let mut joined = frame(trailers(first));
                joined.join(&mut second()).expect("a short reply");
                let expected = [bytes(frame(trailers(first))), bytes(frame(second()))].concat();
                assert_eq!(bytes(joined), expected);
            }
        }
    }

    #[test]
    fn the_segments_of_a_short_body_can_be_looked_at() {
        let frame = frame(body("hello"));
        let segments: Vec<&[u8]> = frame.few_segments().iter().map(|each| &each[..]).collect();
        assert_eq!(segments.concat(), b"hello");
        assert!(frame.few_segments()[0] == "hello");
        let expected = "ReplyFrame { head_bytes: 13, body: ReplyBody { bytes: 5, segments: 1 } }";
        assert_eq!(format!("{frame:?}"), expected);
    }
}
