//! The fast path: a chunk when nobody holds anything.
//!
//! The chunk is put into the (empty) output queue, and each filter that wants data is handed a
//! borrow of that queue. If all pass, the chunk is where it belongs already. The first odd thing
//! takes the bytes out again and goes on in the general engine.

use core::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;

use super::ask::{Bytes as At, Flow};
use super::{Calling, Chain};
use crate::filter::{Growth, Head, Verdict, View, ViewParts};

/// Why a wave left the fast path.
struct Odd {
    k: usize,
    verdict: Verdict,
}

impl<H: Head> Chain<H> {
    /// Carries `data` through all filters that want data. The caller has checked `fast`, the
    /// limits, and that the output queue is empty.
    #[inline]
    pub(super) fn pass(&mut self, data: Bytes) {
        let len = data.len();
        self.out.push(data);
        self.calling = Calling::Filter;
        let called = catch_unwind(AssertUnwindSafe(|| self.ask_all()));
        match called {
            Ok(None) => {
                self.calling = Calling::Nobody;
                self.lengths.exited_bytes += len as u64;
                if self.desk.effects.touched
                    || self.out.len() != len
                    || len as u64 > self.out_marks.high()
                {
                    self.pass_cold(len as u64);
                }
            }
            Ok(Some(odd)) => self.pass_on(odd),
            Err(payload) => {
                self.stats.discarded_bytes += self.out.len() as u64;
                self.out.clear();
                self.on_panic(payload);
                self.refresh();
            }
        }
    }

    /// Asks the filters one by one; stops at the first that does anything but pass on bytes.
    #[inline]
    fn ask_all(&mut self) -> Option<Odd> {
        let Self { filters, out, desk, data_list, data_count, .. } = self;
        let data_count = usize::from(*data_count);
        let mut view = View::new(ViewParts {
            body: out,
            new_at: 0,
            growth: Growth::Open,
            input_ended: false,
            head: None,
            trailers: None,
            desk,
        });
        if data_count == filters.len() {
            // The usual case needs no list.
            for (filter, k) in filters.iter_mut().zip(0u8..) {
                view.set_station(k);
                let verdict = filter.data(&mut view);
                if !verdict.is_pass() || view.body_is_empty() {
                    return Some(Odd { k: usize::from(k), verdict });
                }
            }
            return None;
        }
        for &k in &data_list[..data_count] {
            view.set_station(k);
            let verdict = filters[usize::from(k)].data(&mut view);
            if !verdict.is_pass() || view.body_is_empty() {
                return Some(Odd { k: usize::from(k), verdict });
            }
        }
        None
    }

    /// All filters passed, but one of them edited or asked for something else, or the output queue
    /// is over its mark.
    #[cold]
    fn pass_cold(&mut self, counted_bytes: u64) {
        self.guarded(|chain| {
            chain.settle_effects();
            // Once more through the exit, which checks before anything reaches the sink.
            chain.lengths.exited_bytes -= counted_bytes;
            mem::swap(&mut chain.transit, &mut chain.out);
            chain.exit_bytes();
            chain.drive();
        });
    }

    /// Goes on in the general engine at the station where something odd happened.
    #[cold]
    fn pass_on(&mut self, odd: Odd) {
        let Odd { k, verdict } = odd;
        self.calling = Calling::Nobody;
        mem::swap(&mut self.transit, &mut self.out);
        self.guarded(|chain| {
            if chain.apply(k, verdict, At::Transit, Flow::Wave) == Flow::Wave {
                chain.wave(k + 1, false);
            }
            chain.drive();
        });
    }
}
