//! `FULL_DUPLEX_STREAMED`: the head, then whatever the filters let go, then one end.
//!
//! Nothing is answered one to one. The end has the form of the end that came: a last piece, or
//! trailers. An end that a filter declares before is a last piece at once; what comes behind it is
//! dropped, here and by the data plane.
//!
//! Where this mode is one that was chosen for the exchange, it goes with the answer to the head;
//! before that if a filter holds the head for the body, and the data plane takes it so.
//!
//! This module never lets a body go without its end: what is left open fails the stream.

use core::task::Context;

use super::{Answers, Asking, Given, Half, Message, Stage, Step, Tail, held_for_override};
use super::{out_of_turn, refused};
use crate::ext_proc::automaton::Owes;
use crate::ext_proc::session::heads::SessionHead;

impl<H: SessionHead> Half<H> {
    /// `reads`: more of what is under way will be read.
    pub(super) fn poll_duplex(
        &mut self,
        cx: &Context<'_>,
        answers: &mut Answers<'_>,
        reads: bool,
    ) -> Step {
        loop {
            if self.tail.is_some() {
                return self.finish(answers);
            }
            if self.pending.len() >= self.terms.piece_bytes {
                return self.send(answers);
            }
            if self.pass(|half| half.pending.len() >= half.terms.piece_bytes) {
                continue;
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
                    if self.feed() {
                        continue;
                    }
                    if matches!(given, Given::Over)
                        && let Err(error) = self.note_over()
                    {
                        return Step::Cut(error);
                    }
                    if self.tail.is_some() {
                        continue;
                    }
                    if let Some(step) = self.ask_alone(answers) {
                        return step;
                    }
                    // A message that is cut between two frames is answered as one.
                    let is_cut = matches!(self.message, Message::Open { .. });
                    let waits = is_cut && reads && self.queue.is_empty();
                    if self.pending.is_empty() || (waits && self.before_bytes == 0) {
                        return Step::Idle;
                    }
                    let step = self.send(answers);
                    self.rest(reads);
                    return step;
                }
            }
        }
    }

    /// A filter holds the head and waits for a body, which comes only once this mode has been asked
    /// for: that goes by itself then, if it can.
    fn ask_alone(&mut self, answers: &mut Answers<'_>) -> Option<Step> {
        let Asking { mode, can_stand_alone } = self.mode_override?;
        let chain = self.side.chain();
        if chain.has_work() || chain.awaits_resume() || chain.is_local_reply() {
            return None;
        }
        if !can_stand_alone {
            return Some(Step::Cut(held_for_override()));
        }
        self.mode_override = None;
        Some(match answers.ledger.mode_override(H::DIRECTION, mode) {
            Ok(pen) => {
                let reply = pen.alone();
                answers.send(reply)
            }
            Err(violation) => Step::Cut(refused(violation)),
        })
    }

    /// A piece of what is pending.
    fn send(&mut self, answers: &mut Answers<'_>) -> Step {
        let mut bytes = self.pending.len().min(self.terms.piece_bytes);
        if self.before_bytes > 0 {
            bytes = bytes.min(self.before_bytes);
        }
        let pending_bytes = self.pending.len();
        let step = answers.piece(&mut self.pending, bytes);
        let sent_bytes = pending_bytes - self.pending.len();
        self.before_bytes = self.before_bytes.saturating_sub(sent_bytes);
        step
    }

    /// What is pending, and the end.
    fn finish(&mut self, answers: &mut Answers<'_>) -> Step {
        // What a filter's own end left behind is dropped by the side.
        while self.feed() {}
        if self.pending.len() > self.terms.piece_bytes {
            return self.send(answers);
        }
        match answers.ledger.owes(H::DIRECTION) {
            Owes::Duplex(_) => match self.tail {
                Some(Tail::Trailers(_)) => Step::Cut(out_of_turn("trailers where none came")),
                Some(Tail::End) | None => answers.last_piece(&mut self.pending),
            },
            Owes::DuplexTrailers(_) if !self.pending.is_empty() => self.send(answers),
            Owes::DuplexTrailers(_) => {
                let Some(mutation) = self.trailers_mutation() else { return Step::Idle };
                match answers.ledger.owes(H::DIRECTION) {
                    Owes::DuplexTrailers(pen) => {
                        let reply = pen.trailers(mutation);
                        answers.send(reply)
                    }
                    _ => Step::Idle,
                }
            }
            // It has gone.
            _ => {
                debug_assert!(matches!(self.head, Stage::Gone), "an end behind no head");
                Step::Idle
            }
        }
    }
}
