//! Head, bytes and tail going from station to station.
//!
//! A wave runs from a station towards the sink until something keeps what it carries. It never
//! calls itself: what a filter asks for on the way is left to the driver (rule I10).

use http::header;

use super::Chain;
use super::ask::{Answer, Bytes, Callback, Flow};
use super::position::{HeadAt, TailAt, TailState, number};
use crate::filter::{Capability, Head};

impl<H: Head> Chain<H> {
    /// The head goes on from before station `from`. `with_end`: a plain end stands directly behind
    /// it and comes along.
    pub(super) fn head_wave(&mut self, from: usize, mut with_end: bool) {
        let mut k = from;
        while k < self.len() {
            let mut answered = None;
            if self.head_only_passes(k, with_end) {
                let Some(stop) = self.pass_head(k, with_end) else { break };
                k = stop.k;
                answered = Some(stop.answer);
            }
            let Some(next) = self.show_head(k, &mut with_end, answered) else { return };
            k = next;
        }
        self.head_at = HeadAt::Output;
        self.exit_head();
        self.exit_route();
        if with_end && self.life.is_live() {
            self.exit_tail();
        }
    }

    /// The head arrives at station `k`, whose filter may have `answered` already. `with_end` is
    /// cleared if a plain end that came along stays behind. Answers where the head goes next, and
    /// `None` if it goes nowhere now.
    #[inline(never)]
    fn show_head(
        &mut self,
        k: usize,
        with_end: &mut bool,
        answered: Option<Answer>,
    ) -> Option<usize> {
        let bit = 1u64 << k;
        self.head_at = HeadAt::at(k, false);
        self.stations.started |= bit;
        if self.stations.late & bit != 0 {
            self.make_late(k);
        }
        if *with_end {
            self.tail_at = TailAt::at(k, TailState::Unseen);
        }
        if self.stations.wants_head & bit != 0 {
            let shown = *with_end && self.stations.adder & bit == 0;
            if shown {
                self.tail_at = TailAt::at(k, TailState::Shown);
            }
            let answer =
                answered.unwrap_or_else(|| self.call(k, Callback::Head, Bytes::Transit, 0));
            if Self::keeps_head(answer.verdict)
                && !self.desk.granted(number(k)).has(Capability::HoldHead)
            {
                self.refuse_head_hold(k);
                return None;
            }
            if self.passed_nothing_but_the_head(answer) {
                *with_end = shown;
            } else {
                // A head that stands here is never passed on by `apply` itself: its goods are
                // marked, and go on below if there is nothing but the head and the end.
                self.apply(k, answer, Bytes::Transit, Flow::Rest);
                if self.head_at != HeadAt::at(k, true)
                    || self.stations.released & bit != 0
                    || !self.life.is_live()
                {
                    return None;
                }
                *with_end = self.tail_at.state_at(k) == Some(TailState::Released)
                    && !self.lobby.has_trailers();
            }
        } else if (self.stations.wants_data | self.stations.adder) & bit != 0 {
            // The end is shown to this filter by a call of its own.
            *with_end = false;
        }
        let next = self.head_leaves(k)?;
        if *with_end {
            self.tail_leaves(k);
        }
        Some(next)
    }

    /// Whether a `head` call let the head go, and did nothing else that would have to be seen to.
    fn passed_nothing_but_the_head(&self, answer: Answer) -> bool {
        answer.verdict.is_pass()
            && !self.desk.touched
            && answer.grown_bytes == 0
            && self.lobby.transit_len() == 0
    }

    /// The bytes in transit go on from before station `from`; with `tail`, the tail comes along
    /// directly behind them.
    pub(super) fn wave(&mut self, from: usize, mut tail: bool) {
        let mut k = from;
        while k < self.len() {
            if self.lobby.transit_len() == 0 && !tail {
                return;
            }
            let flow = if self.wave_only_passes(k, tail) {
                let Some(stop) = self.pass_wave(k, tail) else { break };
                k = stop.k;
                self.apply(k, stop.answer, Bytes::Transit, Flow::Wave)
            } else {
                self.show(k, &mut tail)
            };
            match flow {
                Flow::Rest => return,
                Flow::Wave if tail => self.tail_leaves(k),
                Flow::Wave => {}
            }
            k += 1;
        }
        if self.lobby.transit_len() != 0 {
            self.meter_arrival(self.len());
            self.exit_bytes();
        }
        if tail && self.life.is_live() {
            self.exit_tail();
        }
    }

    /// The bytes in transit, or the tail behind none, arrive at station `k`. `tail` is cleared if
    /// the tail stays behind.
    #[inline(never)]
    fn show(&mut self, k: usize, tail: &mut bool) -> Flow {
        self.meter_arrival(k);
        if *tail {
            self.tail_at = TailAt::at(k, TailState::Unseen);
        }
        if self.lobby.transit_len() == 0 { self.show_tail(k) } else { self.show_bytes(k, tail) }
    }

