mod frames;

use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::error::Error as StdError;

use bytes::Bytes;
use http::HeaderName;
use http_body::Body;
use pin_project_lite::pin_project;

use super::driver::Next;
use super::{Driver, Opening, Timeouts};
use crate::chain::{Chain, Output};
use crate::error::{Error, ErrorKind, Origin};
use crate::exchange::{Direction, Observer, RequestHalf, ResponseHalf, Side};
use crate::filter::{Head, LocalReply};
use crate::frame::Outcome;

pin_project! {
    /// A message as its chain lets it go: an [`http_body::Body`] that drives the chain from a
    /// source body when it is polled.
    ///
    /// The head comes first, from [`poll_head`](Self::poll_head): filters may hold it until they
    /// have seen body. The chain is owned by this body, and runs where it is polled.
    ///
    /// # How it ends
    ///
    /// - With `None`, or after trailers: the message is complete.
    /// - With one error, and `None` from then on: the message was cut off. It never looks complete
    ///   (rule I12).
    /// - By being dropped. If its end was visible ([`is_end_stream`](Body::is_end_stream)), or the
    ///   declared length had been taken with no trailers to follow, the message is complete; else
    ///   it is cancelled. The source is dropped with it.
    ///
    /// # Example
    ///
    /// ```
    /// # use std::{future::poll_fn, pin::Pin};
    /// use http::request;
    /// use http_body_util::{BodyExt, Full};
    /// use tidegate::body::{FilteredBody, Opening};
    /// use tidegate::{Capabilities, MessageTraits, Plan};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let plan = Plan::<request::Parts>::builder().build()?.bind(Capabilities::ALL)?;
    /// let request = http::Request::new(Full::new(bytes::Bytes::from("hello")));
    ///
    /// let (head, source) = request.into_parts();
    /// let mut body = FilteredBody::new(plan.chain(MessageTraits::new())?, head, source);
    /// match poll_fn(|cx| Pin::new(&mut body).poll_head(cx)).await? {
    ///     Opening::Head(head) => assert_eq!(head.headers["content-length"], "5"),
    ///     Opening::Reply(reply) => panic!("no filter, no reply: {reply:?}"),
    /// }
    /// assert_eq!(body.collect().await?.to_bytes(), "hello");
    /// # Ok(())
    /// # }
    /// ```
    pub struct FilteredBody<B, H>
    where
        H: Head,
    {
        #[pin]
        driver: Driver<B, H>,
        stage: Stage,
        // Whether the body may tell its length: not if trailers are promised, because an HTTP/1
        // server would then write a length and send none.
        tells_length: bool,
    }
}

/// How much the chain has given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Not even the head.
    Head,
    Body,
    /// The message is complete.
    Complete,
    /// The message was cut off, and that has been told.
    Cut,
}

