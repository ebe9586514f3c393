//! The ways in which a message ends other than well, and the close calls (I9, R13, R18).

use tidegate::ErrorKind;

use super::{Mutant, Place, Reference, State};
use crate::model::log::{Ended, Event, Failure, Given};

impl Reference {
    /// Counts bytes of the body that go nowhere.
    pub(super) fn discard(&mut self, n: usize) {
        if !self.is(Mutant::DropsUncounted) {
            self.counts.discarded += n as u64;
        }
    }

    pub(super) fn drop_entrance(&mut self) {
        let n = std::mem::take(&mut self.entrance).len();
        self.discard(n);
    }

    pub(super) fn drop_queue(&mut self) {
        let n = std::mem::take(&mut self.queue).len();
        self.discard(n);
        self.update_queue_mark();
    }

    pub(super) fn drop_station(&mut self, k: usize) {
        let station = &mut self.stations[k];
        let n = station.held.len() + station.unseen.len() + station.released.len();
        station.held.clear();
        station.unseen.clear();
        station.released.clear();
        self.discard(n);
        if self.stations[k].state != State::Panicked {
            self.end_station(k);
        }
    }

    /// What stands before `k` is dropped; it can no longer be asked (R11).
    pub(super) fn drop_stations_before(&mut self, k: usize) {
        for before in 0..k {
            self.drop_station(before);
        }
    }

    pub(super) fn drop_everything(&mut self) {
        self.drop_entrance();
        self.drop_stations_before(self.len());
        self.drop_queue();
        self.head = None;
        self.interim.clear();
        self.tail = None;
    }

    /// The message fails with that error, named.
    pub(super) fn fail(&mut self, kind: ErrorKind, k: Option<usize>) {
        let failure = Self::failure(kind, k);
        self.end_badly(failure.clone(), Ended::Failed(failure));
    }

    pub(super) fn end_badly(&mut self, failure: Failure, outcome: Ended) {
        self.drop_everything();
        self.last = Some(Given::Reset(failure));
        self.close_all(outcome);
    }

    /// R18: once the outcome is fixed, once, in chain order, but not to one that panicked.
    pub(super) fn close_all(&mut self, outcome: Ended) {
        let mut order: Vec<usize> = (0..self.len()).collect();
        if self.is(Mutant::ClosesBackwards) {
            order.reverse();
        }
        for k in order {
            let station = &self.stations[k];
            if (station.started || station.informed) && station.state != State::Panicked {
                self.log.push(Event::Close { station: k, outcome: outcome.clone() });
            }
        }
        self.outcome = Some(outcome);
    }

    /// R13.
    pub(super) fn look_for_stall(&mut self) {
        if self.outcome.is_some() || self.is(Mutant::NeverStalls) {
            return;
        }
        let over = (0..self.len()).rev().find(|&k| self.stations[k].gauge.over);
        let stuck = (0..self.len()).rev().find(|&k| {
            let blocks = over == Some(k) && !self.queue_gauge.over && self.stations[k].is_alive();
            !self.is_live(k) && (blocks || self.gets_no_further_call(k))
        });
        if let Some(k) = stuck {
            let failure = Self::failure(ErrorKind::Stalled, Some(k));
            self.end_badly(failure.clone(), Ended::Stalled(failure));
        }
    }

    fn is_live(&self, k: usize) -> bool {
        let station = &self.stations[k];
        self.handles.alive[k] > 0
            || self.handles.pending[k]
            || (station.refused.is_some() && (self.over_behind(k) || !station.released.is_empty()))
    }

    /// A holding station that is shown nothing more.
    fn gets_no_further_call(&self, k: usize) -> bool {
        let station = &self.stations[k];
        if !station.is_holding() {
            return false;
        }
        let trailers_will_be_asked =
            self.is_adder(k) || (station.wants_trailers && self.trailers_may_come(k));
        self.tail_stands_at(k).is_some()
            || station.is_quiet()
            || (!station.wants_data && (!station.unseen.is_empty() || !trailers_will_be_asked))
    }

    /// Whether the tail that will come to `k` may have trailers: it is not known yet, it has some,
    /// or a filter that it still has to pass can add some.
    fn trailers_may_come(&self, k: usize) -> bool {
        let Some(tail) = &self.tail else { return true };
        let first = match tail.place {
            Place::At(j) if tail.let_go => j + 1,
            Place::At(j) => j,
            _ => self.place,
        };
        !tail.is_plain() || (first..k).any(|j| self.is_adder(j))
    }

    /// The consumer goes away, or the chain is dropped (R18).
    pub(crate) fn cancel(&mut self) {
        if self.outcome.is_some() {
            return;
        }
        let complete = self.is_all_taken();
        self.drop_everything();
        let outcome = if complete { self.good_outcome() } else { Ended::Cancelled };
        self.close_all(outcome);
    }

    /// The sink has everything but the end itself (R18).
    pub(super) fn is_all_taken(&self) -> bool {
        self.is_end_visible() || self.is_declared_length_taken()
    }

    /// "the declared length had been taken with no trailers in hand"
    fn is_declared_length_taken(&self) -> bool {
        // What may have no body is complete with its head: its length is 0, whatever it declares.
        let declared = if self.exit.bodiless { Some(0) } else { self.exit.declared };
        self.head.as_ref().is_some_and(|head| head.given)
            && declared == Some(self.exit.given)
            && self.tail.as_ref().is_none_or(super::Tail::is_plain)
    }

    pub(super) fn is_end_visible(&self) -> bool {
        let plain =
            self.tail.as_ref().is_some_and(|tail| tail.place == Place::Exit && tail.is_plain());
        plain && self.queue.is_empty() && self.head.as_ref().is_some_and(|head| head.given)
    }

    /// The outcome of a message whose end has been taken (section 4 for replies).
    pub(super) fn good_outcome(&mut self) -> Ended {
        let complete = Ended::Complete {
            discarded_bytes: self.counts.discarded,
            unsent_trailers: self.counts.unsent,
        };
        self.replaced.take().unwrap_or(complete)
    }
}
