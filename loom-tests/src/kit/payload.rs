//! What a happens-before is claimed for.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A number that may only be touched by one thread at a time, and read by another only after
/// something that happens after the write: a plain variable, which loom watches.
///
/// The orderings of an engine that publishes nothing but its own atomics are never put to the test;
/// a model that claims "what was written before is seen after" has to write and read one of these.
#[derive(Default)]
pub struct Payload {
    #[cfg(not(any(feature = "native", feature = "shuttle")))]
    watched: Watched,
    // Loom's own cell has no safe access. It watches the accesses, and the number lies beside it.
    value: AtomicU64,
}

#[cfg(not(any(feature = "native", feature = "shuttle")))]
#[derive(Default)]
struct Watched(loom::cell::UnsafeCell<()>);

// Safety: nothing is in it. It is shared so that loom sees who touches it when.
#[cfg(not(any(feature = "native", feature = "shuttle")))]
unsafe impl Sync for Watched {}

impl Payload {
    /// A payload of 0.
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes. Fails the model if another thread's access is not ordered before this one.
    #[track_caller]
    pub fn write(&self, value: u64) {
        #[cfg(not(any(feature = "native", feature = "shuttle")))]
        self.watched.0.with_mut(|_| ());
        self.value.store(value, Relaxed);
    }

    /// Reads. Fails the model if another thread's write is not ordered before this.
    #[track_caller]
    pub fn read(&self) -> u64 {
        #[cfg(not(any(feature = "native", feature = "shuttle")))]
        self.watched.0.with(|_| ());
        self.value.load(Relaxed)
    }
}
