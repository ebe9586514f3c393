use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::collections::VecDeque;
use std::io::{self, IoSlice};

use bytes::{Buf, Bytes};
use tokio::io::AsyncWrite;

use crate::limits::TRANSPORT_WRITE_BYTES;
use crate::unwind::{contained, drop_contained, drop_each_contained};

/// What a connection has written, and the socket has not taken: pieces in their order, segments as
/// they are and small pieces one behind the other.
#[derive(Default)]
pub(crate) struct WriteQueue {
    pieces: VecDeque<Piece>,
    /// How long they are together, in bytes.
    len: usize,
    /// The bytes of all pieces that were copied, one behind the other.
    copies: Vec<u8>,
    /// How many of them the socket has taken.
    taken: usize,
}

enum Piece {
    /// So many of the bytes that were copied.
    Copied(usize),
    Segment(Bytes),
}

impl Piece {
    fn is_empty(&self) -> bool {
        match self {
            Self::Copied(bytes) => *bytes == 0,
            Self::Segment(segment) => segment.is_empty(),
        }
    }
}

/// How many pieces one call of the system takes. Linux takes 1024; a frame of HTTP/2 has two to
/// four.
const MAX_SLICES: usize = 64;

impl WriteQueue {
    /// How much there is, in bytes.
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// How many bytes of copies are kept, taken or not.
    #[cfg(test)]
    pub(crate) const fn copied_bytes(&self) -> usize {
        self.copies.len()
    }

    /// Adds a copy of `slice`.
    pub(crate) fn copy(&mut self, slice: &[u8]) {
        self.copy_all([slice]);
    }

    /// Adds copies of `slices`, one behind the other.
    pub(crate) fn copy_all<const N: usize>(&mut self, slices: [&[u8]; N]) {
        let len = slices.iter().map(|slice| slice.len()).sum();
        if len == 0 {
            return;
        }
        self.len += len;
        // A socket that always leaves something would otherwise keep what it has taken for ever.
        if self.taken >= TRANSPORT_WRITE_BYTES {
            self.copies.drain(..self.taken);
            self.taken = 0;
        }
        for slice in slices {
            self.copies.extend_from_slice(slice);
        }
        match self.pieces.back_mut() {
            Some(Piece::Copied(bytes)) => *bytes += len,
            Some(Piece::Segment(_)) | None => self.pieces.push_back(Piece::Copied(len)),
        }
    }

    /// Adds `segment` as it is.
    pub(crate) fn segment(&mut self, segment: Bytes) {
        if !segment.is_empty() {
            self.len += segment.len();
            self.pieces.push_back(Piece::Segment(segment));
        }
    }

    /// Adds all that `write` does. Nothing, where it answers that it could not, or panics: half a
    /// frame would take the next ones for its own. Answers whether it did.
    #[allow(dead_code, reason = "the direct carrier's")]
    pub(crate) fn whole(&mut self, write: impl FnOnce(&mut Self) -> bool) -> bool {
        let (pieces, len) = (self.pieces.len(), self.len);
        // Those that the socket has taken may go meanwhile.
        let copies = self.copies.len() - self.taken;
        let last = match self.pieces.back() {
            Some(Piece::Copied(bytes)) => *bytes,
            Some(Piece::Segment(_)) | None => 0,
        };
        let mut is_whole = false;
        contained(|| is_whole = write(self));
        if !is_whole {
            drop_each_contained(self.pieces.drain(pieces..));
            if let Some(Piece::Copied(bytes)) = self.pieces.back_mut() {
                *bytes = last;
            }
            self.copies.truncate(self.taken + copies);
            self.len = len;
        }
        is_whole
    }

