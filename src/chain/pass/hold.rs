use std::panic::{AssertUnwindSafe, catch_unwind};

use super::ask_some;
use crate::chain::ask::{Bytes as At, Flow};
use crate::chain::position::{HeadAt, TailAt, number};
use crate::chain::stations::from;
use crate::chain::{Chain, Source, Work};
use crate::filter::{Decision, Growth, Head, Verdict, View, ViewParts};
use crate::limits;
use crate::watermark::Side;

impl<H: Head> Chain<H> {
    /// Whether the verdict of station `k` on a chunk, which lies alone in the output queue, only
    /// keeps it, and nothing else follows from that: neither a limit nor packing.
    pub(super) fn holds_only(&self, k: usize, verdict: Verdict) -> bool {
        let len = self.out.len();
        matches!(verdict.decision(), Decision::Hold { .. })
            && !verdict.wants_again()
            && !self.desk.touched
            && self.grown_bytes == 0
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
        let waits = stations.unseen
            | stations.released
            | stations.over
            | stations.refused
            | stations.again
            | stations.resumed;
        let held_bytes = stations.held(k).map_or(0, |held| held.len());
        let fits =
            self.plan.max_frame_bytes.min(usize::try_from(self.out_marks.high()).unwrap_or(0));
        let exit_room = self.lengths.exit_room_bytes();
        stations.holding == 1u64 << k
            && waits | self.desk.adding == 0
            && held_bytes != 0
            && held_bytes <= fits
            && held_bytes as u64 <= exit_room
            && self.out.is_empty()
            && self.out_side == Side::Below
            && self.head_at == HeadAt::Taken
            && self.tail_at == TailAt::Awaited
            && self.source == Source::Running
            && self.work == Work::Done
            && self.lobby.entrance_len() == 0
            && self.routing.is_none()
            && held_bytes as u64 <= self.room_behind(k)
    }

    /// Asks the filter of station `k` again, of which [`holds_one_piece`](Self::holds_one_piece)
    /// is true.
    pub(in crate::chain) fn resume_piece(&mut self, k: usize) {
        let Self { filters, stations, desk, calls, .. } = self;
        let held = &mut stations.rest(k).held;
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
                self.stations.open(k);
                self.stations.release_all(k, &mut self.out);
                self.pass_behind(k, held_bytes);
                self.refresh();
            }
            Ok(verdict) => {
                self.grown_bytes = view.grown_bytes();
                self.guarded(|chain| {
                    if chain.apply(k, verdict, At::Held, Flow::Rest) == Flow::Wave {
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
    fn pass_behind(&mut self, k: usize, len: usize) {
        let asked = self.stations.wants_data & from(k + 1);
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
                if is_edited || self.desk.touched {
                    self.pass_edited(len);
                }
            }
            Ok(Some(verdict)) => {
                let grown_bytes = view.grown_bytes();
                let stop = super::Stop { k: usize::from(at), verdict };
                self.pass_stopped(k + 1, stop, grown_bytes, arrived_bytes);
            }
            Err(payload) => self.pass_panicked(k + 1, at, arrived_bytes, payload),
        }
    }
}
