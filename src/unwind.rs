//! User code whose panic must not go further.
//!
//! This module never hides a panic from the panic hook: that has told it already.

use core::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs user code in a place that cannot pass a panic on: the outcome is fixed already, or it is a
/// `Drop`, which may run while the thread unwinds (a second panic would abort the process).
pub(crate) fn contained(work: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(work)) {
        // A payload may itself panic when dropped; then it is leaked.
        if let Err(worse) = catch_unwind(AssertUnwindSafe(move || drop(payload))) {
            mem::forget(worse);
        }
    }
}

/// Drops each of `items` by itself: dropped together, a second panic while the thread unwinds for
/// the first would abort the process.
pub(crate) fn drop_each_contained<T>(mut items: impl Iterator<Item = T>) {
    let mut are_left = true;
    while are_left {
        // Entered again only behind an item that panicked.
        contained(|| {
            items.by_ref().for_each(drop);
            are_left = false;
        });
    }
}

/// Drops what may be user code when it goes: a filter, a payload, a field value, a waker.
pub(crate) fn drop_contained<T>(value: T) {
    if mem::needs_drop::<T>() {
        contained(move || drop(value));
    }
}
