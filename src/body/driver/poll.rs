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
use crate::body::message::Half;
use crate::chain::Output;
use crate::exchange::Mail;
use crate::filter::Head;
use crate::limits;

impl<B, H> Driver<B, H>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
    H: Head,
{
    /// Works until there is an output, or everything that could go on has a waker.
    pub(super) fn poll_work(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Output<H>>> {
        let mut this = self.project();
        let message = this.message;
        let chain = &mut message.chain;
        let mut registered = false;
        let mut frames = 0;
        *this.awaits_source = false;
        loop {
            chain.handle_resumes();
            if let Some(output) = chain.poll_output() {
                if chain.input_stopped() {
                    this.source.set(None);
                    // A reply has to be handed over before the outcome is told.
                    if !matches!(output, Output::Reply(_)) {
                        message.tell();
                    }
                }
                return Poll::Ready(Some(output));
            }
            if chain.outcome().is_some() {
                this.source.set(None);
                message.tell();
                return Poll::Ready(None);
            }
            if chain.input_stopped() {
                // A declared end or a local reply: the source is told to stop by letting it go.
                this.source.set(None);
            }
            if chain.has_work() || frames == limits::MAX_FRAMES_PER_POLL {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            if !*this.awaits_source && chain.wants_input() && this.source.is_some() {
                frames += 1;
                match poll_source(this.source.as_mut(), chain, cx) {
                    Poll::Ready(()) => continue,
                    Poll::Pending => *this.awaits_source = true,
                }
            }
            // The waker goes in first, then pending resumes are taken and stalls looked for once
            // more: what happened before the waker was there is seen, what happens after finds it.
            match chain.resume_set() {
                Some(set) if !registered => set.register(cx.waker()),
                _ => {
                    debug_assert!(
                        registered || *this.awaits_source || !message.is_started(),
                        "a message that waits for nothing is stalled, and the chain says so"
                    );
                    return Poll::Pending;
                }
            }
            registered = true;
        }
    }

    /// Takes what the other half says. `Pending` with the waker registered if it says nothing.
    pub(super) fn poll_half(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let awaits_source = self.awaits_source;
        match &mut self.as_mut().project().message.half {
            Half::None => Poll::Pending,
            Half::Request(half) => {
                half.set_awaits_client(awaits_source);
                let error = ready!(half.poll_reset(cx));
                self.cut(error);
                Poll::Ready(())
            }
            Half::Response(half) => {
                if let Mail::Reply(reply) = ready!(half.poll_mail(cx)) {
                    self.handle_reply(reply);
                }
                // A request that failed is not this response's business any more: the source is
                // there, and its server knows.
                Poll::Ready(())
            }
        }
    }

    pub(super) fn poll_clock(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        if this.clock.is_off() {
            return Poll::Pending;
        }
        let chain = &mut this.message.chain;
        let waiting = Waiting {
            source: *this.awaits_source,
            holder: chain.is_holding(),
            moved: Moved::of(&chain.stats(), chain.held_bytes()),
        };
        let timeout = ready!(this.clock.poll(cx, waiting));
        chain.handle_timeout(timeout);
        Poll::Ready(())
    }

    pub(super) fn check_total(self: Pin<&mut Self>, cx: &mut Context<'_>) {
        let this = self.project();
        if this.message.chain.outcome().is_some() {
            return;
        }
        if let Some(timeout) = this.clock.check_total(cx) {
            this.message.chain.handle_timeout(timeout);
        }
    }
}
