//! Where a half writes its answers.
//!
//! This module never decides what may be said: the ledger does.

use bytes::Bytes;

use super::Step;
use crate::ext_proc::automaton::Ledger;
use crate::ext_proc::wire::Reply;

/// What is owed, and the place for the reply: it is large, and would be moved with each return.
pub(in crate::ext_proc::session) struct Answers<'a> {
    pub(super) ledger: &'a mut Ledger,
    reply: &'a mut Option<Reply>,
}

impl<'a> Answers<'a> {
    /// `reply` is empty.
    pub(in crate::ext_proc::session) fn new(
        ledger: &'a mut Ledger,
        reply: &'a mut Option<Reply>,
    ) -> Self {
        Self { ledger, reply }
    }

    /// This is to be sent.
    #[inline]
    pub(super) fn send(&mut self, reply: Reply) -> Step {
        *self.reply = Some(reply);
        Step::Reply
    }

    /// The same, if `step` is a reply, with what a filter leaves for others.
    pub(super) fn with(&mut self, step: Step, metadata: Option<Bytes>) -> Step {
        if let Some(reply) = self.reply {
            reply.dynamic_metadata = metadata;
        }
        step
    }
}