    /// Gives `socket` all there is. Pending: it wakes `cx` when it takes more.
    pub(crate) fn drain<S: AsyncWrite + Unpin>(
        &mut self,
        socket: &mut S,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while self.len > 0 {
            let socket = Pin::new(&mut *socket);
            let written = if self.pieces.len() == 1 {
                socket.poll_write(cx, self.first())
            } else {
                let mut slices = [IoSlice::new(&[]); MAX_SLICES];
                let n = self.slices(&mut slices);
                socket.poll_write_vectored(cx, &slices[..n])
            };
            match ready!(written)? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                n => self.advance(n),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Drops all there is.
    pub(crate) fn clear(&mut self) {
        drop_each_contained(self.pieces.drain(..));
        self.copies.clear();
        (self.len, self.taken) = (0, 0);
    }

    /// The socket has taken `bytes`.
    fn advance(&mut self, bytes: usize) {
        let mut left = bytes;
        self.len -= bytes;
        while left > 0
            && let Some(first) = self.pieces.front_mut()
        {
            let here = match first {
                Piece::Copied(len) => {
                    let here = left.min(*len);
                    *len -= here;
                    self.taken += here;
                    here
                }
                Piece::Segment(segment) => {
                    let here = left.min(segment.len());
                    segment.advance(here);
                    here
                }
            };
            left -= here;
            if first.is_empty() {
                // Its memory may be the user's: what goes wrong there is not this connection's.
                drop_contained(self.pieces.pop_front());
            }
        }
        if self.len == 0 {
            self.clear();
        }
    }

    fn first(&self) -> &[u8] {
        match self.pieces.front() {
            Some(Piece::Copied(len)) => &self.copies[self.taken..][..*len],
            Some(Piece::Segment(segment)) => segment,
            None => &[],
        }
    }

    /// The first pieces, as far as there is room for them. Answers how many.
    fn slices<'a>(&'a self, into: &mut [IoSlice<'a>]) -> usize {
        let mut copies = &self.copies[self.taken..];
        let mut n = 0;
        for (slot, piece) in into.iter_mut().zip(&self.pieces) {
            *slot = match piece {
                Piece::Copied(len) => {
                    let (here, rest) = copies.split_at(*len);
                    copies = rest;
                    IoSlice::new(here)
                }
                Piece::Segment(segment) => IoSlice::new(segment),
            };
            n += 1;
        }
        n
    }
}

/// Each piece by itself: their memory may be the user's.
impl Drop for WriteQueue {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use core::task::Waker;

    use tokio::io::{AsyncReadExt, duplex};

    use super::*;

    /// What is taken goes in large parts, so that little is moved for it.
    #[test]
    fn copies_that_were_taken_go_though_some_are_always_left() {
        for (taken, kept) in
            [(TRANSPORT_WRITE_BYTES - 1, TRANSPORT_WRITE_BYTES + 2), (TRANSPORT_WRITE_BYTES, 2)]
        {
            let mut queue = WriteQueue::default();
            queue.copy(&[7; TRANSPORT_WRITE_BYTES + 1]);
            queue.advance(taken);
            queue.copy(b"8");
            assert_eq!(queue.copied_bytes(), kept);
            assert_eq!(queue.len(), TRANSPORT_WRITE_BYTES + 2 - taken);
        }
    }

    #[tokio::test]
    async fn what_could_not_be_written_as_a_whole_leaves_nothing_behind_what_is_taken() {
        let (mut near, mut far) = duplex(5);
        let mut queue = WriteQueue::default();
        let mut cx = Context::from_waker(Waker::noop());
        queue.copy(b"first and");
        assert!(queue.drain(&mut near, &mut cx).is_pending());
        let is_whole = queue.whole(|queue| {
            queue.copy(b"half");
            queue.segment(Bytes::from_static(b"of"));
            queue.copy(b"it");
            false
        });
        assert_eq!((is_whole, queue.len()), (false, 4));
        queue.copy(b" last");
        let mut read = Vec::new();
        while read.len() < 14 {
            assert!(far.read_buf(&mut read).await.is_ok_and(|bytes| bytes > 0));
            let _ = queue.drain(&mut near, &mut cx);
        }
        assert_eq!((&read[..], queue.len()), (&b"first and last"[..], 0));
    }
}
