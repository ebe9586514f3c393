//! One filter call: the view it is handed, the call, and what its verdict does.

use http::HeaderMap;

use super::lobby::Standing;
use super::position::{HeadAt, TailAt, TailState, number};
use super::{Chain, Source};
use crate::buf::BodyBuf;
use crate::error::{Error, ErrorKind, Origin};
use crate::filter::{Capability, Decision, Growth, Head, LocalReply, Verdict, View, ViewParts};

/// Which callback is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Callback {
    Head,
    Data,
    Trailers,
    Resume,
}

/// Where the bytes lie that the view borrows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bytes {
    /// In the wave's transit buffer: the station keeps nothing.
    Transit,
    /// In the station's `held` buffer.
    Held,
}

/// What a call came to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answer {
    pub(super) verdict: Verdict,
    /// By how much it made its view grow, with what the filter keeps.
    pub(super) grown_bytes: i64,
}

/// How a wave goes on behind a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    /// The wave goes on to the next station with what is in transit.
    Wave,
    /// The station keeps something, or its goods go on by the driver. Transit is empty.
    Rest,
}

impl<H: Head> Chain<H> {
    /// Calls the filter of station `k`. The caller has put the bytes where `bytes` says and, if
    /// the tail is shown by this call, marked it as shown.
    pub(super) fn call(
        &mut self,
        k: usize,
        callback: Callback,
        bytes: Bytes,
        new_at: usize,
    ) -> Answer {
        let growth = if self.is_over_from(k + 1) { Growth::Closed } else { Growth::Open };
        let input_ended = self.tail_at.state_at(k).is_some_and(|state| state == TailState::Shown);
        let Self { filters, stations, lobby, head_at, desk, calling, calls, .. } = self;
        let Standing { head, trailers, transit, .. } = lobby.open();
        let mut view = View::new(ViewParts {
            body: match bytes {
                Bytes::Transit => transit,
                Bytes::Held => &mut stations.rest(k).held,
            },
            new_at,
            station: number(k),
            growth,
            input_ended,
            head: if head_at.is_held_at(k) { head.as_mut() } else { None },
            trailers: if input_ended { trailers.as_mut() } else { None },
            desk,
        });
        *calling = Some(number(k));
        *calls += 1;
        let filter = &mut filters[k];
        let verdict = match callback {
            Callback::Head => filter.head(&mut view),
            Callback::Data => filter.data(&mut view),
            Callback::Trailers => filter.trailers(&mut view),
            Callback::Resume => filter.resume(&mut view),
        };
        *calling = None;
        Answer { verdict, grown_bytes: view.grown_bytes() }
    }

    /// Does what the answer of station `k` says (architecture.md, section 2).
    ///
    /// `within` says whether the call was made by a wave that could go on behind it.
    pub(super) fn apply(&mut self, k: usize, answer: Answer, bytes: Bytes, within: Flow) -> Flow {
        let bit = 1u64 << k;
        let Answer { verdict, grown_bytes } = answer;
        let decision = verdict.decision();
        self.desk.account_growth(number(k), grown_bytes);
        let mut kept_changed = false;
        if self.desk.touched {
            if self.desk.take_undeclared_result(number(k)) {
                return self.refuse_result(k);
            }
            kept_changed = self.settle_effects(bit);
            if !matches!(decision, Decision::End | Decision::Reply | Decision::Fail) {
                self.desk.drop_undelivered();
            }
        }
        if verdict.wants_again() {
            self.stations.again |= bit;
        }
        match decision {
            Decision::Pass => {
                self.stations.open(k);
                let keeps_nothing = self.keeps_nothing(k);
                let in_wave = within == Flow::Wave && bytes == Bytes::Transit;
                if keeps_nothing && in_wave && self.transit_is_free(k) {
                    self.desk.leaves(number(k), self.lobby.transit_len());
                    if kept_changed {
                        self.recharge(k);
                    }
                    return Flow::Wave;
                }
                if keeps_nothing && bytes == Bytes::Held && self.goes_in_one_piece(k) {
                    self.lift_held(k);
                    return Flow::Wave;
                }
                self.release_all(k, bytes);
            }
            Decision::Hold { overflow, quiet } => {
                self.stations.hold(k, overflow, quiet);
                self.rest(k, bytes);
            }
            Decision::First { bytes: first, overflow, quiet } => {
                self.stations.hold(k, overflow, quiet);
                self.release_first(k, bytes, first);
            }
            Decision::End => self.declare_end(k, bytes),
            Decision::Reply => {
                let reply = self.desk.take_reply();
                self.desk.drop_undelivered();
                match reply {
                    Some((by, reply)) if usize::from(by) == k => {
                        self.reply_from_filter(k, reply, bytes);
                    }
                    // A verdict kept from another call: there is no reply to send.
                    Some(_) | None => self.fail_filter(k, ErrorKind::Filter),
                }
            }
            Decision::Fail => self.fail_for_filter(k),
        }
        if self.life.is_live() {
            self.check_limit(k);
        }
        if self.life.is_live() {
            self.recharge(k);
        }
        Flow::Rest
    }

