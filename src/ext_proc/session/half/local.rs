//! A reply of our own, in the place of the message.
//!
//! This module never asks whether the reply can still be sent: the ledger knows.

use core::mem;
use core::task::Context;

use super::{Given, Half, Stage, Step, Tail};
use crate::buf::BodyBuf;
use crate::error::{Error, ErrorKind, Origin};
use crate::exchange::answer::answer_for;
use crate::ext_proc::session::heads::SessionHead;
use crate::filter::LocalReply;
use crate::frame::Outcome;

impl<H: SessionHead> Half<H> {
    /// Nothing has come for this direction; a reply may come of itself.
    pub(super) fn poll_unstarted(&mut self, cx: &Context<'_>) -> Step {
        if self.is_untouched() {
            return Step::Idle;
        }
        match self.take(cx) {
            Given::Local => self.poll_local(cx),
            Given::Cut(error) => Step::Cut(error),
            Given::Head { .. } | Given::Data | Given::Tail(_) | Given::Over | Given::Nothing => {
                Step::Idle
            }
        }
    }

    /// Whether nothing at all has happened to the side.
    fn is_untouched(&self) -> bool {
        !self.side.is_started() && !self.may_stir() && self.side.chain().outcome().is_none()
    }

    /// Collects the body of a local reply.
    pub(super) fn poll_local(&mut self, cx: &Context<'_>) -> Step {
        while self.tail.is_none() {
            match self.take(cx) {
                Given::Data => {
                    let limit_bytes = self.terms.max_reply_bytes;
                    if self.pending.len() as u64 > limit_bytes {
                        let limit = ErrorKind::Limit { limit: "local reply", limit_bytes };
                        return Step::Cut(Error::new(limit, Origin::Internal));
                    }
                }
                Given::Local | Given::Head { .. } => {}
                Given::Tail(tail) => {
                    if let Tail::Trailers(trailers) = tail {
                        // An immediate response has none.
                        self.unsent_fields += trailers.len() as u64;
                    }
                    self.tail = Some(Tail::End);
                }
                Given::Over => self.tail = Some(Tail::End),
                Given::Cut(error) => return Step::Cut(error),
                Given::Nothing => return Step::Idle,
            }
        }
        Step::Local
    }

    /// The local reply that [`Step::Local`] announced, and the filter whose it is.
    pub(in crate::ext_proc::session) fn take_local(
        &mut self,
    ) -> Option<(H, BodyBuf, Option<String>)> {
        let Stage::Local(head) = mem::replace(&mut self.head, Stage::Gone) else { return None };
        let by = match self.side.chain().outcome() {
            Some(Outcome::Replaced { by, .. }) => by.as_deref().map(ToOwned::to_owned),
            Some(outcome) => outcome.error().and_then(Error::filter).map(ToOwned::to_owned),
            None => None,
        };
        Some((*head, mem::take(&mut self.pending), by))
    }

    /// The message was cut by what the session cannot answer: it is answered in its place, through
    /// its filters, if they have not let the head go. Answers whether it is.
    pub(in crate::ext_proc::session) fn answer_cut(&mut self, error: &Error) -> bool {
        let chain = self.side.chain();
        let is_over = chain.outcome().is_some() || chain.is_local_reply();
        if is_over || chain.head_was_taken() {
            return false;
        }
        self.rouse();
        self.drop_all();
        let reply = match error.kind() {
            ErrorKind::Limit { .. } => LocalReply::new(H::OVERFLOW),
            _ => answer_for(error, false),
        };
        self.side.handle_reply(reply);
        self.side.chain().is_local_reply()
    }

    /// Counts changes that could not be sent.
    pub(in crate::ext_proc::session) fn add_unsent_fields(&mut self, fields: u64) {
        self.unsent_fields += fields;
    }
}
