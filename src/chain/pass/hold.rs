use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{Stop, ask_some};
use crate::chain::ask::{Answer, Bytes as At, Flow};
use crate::chain::position::{HeadAt, TailAt, number};
use crate::chain::stations::from;
use crate::chain::{Chain, Source, Work};
use crate::filter::{Decision, Growth, Head, Verdict, View, ViewParts};
use crate::limits;
use crate::watermark::Side;

impl<H: Head> Chain<H> {
    /// Whether the verdict of station `k` on a chunk, which lies alone in the output queue, only
    /// keeps it, and nothing else follows from that: neither a limit nor packing.
    pub(super) fn holds_only(&self, k: usize, answer: Answer) -> bool {
        let len = self.out.len();
        matches!(answer.verdict.decision(), Decision::Hold { .. })
            && !answer.verdict.wants_again()
            && !self.desk.touched
            && answer.grown_bytes == 0
            && self.out.is_one_chunk()
            && len >= limits::PACK_BELOW_BYTES
            && len as u64 <= self.stations.room_bytes(k, self.desk.marks(number(k)))
    }

    /// Station `k` keeps the chunk that lies in the output queue.
    pub(super) fn hold_chunk(&mut self, k: usize, verdict: Verdict) {
        let Decision::Hold { overflow, quiet } = verdict.decision() else { return };
        let stations = &mut *self.stations;
        stations.hold(k, overflow, quiet);
        stations.hold_all(k, &mut self.out);
        stations.stats.peak_held_bytes = stations.stats.peak_held_bytes.max(stations.held_bytes());
        self.fast_chunk_bytes = 0;
        #[cfg(debug_assertions)]
        self.invariants();
    }

    /// Whether the bytes that station `k` holds are all that the chain keeps, and could go through
    /// the rest of it as a chunk does.
    pub(in crate::chain) fn holds_one_piece(&self, k: usize) -> bool {
        let stations = &*self.stations;
        let Some(held) = stations.held(k) else { return false };
        let held_bytes = held.len();
        let looks_behind = stations.wants_data & from(k + 1) != 0;
        stations.only_holds(k)
            && self.desk.adding() == 0
            && held_bytes <= self.chunk_limit_bytes()
            && held_bytes as u64 <= self.lengths.exit_room_bytes()
            && self.out.is_empty()
            && self.out_side == Side::Below
            && self.head_at == HeadAt::Taken
            && self.tail_at == TailAt::Awaited
            && self.source == Source::Running
            && self.work == Work::Done
            && self.lobby.entrance_len() == 0
            && self.routing.is_none()
            && (!looks_behind || held_bytes as u64 <= self.room_behind(k))
    }

    /// Asks the filter of station `k` again, of which [`holds_one_piece`](Self::holds_one_piece)
    /// is true.
    pub(in crate::chain) fn resume_piece(&mut self, k: usize) {
        let Self { filters, stations, desk, calls, .. } = self;
        let Some(rest) = stations.rest_mut(k) else { return };
        let held = &mut rest.held;
        let held_bytes = held.len();
        let mut view = View::new(ViewParts {
            body: held,
            new_at: held_bytes,
            station: number(k),
            growth: Growth::Open,
            input_ended: false,
            head: None,
            trailers: None,
            desk,
        });
        *calls += 1;
        let called = catch_unwind(AssertUnwindSafe(|| filters[k].resume(&mut view)));
        match called {
            Ok(verdict) if view.odd(verdict).is_none() && !view.has_asked() => {
                let stations = &mut *self.stations;
                stations.open(k);
                stations.release_all(k, &mut self.out);
                if self.pass_behind(k, held_bytes) {
                    // Nothing stands in the way of the next chunk, as before this one.
                    self.open_fast_path();
                } else {
                    self.refresh();
                }
            }
            Ok(verdict) => {
                let answer = Answer { verdict, grown_bytes: view.grown_bytes() };
                self.guarded(|chain| {
                    if chain.apply(k, answer, At::Held, Flow::Rest) == Flow::Wave {
                        chain.go_on_behind(k);
                    }
                    chain.drive();
                });
            }
            Err(payload) => {
                self.calling = Some(number(k));
                self.on_panic(payload);
                self.refresh();
            }
        }
    }

    /// Carries what lies in the output queue, `len` bytes, through the filters behind station `k`.
    /// Answers whether they did nothing but pass it.
    fn pass_behind(&mut self, k: usize, len: usize) -> bool {
        let asked = self.stations.wants_data & from(k + 1);
        if asked == 0 {
            self.lengths.exited_bytes += len as u64;
            return true;
        }
        let Self { filters, out, desk, .. } = self;
        let mut view = View::new(ViewParts {
            body: out,
            new_at: 0,
            station: number(k),
            growth: Growth::Open,
            input_ended: false,
            head: None,
            trailers: None,
            desk,
        });
        let called = catch_unwind(AssertUnwindSafe(|| ask_some(filters, asked, &mut view)));
        let (at, arrived_bytes) = (view.station(), view.arrived_bytes());
        match called {
            Ok(None) => {
                let is_edited = view.is_edited();
                self.calls += u64::from(asked.count_ones());
                self.lengths.exited_bytes += len as u64;
                let only_passed = !is_edited && !self.desk.touched;
                if !only_passed {
                    self.pass_edited(len);
                }
                only_passed
            }
            Ok(Some(verdict)) => {
                let stop = Stop::at(&view, verdict);
                self.pass_stopped(k + 1, stop, arrived_bytes);
                false
            }
            Err(payload) => {
                self.pass_panicked(k + 1, at, arrived_bytes, payload);
                false
            }
        }
    }
}
