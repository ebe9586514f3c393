//! How a message ends: local replies, failures, the outcome, the close calls.

use core::any::Any;
use core::mem;
use std::panic::resume_unwind;

use bytes::Bytes;

use super::ask::Bytes as At;
use super::informational::Informational;
use super::output::Output;
use super::position::{HeadAt, TailAt};
use super::stations::from;
use super::storage::{Kept, Storage, Upkeep};
use super::{Chain, Source, Stats, Work};
use crate::error::{Error, ErrorKind, Origin};
use crate::filter::{Head, LocalReply};
use crate::frame::{BriefOutcome, Outcome};
use crate::sync::ConstArc as Arc;
use crate::unwind::{contained, drop_contained};

/// Whether the message goes on. Over: the outcome is fixed and told.
pub(super) enum Life<H> {
    Live,
    /// The sink was given the message whole, and nothing was dropped.
    Complete,
    /// The sink was not given all of it, and is not told.
    Cancelled,
    /// Boxed: it is rare, and all chains that wait are live.
    Over(Box<Over<H>>),
}

/// How a message ended that did not just pass.
pub(super) struct Over<H> {
    outcome: Outcome,
    ending: Ending<H>,
}

/// What ends the message.
enum Ending<H> {
    /// All of it was given out.
    Whole,
    /// It was cut off; the edge has yet to be told this.
    Cut(Option<Output<H>>),
}

impl<H> Life<H> {
    fn over(outcome: Outcome, ending: Ending<H>) -> Self {
        match (&outcome, &ending) {
            (Outcome::Complete { discarded_bytes: 0, unsent_trailers: 0 }, Ending::Whole) => {
                Self::Complete
            }
            (Outcome::Cancelled, Ending::Cut(None)) => Self::Cancelled,
            _ => Self::Over(Box::new(Over { outcome, ending })),
        }
    }

    #[inline]
    pub(super) fn is_live(&self) -> bool {
        matches!(self, Self::Live)
    }

    pub(super) fn outcome(&self) -> Option<&Outcome> {
        match self {
            Self::Live => None,
            Self::Complete => Some(BriefOutcome::WHOLE),
            Self::Cancelled => Some(BriefOutcome::CANCELLED),
            Self::Over(over) => Some(&over.outcome),
        }
    }

    /// Whether the sink was given the message whole.
    pub(super) fn is_over_cleanly(&self) -> bool {
        match self {
            Self::Live | Self::Cancelled => false,
            Self::Complete => true,
            Self::Over(over) => matches!(over.ending, Ending::Whole),
        }
    }

    pub(super) fn take_parting(&mut self) -> Option<Output<H>> {
        match self {
            Self::Live | Self::Complete | Self::Cancelled => None,
            Self::Over(over) => match &mut over.ending {
                Ending::Whole => None,
                Ending::Cut(parting) => parting.take(),
            },
        }
    }

    /// What nobody took, if that may be user code when it is dropped.
    fn take_rest(&mut self) -> Option<Box<Over<H>>> {
        match mem::replace(self, Self::Live) {
            Self::Live | Self::Complete | Self::Cancelled => None,
            Self::Over(over) => Some(over),
        }
    }
}

/// On whose account a local reply takes the place of the message.
#[derive(Debug, Clone)]
pub(super) enum Cause {
    /// A filter's own, or from outside.
    Reply { by: Option<Arc<str>>, status: http::StatusCode },
    /// The engine's, for a holder over its limit.
    Limit(Error),
    /// The message failed while the route had something to put in its place.
    Failure(Outcome),
}

impl Cause {
    fn outcome(self) -> Outcome {
        match self {
            Self::Reply { by, status } => Outcome::Replaced { by, status },
            Self::Limit(error) => Outcome::Limit(error),
            Self::Failure(outcome) => outcome,
        }
    }
}

impl<H: Head> Chain<H> {
    /// Filter `k` replied; its call's bytes lie in `bytes`.
    pub(super) fn reply_from_filter(&mut self, k: usize, reply: LocalReply, bytes: At) {
        if bytes == At::Transit {
            self.discard_transit();
        }
        let by = Some(Arc::clone(&self.plan.stations[k].name));
        let cause = Cause::Reply { by, status: reply.status() };
        let place = self.reply_place(Some(k));
        self.reply_at(place, reply, cause);
    }

    /// The engine replies for filter `k`, which holds more than it may.
    pub(super) fn reply_for_limit(&mut self, k: usize, reply: LocalReply, error: Error) {
        // To a route this is a failure, and no reply of the filter.
        let place = match self.head_at {
            HeadAt::Taken => None,
            _ => self.routed_failure_place(&error).or_else(|| self.reply_place(Some(k))),
        };
        self.reply_at(place, reply, Cause::Limit(error));
    }

