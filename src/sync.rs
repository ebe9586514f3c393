//! The only door to `Arc`, `Mutex` and atomics.
//!
//! What runs across threads imports these names from here and nothing else, so that a model
//! checker can put its own types in their place.
//!
//! This module never does anything but name types.

#[cfg(feature = "ext-proc-server")]
pub(crate) use std::sync::Weak;
pub(crate) use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
pub(crate) use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How keys are hashed: with a seed of the process. In a model every run has to be the same.
pub(crate) use std::hash::RandomState;

/// An `Arc` around what never changes once it is made, and whose count decides nothing that
/// another thread could see: plans, names, errors. It stays std's in a model, where every step of
/// an `Arc` would be one more step to interleave.
pub(crate) use std::sync::Arc as ConstArc;

/// Locks `mutex`, also after a panic in another holder.
///
/// Every critical section of this crate leaves its data whole at each step and runs no user code,
/// so a poisoned lock carries no broken state.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
