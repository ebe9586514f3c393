//! `BUFFERED` and `BUFFERED_PARTIAL`: one body message, answered together with the head.
//!
//! The head is answered at once, so that the body comes, with what the filters have made of it if
//! they have let it go; what they make of it later goes with the answer to the body, as the data
//! plane holds the head until then. So the side keeps the head, and can still reply.
//!
//! A body that is empty and that trailers follow is no message: Envoy 1.40.0 goes on to the
//! trailers and lets the head go. What a filter made of the head after it was answered cannot be
//! said then: that is a failure, not a loss.
//!
//! This module never keeps a body that nobody can have edited: the data plane has it.

use core::mem;
use core::task::Context;

use http::header::CONTENT_LENGTH;

use super::{Answers, Given, Half, Message, Stage, Step, Tail, Trailers, left_metadata, left_over};
use crate::buf::BodyBuf;
use crate::error::{Error, ErrorKind, Origin};
use crate::ext_proc::automaton::Owes;
use crate::ext_proc::mode::BodyMode;
use crate::ext_proc::session::heads::SessionHead;
use crate::ext_proc::session::original::Original;
use crate::ext_proc::wire::HeaderMutation;
use crate::filter::Capability;

impl<H: SessionHead> Half<H> {
    pub(super) fn poll_whole(&mut self, cx: &Context<'_>, answers: &mut Answers<'_>) -> Step {
        if matches!(self.head, Stage::Inside { .. }) {
            if !self.settle(cx) {
                if let Some(step) = self.answer_early(answers) {
                    return step;
                }
                match self.collect(cx) {
                    Ok(true) => {}
                    Ok(false) => return Step::Idle,
                    Err(error) => return Step::Cut(error),
                }
            }
            // Replied, failed, or whole: now it is taken.
            if let Some(step) = self.take_whole(cx, answers) {
                return step;
            }
        }
        self.poll_behind(cx, answers)
    }

    /// Brings the side up to date without taking anything. Answers whether its message was
    /// replaced or is over.
    fn settle(&mut self, cx: &Context<'_>) -> bool {
        self.side.handle_resumes();
        while self.side.poll_mail(cx).is_ready() {}
        if let Some(resumes) = self.side.chain().resume_set() {
            // The waker goes in first; what happened before it was there is taken now.
            resumes.register(cx.waker());
            self.side.handle_resumes();
        }
        self.side.handle_work();
        let chain = self.side.chain();
        if chain.has_work() {
            cx.waker().wake_by_ref();
        }
        chain.outcome().is_some() || chain.is_local_reply()
    }

    /// Gives the side the body, and takes what it lets go. Answers whether all has come out.
    fn collect(&mut self, cx: &Context<'_>) -> Result<bool, Error> {
        loop {
            self.take_body()?;
            if matches!(self.message, Message::Whole { .. }) || self.has_trailers_alone() {
                break;
            }
            // What was taken made room for what a filter had let go behind it.
            if !self.feed() && !self.side.chain().has_work() {
                return Ok(false);
            }
            if self.settle(cx) {
                return Ok(true);
            }
        }
        loop {
            if self.settle(cx) {
                return Ok(true);
            }
            self.take_body()?;
            // What was taken made room for what a filter had let go behind it.
            if !self.side.chain().has_work() {
                break;
            }
        }
        let chain = self.side.chain();
        Ok(match self.message {
            Message::Whole { end_of_stream: false, .. } if !self.terms.ends_with_body => {
                // No more is shown before it is answered: who waits for that waits for ever.
                let is_whole = chain.head_has_passed() && !self.keeps_back();
                if !is_whole && !chain.awaits_resume() {
                    let capability = Capability::KeepToEnd.name();
                    return Err(Error::new(ErrorKind::Undeclared { capability }, Origin::Filter));
                }
                is_whole
            }
            _ => chain.head_has_passed() && chain.end_has_passed(),
        })
    }

    /// Whether the trailers have come and no body message before them: Envoy sends none where a
    /// body is empty and ends in trailers.
    fn has_trailers_alone(&self) -> bool {
        matches!(self.message, Message::Between) && !matches!(self.trailers, Trailers::Awaited)
    }

    fn take_body(&mut self) -> Result<(), Error> {
        if !self.terms.may_edit_body {
            let mut same = mem::take(&mut self.pending);
            self.side.take_body(&mut same, usize::MAX);
            self.taken_bytes += same.len() as u64;
            same.clear();
            self.pending = same;
            return Ok(());
        }
        let mut taken = BodyBuf::new();
        self.side.take_body(&mut taken, usize::MAX);
        if taken.is_empty() {
            return Ok(());
        }
        self.taken_bytes += taken.len() as u64;
        for piece in taken.segments() {
            self.passage.leave(piece);
        }
        self.pending.append(&mut taken);
        let limit_bytes = self.terms.max_whole_bytes;
        if self.pending.len() as u64 > limit_bytes {
            let limit = ErrorKind::Limit { limit: "whole body", limit_bytes };
            return Err(Error::new(limit, H::PEER));
        }
        Ok(())
    }

