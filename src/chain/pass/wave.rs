use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::{Stop, stops};
use crate::chain::Chain;
use crate::chain::lobby::Standing;
use crate::chain::position::{HeadAt, TailAt, TailState, number};
use crate::chain::stations::from;
use crate::filter::{Filter, Growth, Head, Verdict, View, ViewParts};

impl<H: Head> Chain<H> {
    /// Whether what is in transit, and with `tail` the tail behind it, can go on from before
    /// station `k` by [`pass_wave`](Self::pass_wave): nothing is kept there or behind, and nothing
    /// is to be decided between two stations.
    pub(in crate::chain) fn wave_only_passes(&self, k: usize, tail: bool) -> bool {
        let stations = &*self.stations;
        let kept = stations.holding | stations.unseen | stations.released | self.desk.adding();
        // Behind bytes, trailers are shown by calls of their own.
        let stays_together = !self.lobby.has_trailers() || self.lobby.transit_len() == 0;
        kept & from(k) == 0
            && self.routing.is_none()
            && matches!(self.head_at, HeadAt::Output | HeadAt::Taken)
            && (!tail || (stations.adder & from(k) == 0 && stays_together && self.ends_by_bits()))
            && !self.is_over_from(k)
    }

    /// Shows what is in transit, and with `tail` the tail behind it, to all filters from station
    /// `k` on that look at it. Stops at the first that does anything but pass bytes on; what its
    /// call leads to has yet to be done, as if it had just been shown there.
    pub(in crate::chain) fn pass_wave(&mut self, k: usize, tail: bool) -> Option<Stop> {
        let Self { filters, stations, lobby, desk, .. } = self;
        let Standing { trailers, transit, .. } = lobby.open();
        let shows = Shows {
            data: stations.wants_data & from(k),
            trailers: match trailers {
                Some(_) if tail => stations.wants_trailers & from(k),
                Some(_) | None => 0,
            },
            bytes: !transit.is_empty(),
        };
        let mut view = View::new(ViewParts {
            body: transit,
            new_at: 0,
            station: number(k),
            growth: Growth::Open,
            input_ended: tail,
            head: None,
            trailers: if tail { trailers.as_mut() } else { None },
            desk,
        });
        let called = catch_unwind(AssertUnwindSafe(|| ask(filters, shows, &mut view)));
        let at = usize::from(view.station());
        let asked = shows.data | shows.trailers;
        let stop = match called {
            Ok(None) => {
                self.calls += u64::from(asked.count_ones());
                if tail {
                    self.stations.end(from(k));
                }
                return None;
            }
            Ok(Some(verdict)) => Stop::at(&view, verdict),
            Err(payload) => {
                self.calls += u64::from((asked & !from(at + 1)).count_ones());
                self.calling = Some(number(at));
                resume_unwind(payload);
            }
        };
        self.calls += u64::from((asked & !from(at + 1)).count_ones());
        if tail {
            self.stations.end(from(k) & !from(at));
            self.tail_at = TailAt::at(at, TailState::Shown);
        }
        Some(stop)
    }

    /// Whether the end of a station's output is only its bit: nobody has a handle, and no charge
    /// depends on it.
    pub(super) fn ends_by_bits(&self) -> bool {
        self.desk.resumes().is_none() && !self.desk.keeps_books()
    }
}

/// What is shown, and to whom.
#[derive(Debug, Clone, Copy)]
struct Shows {
    /// Stations that look at data: they are shown a plain end as well.
    data: u64,
    /// Stations that look at the trailers.
    trailers: u64,
    /// Whether there are bytes.
    bytes: bool,
}

/// Asks those filters one by one. Stops at the first that does anything but pass on what it was
/// shown.
fn ask<H: Head>(
    filters: &mut [Box<dyn Filter<H>>],
    shows: Shows,
    view: &mut View<'_, H>,
) -> Option<Verdict> {
    let mut mask = shows.data | shows.trailers;
    // Looked up once: most waves have none.
    let has_trailers = view.trailers().is_some();
    while mask != 0 {
        let k = number(mask.trailing_zeros() as usize);
        mask &= mask - 1;
        view.set_station(k);
        let filter = &mut filters[usize::from(k)];
        let verdict =
            if shows.trailers >> k & 1 == 0 { filter.data(view) } else { filter.trailers(view) };
        let Some(odd) = view.odd(verdict) else {
            if view.has_asked() || has_trailers && view.has_empty_trailers() {
                return Some(verdict);
            }
            continue;
        };
        // Bytes that were added to none would have to be shown before the tail.
        if !shows.bytes || view.has_asked() || stops(view, odd).is_some() {
            return Some(odd.verdict());
        }
    }
    None
}
