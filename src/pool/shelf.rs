use core::mem;
use std::collections::VecDeque;

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
    Open(VecDeque<T>),
    Closed,
}

impl<T> Shelf<T> {
    pub(super) fn new(capacity: usize) -> Self {
        let state = State { place: Place::Open(VecDeque::new()), stats: PoolStats::default() };
        Self { capacity, state: Mutex::new(state) }
    }

    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    pub(super) fn take(&self) -> Option<T> {
        self.take_by(VecDeque::pop_back)
    }

    pub(super) fn take_oldest(&self) -> Option<T> {
        self.take_by(VecDeque::pop_front)
    }

    fn take_by(&self, pop: impl FnOnce(&mut VecDeque<T>) -> Option<T>) -> Option<T> {
        let mut state = lock(&self.state);
        let value = match &mut state.place {
            Place::Open(values) => pop(values),
            Place::Closed => None,
        };
        let counter =
            if value.is_some() { &mut state.stats.reused } else { &mut state.stats.missed };
        *counter += 1;
        value
    }

    pub(super) fn put(&self, value: T) {
        self.put_by(value, VecDeque::push_back);
    }

    pub(super) fn put_oldest(&self, value: T) {
        self.put_by(value, VecDeque::push_front);
    }

    fn put_by(&self, value: T, push: impl FnOnce(&mut VecDeque<T>, T)) {
        {
            let mut state = lock(&self.state);
            match &mut state.place {
                Place::Open(values) if values.len() < self.capacity => {
                    push(values, value);
                    state.stats.returned += 1;
                    return;
                }
                Place::Open(_) | Place::Closed => state.stats.refused += 1,
            }
        }
        // The value's own code: outside the lock.
        drop(value);
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
