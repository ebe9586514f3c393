//! What comes from the source, from the edge and from the other side.
//!
//! This module never gives anything out.

use core::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{HeaderMap, response};

use super::{Link, Side, Stage};
use crate::chain::InputError;
use crate::error::{Error, ErrorKind, Origin, Timeout};
use crate::exchange::Mail;
use crate::exchange::answer::answer_for;
use crate::filter::{Head, LocalReply};
use crate::frame::Outcome;

impl<H: Head> Side<H> {
    /// The head: see [`Chain::handle_head`](crate::Chain::handle_head).
    ///
    /// # Errors
    ///
    /// As there: among others, when a local reply was faster.
    pub fn handle_head(&mut self, head: H, end_of_stream: bool) -> Result<(), InputError> {
        self.start();
        self.chain.handle_head(head, end_of_stream)
    }

    /// A piece of body: see [`Chain::handle_data`](crate::Chain::handle_data). While the source is
    /// [drained](Self::drain_time), it is dropped.
    ///
    /// # Errors
    ///
    /// As there.
    #[inline]
    pub fn handle_data(&mut self, data: Bytes, end_of_stream: bool) -> Result<(), InputError> {
        if self.is_draining() {
            self.drain_bytes(data.len());
            if end_of_stream {
                self.stop_draining();
            }
            return Ok(());
        }
        self.chain.handle_data(data, end_of_stream)
    }

    /// The end, without trailers: see [`Chain::handle_end`](crate::Chain::handle_end).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn handle_end(&mut self) -> Result<(), InputError> {
        if self.is_draining() {
            self.stop_draining();
            return Ok(());
        }
        self.chain.handle_end()
    }

    /// The trailers, and the end: see [`Chain::handle_trailers`](crate::Chain::handle_trailers).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn handle_trailers(&mut self, trailers: HeaderMap) -> Result<(), InputError> {
        if self.is_draining() {
            self.stop_draining();
            return Ok(());
        }
        self.chain.handle_trailers(trailers)
    }

    /// The source failed. A response whose head has not come is answered through its whole chain;
    /// else see [`Chain::handle_reset`](crate::Chain::handle_reset).
    pub fn handle_reset(&mut self, error: Error) {
        if self.is_draining() {
            return self.stop_draining();
        }
        match self.link.answer(&error) {
            Some(reply) if self.stage == Stage::Unstarted => self.handle_answer(reply, &error),
            _ => self.chain.handle_reset(error),
        }
    }

    /// A clock of the edge ran out. A response whose head has not come is answered through its
    /// whole chain; any other message fails.
    pub fn handle_timeout(&mut self, timeout: Timeout) {
        let error = Error::new(ErrorKind::TimedOut(timeout), Origin::Internal);
        match self.link.answer(&error) {
            Some(reply) if self.stage == Stage::Unstarted => self.handle_answer(reply, &error),
            _ => self.chain.handle_timeout(timeout),
        }
    }

    /// A local reply from outside: see [`Chain::handle_reply`](crate::Chain::handle_reply).
    pub fn handle_reply(&mut self, reply: LocalReply) {
        self.start();
        self.chain.handle_reply(reply);
    }

    /// The answer to `error`, through the whole chain.
    fn handle_answer(&mut self, reply: LocalReply, error: &Error) {
        self.start();
        self.chain.handle_answer(reply, error);
    }

    /// Takes the resumes that handles have queued: see
    /// [`Chain::handle_resumes`](crate::Chain::handle_resumes).
    #[inline]
    pub fn handle_resumes(&mut self) {
        self.chain.handle_resumes();
    }

    /// The sink failed, or the edge gives the message up: its end cannot be taken for complete, and
    /// its source is not drained. Nothing, if it has ended.
    pub fn abort(&mut self, error: Error) {
        self.stop_draining();
        self.chain.abort(error);
        self.tell();
    }

    /// The sink is gone. Complete, if it had been given everything that it could need (rule I9).
    pub fn cancel(&mut self) {
        self.stop_draining();
        self.chain.cancel();
        self.tell();
    }

    /// The edge is shown no more of the message, which goes on without it: see
    /// [`Chain::leave_unended`](crate::Chain::leave_unended).
    pub fn leave_unended(&mut self) {
        self.stop_draining();
        self.chain.leave_unended();
        self.tell();
    }

    /// States whether the side waits for its source: a request that does waits for its client, to
    /// whom a timeout then belongs (408, else 504).
    #[inline]
    pub fn set_awaits_source(&mut self, awaits: bool) {
        self.link.set_awaits(awaits);
    }

    /// Whether [`poll_mail`](Self::poll_mail) has something; one load, for a busy reader. It may be
    /// late, never wrong.
    #[inline]
    #[must_use]
    pub fn has_mail(&self) -> bool {
        self.link.has_mail()
    }

    /// Takes what the other side says, and does what follows from it; look at the outputs again
    /// then. `Pending` with the waker registered if it says nothing; the newest waker counts.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost if the caller does not poll again.
    pub fn poll_mail(&mut self, cx: &Context<'_>) -> Poll<()> {
        match &mut self.link {
            Link::Alone => return Poll::Pending,
            Link::Request(half) => {
                let error = ready!(half.poll_reset(cx));
                let answered = half.was_answered();
                self.end_early(error, answered);
            }
            Link::Response(half) => match ready!(half.poll_mail(cx)) {
                Mail::Reply(reply) => self.handle_reply(reply),
                Mail::Failed { error, awaited_client } if self.stage == Stage::Unstarted => {
                    self.handle_answer(answer_for(&error, awaited_client), &error);
                }
                // The response is there, and its server knows of the request.
                Mail::Failed { .. } => {}
            },
        }
        Poll::Ready(())
    }

    /// The request is not wanted any more. `answered`: the client has its answer.
    fn end_early(&mut self, error: Error, answered: bool) {
        let source_has_more = self.chain.source_has_more();
        if self.chain.outcome().is_some() {
            return;
        }
        self.chain.stop(error);
        // One that turns out to be complete had no more to come.
        let was_cut = !self.chain.outcome().is_some_and(Outcome::is_complete);
        if answered && source_has_more && was_cut {
            self.begin_draining();
        }
        self.tell();
    }
}

impl Side<response::Parts> {
    /// An informational head (1xx): see
    /// [`Chain::handle_informational`](crate::Chain::handle_informational).
    ///
    /// # Errors
    ///
    /// As there: among others, when the final head or a local reply was faster.
    pub fn handle_informational(&mut self, head: response::Parts) -> Result<(), InputError> {
        self.chain.handle_informational(head)
    }
}
