//! Heads by themselves: body mode `NONE`, and a head that is the whole message.
//!
//! A head that is the whole message can be given a body: then both are answered at once, as Envoy
//! takes a body there and only there (CONTINUE_AND_REPLACE).
//!
//! This module never sees a body that came.

use core::mem;
use core::task::Context;

use super::{
    Answers, Asking, Given, Half, Stage, Step, Tail, left_metadata, left_over, out_of_turn, refused,
};
use crate::buf::BodyBuf;
use crate::error::{Error, ErrorKind, Origin};
use crate::ext_proc::automaton::Owes;
use crate::ext_proc::mode::ProcessingMode;
use crate::ext_proc::session::heads::SessionHead;
use crate::ext_proc::wire::HeaderMutation;

impl<H: SessionHead> Half<H> {
    pub(super) fn poll_heads_only(&mut self, cx: &Context<'_>, answers: &mut Answers<'_>) -> Step {
        loop {
            match self.take(cx) {
                Given::Head { head, ends: false }
                    if matches!(self.head, Stage::Inside { ends: true }) =>
                {
                    self.head = Stage::Apart(Box::new(head));
                }
                Given::Head { head, ends } => {
                    self.tail = ends.then_some(Tail::End);
                    if let Some(step) = self.answer_head(head, answers) {
                        return step;
                    }
                }
                Given::Data if matches!(self.head, Stage::Apart(_)) => {
                    let limit_bytes = self.terms.max_whole_bytes;
                    if self.pending.len() as u64 > limit_bytes {
                        let limit = ErrorKind::Limit { limit: "whole body", limit_bytes };
                        return Step::Cut(Error::new(limit, Origin::Internal));
                    }
                }
                Given::Data => return Step::Cut(left_over(self.pending.len())),
                Given::Tail(Tail::End) if matches!(self.head, Stage::Apart(_)) => {
                    self.tail = Some(Tail::End);
                    return self.replace(answers);
                }
                Given::Tail(Tail::Trailers(_)) if matches!(self.head, Stage::Apart(_)) => {
                    return Step::Cut(out_of_turn("trailers behind a head that was the end"));
                }
                Given::Tail(tail) => self.tail = Some(tail),
                Given::Local => return self.poll_local(cx),
                Given::Cut(error) => return Step::Cut(error),
                given @ (Given::Over | Given::Nothing) => {
                    if let Some(step) = self.answer_trailers(answers) {
                        return step;
                    }
                    if self.feed() {
                        continue;
                    }
                    let is_over = matches!(given, Given::Over);
                    return match self.note_over() {
                        Err(error) if is_over => Step::Cut(error),
                        Ok(()) | Err(_) => Step::Idle,
                    };
                }
            }
        }
    }

    /// Head and body at once.
    fn replace(&mut self, answers: &mut Answers<'_>) -> Step {
        let Stage::Apart(mut head) = mem::replace(&mut self.head, Stage::Gone) else {
            return Step::Idle;
        };
        let mutation = self.head_mutation(&head, None, true);
        let body = mem::take(&mut self.pending);
        let metadata = left_metadata(&mut *head);
        if body.is_empty() {
            let step = self.write_head(mutation, metadata, answers);
            return step.unwrap_or(Step::Cut(out_of_turn("a head that is not owed")));
        }
        if let Some(Asking { mode, .. }) = self.mode_override.take() {
            let step = self.replace_in(mode, mutation, body, answers);
            return answers.with(step, metadata);
        }
        let step = match answers.ledger.owes(H::DIRECTION) {
            Owes::Headers(pen) => {
                let pen = if self.terms.reroutes { pen.clear_route_cache() } else { pen };
                if let Some(pen) = pen.ended() {
                    let reply = pen.replace(mutation, body);
                    answers.send(reply)
                } else {
                    Step::Cut(out_of_turn("a body for a head that was not the end"))
                }
            }
            _ => Step::Cut(out_of_turn("a head that is not owed")),
        };
        answers.with(step, metadata)
    }

    /// The same, with the mode that is to be from here on: the response's.
    fn replace_in(
        &self,
        mode: ProcessingMode,
        mutation: HeaderMutation,
        body: BodyBuf,
        answers: &mut Answers<'_>,
    ) -> Step {
        match answers.ledger.mode_override(H::DIRECTION, mode) {
            Ok(pen) => {
                let pen = if self.terms.reroutes { pen.clear_route_cache() } else { pen };
                let reply = pen.replace(mutation, body);
                match reply {
                    Some(reply) => answers.send(reply),
                    None => Step::Cut(out_of_turn("a head that was not the end")),
                }
            }
            Err(violation) => Step::Cut(refused(violation)),
        }
    }
}