    /// The route has the request answered in its own place, or in that of filter `k`.
    pub(super) fn answer_for_route(&mut self, k: Option<usize>, reply: LocalReply) {
        let by = k.map(|k| Arc::clone(&self.plan.stations[k].name));
        let cause = Cause::Reply { by, status: reply.status() };
        self.reply_at(Some(self.len()), reply, cause);
    }

    pub(super) fn reply_from_outside(&mut self, reply: LocalReply) {
        let cause = Cause::Reply { by: None, status: reply.status() };
        let place = self.reply_place(None);
        self.reply_at(place, reply, cause);
    }

    /// Before which station a reply enters (architecture.md, section 4). `None`: too late.
    fn reply_place(&mut self, by: Option<usize>) -> Option<usize> {
        if self.head_at != HeadAt::Taken
            && let Some(place) = self.routed_reply_place(by)
        {
            return Some(place);
        }
        match (self.head_at, by) {
            (HeadAt::Awaited, _) => Some(0),
            (HeadAt::Entrance, _) => Some(self.stations.entrance_at),
            (HeadAt::Station { k, .. }, None) => Some(usize::from(k) + 1),
            (HeadAt::Station { k, .. }, Some(by)) if by == usize::from(k) => Some(by + 1),
            (HeadAt::Station { .. } | HeadAt::Output, _) => Some(self.len()),
            (HeadAt::Taken, _) => None,
        }
    }

    #[cold]
    fn reply_at(&mut self, place: Option<usize>, reply: LocalReply, cause: Cause) {
        let (head, body) = match H::from_reply(reply) {
            Ok(parts) => parts,
            // A request cannot carry it: the exchange hands it to the response chain.
            Err(reply) => {
                let parting = Some(Output::Reply(reply));
                return self.finish(|_| cause.outcome(), Ending::Cut(parting));
            }
        };
        match place {
            Some(place) => self.enter_reply(place, head, body, cause),
            None => {
                let late = || Error::new(ErrorKind::ReplyTooLate, Origin::Filter);
                self.fail(match cause {
                    Cause::Limit(error) => error,
                    Cause::Reply { by: Some(by), .. } => late().named(&by),
                    Cause::Reply { by: None, .. } | Cause::Failure(_) => late(),
                });
            }
        }
    }

    /// The reply is the message from now on, and comes in before station `place`.
    #[cold]
    fn enter_reply(&mut self, place: usize, head: H, body: Bytes, cause: Cause) {
        self.stop_source();
        self.discard_transit();
        for k in 0..self.len() {
            self.stations.stats.discarded_bytes += self.stations.discard(k);
        }
        self.stations.stats.discarded_bytes += self.out.discard();
        self.update_out();
        self.end_stations(!from(place));
        for k in 0..self.len() {
            self.recharge(k);
        }
        self.lobby.open().reply_cause = Some(cause);
        self.desk.facts.local_reply = true;
        self.desk.declared_by = None;
        self.lobby.put_trailers(None);
        self.lengths = super::leave::Lengths::default();
        self.stations.entrance_at = place;
        if !self.place_head(head) {
            return drop_contained(body);
        }
        if self.desk.facts.bodiless {
            drop_contained(body);
        } else {
            self.lobby.entrance().push(body);
        }
        self.tail_at = TailAt::Entrance;
    }

    fn discard_transit(&mut self) {
        let discarded_bytes = self.lobby.transit().discard();
        self.stations.stats.discarded_bytes += discarded_bytes;
    }

    /// Fails the message in the name of filter `k`.
    #[cold]
    pub(super) fn fail_filter(&mut self, k: usize, kind: ErrorKind) {
        let name = &self.plan.stations[k].name;
        let error = Error::new(kind, Origin::Filter).named(name);
        self.fail(error);
    }

    /// Fails the message.
    #[cold]
    pub(super) fn fail(&mut self, error: Error) {
        self.fail_with(Outcome::Failed(error.clone()), error);
    }

    /// The same, with another outcome. Where a route has stations that have not had the head, they
    /// see the answer.
    #[cold]
    pub(super) fn fail_with(&mut self, outcome: Outcome, error: Error) {
        if let Some((place, reply)) = self.rescue(&error)
            && let Ok((head, body)) = H::from_reply(reply)
        {
            self.enter_reply(place, head, body, Cause::Failure(outcome));
            // Whoever comes next drives: not every failure is found where the driver runs.
            self.work = Work::Left;
            return;
        }
        self.cut_off(outcome, error);
    }

    /// The message ends here, and cannot be taken for complete.
    #[cold]
    pub(super) fn cut_off(&mut self, outcome: Outcome, error: Error) {
        let parting = Some(Output::Reset(error));
        self.finish(|_| outcome, Ending::Cut(parting));
    }

