//! What a side gives out.
//!
//! This module never answers `Pending` before a waker is where it will be found.

use core::task::{Context, Poll};

use bytes::Bytes;

use super::{Link, Side, Stage};
use crate::chain::Output;
use crate::error::{Error, ErrorKind, Origin};
use crate::filter::Head;

impl<H: Head> Side<H> {
    /// The next thing for the edge to do; `None` when there is nothing now. As
    /// [`Chain::poll_output`](crate::Chain::poll_output), but in an exchange
    ///
    /// - a local reply of the request chain goes to the other side, and what is given out here is
    ///   the reset of the upstream;
    /// - a response that failed before its head was taken gives out a whole answer instead of the
    ///   reset;
    /// - the reset of a request waits until its source has been [drained](Self::drain_time).
    #[inline]
    pub fn poll_output(&mut self) -> Option<Output<H>> {
        if self.is_draining() {
            return None;
        }
        match self.chain.poll_output()? {
            Output::Data(bytes) => Some(Output::Data(bytes)),
            Output::End => {
                self.tell();
                Some(Output::End)
            }
            output => Some(self.give(output)),
        }
    }

    /// The next output, if it is data: see [`Chain::poll_data`](crate::Chain::poll_data).
    #[inline]
    pub fn poll_data(&mut self) -> Option<Bytes> {
        self.chain.poll_data()
    }

    /// Whether nothing can come out before something goes in, and data comes out at once then as
    /// long as filters let it pass.
    #[inline]
    #[cfg(feature = "ext-proc")]
    pub(crate) fn only_passes(&self) -> bool {
        self.chain.only_passes() && !self.is_draining()
    }

    /// Whether the next output is the head of the message itself, so that it can be looked at where
    /// it stands.
    #[cfg(feature = "ext-proc")]
    pub(crate) fn head_is_next(&self) -> bool {
        self.chain.head_is_next() && !self.is_draining()
    }

    /// The head, where it stands.
    #[cfg(feature = "ext-proc")]
    pub(crate) fn passed_head_mut(&mut self) -> Option<&mut H> {
        self.chain.passed_head_mut()
    }

    /// As if the head, which [is next](Self::head_is_next), had been given out. Answers whether
    /// the end went with it.
    #[cfg(feature = "ext-proc")]
    pub(crate) fn drop_head(&mut self) -> bool {
        let ends = self.chain.drop_head();
        self.tell();
        ends
    }

    /// Ready with the next thing to do, or with `None` when the message is over and all was given
    /// out. Whether it is complete was said by the last output; or, if that was no end, is said by
    /// [`Chain::is_end_stream`](crate::Chain::is_end_stream): the end had been visible when
    /// something else came in its place.
    ///
    /// `Pending` when there is nothing now: give input while it is [wanted](Self::wants_input).
    /// Everything else that can change this (a resume, the other side, work that was left) wakes
    /// the task; the newest waker counts.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost if the caller does not poll again.
    pub fn poll_next(&mut self, cx: &Context<'_>) -> Poll<Option<Output<H>>> {
        if self.has_mail() {
            // Registers nothing that is needed: the wait below looks again.
            let _ = self.poll_mail(cx);
        }
        let mut registered = false;
        loop {
            self.handle_resumes();
            if let Some(output) = self.poll_output() {
                return Poll::Ready(Some(output));
            }
            if self.is_draining() {
                return Poll::Pending;
            }
            if self.chain.outcome().is_some() {
                self.tell();
                return Poll::Ready(None);
            }
            if self.chain.has_work() {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            if !registered && let Some(set) = self.chain.resume_set() {
                // Then pending resumes are taken once more: what happened before the waker was
                // there is seen, what happens after finds it.
                set.register(cx.waker());
                registered = true;
            } else if self.poll_mail(cx).is_ready() {
                registered = false;
            } else {
                return Poll::Pending;
            }
        }
    }

    /// An output that is not data, as the exchange has it.
    #[cold]
    fn give(&mut self, output: Output<H>) -> Output<H> {
        let output = match output {
            Output::Reply(reply) => {
                // Handed over before the outcome is told.
                let Link::Request(half) = &self.link else {
                    self.tell();
                    return Output::Reply(reply);
                };
                // Comes back if the response is over: then it has an end without it.
                drop(half.reply(reply));
                let why = "a local reply took the place of the request";
                Output::Reset(Error::with_source(ErrorKind::Reset, Origin::Filter, why))
            }
            // One that was aborted from outside has been told, and is not answered.
            Output::Reset(error) if self.stage != Stage::Told && !self.chain.head_was_taken() => {
                self.answer(error)
            }
            output => output,
        };
        self.tell();
        output
    }

    /// Past the filters: they have been closed.
    fn answer(&mut self, error: Error) -> Output<H> {
        let Some(reply) = self.link.answer(&error) else { return Output::Reset(error) };
        match H::from_reply(reply) {
            Ok((head, _)) => {
                self.tell_as(true);
                Output::Head { head, end_of_stream: true }
            }
            Err(_) => Output::Reset(error),
        }
    }
}