    /// Counts the bytes in transit as come to station `k`, if somebody wants to know.
    fn meter_arrival(&mut self, k: usize) {
        if self.routing.is_some()
            && let Some(meter) = self.desk.meter_mut()
        {
            meter.arrive(k, self.lobby.transit_len());
        }
    }

    /// The bytes in transit arrive at station `k`. `tail` is cleared if the tail stays behind.
    fn show_bytes(&mut self, k: usize, tail: &mut bool) -> Flow {
        let bit = 1u64 << k;
        if self.stations.queues(k) {
            self.queue_unseen(k);
            return Flow::Rest;
        }
        let adds = self.stations.adder & bit != 0;
        if self.stations.wants_data & bit == 0 {
            let asks_trailers =
                adds || (self.lobby.has_trailers() && self.stations.wants_trailers & bit != 0);
            *tail &= !asks_trailers;
            return Flow::Wave;
        }
        let with_end = *tail && !adds && !self.lobby.has_trailers();
        *tail = with_end;
        if with_end {
            self.tail_at = TailAt::at(k, TailState::Shown);
        }
        self.ask_data(k)
    }

    /// Asks the filter of station `k` about the bytes in transit, together with what it holds.
    fn ask_data(&mut self, k: usize) -> Flow {
        if self.stations.held_is_empty(k) {
            let answer = self.call(k, Callback::Data, Bytes::Transit, 0);
            return self.apply(k, answer, Bytes::Transit, Flow::Wave);
        }
        let held = &mut self.stations.rest(k).held;
        let new_at = held.len();
        let packed = held.append_at_rest(self.lobby.transit());
        self.stations.stats.packed_bytes += packed as u64;
        let answer = self.call(k, Callback::Data, Bytes::Held, new_at);
        self.apply(k, answer, Bytes::Held, Flow::Rest)
    }

    /// The tail stands at station `k`, unseen, with no bytes directly before it. Asks the filter
    /// if it is to be asked; answers whether the tail goes on with the wave.
    pub(super) fn show_tail(&mut self, k: usize) -> Flow {
        let bit = 1u64 << k;
        match self.tail_callback(k) {
            TailCallback::Wait => Flow::Rest,
            TailCallback::None => {
                if self.stations.released & bit == 0 {
                    return Flow::Wave;
                }
                // Bytes let go before are still waiting to leave: the tail follows them.
                self.tail_at = TailAt::at(k, TailState::Released);
                self.end_stations(bit);
                self.recharge(k);
                Flow::Rest
            }
            TailCallback::Ask(callback) => {
                if self.stations.adder & bit != 0 {
                    self.lobby.open().trailers.get_or_insert_default();
                }
                self.tail_at = TailAt::at(k, TailState::Shown);
                let (bytes, new_at) = match self.stations.held(k) {
                    Some(held) => (Bytes::Held, held.len()),
                    None => (Bytes::Transit, 0),
                };
                let answer = self.call(k, callback, bytes, new_at);
                self.apply(k, answer, bytes, Flow::Wave)
            }
        }
    }

    /// What an unseen tail at station `k` leads to (the tail rows of the state table).
    pub(super) fn tail_callback(&self, k: usize) -> TailCallback {
        let bit = 1u64 << k;
        let has = |mask: u64| mask & bit != 0;
        let stations = &*self.stations;
        if has(stations.quiet | stations.unseen) {
            TailCallback::Wait
        } else if has(stations.adder) || (self.lobby.has_trailers() && has(stations.wants_trailers))
        {
            TailCallback::Ask(Callback::Trailers)
        } else if has(stations.wants_data) {
            TailCallback::Ask(Callback::Data)
        } else if has(stations.holding) {
            TailCallback::Wait
        } else {
            TailCallback::None
        }
    }

    /// The tail leaves station `k` towards the sink.
    #[inline(never)]
    pub(super) fn tail_leaves(&mut self, k: usize) {
        self.drop_empty_trailers();
        let bit = 1u64 << k;
        if self.stations.ended & bit == 0 {
            self.end_stations(bit);
            self.recharge(k);
        }
    }

    /// The head leaves station `k` towards the sink: a declared length that the filter may break
    /// goes, unless the filter declared it itself (rule I12). Answers where the head goes next, and
    /// `None` if the message has been answered instead.
    pub(super) fn head_leaves(&mut self, k: usize) -> Option<usize> {
        let granted = self.desk.granted(number(k));
        let breaks_length =
            granted.has(Capability::ChangeLength) || granted.has(Capability::AddTrailers);
        let declared_here = self.desk.declared_by == Some(number(k));
        if breaks_length
            && !declared_here
            && !self.desk.facts.bodiless
            && let Some(head) = self.lobby.head_mut()
        {
            head.headers_mut().remove(header::CONTENT_LENGTH);
            self.desk.took_length_off = true;
        }
        self.leave_route(k)
    }
}

/// What an unseen tail at a station leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TailCallback {
    /// It waits: for a resume, or behind unseen bytes.
    Wait,
    /// It passes by without a call.
    None,
    /// The filter is asked.
    Ask(Callback),
}
