//! The fast paths: what passes when nobody holds anything.
//!
//! Here a chunk, in `head` the head, in `wave` what goes on otherwise, in `hold` a chunk that one
//! filter holds for a while. All ask filter by filter
//! with one view, and stop where a filter does anything but pass: there the general engine goes on.
//!
//! The chunk is put into the (empty) output queue, and each filter that wants data is handed a
//! borrow of that queue. If all pass, the chunk is where it belongs already. The first odd thing
//! takes the bytes out again and goes on in the general engine.
//!
//! This module never keeps anything.

mod head;
mod hold;
mod wave;

use core::any::Any;
use core::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;

use super::Chain;
use super::ask::{Answer, Bytes as At, Flow};
use super::position::number;
use super::stations::from;
use crate::filter::{Filter, Growth, Head, Odd, Verdict, View, ViewParts};

impl<H: Head> Chain<H> {
    /// Carries `data` through all filters that want data. The caller has checked `fast`, the
    /// limits, and that the output queue is empty.
    #[inline]
    pub(super) fn pass(&mut self, data: Bytes) {
        let len = data.len();
        let Self { filters, out, desk, stations, data_count, .. } = self;
        out.push_only(data);
        // Made out here, so that it still names the station if a filter panics.
        let mut view = View::new(ViewParts {
            body: out,
            new_at: 0,
            station: 0,
            growth: Growth::Open,
            input_ended: false,
            head: None,
            trailers: None,
            desk,
        });
        let called = catch_unwind(AssertUnwindSafe(|| {
            if usize::from(*data_count) == filters.len() {
                // The usual case needs no mask.
                ask_all(filters, &mut view)
            } else if *data_count == 0 {
                None
            } else {
                ask_some(filters, stations.wants_data, &mut view)
            }
        }));
        match called {
            Ok(None) => {
                self.calls += u64::from(self.data_count);
                self.lengths.exited_bytes += len as u64;
                // Without an edit, what lies in the queue is what was put there.
                if view.is_edited() || self.desk.touched {
                    self.pass_edited(len);
                }
            }
            Ok(Some(verdict)) => {
                let arrived_bytes = view.arrived_bytes();
                let stop = Stop::at(&view, verdict);
                self.pass_stopped(0, stop, arrived_bytes);
            }
            Err(payload) => {
                let (k, arrived_bytes) = (view.station(), view.arrived_bytes());
                self.pass_panicked(0, k, arrived_bytes, payload);
            }
        }
    }

    /// The filters from station `first` on were asked, and one did anything but pass.
    #[inline(never)]
    fn pass_stopped(&mut self, first: usize, stop: Stop, arrived_bytes: usize) {
        self.count_calls(first, stop.k);
        self.meter_stop(stop.k, arrived_bytes);
        self.pass_on(stop);
    }

    /// The filters from station `first` on were asked, and that of station `k` panicked.
    #[cold]
    fn pass_panicked(
        &mut self,
        first: usize,
        k: u8,
        arrived_bytes: usize,
        payload: Box<dyn Any + Send>,
    ) {
        self.calling = Some(k);
        self.count_calls(first, usize::from(k));
        self.meter_stop(usize::from(k), arrived_bytes);
        self.stations.stats.discarded_bytes += self.out.discard();
        self.on_panic(payload);
        self.refresh();
    }

    /// Counts the calls of a wave from station `first` on that stopped at station `k`.
    fn count_calls(&mut self, first: usize, k: usize) {
        let before = self.stations.wants_data & from(first) & !from(k);
        self.calls += 1 + u64::from(before.count_ones());
    }

    /// A chunk leaves the fast path at station `k`, if somebody wants to know.
    fn meter_stop(&mut self, k: usize, arrived_bytes: usize) {
        if let Some(meter) = self.desk.meter_mut() {
            meter.stop_at(k, arrived_bytes);
        }
    }

    /// All filters passed, but one of them edited, or asked for something else.
    #[inline(never)]
    fn pass_edited(&mut self, len: usize) {
        if self.desk.touched || self.out.len() != len || !self.out.is_one_chunk() {
            self.pass_cold(len as u64);
        }
    }

    /// The queue is not what it would be if all had only passed.
    #[cold]
    fn pass_cold(&mut self, counted_bytes: u64) {
        self.guarded(|chain| {
            chain.settle_effects(0);
            chain.desk.drop_undelivered();
            // Once more through the exit, which checks before anything reaches the sink.
            chain.lengths.exited_bytes -= counted_bytes;
            mem::swap(chain.lobby.transit(), &mut chain.out);
            chain.exit_bytes();
            chain.drive();
        });
    }

    /// Goes on in the general engine at the station where something odd happened.
    fn pass_on(&mut self, stop: Stop) {
        let Stop { k, answer } = stop;
        if self.holds_only(k, answer) {
            return self.hold_chunk(k, answer.verdict);
        }
        mem::swap(self.lobby.transit(), &mut self.out);
        self.guarded(|chain| {
            if chain.apply(k, answer, At::Transit, Flow::Wave) == Flow::Wave {
                chain.wave(k + 1, false);
            }
            // Nothing waited before; a plain hold leaves nothing to do.
            if chain.life.is_live() && chain.has_work_after_call() {
                chain.drive();
            }
        });
    }
}

/// Where a fast path stopped: the filter that was called last, and its answer, with which nothing
/// has been done yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stop {
    pub(super) k: usize,
    pub(super) answer: Answer,
}

impl Stop {
    /// At the filter that was called last with `view`.
    fn at<H: Head>(view: &View<'_, H>, verdict: Verdict) -> Self {
        let answer = Answer { verdict, grown_bytes: view.grown_bytes() };
        Self { k: usize::from(view.station()), answer }
    }
}

/// Asks all filters one by one. Stops at the first that does anything but pass on bytes:
/// the view then names its station.
#[inline]
fn ask_all<H: Head>(filters: &mut [Box<dyn Filter<H>>], view: &mut View<'_, H>) -> Option<Verdict> {
    for (filter, k) in filters.iter_mut().zip(0u8..) {
        view.set_station(k);
        let verdict = filter.data(view);
        if let Some(odd) = view.odd(verdict)
            && let Some(verdict) = stops(view, odd)
        {
            return Some(verdict);
        }
    }
    None
}

/// As [`ask_all`], for the filters in `mask`. Not inlined: [`ask_all`] gets better registers.
#[inline(never)]
fn ask_some<H: Head>(
    filters: &mut [Box<dyn Filter<H>>],
    mut mask: u64,
    view: &mut View<'_, H>,
) -> Option<Verdict> {
    while mask != 0 {
        let k = number(mask.trailing_zeros() as usize);
        mask &= mask - 1;
        view.set_station(k);
        let verdict = filters[usize::from(k)].data(view);
        if let Some(odd) = view.odd(verdict)
            && let Some(verdict) = stops(view, odd)
        {
            return Some(verdict);
        }
    }
    None
}

/// Whether a call that was odd stops the wave: unless it only edited, passed, and left bytes to go
/// on. The verdict, if so.
#[inline(never)]
fn stops<H: Head>(view: &mut View<'_, H>, odd: Odd) -> Option<Verdict> {
    let verdict = odd.verdict();
    if verdict.is_pass() && !view.body_is_empty() {
        view.passes_on_edited();
        return None;
    }
    Some(verdict)
}
