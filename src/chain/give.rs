//! Filters that are not there when a chain is made: given from outside, because they belong
//! together with others, or made when the head comes to them, because it may not.
//!
//! This module never calls a filter.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::Chain;
use super::position::number;
use crate::error::ErrorKind;
use crate::filter::{Filter, Head};
use crate::unwind::drop_contained;

/// Stands where a filter will be [given](Chain::give_filter), or made when the head comes.
/// Boxing it allocates nothing.
pub(super) struct Placeholder;

impl<H: Head> Filter<H> for Placeholder {}

impl<H: Head> Chain<H> {
    /// Puts `filter` at station `k`, for which the plan has none. Before any input. It goes with
    /// the message: it is not asked whether it serves another.
    pub(crate) fn give_filter(&mut self, k: usize, filter: Box<dyn Filter<H>>) {
        debug_assert!(!self.has_begun(), "filters are given before any input");
        // No filters: a maker panicked, and the message has failed.
        if let Some(slot) = self.filters.get_mut(k) {
            drop_contained(core::mem::replace(slot, filter));
        } else {
            drop_contained(filter);
        }
    }

    /// The head has come to station `k`, whose filter is not there yet.
    #[cold]
    pub(super) fn make_late(&mut self, k: usize) {
        self.stations.late &= !(1u64 << k);
        let Some(make) = &self.plan.stations[k].make else { return };
        // A maker that panics is taken for its filter.
        self.calling = Some(number(k));
        let filter = make();
        self.calling = None;
        self.filters[k] = filter;
    }

    /// The filter for station `k` could not be made: the maker panicked.
    pub(crate) fn fail_given(&mut self, k: usize) {
        if self.outcome().is_none() {
            self.fail_filter(k, ErrorKind::Panicked);
        }
    }
}

/// What `make` makes, unless it panics.
pub(crate) fn made_contained<T>(make: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(make)) {
        Ok(made) => Some(made),
        Err(payload) => {
            drop_contained(payload);
            None
        }
    }
}
