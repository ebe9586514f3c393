use core::fmt;
use core::task::Waker;

use super::handle::ResumeHandle;
use super::shared::Shared;
use crate::sync::{Arc, Ordering};

/// The driver's end of all resume handles of one chain.
///
/// Dropping it closes every handle.
pub struct ResumeSet {
    shared: Arc<Shared>,
}

impl ResumeSet {
    /// A set for `stations` stations, all open.
    ///
    /// # Panics
    ///
    /// If `stations` is over 64: pending bits are one word.
    #[must_use]
    pub fn new(stations: usize) -> Self {
        assert!(stations <= 64, "a resume set has at most 64 stations");
        Self { shared: Arc::new(Shared::new(stations)) }
    }

    /// A handle for `station`.
    ///
    /// # Panics
    ///
    /// If `station` is not below the number the set was made for.
    #[must_use]
    pub fn handle(&self, station: u8) -> ResumeHandle {
        ResumeHandle::new(Arc::clone(&self.shared), station)
    }

    /// Registers the waker of the task that drives the chain. The newest one counts.
    ///
    /// Call it before [`take_pending`](Self::take_pending) in the poll that may return `Pending`.
    pub fn register(&self, waker: &Waker) {
        self.shared.register(waker);
    }

    /// Takes all pending resumes: bit k is station k.
    #[must_use]
    pub fn take_pending(&self) -> u64 {
        // Ordering: Relaxed. A bit set before the registration is ordered by the waker's lock; one
        // set after it wakes.
        if self.shared.pending.load(Ordering::Relaxed) == 0 {
            return 0;
        }
        // Ordering: Acquire pairs with the Release of `resume`, so what a resuming thread wrote
        // before is visible to the filter that is asked; AcqRel because the zero is published to
        // the next `resume`, which decides on it whether to wake.
        self.shared.pending.swap(0, Ordering::AcqRel)
    }

    /// Whether a handle of `station` is alive, or a resume of it is waiting.
    #[must_use]
    pub fn may_resume(&self, station: u8) -> bool {
        let bit = 1u64 << station;
        // The counter first, then the bit: see the module page. Ordering: Acquire pairs with the
        // Release of `remove_handle`, which follows the handle's own `resume`.
        self.shared.handles[usize::from(station)].load(Ordering::Acquire) != 0
            || self.shared.pending.load(Ordering::Acquire) & bit != 0
    }

    /// Closes the stations in `mask`: their handles answer
    /// [`Resumed::Gone`](super::Resumed::Gone) from now on.
    pub fn close_stations(&self, mask: u64) {
        // Ordering: Relaxed. A resume that races with this may still set its bit; the driver
        // ignores bits of stations it has closed.
        self.shared.open.fetch_and(!mask, Ordering::Relaxed);
    }
}

impl Drop for ResumeSet {
    fn drop(&mut self) {
        self.close_stations(u64::MAX);
        self.shared.forget_waker();
    }
}

impl fmt::Debug for ResumeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResumeSet")
            .field("stations", &self.shared.handles.len())
            .finish_non_exhaustive()
    }
}
