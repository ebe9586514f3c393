//! `crate::sync` as loom sees it: the names of the engine's `src/sync.rs`, and those it may take
//! up next.
#![allow(unused_imports)]

pub(crate) use loom::sync::atomic::{
    AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering,
};
pub(crate) use loom::sync::{Arc, Mutex, MutexGuard};
pub(crate) use std::sync::{Arc as ConstArc, PoisonError};

/// Without a seed: a model has to do the same in each run.
pub(crate) type RandomState = std::hash::BuildHasherDefault<std::hash::DefaultHasher>;

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
