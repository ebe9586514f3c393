use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::Stop;
use crate::chain::Chain;
use crate::chain::lobby::Standing;
use crate::chain::position::{HeadAt, number};
use crate::chain::stations::from;
use crate::filter::{Capability, Filter, Growth, Head, Verdict, View, ViewParts};

impl<H: Head> Chain<H> {
    /// Whether the head can go on from before station `k` by [`pass_head`](Self::pass_head):
    /// nothing is to be decided between two stations.
    pub(in crate::chain) fn head_only_passes(&self, k: usize, with_end: bool) -> bool {
        let stations = &*self.stations;
        // An end that does not come along with the head is shown by a call of its own.
        let parts_with_end = stations.wants_data & !stations.wants_head | stations.adder;
        self.routing.is_none()
            && stations.late & from(k) == 0
            && !(with_end && (parts_with_end & from(k) != 0 || !self.ends_by_bits()))
            && !self.is_over_from(k)
            && self.lobby.transit_len() == 0
    }

    /// Shows the head to all filters from station `k` on that look at heads. Stops at the first
    /// that does anything but pass; what its call leads to has yet to be done, as if the head had
    /// just been shown there.
    pub(in crate::chain) fn pass_head(&mut self, k: usize, with_end: bool) -> Option<Stop> {
        let breakers = self.length_breakers() & from(k);
        let Self { filters, stations, lobby, desk, .. } = self;
        let stations = &mut **stations;
        let all = from(k) & !from(filters.len());
        let asked = stations.wants_head & from(k);
        let Standing { head, transit, .. } = lobby.open();
        let mut view = View::new(ViewParts {
            body: transit,
            new_at: 0,
            station: number(k),
            growth: Growth::Open,
            input_ended: with_end,
            head: head.as_mut(),
            trailers: None,
            desk,
        });
        let called = catch_unwind(AssertUnwindSafe(|| ask(filters, asked, breakers, &mut view)));
        let at = usize::from(view.station());
        let stop = match called {
            Ok(None) => {
                stations.started |= all;
                self.calls += u64::from(asked.count_ones());
                self.head_at = HeadAt::Output;
                if with_end {
                    self.stations.end(from(k));
                }
                return None;
            }
            Ok(Some(verdict)) => Stop::at(&view, verdict),
            Err(payload) => {
                stations.started |= all & !from(at + 1);
                self.calls += u64::from((asked & !from(at + 1)).count_ones());
                self.calling = Some(number(at));
                resume_unwind(payload);
            }
        };
        let before = all & !from(at);
        stations.started |= before;
        self.calls += u64::from((asked & !from(at + 1)).count_ones());
        if with_end {
            self.stations.end(before);
        }
        Some(stop)
    }

    /// The stations whose filters may break a declared length (rule I12).
    fn length_breakers(&self) -> u64 {
        let masks = &self.plan.masks;
        let can = |capability, mask| if self.desk.edge_has(capability) { mask } else { 0 };
        if self.desk.facts.bodiless {
            0
        } else {
            can(Capability::ChangeLength, masks.length_changers)
                | can(Capability::AddTrailers, masks.adders)
        }
    }
}

/// Asks the filters in `asked` about the head, and takes its length off behind those in `breakers`.
/// Stops at the first that does anything but pass.
fn ask<H: Head>(
    filters: &mut [Box<dyn Filter<H>>],
    asked: u64,
    breakers: u64,
    view: &mut View<'_, H>,
) -> Option<Verdict> {
    let mut mask = asked | breakers;
    while mask != 0 {
        let k = number(mask.trailing_zeros() as usize);
        mask &= mask - 1;
        if asked >> k & 1 != 0 {
            view.set_station(k);
            let verdict = filters[usize::from(k)].head(view);
            if view.odd(verdict).is_some() || view.has_asked() {
                return Some(verdict);
            }
        }
        if breakers >> k & 1 != 0 {
            view.take_length_off();
        }
    }
    None
}
