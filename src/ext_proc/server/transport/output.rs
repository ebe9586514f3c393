use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::io::{self, IoSlice};

use tokio::io::AsyncWrite;

use super::lent::Lent;
use crate::limits::TRANSPORT_WRITE_BYTES;
use crate::socket::WriteQueue;

/// What the connection has written, and the socket has not taken.
pub(super) struct Output<S> {
    socket: S,
    lent: Lent,
    queue: WriteQueue,
    /// Why the socket takes no more: for the next who writes.
    error: Option<io::Error>,
}

impl<S: AsyncWrite + Unpin> Output<S> {
    pub(super) fn new(socket: S, lent: Lent) -> Self {
        Self { socket, lent, queue: WriteQueue::default(), error: None }
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
        if self.queue.len() >= TRANSPORT_WRITE_BYTES {
            ready!(self.drain(cx))?;
        }
        let before = self.queue.len();
        for slice in slices {
            let room = TRANSPORT_WRITE_BYTES - self.queue.len();
            self.push(&slice[..slice.len().min(room)]);
        }
        Poll::Ready(Ok(self.queue.len() - before))
    }

    fn push(&mut self, slice: &[u8]) {
        match self.lent.take(slice) {
            Some(segment) => self.queue.segment(segment),
            None => self.queue.copy(slice),
        }
    }

    /// Gives the socket all there is.
    pub(super) fn drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.queue.drain(&mut self.socket, cx)
    }

    /// Gives the socket all there is, and keeps the error for the next who writes. Answers whether
    /// there was one.
    pub(super) fn flush(&mut self, cx: &mut Context<'_>) -> bool {
        // Pending: the socket wakes whoever has called when it takes more.
        let Poll::Ready(Err(error)) = self.drain(cx) else { return false };
        self.queue.clear();
        self.error = Some(error);
        true
    }

    pub(super) fn shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.drain(cx))?;
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}

#[cfg(test)]
#[path = "output_tests.rs"]
mod tests;
