mod drain;
mod poll;
mod source;

use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::error::Error as StdError;

use bytes::Bytes;
use http_body::Body;
use pin_project_lite::pin_project;

pub(super) use poll::Next;
use source::is_taken;

use super::Timeouts;
use super::clock::Clock;
use super::length::declare_length;
use super::message::Message;
use crate::chain::{Chain, Output};
use crate::error::{Error, Timeout};
use crate::exchange::{Direction, Observer, Side};
use crate::filter::{Head, LocalReply};

pin_project! {
    /// Drives one side of an exchange from a source body: what
    /// [`FilteredBody`](super::FilteredBody) is made of.
    ///
    /// It feeds the chain what the source has while the chain wants it, passes resumes and mail on,
    /// keeps the time, and gives out what the side gives out. Use it to build an edge that is not
    /// an [`http_body::Body`].
    ///
    /// Dropping it ends the message: complete, if the chain says so (rule I9), else cancelled.
    pub struct Driver<B, H>
    where
        H: Head,
    {
        // The source, until it has ended or is not wanted any more.
        #[pin]
        source: Option<B>,
        // Boxed: a body is moved from hand to hand, and a chain is large.
        message: Box<Message<H>>,
        // Whether the last poll ended in waiting for the source.
        awaits_source: bool,
    }
}

impl<B, H> Driver<B, H>
where
    H: Head,
{
    /// A driver of `chain`, which has had no input. It does nothing before it is
    /// [started](Self::start).
    #[must_use]
    pub fn new(chain: Chain<H>) -> Self {
        Self::of_side(Side::new(chain))
    }

    /// A driver of `side`, whose chain has had no input.
    #[must_use]
    pub fn of_side(side: Side<H>) -> Self {
        Self { source: None, message: Box::new(Message::new(side)), awaits_source: false }
    }

    /// Sets the timeouts. The total runs from [`start`](Self::start), or from now if that was
    /// before; [`start_clock`](Self::start_clock) sets another begin.
    #[must_use]
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.message.clock = Clock::new(timeouts);
        if self.message.side.is_started() {
            self.message.start_clock();
        }
        self
    }

    /// Sets who is told how the message ended: once. Nobody is told of a driver that was dropped
    /// before anything had come.
    #[must_use]
    pub fn on_finish(mut self, observer: Observer) -> Self {
        self.message.side.set_observer(observer);
        self
    }

    /// Whether the last poll left the driver waiting for its source.
    #[must_use]
    pub fn awaits_source(&self) -> bool {
        self.awaits_source
    }

    /// The chain, to read its levels, statistics and outcome.
    #[must_use]
    pub fn chain(&self) -> &Chain<H> {
        self.message.side.chain()
    }

    /// Gives the chain a local reply from outside: see [`Chain::handle_reply`]. Starts a driver
    /// that was not started.
    pub fn handle_reply(self: Pin<&mut Self>, reply: LocalReply) {
        let mut this = self.project();
        this.message.start_clock();
        this.message.side.handle_reply(reply);
        if this.message.side.input_stopped() {
            this.source.set(None);
        }
    }

    /// Cuts the message off: whatever it gives out from now on, its end cannot be taken for
    /// complete. Nothing, if it has ended.
    pub fn cut(self: Pin<&mut Self>, error: Error) {
        let mut this = self.project();
        this.source.set(None);
        this.message.side.abort(error);
    }

    /// The total timeout runs from now, whether or not the head is there.
    pub fn start_clock(self: Pin<&mut Self>) {
        if let Some(clock) = &mut self.project().message.clock {
            clock.restart();
        }
    }

    pub(super) fn side_mut(&mut self) -> &mut Side<H> {
        &mut self.message.side
    }

    pub(super) fn message(self: Pin<&mut Self>) -> &mut Message<H> {
        self.project().message
    }
}

impl<B> Driver<B, http::response::Parts> {
    /// Ready when a driver that was not started has begun without a head: with a local reply of the
    /// request, or with an answer to its failure or to the total timeout. For an owner that waits
    /// for the response; the waker is registered, and the task woken when it has.
    ///
    /// The time of the reply begins then: filters may hold it, and that of the call may be over in
    /// the same moment.
    ///
    /// # Panics
    ///
    /// As [`poll_output`](Self::poll_output).
    pub fn poll_news(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let message = self.project().message;
        if message.side.poll_mail(cx).is_pending() || !message.side.is_started() {
            let Some(clock) = &mut message.clock else { return Poll::Pending };
            ready!(clock.poll_total(cx));
            message.side.handle_timeout(Timeout::Total);
        }
        if let Some(clock) = &mut message.clock {
            clock.restart();
        }
        Poll::Ready(())
    }
}

impl<B, H> Driver<B, H>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
    H: Head,
{
    /// Gives the chain its head, and the source that the rest comes from; `None` if there is no
    /// rest.
    ///
    /// If the head declares no length, and the source knows one, `content-length` is set, as the
    /// server or client would do that the body goes to.
    pub fn start(self: Pin<&mut Self>, mut head: H, source: Option<B>) {
        let mut this = self.project();
        if let Some(source) = &source {
            declare_length(&mut head, source);
        }
        let source = source.filter(|source| !source.is_end_stream());
        this.message.start_clock();
        if is_taken(this.message.side.handle_head(head, source.is_none())) {
            this.source.set(source);
        }
    }

    /// The next output of the side; `None` when the message has ended and all was given out.
    ///
    /// `Pending` means that the task will be woken: by the source, a resume handle, the mailbox, a
    /// timeout, or by the driver itself when the work of one call was used up (rule I13).
    ///
    /// # Panics
    ///
    /// If a timeout is set and the caller is not within a tokio runtime with a timer.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost if the caller does not poll again; dropping the driver ends the message.
    pub fn poll_output(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Output<H>>> {
        Poll::Ready(match ready!(self.as_mut().poll_next(cx)) {
            Next::Data(bytes) => Some(Output::Data(bytes)),
            Next::Parked => self.project().message.parked.take(),
            Next::Over => None,
        })
    }
}

impl<B, H> fmt::Debug for Driver<B, H>
where
    H: Head,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver")
            .field("direction", &Direction::of::<H>())
            .field("has_source", &self.source.is_some())
            .field("awaits_source", &self.awaits_source)
            .finish_non_exhaustive()
    }
}
