//! The face that servers and clients see.
//!
//! This module never gives out a frame after the end.

use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::error::Error as StdError;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::{FilteredBody, Stage, Step};
use crate::body::driver::Next;
use crate::error::{Error, ErrorKind, Origin};
use crate::filter::Head;

impl<B, H> Body for FilteredBody<B, H>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
    H: Head,
{
    type Data = Bytes;
    type Error = Error;

    /// The next frame. A head that has not been taken is kept for [`FilteredBody::poll_head`].
    ///
    /// - `Pending`: as [`Driver::poll_output`](crate::body::Driver::poll_output).
    /// - `Ready(Some(Ok(frame)))`: a piece of body, never empty; or the trailers, and nothing
    ///   after.
    /// - `Ready(Some(Err(error)))`: the message was cut off. `None` from now on.
    /// - `Ready(None)`: the message is complete, or was cut off before. `None` from now on.
    #[inline]
    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        while matches!(self.stage, Stage::Head | Stage::Body) {
            let next = ready!(self.as_mut().driver_mut().poll_next(cx));
            if let Next::Data(bytes) = next {
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
            return Poll::Ready(match self.as_mut().on_next(next) {
                Step::Head => continue,
                Step::Data(bytes) => Some(Ok(Frame::data(bytes))),
                Step::Trailers(trailers) => Some(Ok(Frame::trailers(trailers))),
                Step::End => None,
                Step::Reply(_) => {
                    // No exchange to hand it to.
                    let why = "a local reply took the place of the request";
                    Some(Err(Error::with_source(ErrorKind::Reset, Origin::Filter, why)))
                }
                Step::Skip => continue,
                Step::Cut(error) => Some(Err(error)),
            });
        }
        Poll::Ready(None)
    }

    /// True only when nothing can follow: no trailers, and no error.
    fn is_end_stream(&self) -> bool {
        match self.stage {
            Stage::Complete => true,
            Stage::Body => self.driver.chain().is_end_stream(),
            Stage::Head | Stage::Cut => false,
        }
    }

    /// Exact only if the head that left the chain declares a length, or the end is visible.
    fn size_hint(&self) -> SizeHint {
        if self.is_end_stream() {
            return SizeHint::with_exact(0);
        }
        let declared = match self.stage {
            Stage::Body if self.tells_length => self.driver.chain().remaining_bytes(),
            _ => None,
        };
        // A message that may have no body is at 0 before its end is visible: hyper would make a
        // `content-length: 0` of that, which is a lie on a 304 and forbidden on a 204.
        let declared = declared.filter(|_| !self.driver.chain().is_bodiless());
        declared.map_or_else(SizeHint::new, SizeHint::with_exact)
    }
}