    /// Answers the head, so that the body comes.
    fn answer_early(&mut self, answers: &mut Answers<'_>) -> Option<Step> {
        if !matches!(answers.ledger.owes(H::DIRECTION), Owes::Headers(_)) {
            return None;
        }
        let mutation = self.mutation_so_far();
        self.write_head(mutation, None, answers)
    }

    /// What the filters have made of the head, if they have let it go. What they do to the length
    /// is said with the body.
    fn mutation_so_far(&mut self) -> HeaderMutation {
        let chain = self.side.chain();
        if chain.head_is_unchanged() {
            return HeaderMutation::new();
        }
        let passed = chain.passed_head().cloned();
        let (Some(mut passed), Some(original)) = (passed, &self.original) else {
            return HeaderMutation::new();
        };
        match original.field(&CONTENT_LENGTH).cloned() {
            Some(length) => drop(passed.headers_mut().insert(CONTENT_LENGTH, length)),
            None => drop(passed.headers_mut().remove(CONTENT_LENGTH)),
        }
        let mutation = self.head_mutation(&passed, None, false);
        self.original = Some(Original::of(&passed));
        mutation
    }

    /// Takes the head, and answers it with the body.
    fn take_whole(&mut self, cx: &Context<'_>, answers: &mut Answers<'_>) -> Option<Step> {
        match self.take(cx) {
            Given::Head { mut head, ends } => {
                self.head = Stage::Gone;
                self.tail = ends.then_some(Tail::End);
                let metadata = left_metadata(&mut head);
                let step = if self.has_trailers_alone() {
                    self.answer_trailers_alone(cx, &head, answers)
                } else {
                    self.answer_whole(&head, answers)
                };
                Some(answers.with(step, metadata))
            }
            Given::Local => Some(self.poll_local(cx)),
            Given::Cut(error) => Some(Step::Cut(error)),
            Given::Data | Given::Tail(_) | Given::Over | Given::Nothing => Some(Step::Idle),
        }
    }

    fn answer_whole(&mut self, head: &H, answers: &mut Answers<'_>) -> Step {
        let Message::Whole { bytes, .. } = self.message else {
            return Step::Cut(left_over(self.pending.len()));
        };
        self.message = Message::Between;
        let body = mem::take(&mut self.pending);
        let is_whole = self.taken_bytes == bytes;
        if !is_whole && !self.terms.may_edit_body {
            // A filter ended the message before its end, and what went before is not here.
            let capability = Capability::ChangeLength.name();
            return Step::Cut(Error::new(ErrorKind::Undeclared { capability }, Origin::Filter));
        }
        let is_unedited = is_whole && (!self.terms.may_edit_body || self.passage.end_message());
        // Only this mode keeps the length that was declared.
        let is_declared = !is_unedited && self.terms.mode.body() == BodyMode::Buffered;
        let bytes = is_declared.then_some(body.len() as u64);
        let mutation = self.head_mutation(head, bytes, false);
        let reroutes = self.terms.reroutes;
        let Owes::Buffered(pen) = answers.ledger.owes(H::DIRECTION) else {
            return Step::Cut(left_over(body.len()));
        };
        let pen = if reroutes { pen.clear_route_cache() } else { pen };
        let reply = if is_unedited { pen.unchanged(mutation) } else { pen.replace(mutation, body) };
        answers.send(reply)
    }

    /// Answers the trailers of a message without body. Its head has been answered, and the answer
    /// to trailers has no place for what filters made of it.
    fn answer_trailers_alone(
        &mut self,
        cx: &Context<'_>,
        head: &H,
        answers: &mut Answers<'_>,
    ) -> Step {
        if !self.head_mutation(head, None, false).is_empty() {
            let why = "the head was changed, and only trailers are left to be answered";
            return Step::Cut(Error::with_source(ErrorKind::Filter, Origin::Filter, why));
        }
        self.poll_behind(cx, answers)
    }

    /// What comes behind the answer to the body: the end, or trailers.
    fn poll_behind(&mut self, cx: &Context<'_>, answers: &mut Answers<'_>) -> Step {
        loop {
            match self.take(cx) {
                Given::Head { .. } | Given::Local => return Step::Idle,
                Given::Data => return Step::Cut(left_over(self.pending.len())),
                Given::Tail(tail) => self.tail = Some(tail),
                Given::Cut(error) => return Step::Cut(error),
                Given::Over | Given::Nothing => {
                    if let Some(step) = self.answer_trailers(answers) {
                        return step;
                    }
                    if !self.feed() {
                        return Step::Idle;
                    }
                }
            }
        }
    }
}