    /// The sink has been given everything.
    pub(super) fn complete(&mut self) {
        let cause = self.lobby.take_reply_cause();
        let outcome = move |stats: &Stats| match cause {
            Some(cause) => cause.outcome(),
            None => Outcome::Complete {
                discarded_bytes: stats.discarded_bytes,
                unsent_trailers: stats.unsent_trailers,
            },
        };
        self.finish(outcome, Ending::Whole);
    }

    /// The consumer is gone. Complete, if it had been given everything that it could need: the end
    /// had been taken or was visible, or the declared length was taken with no trailers in hand
    /// (rule I9). Otherwise the message is cancelled.
    pub fn cancel(&mut self) {
        if !self.life.is_live() {
            return;
        }
        if self.end_is_next() || self.declared_length_was_taken() {
            self.complete();
        } else {
            self.finish(|_| Outcome::Cancelled, Ending::Cut(None));
        }
        self.refresh();
    }

    /// The edge is shown no more of the message, which goes on without it: [`Outcome::EndUnseen`]
    /// if the sink has been given all that came, else [cancelled](Self::cancel). Nothing, if the
    /// message is over.
    pub fn leave_unended(&mut self) {
        if !self.life.is_live() {
            return;
        }
        let is_all_given = self.head_at == HeadAt::Taken
            && self.tail_at == TailAt::Awaited
            && self.held_bytes() == 0
            && self.lobby.entrance_len() == 0;
        if is_all_given {
            self.finish(|_| Outcome::EndUnseen, Ending::Cut(None));
            self.refresh();
        } else {
            self.cancel();
        }
    }

    /// Drops what is held, fixes the outcome, and closes the started filters in chain order.
    fn finish(&mut self, outcome: impl FnOnce(&Stats) -> Outcome, ending: Ending<H>) {
        debug_assert!(self.life.is_live(), "an outcome is fixed once");
        self.fast_chunk_bytes = 0;
        self.work = Work::Done;
        self.stations.stats.output_bytes = self.given_bytes();
        self.drop_everything();
        let outcome = outcome(&self.stations.stats);
        self.close_filters(&outcome);
        self.close_route(&outcome);
        self.life = Life::over(outcome, ending);
    }

    /// Closes the filters that were started and have not panicked, in chain order.
    fn close_filters(&mut self, outcome: &Outcome) {
        let asked =
            self.stations.started | self.lobby.informational().map_or(0, Informational::asked);
        let filters = &mut *self.filters;
        let mut left = asked & !self.stations.panicked & !from(filters.len());
        while left != 0 {
            contained(|| {
                while left != 0 {
                    filters[left.trailing_zeros() as usize].close(outcome);
                    left &= left - 1;
                }
            });
            // Left again only by a panic: of the first that is left.
            self.stations.panicked |= left & left.wrapping_neg();
            left &= left.saturating_sub(1);
        }
    }

    fn drop_everything(&mut self) {
        self.source = Source::Stopped;
        let queued = self.lobby.transit_len() + self.lobby.entrance_len() + self.out.len();
        self.stations.stats.discarded_bytes += queued as u64;
        if self.stations.are_bare() && !self.desk.keeps_books() {
            self.end_stations(u64::MAX);
        } else {
            for k in 0..self.len() {
                self.stations.stats.discarded_bytes += self.stations.discard(k);
            }
            self.end_stations(u64::MAX);
            for k in 0..self.len() {
                self.recharge(k);
            }
        }
        self.lobby.clear();
        self.out.discard();
        self.desk.retire_resumes();
    }

    /// A filter panicked: the message fails, the filter is never called again.
    #[cold]
    pub(super) fn on_panic(&mut self, payload: Box<dyn Any + Send>) {
        let Some(k) = self.calling.take() else {
            // No filter was being called: the engine itself is wrong, and must not go on.
            self.upkeep = Upkeep::Broken;
            resume_unwind(payload);
        };
        drop_contained(payload);
        self.stations.panicked |= 1u64 << k;
        if self.life.is_live() {
            self.fail_filter(usize::from(k), ErrorKind::Panicked);
        }
    }
}

impl<H: Head> Drop for Chain<H> {
    fn drop(&mut self) {
        self.cancel();
        // What is left may be user code: a reply that nobody took, the source of an error.
        self.desk.drop_undelivered();
        if let Some(rest) = self.life.take_rest() {
            drop_contained(rest);
        }
        let filters = mem::take(&mut self.filters);
        if !self.plan.keeps_chains() || self.upkeep == Upkeep::Broken {
            filters.into_iter().for_each(drop_contained);
            return;
        }
        // First of all: they may have handles. What was given belongs to this exchange.
        let filters = Kept::of(filters, self.stations.panicked | self.plan.given);
        self.forget();
        self.plan.pool.put(Storage {
            filters,
            stations: mem::take(&mut self.stations),
            desk: mem::take(&mut self.desk),
            out: mem::take(&mut self.out),
            lobby: mem::take(&mut self.lobby),
        });
    }
}