    /// Fails the message, because a filter held the head without being granted to.
    pub(super) fn refuse_head_hold(&mut self, k: usize) {
        let capability = Capability::HoldHead.name();
        self.fail_filter(k, ErrorKind::Undeclared { capability });
    }

    /// Fails the message, as the filter of station `k` has asked for.
    fn fail_for_filter(&mut self, k: usize) {
        let failure = self.desk.take_failure();
        self.desk.drop_undelivered();
        let error = match failure {
            Some((by, error)) if usize::from(by) == k => error,
            Some(_) | None => Error::new(ErrorKind::Filter, Origin::Filter),
        };
        self.fail(error.named(&self.plan.stations[k].name));
    }

    /// Fails the message, because a filter said a result that it did not declare: it must not go
    /// the way of another one.
    fn refuse_result(&mut self, k: usize) -> Flow {
        self.desk.drop_undelivered();
        self.fail_filter(k, ErrorKind::Undeclared { capability: "result" });
        Flow::Rest
    }

    /// Whether a verdict keeps the head.
    pub(super) fn keeps_head(verdict: Verdict) -> bool {
        matches!(verdict.decision(), Decision::Hold { .. })
    }

    /// Whether nothing of station `k` has to go before what passes through it now.
    fn keeps_nothing(&self, k: usize) -> bool {
        !matches!(self.head_at, HeadAt::Station { k: at, .. } if usize::from(at) == k)
            && self.stations.released & (1u64 << k) == 0
    }

    /// Whether what is in transit may go on behind station `k`. What a call about the tail alone
    /// gave back has not been metered yet.
    fn transit_is_free(&self, k: usize) -> bool {
        self.lobby.transit_len() == 0 || !self.is_over_from(k + 1)
    }

    /// Whether all that station `k` holds is the next piece to move (ruling 4), so that it can go
    /// on without being put into `released` first.
    fn goes_in_one_piece(&self, k: usize) -> bool {
        let held_bytes = self.stations.held(k).map_or(0, BodyBuf::len);
        held_bytes <= self.plan.max_frame_bytes
            && held_bytes as u64 <= self.room_behind(k)
            && !self.is_over_from(k + 1)
    }

    /// Takes all that station `k` holds into transit.
    fn lift_held(&mut self, k: usize) {
        self.lobby.transit().append(&mut self.stations.rest(k).held);
        self.desk.leaves(number(k), self.lobby.transit_len());
        self.recharge(k);
    }

    /// Everything that station `k` was shown may go.
    fn release_all(&mut self, k: usize, bytes: Bytes) {
        match bytes {
            Bytes::Transit if self.lobby.transit_len() == 0 => {}
            Bytes::Transit => self.stations.rest(k).released.append(self.lobby.transit()),
            Bytes::Held => {
                let rest = self.stations.rest(k);
                rest.released.append(&mut rest.held);
            }
        }
        self.settle_released(k);
        self.release_head(k);
        if self.tail_at.state_at(k) == Some(TailState::Shown) {
            self.tail_at = TailAt::at(k, TailState::Released);
            self.drop_empty_trailers();
            self.end_stations(1u64 << k);
        }
    }

    /// Trailers that are empty when they leave a station are a plain end.
    pub(super) fn drop_empty_trailers(&mut self) {
        if self.lobby.trailers().is_some_and(HeaderMap::is_empty) {
            self.lobby.take_trailers();
        }
    }

    fn release_head(&mut self, k: usize) {
        if self.head_at.is_held_at(k) {
            self.head_at = HeadAt::at(k, true);
        }
    }

    /// Everything that station `k` was shown stays.
    fn rest(&mut self, k: usize, bytes: Bytes) {
        if bytes == Bytes::Transit && self.lobby.transit_len() != 0 {
            let packed = self.stations.rest(k).held.append_at_rest(self.lobby.transit());
            self.stations.stats.packed_bytes += packed as u64;
        } else if bytes == Bytes::Held {
            let packed = self.stations.rest(k).held.settle_rest();
            self.stations.stats.packed_bytes += packed as u64;
        }
    }

