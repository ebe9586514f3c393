use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::collections::VecDeque;
use std::io::{self, IoSlice};

use bytes::{Buf, Bytes};
use tokio::io::AsyncWrite;

use super::lent::Lent;
use crate::limits::TRANSPORT_WRITE_BYTES;
use crate::unwind::{drop_contained, drop_each_contained};

/// What the connection has written, and the socket has not taken: pieces in their order.
pub(super) struct Output<S> {
    socket: S,
    lent: Lent,
    pieces: VecDeque<Piece>,
    /// How long they are together, in bytes.
    len: usize,
    /// The bytes of all pieces that were copied, one behind the other.
    copies: Vec<u8>,
    /// How many of them the socket has taken.
    taken: usize,
    /// Why the socket takes no more: for the next who writes.
    error: Option<io::Error>,
}

enum Piece {
    /// So many of the bytes that were copied.
    Copied(usize),
    Lent(Bytes),
}

impl Piece {
    fn is_empty(&self) -> bool {
        match self {
            Self::Copied(bytes) => *bytes == 0,
            Self::Lent(segment) => segment.is_empty(),
        }
    }
}

/// How many pieces one call of the system takes. Linux takes 1024; a frame of HTTP/2 has two to
/// four.
const MAX_SLICES: usize = 64;

impl<S: AsyncWrite + Unpin> Output<S> {
    pub(super) fn new(socket: S, lent: Lent) -> Self {
        Self {
            socket,
            lent,
            pieces: VecDeque::new(),
            len: 0,
            copies: Vec::new(),
            taken: 0,
            error: None,
        }
    }

    /// Takes what there is room for.
    pub(super) fn write(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if let Some(error) = self.error.take() {
            return Poll::Ready(Err(error));
        }
        if self.len >= TRANSPORT_WRITE_BYTES {
            ready!(self.drain(cx))?;
        }
        let before = self.len;
        for slice in slices {
            let room = TRANSPORT_WRITE_BYTES - self.len;
            self.push(&slice[..slice.len().min(room)]);
        }
        Poll::Ready(Ok(self.len - before))
    }

    fn push(&mut self, slice: &[u8]) {
        if slice.is_empty() {
            return;
        }
        self.len += slice.len();
        if let Some(segment) = self.lent.take(slice) {
            self.pieces.push_back(Piece::Lent(segment));
            return;
        }
        // A socket that always leaves something would otherwise keep what it has taken for ever.
        if self.taken >= TRANSPORT_WRITE_BYTES {
            self.copies.drain(..self.taken);
            self.taken = 0;
        }
        self.copies.extend_from_slice(slice);
        match self.pieces.back_mut() {
            Some(Piece::Copied(len)) => *len += slice.len(),
            Some(Piece::Lent(_)) | None => self.pieces.push_back(Piece::Copied(slice.len())),
        }
    }

    /// Gives the socket all there is.
    pub(super) fn drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.len > 0 {
            let mut slices = [IoSlice::new(&[]); MAX_SLICES];
            let n = slices_of(&self.pieces, &self.copies[self.taken..], &mut slices);
            let socket = Pin::new(&mut self.socket);
            match ready!(socket.poll_write_vectored(cx, &slices[..n]))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                n => self.advance(n),
            }
        }
        Poll::Ready(Ok(()))
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
                Piece::Lent(segment) => {
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

    /// Gives the socket all there is, and keeps the error for the next who writes. Answers whether
    /// there was one.
    pub(super) fn flush(&mut self, cx: &mut Context<'_>) -> bool {
        // Pending: the socket wakes whoever has called when it takes more.
        let Poll::Ready(Err(error)) = self.drain(cx) else { return false };
        self.clear();
        self.error = Some(error);
        true
    }

    fn clear(&mut self) {
        drop_each_contained(self.pieces.drain(..));
        self.copies.clear();
        (self.len, self.taken) = (0, 0);
    }

    pub(super) fn shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.drain(cx))?;
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}

/// The first of `pieces`, as far as there is room for them. Answers how many.
fn slices_of<'a>(
    pieces: &'a VecDeque<Piece>,
    mut copies: &'a [u8],
    into: &mut [IoSlice<'a>],
) -> usize {
    let mut n = 0;
    for (slot, piece) in into.iter_mut().zip(pieces) {
        *slot = match piece {
            Piece::Copied(len) => {
                let (here, rest) = copies.split_at(*len);
                copies = rest;
                IoSlice::new(here)
            }
            Piece::Lent(segment) => IoSlice::new(segment),
        };
        n += 1;
    }
    n
}

#[cfg(test)]
#[path = "output_tests.rs"]
mod tests;
