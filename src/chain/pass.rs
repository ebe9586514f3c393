//! The fast path: a chunk when nobody holds anything.
//!
//! The chunk is put into the (empty) output queue, and each filter that wants data is handed a
//! borrow of that queue. If all pass, the chunk is where it belongs already. The first odd thing
//! takes the bytes out again and goes on in the general engine.

use core::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;

use super::Chain;
use super::ask::{Bytes as At, Flow};
use crate::filter::{Growth, Head, Verdict, View, ViewParts};
use crate::watermark::Side;

/// Why a wave left the fast path.
struct Odd {
    k: usize,
    verdict: Verdict,
}

impl<H: Head> Chain<H> {
    /// Carries `data` through all filters that want data. The caller has checked `fast`.
    #[inline]
    pub(super) fn pass(&mut self, data: Bytes) {
        self.out.push(data);
        let called = catch_unwind(AssertUnwindSafe(|| self.ask_all()));
        match called {
            Ok(None) => {
                let len = self.out.len() as u64;
                self.lengths.exited_bytes += len;
                self.stats.calls += u64::from(self.data_count);
                if self.stats.peak_held_bytes < len {
                    self.stats.peak_held_bytes = len;
                }
                if self.effects.touched
                    || self.lengths.exited_bytes > self.lengths.exit_limit_bytes
                    || len > self.out_marks.high()
                {
                    self.pass_cold(len);
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
        let Self {
            filters,
            infos,
            out,
            effects,
            resumes,
            facts,
            data_list,
            data_count,
            running,
            ..
        } = self;
        let mut view = View::new(ViewParts {
            body: out,
            new_at: 0,
            station: 0,
            growth: Growth::Open,
            input_ended: false,
            facts: *facts,
            head: None,
            trailers: None,
            stations: infos,
            effects,
            resumes,
        });
        for &k in &data_list[..usize::from(*data_count)] {
            view.set_station(k);
            *running = Some(k);
            let verdict = filters[usize::from(k)].data(&mut view);
            if !verdict.is_pass() || view.body_is_empty() {
                return Some(Odd { k: usize::from(k), verdict });
            }
        }
        *running = None;
        None
    }

    /// All filters passed, but one of them asked for something else, or the exit has to act.
    #[cold]
    fn pass_cold(&mut self, len: u64) {
        self.guarded(|chain| {
            chain.settle_effects();
            if chain.lengths.exited_bytes > chain.lengths.exit_limit_bytes {
                // Nothing of this piece may reach the sink.
                chain.lengths.exited_bytes -= len;
                chain.transit = mem::take(&mut chain.out);
                chain.exit_bytes();
            }
            if chain.out.len() as u64 > chain.out_marks.high() {
                chain.out_side = Side::Above;
            }
            chain.drive();
        });
    }

    /// Goes on in the general engine at the station where something odd happened.
    #[cold]
    fn pass_on(&mut self, odd: Odd) {
        let Odd { k, verdict } = odd;
        self.running = None;
        mem::swap(&mut self.transit, &mut self.out);
        let before = self.data_list.iter().take_while(|&&each| usize::from(each) != k).count();
        self.stats.calls += before as u64 + 1;
        self.guarded(|chain| {
            if chain.apply(k, verdict, At::Transit, Flow::Wave) == Flow::Wave {
                chain.wave(k + 1, false);
            }
            chain.drive();
        });
    }
}