    /// The head and the first bytes may go, the rest stays; so does the tail.
    fn release_first(&mut self, k: usize, bytes: Bytes, first: u64) {
        let first = usize::try_from(first).unwrap_or(usize::MAX);
        let rest = self.stations.rest(k);
        match bytes {
            Bytes::Transit => {
                let first = first.min(self.lobby.transit_len());
                self.lobby.transit().move_to(&mut rest.released, first);
            }
            Bytes::Held => {
                let first = first.min(rest.held.len());
                rest.held.move_to(&mut rest.released, first);
            }
        }
        self.settle_released(k);
        self.rest(k, bytes);
        self.release_head(k);
    }

    /// Keeps the bookkeeping of what waits to leave within its bound. Copies nothing, unless a
    /// filter has cut it to shreds.
    fn settle_released(&mut self, k: usize) {
        if let Some(rest) = self.stations.rest_mut(k) {
            self.stations.stats.packed_bytes += rest.released.settle() as u64;
        }
    }

    /// Station `k` declared the end (ruling 11).
    fn declare_end(&mut self, k: usize, bytes: Bytes) {
        let declared = self.desk.take_end_trailers().filter(|(by, _)| usize::from(*by) == k);
        self.desk.drop_undelivered();
        self.stop_source();
        self.stations.open(k);
        for before in 0..k {
            self.stations.stats.discarded_bytes += self.stations.discard(before);
        }
        self.end_stations((1u64 << k) - 1);
        for before in 0..k {
            self.recharge(before);
        }
        if let Some(rest) = self.stations.rest_mut(k) {
            let unseen_bytes = rest.unseen.discard();
            self.stations.stats.discarded_bytes += unseen_bytes;
        }
        if self.tail_at.state_at(k) != Some(TailState::Shown) {
            // A tail before this station is cut off with what came before it.
            self.lobby.put_trailers(declared.map(|(_, trailers)| trailers));
            self.tail_at = TailAt::at(k, TailState::Shown);
        }
        self.release_all(k, bytes);
    }

    /// Nothing more is taken from the source; what waits at the entrance is dropped.
    pub(super) fn stop_source(&mut self) {
        self.source = Source::Stopped;
        let discarded_bytes = self.lobby.entrance().discard();
        self.stations.stats.discarded_bytes += discarded_bytes;
    }

    /// The output of these stations has ended: their handles answer `Gone`.
    pub(super) fn end_stations(&mut self, mask: u64) {
        self.stations.end(mask);
        if let Some(resumes) = self.desk.resumes() {
            resumes.close_stations(mask);
        }
    }

    /// Does what callbacks asked for besides their verdicts. Kept bytes of the stations in `later`
    /// are left to the caller, who charges them together with what the verdict does; answers
    /// whether there are any.
    pub(super) fn settle_effects(&mut self, later: u64) -> bool {
        let asked = self.desk.take_asked();
        self.stations.refused |= asked.refused;
        // The recharge that follows, here or by the caller, looks for the high edge again.
        self.stations.over &= !asked.awaits_more;
        self.stations.wants_trailers &= !asked.dropped_trailers;
        self.stations.stats.failed_open += u64::from(asked.opened.count_ones());
        if asked.dropped_data != 0 {
            self.stations.wants_data &= !asked.dropped_data;
            self.data_count = number(self.stations.wants_data.count_ones() as usize);
        }
        let kept_later = asked.kept_changed & later != 0;
        let mut changed = (asked.kept_changed | asked.awaits_more) & !later;
        while changed != 0 {
            self.recharge(changed.trailing_zeros() as usize);
            changed &= changed - 1;
        }
        kept_later
    }

    /// Replies 413 / 500 if station `k` holds more than its high mark under a rejecting verdict.
    pub(super) fn check_limit(&mut self, k: usize) {
        if self.stations.rejecting & (1u64 << k) == 0 {
            return;
        }
        let limit_bytes = self.desk.marks(number(k)).high();
        if self.stations.kept_back_bytes(k, self.desk.kept(number(k))) > limit_bytes {
            let kind = ErrorKind::Limit { limit: "high mark", limit_bytes };
            let error = Error::new(kind, H::PEER).named(&self.plan.stations[k].name);
            self.reply_for_limit(k, LocalReply::new(H::OVERFLOW), error);
        }
    }

    /// What a quiet or data-blind holder lets queue, unseen.
    pub(super) fn queue_unseen(&mut self, k: usize) {
        let packed = self.stations.rest(k).unseen.append_at_rest(self.lobby.transit());
        self.stations.stats.packed_bytes += packed as u64;
        self.check_limit(k);
        if self.life.is_live() {
            self.recharge(k);
        }
    }
}
