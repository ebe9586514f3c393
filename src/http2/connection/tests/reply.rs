use core::convert::Infallible;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::collections::VecDeque;

use bytes::Bytes;
use http_body::{Body, Frame};

use crate::http2::DirectBody;

/// The body of a response, of pieces that are there.
pub(super) struct Reply {
    pieces: VecDeque<Bytes>,
    /// A request that is kept, and not read.
    pub(super) kept: Option<DirectBody>,
    pub(super) panics: Panics,
    /// Whether it says so when nothing is left.
    pub(super) tells_end: bool,
}

#[derive(PartialEq, Eq, Clone, Copy)]
pub(super) enum Panics {
    Never,
    Polled,
    Dropped,
}

impl Reply {
    pub(super) fn new(pieces: impl IntoIterator<Item = Bytes>) -> Self {
        let pieces = pieces.into_iter().collect();
        Self { pieces, kept: None, panics: Panics::Never, tells_end: false }
    }

    pub(super) fn of(len: usize) -> Self {
        Self::new([Bytes::from(bytes(len))])
    }
}

/// So many bytes that are not all alike.
pub(super) fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at % 251) as u8).collect()
}

impl Body for Reply {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        assert!(self.panics != Panics::Polled, "as it was told");
        Poll::Ready(self.pieces.pop_front().map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.tells_end && self.pieces.is_empty()
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        drop(self.kept.take());
        assert!(self.panics != Panics::Dropped, "as it was told");
    }
}
