//! One poll: work, mail, time.
//!
//! This module never answers `Pending` before a waker is where it will be found.

use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::error::Error as StdError;

use bytes::Bytes;
use http_body::Body;

use super::Driver;
use super::source::poll_source;
use crate::body::clock::{Moved, Waiting};
use crate::body::message::Message;
use crate::error::Timeout;
use crate::filter::Head;
use crate::limits;

impl<B, H> Driver<B, H>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
    H: Head,
{
    /// As [`Driver::poll_output`], with anything but data parked in the message.
    #[inline]
    pub(in crate::body) fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Next> {
        if self.message.clock.is_some() {
            self.as_mut().check_total(cx);
        }
        if self.message.side.has_mail() {
            // Registers nothing that is needed: the wait below looks again.
            let _ = self.as_mut().poll_mail(cx);
        }
        loop {
            if self.message.side.drain_time().is_some() {
                ready!(self.as_mut().poll_drain(cx));
            }
            if let Poll::Ready(next) = self.as_mut().poll_work(cx) {
                self.project().message.side.set_awaits_source(false);
                return Poll::Ready(next);
            }
            if self.as_mut().poll_mail(cx).is_ready() {
                continue;
            }
            ready!(self.as_mut().poll_clock(cx));
        }
    }

    /// Works until there is an output, or everything that could go on has a waker.
    #[inline]
    fn poll_work(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Next> {
        let mut this = self.project();
        let message = this.message;
        let side = &mut message.side;
        let mut registered = false;
        let mut frames = 0;
        *this.awaits_source = false;
        loop {
            side.handle_resumes();
            if let Some(bytes) = side.poll_data() {
                return Poll::Ready(Next::Data(bytes));
            }
            if let Some(output) = side.poll_output() {
                if side.input_stopped() {
                    this.source.set(None);
                }
                return Poll::Ready(message.park(output));
            }
            if side.wants_input() && !*this.awaits_source && this.source.is_some() {
                if frames == limits::MAX_FRAMES_PER_POLL {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                frames += 1;
                match poll_source(this.source.as_mut(), side, cx) {
                    Poll::Ready(()) => continue,
                    Poll::Pending => *this.awaits_source = true,
                }
            } else if side.chain().outcome().is_some() {
                this.source.set(None);
                side.tell();
                return Poll::Ready(Next::Over);
            } else if side.chain().has_work() {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            } else if side.chain().input_stopped() {
                // A declared end or a local reply: the source is told to stop by letting it go.
                this.source.set(None);
            }
            // The waker goes in first, then pending resumes are taken and stalls looked for once
            // more: what happened before the waker was there is seen, what happens after finds it.
            match side.chain().resume_set() {
                Some(set) if !registered => set.register(cx.waker()),
                _ => {
                    debug_assert!(
                        registered || *this.awaits_source || !side.is_started(),
                        "a message that waits for nothing is stalled, and the chain says so"
                    );
                    return Poll::Pending;
                }
            }
            registered = true;
        }
    }

    /// Takes what the other side says. `Pending` with the waker registered if it says nothing.
    fn poll_mail(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        let side = &mut this.message.side;
        side.set_awaits_source(*this.awaits_source);
        ready!(side.poll_mail(cx));
        if side.input_stopped() {
            this.source.set(None);
        }
        Poll::Ready(())
    }

    fn poll_clock(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        let message = this.message;
        let Some(clock) = &mut message.clock else { return Poll::Pending };
        let chain = message.side.chain();
        let waiting = Waiting {
            source: *this.awaits_source,
            holder: chain.is_holding(),
            moved: Moved::of(&chain.stats(), chain.held_bytes()),
        };
        let timeout = ready!(clock.poll(cx, waiting));
        message.time_out(timeout);
        Poll::Ready(())
    }

    fn check_total(self: Pin<&mut Self>, cx: &mut Context<'_>) {
        let message = self.project().message;
        let Some(clock) = &mut message.clock else { return };
        if message.side.chain().outcome().is_none()
            && let Some(timeout) = clock.check_total(cx)
        {
            message.time_out(timeout);
        }
    }
}

impl<H: Head> Message<H> {
    /// A clock ran out. What takes the place of the message, if anything does, has time of its own:
    /// else it would be over before it was given out.
    fn time_out(&mut self, timeout: Timeout) {
        self.side.handle_timeout(timeout);
        if self.side.chain().outcome().is_none()
            && let Some(clock) = &mut self.clock
        {
            clock.restart();
        }
    }
}

/// What a poll came to.
pub(in crate::body) enum Next {
    Data(Bytes),
    /// Something else, which is parked in the message.
    Parked,
    /// The message has ended, and everything was given out.
    Over,
}
