use core::mem;

use super::PoolStats;
use crate::sync::{Mutex, lock};

/// Where values wait, shared by the pool and its leases.
pub(super) struct Shelf<T> {
    capacity: usize,
    state: Mutex<State<T>>,
}

struct State<T> {
    place: Place<T>,
    stats: PoolStats,
}

enum Place<T> {
    /// Invariant: at most the capacity.
    Open(Vec<T>),
    Closed,
}

impl<T> Shelf<T> {
    pub(super) fn new(capacity: usize) -> Self {
        let state = State { place: Place::Open(Vec::new()), stats: PoolStats::default() };
        Self { capacity, state: Mutex::new(state) }
    }

    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    pub(super) fn take(&self) -> Option<T> {
        let mut state = lock(&self.state);
        let value = match &mut state.place {
            Place::Open(values) => values.pop(),
            Place::Closed => None,
        };
        let counter =
            if value.is_some() { &mut state.stats.reused } else { &mut state.stats.missed };
        *counter += 1;
        value
    }

    pub(super) fn put(&self, value: T) {
        let refused = {
            let mut state = lock(&self.state);
            match &mut state.place {
                Place::Open(values) if values.len() < self.capacity => {
                    values.push(value);
                    state.stats.returned += 1;
                    None
                }
                Place::Open(_) | Place::Closed => {
                    state.stats.refused += 1;
                    Some(value)
                }
            }
        };
        // The value's own code: outside the lock.
        drop(refused);
    }

    pub(super) fn close(&self) {
        let place = mem::replace(&mut lock(&self.state).place, Place::Closed);
        drop(place);
    }

    pub(super) fn stats(&self) -> PoolStats {
        let state = lock(&self.state);
        let kept = match &state.place {
            Place::Open(values) => values.len(),
            Place::Closed => 0,
        };
        PoolStats { kept, ..state.stats }
    }
}
