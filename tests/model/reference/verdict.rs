//! The table of verdicts, and what follows every verdict.

use tidegate::ErrorKind;

use super::ask::Said;
use super::{Mutant, Place, Reference, State, Tail};
use crate::model::case::Answer;
use crate::model::log::Callback;

impl Reference {
    /// Does what the filter of `k` said. Answers with the view if the wave goes on with it.
    pub(super) fn decide(
        &mut self,
        k: usize,
        callback: Callback,
        said: Said,
        in_wave: bool,
    ) -> Option<Vec<u8>> {
        let Said { mut view, step, end_trailers, grown } = said;
        let holding = State::Holding { reject: step.reject, quiet: step.quiet };
        let mut onward = None;
        let mut passed = 0;
        match step.answer {
            Answer::Pass => {
                self.head_goes(k);
                self.state_after_letting_go(k);
                if in_wave {
                    passed = view.len();
                    onward = Some(view);
                } else {
                    self.stations[k].released.extend(view);
                }
            }
            Answer::First(_) | Answer::FirstAll => {
                let n =
                    if let Answer::First(n) = step.answer { usize::from(n) } else { usize::MAX };
                self.head_goes(k);
                let held = view.split_off(n.min(view.len()));
                self.stations[k].released.extend(view);
                self.stations[k].held = held;
                self.stations[k].state = holding;
                if self.is(Mutant::FirstLetsEndGo) && self.stations[k].held.is_empty() {
                    self.state_after_letting_go(k);
                }
            }
            Answer::Hold => {
                if callback == Callback::Head && !self.may_hold_head(k) {
                    self.discard(view.len());
                    let capability = "hold the head for body";
                    self.fail(ErrorKind::Undeclared { capability }, Some(k));
                    return None;
                }
                if self.is(Mutant::LosesByte) {
                    view.pop();
                }
                self.stations[k].held = view;
                self.stations[k].state = holding;
            }
            Answer::End => {
                self.head_goes(k);
                self.stations[k].released.extend(view);
                self.declare_end(k, end_trailers);
            }
            Answer::Reply { .. } | Answer::Fail | Answer::Panic => {
                self.discard(view.len());
                self.give_up(k, step.answer);
                return None;
            }
        }
        let station = &mut self.stations[k];
        station.added = station.added.saturating_add_signed(grown);
        station.lost(passed);
        if step.again && self.stations[k].is_alive() {
            self.stations[k].again = true;
        }
        self.check_station(k);
        onward
    }

    fn give_up(&mut self, k: usize, answer: Answer) {
        match answer {
            Answer::Reply { status, body } => self.reply_from_filter(k, status, body),
            Answer::Fail => self.fail(ErrorKind::Filter, Some(k)),
            _ => {
                self.stations[k].state = State::Panicked;
                self.fail(ErrorKind::Panicked, Some(k));
            }
        }
    }

    fn head_goes(&mut self, k: usize) {
        if self.head_stands_at(k)
            && let Some(head) = &mut self.head
        {
            head.let_go = true;
        }
    }

    /// `PASS` covers what was shown: the tail goes if it was.
    fn state_after_letting_go(&mut self, k: usize) {
        if !self.tail_shown_at(k) {
            self.stations[k].state = State::Open;
            return;
        }
        if self.is(Mutant::EndsTwice) && self.stations[k].calls == 3 {
            self.stations[k].state = State::Open;
            return;
        }
        let tail = self.tail.as_mut().expect("a tail that was shown is there");
        tail.let_go = true;
        // R3: trailers that are empty when they leave a station are a plain end.
        if tail.trailers.as_ref().is_some_and(|fields| fields.is_empty()) {
            tail.trailers = None;
        }
        self.end_station(k);
    }

    /// END by `k` (table, R11): the message ends here.
    fn declare_end(&mut self, k: usize, end_trailers: Option<crate::model::log::Fields>) {
        let shown = self.tail_shown_at(k);
        let trailers =
            if shown { self.tail.take().and_then(|tail| tail.trailers) } else { end_trailers };
        let trailers = trailers.filter(|fields| !fields.is_empty());
        self.tail = Some(Tail { place: Place::At(k), shown: true, let_go: true, trailers });
        let dropped = std::mem::take(&mut self.stations[k].unseen).len();
        self.discard(dropped);
        self.drop_stations_before(k);
        self.drop_entrance();
        self.source.stopped = true;
        self.end_station(k);
    }

    /// The output of `k` has ended. What it let go before may still be leaving.
    pub(super) fn end_station(&mut self, k: usize) {
        let station = &mut self.stations[k];
        station.state = State::Ended;
        station.resumed = false;
        station.again = false;
        station.refused = None;
        self.update_mark(k);
    }

    /// What follows every verdict and every append to `unseen`: reject, then the watermark.
    pub(super) fn check_station(&mut self, k: usize) {
        let station = &self.stations[k];
        let rejects = matches!(station.state, State::Holding { reject: true, .. });
        if rejects && station.keeps() > station.gauge.high {
            return self.reject(k);
        }
        self.update_mark(k);
    }
}
