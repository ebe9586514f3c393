//! `STREAMED`: one answer for each body message, in order.
//!
//! A message is answered when the filters have seen all of it, by what they have let go by then:
//! nothing, if it is what came; else the bytes in its place, which may be none. The message that
//! ends the body is answered when the filters have ended it.
//!
//! Where trailers are not shown, and may come, any message may be the last, and nothing says so.
//! The newest is then not answered before the filters have let go of everything: Envoy waits with
//! the trailers, or runs into its message timeout, and nothing is lost.
//!
//! Where trailers are shown, they come behind the answer to the last body message, and their own
//! has no place for body. So the newest message is not answered while a filter is at something by
//! itself: what it lets go behind that would be lost. What waits for more input is not waited for:
//! a filter that needs it has to be granted to keep to the end.
//!
//! This module never keeps another message waiting: Envoy's message timeout runs.

use core::mem;
use core::task::Context;

use super::{Answers, Given, Half, Message, Step, Tail};
use crate::error::{Error, ErrorKind, Origin};
use crate::ext_proc::automaton::Owes;
use crate::ext_proc::session::heads::SessionHead;
use crate::ext_proc::wire::ReplyBody;

impl<H: SessionHead> Half<H> {
    pub(super) fn poll_lockstep(
        &mut self,
        cx: &Context<'_>,
        answers: &mut Answers<'_>,
        reads: bool,
    ) -> Step {
        let is_too_long = |half: &Self| half.pending.len() as u64 > half.terms.max_whole_bytes;
        loop {
            self.pass(|half| matches!(half.message, Message::Whole { .. }) || is_too_long(half));
            if is_too_long(self) {
                let limit_bytes = self.terms.max_whole_bytes;
                let limit = ErrorKind::Limit { limit: "whole body", limit_bytes };
                return Step::Cut(Error::new(limit, Origin::Internal));
            }
            if self.head_is_next() {
                if let Some(step) = self.pass_head(answers) {
                    return step;
                }
                continue;
            }
            match self.take(cx) {
                Given::Head { head, ends } => {
                    self.tail = ends.then_some(Tail::End);
                    if let Some(step) = self.answer_head(head, answers) {
                        return step;
                    }
                }
                Given::Data => {}
                Given::Tail(tail) => self.tail = Some(tail),
                Given::Local => return self.poll_local(cx),
                Given::Cut(error) => return Step::Cut(error),
                given @ (Given::Over | Given::Nothing) => {
                    if matches!(given, Given::Over)
                        && let Err(error) = self.note_over()
                    {
                        return Step::Cut(error);
                    }
                    if let Some(step) = self.answer_message(answers) {
                        self.rest(reads);
                        return step;
                    }
                    if let Some(step) = self.answer_trailers(answers) {
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
    fn answer_message(&mut self, answers: &mut Answers<'_>) -> Option<Step> {
        let Message::Whole { bytes, end_of_stream } = self.message else { return None };
        let is_over = self.tail.is_some();
        // What is left of the work of one call comes soon; the filters' end may take longer.
        if !is_over && (end_of_stream || self.side.chain().has_work()) {
            return None;
        }
        // The last that is shown may be this one, and nobody would say so: what is held back then
        // has no other answer to go with.
        let may_be_last = self.terms.may_have_trailers && self.queue.is_empty() && !is_over;
        let is_awaited = if self.terms.hides_end {
            self.keeps_back()
        } else {
            self.side.chain().awaits_resume()
        };
        if may_be_last && is_awaited {
            return None;
        }
        let Owes::Streamed(pen) = answers.ledger.owes(H::DIRECTION) else { return None };
        if self.terms.counts_body {
            self.message = Message::Between;
            return Some(match mem::take(&mut self.taken_bytes) {
                passed if passed == bytes => {
                    let reply = pen.unchanged();
                    answers.send(reply)
                }
                // Dropped behind an end that was declared before it.
                0 if is_over => {
                    let reply = pen.replace(ReplyBody::default());
                    answers.send(reply)
                }
                _ => Step::Cut(kept()),
            });
        }
        let is_unedited = self.passage.end_message();
        self.message = Message::Between;
        let bytes_out = self.pending.len();
        let body = ReplyBody::take(&mut self.pending, bytes_out);
        let reply = if is_unedited && body.len() as u64 == bytes {
            pen.unchanged()
        } else {
            pen.replace(body)
        };
        Some(answers.send(reply))
    }
}

/// What went before is not here: the filters had promised that nothing would have to be said of it.
fn kept() -> Error {
    Error::new(ErrorKind::Undeclared { capability: "keep bytes" }, Origin::Filter)
}
