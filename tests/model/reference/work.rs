//! R1: which piece of work comes next.

use tidegate::limits;

use super::{Mutant, Place, Reference, State};
use crate::model::log::Callback;

/// One piece of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    Head(Place),
    Released(usize),
    Tail(Place),
    Resume(usize),
    Unseen(usize),
    ShowTail(usize),
    Entrance,
    /// `again`, or room after `Full`.
    AskedItself(usize),
}

impl Reference {
    /// After each input the engine works until nothing can be done or the budget is spent (R1,
    /// R14).
    pub(super) fn drive(&mut self) {
        self.drive.calls = 0;
        self.drive.asked_itself = vec![false; self.len()];
        while self.outcome.is_none() && self.drive.calls < limits::MAX_CALLS_PER_DRIVE {
            let asked = self.drive.asked_itself.clone();
            let Some(work) = self.next_work(&asked) else { break };
            self.do_work(work);
        }
    }

    /// R14: a wave that is under way when the budget ends is finished, and how much goes in one
    /// is the engine's affair. So after a drive that used its budget up the reference goes on to
    /// where the engine says that it is: behind as many events, and at rest if the engine is.
    pub(crate) fn go_on_as_far_as(&mut self, events: usize, has_work: bool) {
        while self.drive.calls >= limits::MAX_CALLS_PER_DRIVE
            && self.outcome.is_none()
            && (self.log.len() < events || !has_work && self.log.len() == events)
        {
            let asked = self.drive.asked_itself.clone();
            let Some(work) = self.next_work(&asked) else { break };
            self.do_work(work);
        }
    }

    /// What is to be done next; `asked` are the stations that had their turn at asking themselves.
    pub(super) fn next_work(&self, asked: &[bool]) -> Option<Work> {
        // Always the station nearest the sink; the entrance comes after all stations.
        let mut order: Vec<usize> = (0..self.len()).rev().collect();
        if self.is(Mutant::WrongOrder) {
            order.reverse();
        }
        order
            .iter()
            .find_map(|&k| self.work_at(k))
            .or_else(|| self.work_at_entrance())
            .or_else(|| (0..self.len()).rev().find_map(|k| self.own_work_at(k, asked)))
    }

    /// The order at one station.
    fn work_at(&self, k: usize) -> Option<Work> {
        let station = &self.stations[k];
        if self.head.as_ref().is_some_and(|head| head.place == Place::At(k) && head.let_go) {
            return Some(Work::Head(Place::At(k)));
        }
        // I7: bytes move on only while nothing after them is over.
        if !station.released.is_empty() && !self.over_behind(k) {
            return Some(Work::Released(k));
        }
        let tail_goes =
            self.tail.as_ref().is_some_and(|tail| tail.place == Place::At(k) && tail.let_go);
        if tail_goes && (station.released.is_empty() || self.is(Mutant::EndOvertakes)) {
            return Some(Work::Tail(Place::At(k)));
        }
        if station.resumed && station.is_alive() {
            return Some(Work::Resume(k));
        }
        if !station.is_alive() || station.is_quiet() {
            return None;
        }
        if !station.unseen.is_empty() {
            let can_move = station.wants_data || station.state == State::Open;
            return can_move.then_some(Work::Unseen(k));
        }
        let waits = self.tail_stands_at(k).is_some_and(|tail| !tail.shown);
        (waits && self.tail_can_be_shown(k)).then_some(Work::ShowTail(k))
    }

    /// Whether a tail that waits at `k`, not quiet, with nothing unseen, is asked about or passes.
    fn tail_can_be_shown(&self, k: usize) -> bool {
        // An open station lets go by what it does not look at; a holding one lets it wait.
        self.callback_for_tail(k).is_some() || self.stations[k].state == State::Open
    }

    /// The rows of the table for ends and trailers: which callback, if any.
    pub(super) fn callback_for_tail(&self, k: usize) -> Option<Callback> {
        let station = &self.stations[k];
        let plain = self.tail.as_ref().is_some_and(super::Tail::is_plain);
        if self.is_adder(k) || (!plain && station.wants_trailers) {
            Some(Callback::Trailers)
        } else if station.wants_data {
            Some(Callback::Data)
        } else {
            None
        }
    }

    fn work_at_entrance(&self) -> Option<Work> {
        if self.head.as_ref().is_some_and(|head| head.place == Place::Entrance) {
            return Some(Work::Head(Place::Entrance));
        }
        if !self.entrance.is_empty() {
            let closed = self.anything_over() && !self.is(Mutant::NeverPauses);
            return (!closed).then_some(Work::Entrance);
        }
        let tail = self.tail.as_ref().is_some_and(|tail| tail.place == Place::Entrance);
        tail.then_some(Work::Tail(Place::Entrance))
    }

    /// Resumes a filter asked of itself, and recalls after `Full` once there is room.
    fn own_work_at(&self, k: usize, asked: &[bool]) -> Option<Work> {
        let station = &self.stations[k];
        let fits = station.refused.is_some_and(|wanted| wanted <= station.room_to_add());
        let recall = fits && !self.over_behind(k);
        let due = station.is_alive() && (station.again || recall) && !asked[k];
        due.then_some(Work::AskedItself(k))
    }

    fn do_work(&mut self, work: Work) {
        match work {
            Work::Head(from) => self.move_head(from),
            Work::Released(k) => self.move_released(k),
            Work::Tail(from) => self.move_tail(from),
            Work::Resume(k) => self.ask_resume(k),
            Work::Unseen(k) => self.show_unseen(k),
            Work::ShowTail(k) => self.show_tail(k),
            Work::Entrance => self.let_in(),
            Work::AskedItself(k) => {
                self.drive.asked_itself[k] = true;
                self.ask_resume(k);
            }
        }
    }
}
