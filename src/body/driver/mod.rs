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

use super::clock::Clock;
use super::length::declare_length;
use super::message::{Half, Message};
use super::{Direction, Observer, Timeouts};
use crate::chain::{Chain, Output};
use crate::error::{Error, Timeout};
use crate::exchange::{Mail, RequestHalf, ResponseHalf};
use crate::filter::{Head, LocalReply};

pin_project! {
    /// Drives one chain from a source body: what [`FilteredBody`](super::FilteredBody) is made of.
    ///
    /// It feeds the chain what the source has while the chain wants it, passes resumes and mail on,
    /// keeps the time, and gives out what the chain gives out. Use it to build an edge that is not
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
        // Whether the other half believes so.
        told_awaits: bool,
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
        Self {
            source: None,
            message: Box::new(Message::new(chain)),
            awaits_source: false,
            told_awaits: false,
        }
    }

    /// Sets the timeouts. The total runs from [`start`](Self::start), or from now if that was
    /// before; [`start_clock`](Self::start_clock) sets another begin.
    #[must_use]
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.message.clock = Clock::new(timeouts);
        if self.message.is_started() {
            self.message.start();
        }
        self
    }

    /// Sets who is told how the message ended: once, and only if it was started.
    #[must_use]
    pub fn on_finish(mut self, observer: Observer) -> Self {
        self.message.observer = Some(observer);
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
        &self.message.chain
    }

    /// Gives the chain a local reply from outside: see [`Chain::handle_reply`]. Starts a driver
    /// that was not started.
    pub fn handle_reply(self: Pin<&mut Self>, reply: LocalReply) {
        let mut this = self.project();
        this.message.start();
        this.message.chain.handle_reply(reply);
        if this.message.chain.input_stopped() {
            this.source.set(None);
        }
    }

    /// Cuts the message off: whatever it gives out from now on, its end cannot be taken for
    /// complete. Nothing, if it has ended.
    pub fn cut(self: Pin<&mut Self>, error: Error) {
        let mut this = self.project();
        this.source.set(None);
        this.message.chain.abort(error);
        this.message.tell();
    }

    /// The total timeout runs from now, whether or not the head is there.
    pub fn start_clock(self: Pin<&mut Self>) {
        if let Some(clock) = &mut self.project().message.clock {
            clock.restart();
        }
    }

    pub(super) fn set_request_half(&mut self, half: RequestHalf) {
        self.message.half = Half::Request(half);
    }

    pub(super) fn set_response_half(&mut self, half: ResponseHalf) {
        self.message.half = Half::Response(half);
    }

    pub(super) fn chain_mut(&mut self) -> &mut Chain<H> {
        &mut self.message.chain
    }

    pub(super) fn half(&self) -> &Half {
        &self.message.half
    }

    pub(super) fn message(self: Pin<&mut Self>) -> &mut Message<H> {
        self.project().message
    }
}

impl<B> Driver<B, http::response::Parts> {
    /// What the request half says, for an owner that waits for the response: to be asked before the
    /// driver is started, which then takes mail itself. The waker is registered if there is none.
    pub fn poll_mail(self: Pin<&mut Self>, cx: &Context<'_>) -> Poll<Mail> {
        match &mut self.project().message.half {
            Half::Response(half) => half.poll_mail(cx),
            Half::None | Half::Request(_) => Poll::Pending,
        }
    }

    /// Whether the total timeout has passed, for an owner that waits for the response. The task
    /// will be woken when it has.
    ///
    /// # Panics
    ///
    /// As [`poll_output`](Self::poll_output).
    pub fn poll_total(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Timeout> {
        match &mut self.project().message.clock {
            Some(clock) => clock.poll_total(cx),
            None => Poll::Pending,
        }
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
        this.message.start();
        if is_taken(this.message.chain.handle_head(head, source.is_none())) {
            this.source.set(source);
        }
    }

    /// The next output of the chain; `None` when the message has ended and all was given out.
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
