use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::error::Error as StdError;

use bytes::{Buf, Bytes};
use http_body::{Body, Frame, SizeHint};

use super::{ProcessBody, StreamError};
use crate::ext_proc::wire::ReplyFrame;

/// A [`ProcessBody`] in plain pieces of `Bytes`, for frameworks whose bodies are of those. Nothing
/// is copied for it but the few bytes in front of a reply's body.
pub struct BytesBody<B> {
    body: ProcessBody<B>,
    /// What is left of the frame that was given last.
    rest: Option<ReplyFrame>,
}

impl<B> BytesBody<B> {
    pub(super) fn new(body: ProcessBody<B>) -> Self {
        Self { body, rest: None }
    }
}

impl<B> Body for BytesBody<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    type Data = Bytes;
    type Error = StreamError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, StreamError>>> {
        loop {
            if let Some(piece) = self.rest.as_mut().and_then(ReplyFrame::pop_front) {
                return Poll::Ready(Some(Ok(Frame::data(piece))));
            }
            self.rest = None;
            let frame = match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                None => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                Some(Ok(frame)) => frame,
            };
            match frame.into_data() {
                Ok(data) => self.rest = Some(data),
                // Trailers: there is nothing else.
                Err(other) => {
                    let trailers = other.into_trailers().unwrap_or_default();
                    return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.rest.as_ref().is_none_or(|rest| !rest.has_remaining()) && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        if self.is_end_stream() { SizeHint::with_exact(0) } else { SizeHint::default() }
    }
}

impl<B> fmt::Debug for BytesBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BytesBody").field("body", &self.body).finish_non_exhaustive()
    }
}
