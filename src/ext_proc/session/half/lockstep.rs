//! `STREAMED`: one answer for each body message, in order.
//!
//! A message is answered when the filters have seen all of it, by what they have let go by then:
//! nothing, if it is what came; else the bytes in its place, which may be none. The message that
//! ends the body is answered when the filters have ended it.
//!
//! This module never keeps a message waiting that is not the last: Envoy's message timeout runs.

use core::task::Context;

use super::{Given, Half, Message, Step, Tail};
use crate::error::{Error, ErrorKind, Origin};
use crate::ext_proc::automaton::{Ledger, Owes};
use crate::ext_proc::session::heads::SessionHead;
use crate::ext_proc::wire::ReplyBody;

impl<H: SessionHead> Half<H> {
    pub(super) fn poll_lockstep(&mut self, cx: &Context<'_>, ledger: &mut Ledger) -> Step {
        loop {
            match self.take(cx) {
                Given::Head { head, ends } => {
                    self.tail = ends.then_some(Tail::End);
                    if let Some(step) = self.answer_head(head, ledger) {
                        return step;
                    }
                }
                Given::Data => {
                    let limit_bytes = self.terms.max_whole_bytes;
                    if self.pending.len() as u64 > limit_bytes {
                        let limit = ErrorKind::Limit { limit: "whole body", limit_bytes };
                        return Step::Cut(Error::new(limit, Origin::Internal));
                    }
                }
                Given::Tail(tail) => self.tail = Some(tail),
                Given::Local => return self.poll_local(cx),
                Given::Cut(error) => return Step::Cut(error),
                given @ (Given::Over | Given::Nothing) => {
                    if matches!(given, Given::Over)
                        && let Err(error) = self.note_over()
                    {
                        return Step::Cut(error);
                    }
                    if let Some(step) = self.answer_message(ledger) {
                        return step;
                    }
                    if let Some(step) = self.answer_trailers(ledger) {
                        return step;
                    }
                    if matches!(self.message, Message::Whole { .. }) || !self.feed() {
                        return Step::Idle;
                    }
                }
            }
        }
    }

    /// The answer to a body message that the side has seen all of.
    fn answer_message(&mut self, ledger: &mut Ledger) -> Option<Step> {
        let Message::Whole { bytes, end_of_stream } = self.message else { return None };
        let is_over = self.tail.is_some();
        // What is left of the work of one call comes soon; the filters' end may take longer.
        if !is_over && (end_of_stream || self.side.chain().has_work()) {
            return None;
        }
        let Owes::Streamed(pen) = ledger.owes(H::DIRECTION) else { return None };
        let is_unedited = self.passage.end_message();
        self.message = Message::Between;
        let bytes_out = self.pending.len();
        let body = ReplyBody::take(&mut self.pending, bytes_out);
        Some(Step::Reply(if is_unedited && body.len() as u64 == bytes {
            pen.unchanged()
        } else {
            pen.replace(body)
        }))
    }
}
