use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::error::Error as StdError;

use bytes::Bytes;
use http::HeaderMap;
use http_body::Body;
use pin_project_lite::pin_project;

use crate::error::{Error, ErrorKind, Origin};
use crate::limits;
use crate::pipe::{PipeStats, Sender};

/// What a body sends through a pipe: its data, then the trailers if there are some.
pub(super) type BodySender = Sender<Bytes, Option<HeaderMap>, Error>;

pin_project! {
    /// Moves a body into a pipe: the sending half of [`pipe_body`](super::pipe_body), a future for
    /// a task of its own.
    ///
    /// Ready with what went through, when the body has ended, failed, or the receiving half is
    /// gone. In the last case the body is dropped at once, also while it waits: that is how its
    /// source is told to stop.
    ///
    /// Dropped before it is ready, it drops the body, and the receiving half ends with an error.
    #[must_use = "the body is moved by polling this"]
    pub struct Pump<B> {
        // `None` once it has ended.
        #[pin]
        body: Option<B>,
        sender: BodySender,
        origin: Origin,
    }
}

/// What became of one frame.
enum Step {
    Sent,
    Over,
}

impl<B> Pump<B> {
    pub(super) fn new(body: Option<B>, sender: BodySender, origin: Origin) -> Self {
        Self { body, sender, origin }
    }
}

impl<B> Future for Pump<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    type Output = PipeStats;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<PipeStats> {
        let mut this = self.project();
        for _ in 0..limits::MAX_FRAMES_PER_POLL {
            let Some(body) = this.body.as_mut().as_pin_mut() else {
                return Poll::Ready(this.sender.stats());
            };
            match ready!(poll_step(body, this.sender, *this.origin, cx)) {
                Step::Sent => {}
                Step::Over => this.body.set(None),
            }
        }
        // The source is always ready: others get their turn.
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Moves one frame.
fn poll_step<B>(
    mut body: Pin<&mut B>,
    sender: &mut BodySender,
    origin: Origin,
    cx: &mut Context<'_>,
) -> Poll<Step>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    if ready!(sender.poll_ready(cx)).is_err() {
        return Poll::Ready(Step::Over);
    }
    let frame = match body.as_mut().poll_frame(cx) {
        Poll::Ready(frame) => frame,
        // A receiver that goes has to end the wait for the source.
        Poll::Pending => return sender.poll_closed(cx).map(|()| Step::Over),
    };
    // Where the receiver is gone, it does not matter any more how the body ends.
    match frame {
        None => finish(sender, None),
        Some(Err(error)) => drop(sender.fail(into_error(error, origin))),
        Some(Ok(frame)) => match frame.into_data() {
            Ok(data) => {
                if !data.is_empty() && sender.try_send(data).is_err() {
                    return Poll::Ready(Step::Over);
                }
                if !body.is_end_stream() {
                    return Poll::Ready(Step::Sent);
                }
                finish(sender, None)
            }
            Err(frame) => match frame.into_trailers() {
                Ok(trailers) => finish(sender, Some(trailers)),
                // A kind of frame that http_body does not have yet, and that is no part of the
                // body.
                Err(_) => return Poll::Ready(Step::Sent),
            },
        },
    }
    Poll::Ready(Step::Over)
}

fn finish(sender: &mut BodySender, trailers: Option<HeaderMap>) {
    // Empty trailers are a plain end, as in a chain.
    drop(sender.finish(trailers.filter(|trailers| !trailers.is_empty())));
}

/// An error of this crate stays what it is.
fn into_error(error: impl Into<Box<dyn StdError + Send + Sync>>, origin: Origin) -> Error {
    match error.into().downcast::<Error>() {
        Ok(error) => *error,
        Err(error) => Error::with_source(ErrorKind::Reset, origin, error),
    }
}

impl<B> fmt::Debug for Pump<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pump")
            .field("running", &self.body.is_some())
            .field("sender", &self.sender)
            .finish_non_exhaustive()
    }
}
