//! Where a half writes its answers, and what of that is the same for both.
//!
//! This module never decides what may be said: the ledger does.

use bytes::Bytes;

use super::{Asking, Step, out_of_turn, refused};
use crate::buf::BodyBuf;
use crate::exchange::Direction;
use crate::ext_proc::automaton::{Ledger, Owes};
use crate::ext_proc::wire::{HeaderMutation, Reply, ReplyBody};

/// What is owed, and the place for the reply: it is large, and would be moved with each return.
pub(in crate::ext_proc::session) struct Answers<'a> {
    pub(super) ledger: &'a mut Ledger,
    reply: &'a mut Option<Reply>,
    /// Whose half it is.
    direction: Direction,
}

impl<'a> Answers<'a> {
    /// What lies in `reply` has been sent, if anything does.
    pub(in crate::ext_proc::session) fn new(
        ledger: &'a mut Ledger,
        reply: &'a mut Option<Reply>,
        direction: Direction,
    ) -> Self {
        Self { ledger, reply, direction }
    }

    /// This is to be sent.
    #[inline]
    pub(super) fn send(&mut self, reply: Reply) -> Step {
        *self.reply = Some(reply);
        Step::Reply
    }

    /// The same, if `step` is a reply, with what a filter leaves for others.
    pub(super) fn with(&mut self, step: Step, metadata: Option<Bytes>) -> Step {
        if let (Step::Reply, Some(reply)) = (&step, &mut *self.reply) {
            reply.dynamic_metadata = metadata;
        }
        step
    }

    /// The answer to the head, and with it the mode that is to be from here on. `None` if it is not
    /// owed.
    #[inline(never)]
    pub(super) fn head(
        &mut self,
        mutation: HeaderMutation,
        metadata: Option<Bytes>,
        asking: &mut Option<Asking>,
        reroutes: bool,
    ) -> Option<Step> {
        let Owes::Headers(pen) = self.ledger.owes(self.direction) else { return None };
        let mut reply = match asking.take() {
            None => {
                let pen = if reroutes { pen.clear_route_cache() } else { pen };
                pen.answer(mutation)
            }
            Some(Asking { mode, .. }) => match self.ledger.mode_override(self.direction, mode) {
                Ok(pen) => {
                    let pen = if reroutes { pen.clear_route_cache() } else { pen };
                    pen.answer(mutation)
                }
                Err(violation) => return Some(Step::Cut(refused(violation))),
            },
        };
        reply.dynamic_metadata = metadata;
        Some(self.send(reply))
    }

    /// In full duplex, so much of what is pending.
    #[inline(never)]
    pub(super) fn piece(&mut self, pending: &mut BodyBuf, bytes: usize) -> Step {
        let piece = ReplyBody::take_few(pending, bytes);
        let reply = match self.ledger.owes(self.direction) {
            Owes::Duplex(pen) => pen.send(piece),
            Owes::DuplexTrailers(pen) => pen.send(piece),
            _ => None,
        };
        match reply {
            Some(reply) => self.send(reply),
            None => Step::Cut(out_of_turn("body that is not owed")),
        }
    }

    /// In full duplex, all that is pending, and the end with it if it is that little.
    #[inline(never)]
    pub(super) fn last_piece(&mut self, pending: &mut BodyBuf) -> Step {
        let Owes::Duplex(pen) = self.ledger.owes(self.direction) else { return Step::Idle };
        let bytes = pending.len();
        let piece = ReplyBody::take_few(pending, bytes);
        if pending.is_empty() {
            let reply = pen.finish(piece);
            return self.send(reply);
        }
        let reply = pen.send(piece);
        reply.map_or(Step::Idle, |reply| self.send(reply))
    }
}
