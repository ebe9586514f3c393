//! What goes from one message to the next: memory, and filters that agree to it.
//!
//! Everything a message has said or done is forgotten here, and nowhere else.

use core::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::Chain;
use super::give::Placeholder;
use super::lobby::Lobby;
use super::plan;
use super::stations::from;
use super::stations_slot::StationsSlot;
use crate::buf::BodyBuf;
use crate::filter::{Desk, Filter, Head};
use crate::limits;
use crate::unwind::{contained, drop_contained};

/// What a chain is made of, and leaves behind.
pub(super) struct Storage<H: Head> {
    pub(super) filters: Kept<H>,
    pub(super) stations: StationsSlot,
    pub(super) desk: Desk,
    pub(super) out: BodyBuf,
    pub(super) lobby: Lobby<H>,
}

/// Where the storage of a chain comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Upkeep {
    /// Made for this message. What it will hardly need again is given back at once.
    Fresh,
    /// Of a message before, and for one after.
    Recycled,
    /// The engine itself went wrong: nothing of this goes to another message.
    Broken,
}

impl<H: Head> Storage<H> {
    /// Storage for a message of `plan`.
    pub(super) fn of(plan: &plan::Inner<H>) -> (Self, Upkeep) {
        if plan.keeps_chains()
            && let Some(storage) = plan.pool.take()
        {
            return (storage, Upkeep::Recycled);
        }
        let fresh = Self {
            filters: Kept::none(),
            stations: StationsSlot::new(&plan.idle),
            desk: Desk::new(&plan.declared),
            out: BodyBuf::new(),
            lobby: Lobby::new(),
        };
        (fresh, Upkeep::Fresh)
    }
}

impl<H: Head> Chain<H> {
    /// Forgets the message, where it lies. Buffers that have grown too large are given back.
    pub(super) fn forget(&mut self) {
        self.desk.reset();
        self.lobby.reset();
        self.out.reset();
        let kept_bytes = self.stations.reset() + self.lobby.kept_bytes() + self.out.kept_bytes();
        if kept_bytes > limits::RECYCLED_CHAIN_BYTES {
            self.stations.drop_buffers();
            self.lobby = Lobby::new();
            self.out = BodyBuf::new();
        }
    }
}

/// The filters of a message, in chain order.
pub(super) type Filters<H> = Box<[Box<dyn Filter<H>>]>;

/// Filters that serve another message. A panic in the drop of one is contained.
pub(super) struct Kept<H: Head> {
    /// Empty, or one for each station: placeholders where none was kept.
    filters: Filters<H>,
    /// Whose they are.
    stations: u64,
}

impl<H: Head> Kept<H> {
    fn none() -> Self {
        Self { filters: Box::default(), stations: 0 }
    }

    /// The stations whose filters were kept.
    pub(super) fn stations(&self) -> u64 {
        self.stations
    }

    /// Those of `filters` that agree. The others are dropped, and so are those in `unasked`.
    pub(super) fn of(mut filters: Filters<H>, unasked: u64) -> Self {
        let all = !from(filters.len());
        let (mut stations, mut left) = (0, all & !unasked);
        while left != 0 {
            contained(|| {
                while left != 0 {
                    let agrees = filters[left.trailing_zeros() as usize].recycle();
                    stations |= if agrees { left & left.wrapping_neg() } else { 0 };
                    left &= left - 1;
                }
            });
            // Left again only by a panic: the first that is left has not agreed.
            left &= left.saturating_sub(1);
        }
        let mut refused = all & !stations;
        while refused != 0 {
            let filter = &mut filters[refused.trailing_zeros() as usize];
            drop_contained(mem::replace(filter, Box::new(Placeholder)));
            refused &= refused - 1;
        }
        Self { filters, stations }
    }

    /// All filters of a message: the kept ones, and new ones between them. Where a maker panics
    /// there are none, and it is said which.
    pub(super) fn complete(mut self, plan: &plan::Inner<H>) -> (Filters<H>, Option<usize>) {
        let mut missing = !from(plan.stations.len()) & !self.stations & !plan.late & !plan.given;
        if self.filters.len() != plan.stations.len() {
            let placeholders = plan.stations.iter().map(|_| -> Box<dyn Filter<H>> {
                // Allocates nothing.
                Box::new(Placeholder)
            });
            self.filters = placeholders.collect();
        }
        while missing != 0 {
            let k = missing.trailing_zeros() as usize;
            missing &= missing - 1;
            let Some(make) = &plan.stations[k].make else { continue };
            match catch_unwind(AssertUnwindSafe(make)) {
                Ok(filter) => self.filters[k] = filter,
                Err(payload) => {
                    drop_contained(payload);
                    return (Box::default(), Some(k));
                }
            }
        }
        (mem::take(&mut self.filters), None)
    }
}

impl<H: Head> Drop for Kept<H> {
    fn drop(&mut self) {
        mem::take(&mut self.filters).into_iter().for_each(drop_contained);
    }
}