impl<B, H> FilteredBody<B, H>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
    H: Head,
{
    /// The message with `head` and `source`, on its way through `chain`, which has had no input. A
    /// source that is not `Unpin` is given to the [driver](Self::driver_mut) of an
    /// [unstarted](Self::unstarted) body, once that is pinned.
    #[must_use]
    pub fn new(chain: Chain<H>, head: H, source: B) -> Self
    where
        B: Unpin,
    {
        let mut body = Self::unstarted(chain);
        Pin::new(&mut body.driver).start(head, Some(source));
        body
    }

    /// Ready with the head when it has left the chain; or with a local reply instead, from a
    /// request chain. `Pending` as [`Driver::poll_output`].
    ///
    /// # Errors
    ///
    /// The message failed before its head left the chain. The body has ended.
    ///
    /// # Panics
    ///
    /// If the head was taken before, or the message ended without one. Also as
    /// [`Driver::poll_output`].
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost if the caller does not poll again.
    pub fn poll_head(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Opening<H>, Error>> {
        loop {
            if let Some(head) = self.as_mut().driver_mut().message().head.take() {
                return Poll::Ready(Ok(Opening::Head(head)));
            }
            assert!(
                self.stage == Stage::Head,
                "`poll_head` after the head was taken, or after the end"
            );
            let next = ready!(self.as_mut().driver_mut().poll_next(cx));
            match self.as_mut().on_next(next) {
                Step::Head | Step::Skip => {}
                Step::Reply(reply) => return Poll::Ready(Ok(Opening::Reply(reply))),
                Step::Cut(error) => return Poll::Ready(Err(error)),
                Step::End | Step::Data(_) | Step::Trailers(_) => {
                    // The chain gives out a head before anything else. A chain that does not has
                    // lost it, which must not look like a message.
                    *self.as_mut().project().stage = Stage::Cut;
                    return Poll::Ready(Err(Error::new(ErrorKind::Reset, Origin::Internal)));
                }
            }
        }
    }
}

impl<B, H> FilteredBody<B, H>
where
    H: Head,
{
    /// A body whose driver is started later: neither the head and its source nor a reply is there
    /// yet. Start it before it is polled.
    #[must_use]
    pub fn unstarted(chain: Chain<H>) -> Self {
        Self::of_side(Side::new(chain))
    }

    /// As [`unstarted`](Self::unstarted), for one side of an exchange.
    #[must_use]
    pub fn of_side(side: Side<H>) -> Self {
        Self { driver: Driver::of_side(side), stage: Stage::Head, tells_length: true }
    }

    /// Sets the timeouts; the total runs from now.
    ///
    /// A timeout needs a tokio runtime with a timer where the body is polled.
    #[must_use]
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.driver = self.driver.timeouts(timeouts);
        self
    }

    /// Sets who is told how the message ended: once, at its end or when the body is dropped.
    #[must_use]
    pub fn on_finish(mut self, observer: Observer) -> Self {
        self.driver = self.driver.on_finish(observer);
        self
    }

    /// What drives the chain, to read its levels, statistics and outcome.
    #[must_use]
    pub fn driver(&self) -> &Driver<B, H> {
        &self.driver
    }

    /// What drives the chain, to give it news from outside.
    #[must_use]
    pub fn driver_mut(self: Pin<&mut Self>) -> Pin<&mut Driver<B, H>> {
        self.project().driver
    }

    /// What the driver came to, as the body sees it. Keeps the stage.
    #[cold]
    fn on_next(self: Pin<&mut Self>, next: Next) -> Step {
        let this = self.project();
        let message = this.driver.message();
        let output = match next {
            Next::Data(bytes) => return Step::Data(bytes),
            Next::Parked => message.parked.take(),
            Next::Over => None,
        };
        let (stage, step) = match output {
            Some(Output::Head { head, end_of_stream }) => {
                message.head = Some(head);
                (if end_of_stream { Stage::Complete } else { Stage::Body }, Step::Head)
            }
            Some(Output::Data(bytes)) => return Step::Data(bytes),
            // Neither `http_body` nor hyper's server has a place for them.
            Some(Output::Informational(_)) => return Step::Skip,
            Some(Output::Trailers(trailers)) => (Stage::Complete, Step::Trailers(trailers)),
            Some(Output::End) => (Stage::Complete, Step::End),
            Some(Output::Reply(reply)) => (Stage::Cut, Step::Reply(reply)),
            Some(Output::Reset(error)) => (Stage::Cut, Step::Cut(error)),
            // Also the whole of a local reply, whose outcome is not that of a complete message.
            None if message.side.chain().is_end_stream() => (Stage::Complete, Step::End),
            None => (Stage::Cut, Step::Cut(cut_error(message.side.chain().outcome()))),
        };
        *this.stage = stage;
        step
    }

    /// States which trailers can follow the head that was taken: see
    /// [`Chain::send_only_trailers`].
    pub fn send_only_trailers(&mut self, announced: Vec<HeaderName>) {
        self.driver.side_mut().send_only_trailers(announced);
    }

    /// Gives no exact size hint from now on, whatever the head declared: for a head whose
    /// `content-length` was taken off behind the chain, so that trailers can be sent.
    pub fn hide_length(&mut self) {
        self.tells_length = false;
    }
}

impl<B> FilteredBody<B, http::request::Parts> {
    /// Connects the request with its response: a local reply, or a failure, is posted to the other
    /// half, and the request ends when the other half says so.
    #[must_use]
    pub fn request_half(mut self, half: RequestHalf) -> Self {
        self.driver.side_mut().set_half(half);
        self
    }
}

impl<B> FilteredBody<B, http::response::Parts> {
    /// Connects the response with its request: a local reply from there goes where the response is.
    #[must_use]
    pub fn response_half(mut self, half: ResponseHalf) -> Self {
        self.driver.side_mut().set_half(half);
        self
    }
}

/// One output of the chain, as the body sees it. The head has been put into the stage.
enum Step {
    Head,
    /// What this edge cannot pass on.
    Skip,
    Data(Bytes),
    Trailers(http::HeaderMap),
    End,
    Reply(LocalReply),
    Cut(Error),
}

/// The error of a message that ended without being complete and without saying why.
fn cut_error(outcome: Option<&Outcome>) -> Error {
    match outcome {
        Some(outcome) => outcome.error().cloned().unwrap_or_else(|| {
            Error::with_source(ErrorKind::Reset, Origin::Internal, "the message was given up")
        }),
        None => Error::new(ErrorKind::Reset, Origin::Internal),
    }
}

impl<B, H> fmt::Debug for FilteredBody<B, H>
where
    H: Head,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FilteredBody")
            .field("direction", &Direction::of::<H>())
            .field("driver", &self.driver)
            .finish_non_exhaustive()
    }
}
