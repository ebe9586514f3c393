//! Which work is next (ruling 1), and what to say when there is none (ruling 13).

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::ask::{Bytes, Callback, Flow};
use super::position::{HeadAt, TailAt, TailState, number};
use super::stations::{from, top};
use super::wave::TailCallback;
use super::{Chain, Work};
use crate::error::{Error, ErrorKind, Origin};
use crate::filter::Head;
use crate::frame::Outcome;
use crate::limits;
use crate::watermark::Side;

impl<H: Head> Chain<H> {
    /// Runs `work`, which may call filters, and contains their panics. Every entry into the
    /// engine but the fast path goes through here.
    pub(super) fn guarded(&mut self, work: impl FnOnce(&mut Self)) {
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| work(self))) {
            self.on_panic(payload);
        }
        self.refresh();
    }

    /// Does all work that can be done, nearest the sink first, within the budget.
    pub(super) fn drive(&mut self) {
        let budget = self.calls + u64::from(limits::MAX_CALLS_PER_DRIVE);
        self.stations.asked_again = 0;
        self.work = Work::Done;
        while self.life.is_live() {
            if self.calls >= budget {
                return self.look_for_work();
            }
            if let Some(k) = self.next_station() {
                self.step(k);
            } else if self.head_at == HeadAt::Entrance {
                self.enter_head();
            } else if self.entrance_can_move() {
                self.enter_bytes();
            } else if let Some(k) = top(self.self_asked() & !self.stations.asked_again) {
                self.stations.asked_again |= 1u64 << k;
                self.ask_resume(k);
            } else {
                // What was asked once in this drive and asks again is left for the next.
                if self.self_asked() != 0 {
                    self.work = Work::Asked;
                }
                return;
            }
        }
    }

    /// Does what a wave has left, as most leave nothing.
    pub(super) fn drive_rest(&mut self) {
        let goes_on = matches!(self.head_at, HeadAt::Output | HeadAt::Taken)
            && matches!(self.tail_at, TailAt::Awaited | TailAt::Output | TailAt::Taken)
            && self.lobby.entrance_len() == 0
            && self.work == Work::Done
            && !self.stations.have_work();
        if !goes_on {
            self.drive();
        }
    }

    /// Notes whether a drive would find something to do: the budget ran out, or the output queue
    /// has made room for what waited.
    pub(super) fn look_for_work(&mut self) {
        self.work = if self.next_station().is_some()
            || self.head_at == HeadAt::Entrance
            || self.entrance_can_move()
        {
            Work::Left
        } else if self.self_asked() != 0 {
            Work::Asked
        } else {
            Work::Done
        };
    }

    /// Whether a call that began with nothing waiting has left something to do.
    pub(super) fn has_work_after_call(&self) -> bool {
        let stations = &*self.stations;
        stations.released | stations.again | stations.refused != 0
            || self.head_at != HeadAt::Taken
            || self.tail_at != TailAt::Awaited
    }

    /// Whether some station has work, other than what it asked of itself.
    pub(super) fn has_station_work(&self) -> bool {
        self.next_station().is_some()
    }

    /// The station nearest the sink that has work.
    #[inline]
    fn next_station(&self) -> Option<usize> {
        let stations = &*self.stations;
        let stands = matches!(self.head_at, HeadAt::Station { .. })
            || matches!(self.tail_at, TailAt::Station { .. });
        let waits = stations.resumed | stations.released | stations.unseen != 0;
        if stands || waits { self.find_next_station() } else { None }
    }

    fn find_next_station(&self) -> Option<usize> {
        let stations = &*self.stations;
        let mut work = stations.resumed;
        work |= stations.released & self.free_to_move();
        work |= stations.unseen & !stations.quiet & (stations.wants_data | !stations.holding);
        if let HeadAt::Station { k, released: true } = self.head_at {
            work |= 1u64 << k;
        }
        if let TailAt::Station { k, state } = self.tail_at {
            let k = usize::from(k);
            let moves = match state {
                TailState::Released => stations.released & (1u64 << k) == 0,
                TailState::Unseen => self.tail_callback(k) != TailCallback::Wait,
                TailState::Shown => false,
            };
            work |= u64::from(moves) << k;
        }
        top(work)
    }

    /// Stations behind which nothing is over its high mark: what they released may move.
    fn free_to_move(&self) -> u64 {
        match (self.out_side, self.stations.last_over()) {
            (Side::Above, _) => 0,
            (Side::Below, None) => u64::MAX,
            (Side::Below, Some(last)) => from(last),
        }
    }

    /// Stations that asked for themselves and can be asked: `again`, and recalls after `Full`
    /// where the refused edit fits now.
    #[inline]
    fn self_asked(&self) -> u64 {
        let stations = &*self.stations;
        if stations.again | stations.refused == 0 { 0 } else { self.find_self_asked() }
    }

    fn find_self_asked(&self) -> u64 {
        let mut asked = self.stations.again;
        let mut refused = match (self.out_side, self.stations.last_over()) {
            (Side::Above, _) => 0,
            (Side::Below, None) => self.stations.refused,
            (Side::Below, Some(last)) => self.stations.refused & from(last),
        };
        while let Some(k) = top(refused) {
            let bit = 1u64 << k;
            refused &= !bit;
            if self.desk.refused_fits(number(k)) {
                asked |= bit;
            }
        }
        asked
    }

    /// Does the first piece of work of station `k`: goods before questions.
    fn step(&mut self, k: usize) {
        let bit = 1u64 << k;
        if self.head_at == HeadAt::at(k, true) {
            self.move_head(k);
        } else if self.stations.released & bit & self.free_to_move() != 0 {
            self.move_released(k);
        } else if self.tail_at.state_at(k) == Some(TailState::Released)
            && self.stations.released & bit == 0
        {
            self.tail_leaves(k);
            self.wave(k + 1, true);
        } else if self.stations.resumed & bit != 0 {
            self.ask_resume(k);
        } else if self.stations.unseen & bit & !self.stations.quiet != 0 {
            self.show_unseen(k);
        } else if self.show_tail(k) == Flow::Wave {
            self.tail_leaves(k);
            self.wave(k + 1, true);
        }
    }

    fn move_head(&mut self, k: usize) {
        let with_end = self.tail_at.state_at(k) == Some(TailState::Released)
            && !self.lobby.has_trailers()
            && self.stations.released & (1u64 << k) == 0;
        let Some(next) = self.head_leaves(k) else { return };
        if with_end {
            self.tail_leaves(k);
        }
        self.head_wave(next, with_end);
    }

    /// A piece of what station `k` released goes on (ruling 4).
    fn move_released(&mut self, k: usize) {
        let room_bytes = self.room_behind(k);
        let max_frame_bytes = self.plan.max_frame_bytes;
        let released = &mut self.stations.rest(k).released;
        let mut piece = released.len().min(max_frame_bytes);
        if room_bytes > 0 {
            piece = piece.min(usize::try_from(room_bytes).unwrap_or(usize::MAX));
        }
        if piece == released.len() {
            self.lobby.transit().append(released);
        } else {
            released.move_to(self.lobby.transit(), piece);
        }
        let with_tail =
            released.is_empty() && self.tail_at.state_at(k) == Some(TailState::Released);
        self.desk.leaves(number(k), piece);
        self.recharge(k);
        if with_tail {
            self.tail_leaves(k);
        }
        self.wave(k + 1, with_tail);
        if self.stations.released & (1u64 << k) != 0 {
            // What stays behind counts, if the piece has put something over.
            self.recharge(k);
        }
    }

    /// The room under the high mark of the next station that looks at data or holds; of the output
    /// queue, if there is none.
    pub(super) fn room_behind(&self, k: usize) -> u64 {
        let next = (self.stations.wants_data | self.stations.holding) & from(k + 1);
        if next == 0 {
            return self.out_marks().high().saturating_sub(self.out.len() as u64);
        }
        let next = next.trailing_zeros() as usize;
        self.stations.room_bytes(next, self.desk.marks(number(next)))
    }

    /// Asks the filter of station `k` again.
    fn ask_resume(&mut self, k: usize) {
        let bit = !(1u64 << k);
        self.stations.resumed &= bit;
        self.stations.again &= bit;
        self.stations.refused &= bit;
        let (bytes, new_at) = match self.stations.held(k) {
            Some(held) => (Bytes::Held, held.len()),
            None => (Bytes::Transit, 0),
        };
        let answer = self.call(k, Callback::Resume, bytes, new_at);
        if self.apply(k, answer, bytes, Flow::Rest) == Flow::Wave {
            self.go_on_behind(k);
        }
    }

    /// The bytes in transit go on from station `k`, and the tail with them if it was shown there.
    pub(super) fn go_on_behind(&mut self, k: usize) {
        let tail = self.tail_at.state_at(k) == Some(TailState::Shown);
        if tail {
            self.tail_leaves(k);
        }
        self.wave(k + 1, tail);
    }

    /// What queued unseen at station `k` is shown, or passes by if its filter does not look.
    fn show_unseen(&mut self, k: usize) {
        let bit = 1u64 << k;
        let looks = self.stations.wants_data & bit != 0;
        let rest = self.stations.rest(k);
        if !looks {
            rest.released.append(&mut rest.unseen);
            return self.recharge(k);
        }
        let new_at = rest.held.len();
        rest.held.append(&mut rest.unseen);
        self.stations.unseen &= !bit;
        let plain_end = !self.lobby.has_trailers() && self.stations.adder & bit == 0;
        if plain_end && self.tail_at.state_at(k) == Some(TailState::Unseen) {
            self.tail_at = TailAt::at(k, TailState::Shown);
        }
        let answer = self.call(k, Callback::Data, Bytes::Held, new_at);
        if self.apply(k, answer, Bytes::Held, Flow::Rest) == Flow::Wave {
            self.go_on_behind(k);
        }
    }

    /// Fails the message if nothing can go on (rule I8). The engine is at rest, and there is
    /// nothing to give out.
    pub(super) fn check_stall(&mut self) {
        if self.stations.holding | self.stations.over == 0 {
            return;
        }
        if let Some(k) = self.stuck_station() {
            let error =
                Error::new(ErrorKind::Stalled, Origin::Filter).named(&self.plan.stations[k].name);
            self.fail_with(Outcome::Stalled(error.clone()), error);
        }
    }

    fn stuck_station(&self) -> Option<usize> {
        let stations = &*self.stations;
        let over = match self.out_side {
            Side::Above => None,
            Side::Below => stations.last_over().filter(|&k| !self.is_live_station(k)),
        };
        let mut holding = stations.holding & over.map_or(u64::MAX, |k| from(k + 1));
        while let Some(k) = top(holding) {
            let bit = 1u64 << k;
            holding &= !bit;
            let sees_trailers = stations.adder & bit != 0
                || (stations.wants_trailers & bit != 0 && self.trailers_may_come(k));
            let blind =
                stations.wants_data & bit == 0 && (stations.unseen & bit != 0 || !sees_trailers);
            // A tail that stands here, shown or waiting, has nothing behind it.
            let no_more_calls =
                self.tail_at.state_at(k).is_some() || stations.quiet & bit != 0 || blind;
            if no_more_calls && !self.is_live_station(k) {
                return Some(k);
            }
        }
        over
    }

    /// Whether a filter that keeps something back, or its message open, can go on without more
    /// input. What it has taken into its own hands is no byte that is held here.
    #[must_use]
    pub fn awaits_resume(&self) -> bool {
        let mut holding = self.stations.holding;
        while let Some(k) = top(holding) {
            holding &= !(1u64 << k);
            if self.is_live_station(k) {
                return true;
            }
        }
        false
    }

    /// Whether trailers may still come to station `k`: from the source, or from a filter before it
    /// that may add them and has not let the end go.
    fn trailers_may_come(&self, k: usize) -> bool {
        let adders_from = match self.tail_at {
            TailAt::Awaited => return true,
            TailAt::Entrance => self.stations.entrance_at,
            TailAt::Station { k: at, state: TailState::Released } => usize::from(at) + 1,
            TailAt::Station { k: at, .. } => usize::from(at),
            TailAt::Output | TailAt::Taken => return false,
        };
        self.lobby.has_trailers() || self.stations.adder & from(adders_from) & !from(k) != 0
    }

    /// Whether somebody can still ask the filter of station `k` again.
    fn is_live_station(&self, k: usize) -> bool {
        let bit = 1u64 << k;
        (self.stations.resumed | self.stations.again) & bit != 0
            || (self.stations.refused & bit != 0
                && (self.is_over_from(k + 1) || self.stations.released & bit != 0))
            || self.desk.resumes().is_some_and(|resumes| resumes.may_resume(number(k)))
    }
}
