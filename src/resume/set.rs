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
    /// Clones the waker and drops the one before, with no lock held; a panic of either comes out
    /// here, and leaves one of the two registered.
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
        // before is visible to the filter that is asked. The zero publishes nothing: the next
        // `resume` reads it in a read-modify-write, and finds the waker by its lock.
        self.shared.pending.swap(0, Ordering::Acquire)
    }

    /// Whether a handle of `station` is alive, or a resume of it is waiting.
    #[must_use]
    pub fn may_resume(&self, station: u8) -> bool {
        let bit = 1u64 << station;
        // The counter first, then the bit: see the module page. Ordering: Acquire pairs with the
        // Release of `remove_handle`, which follows the handle's own `resume`.
        self.shared.handles[usize::from(station)].load(Ordering::Acquire) != 0
            // Ordering: Relaxed. What those handles set is visible by the zero just read.
            || self.shared.pending.load(Ordering::Relaxed) & bit != 0
    }

    /// Closes the stations in `mask`: their handles answer
    /// [`Resumed::Gone`](super::Resumed::Gone) from now on.
    pub fn close_stations(&self, mask: u64) {
        self.shared.close_stations(mask);
    }

    /// Ends the message for every handle, as dropping the set does, and makes the set ready for
    /// another message of `stations` stations.
    ///
    /// Answers whether it is ready. It is not while a handle is left, or one is being dropped: the
    /// allocation is what tells this message from the next one, so such handles keep it, and answer
    /// [`Resumed::Gone`](super::Resumed::Gone) for good. Nor is it for another number of stations.
    /// A set that is not ready stays closed: drop it, and make a new one when one is needed.
    ///
    /// No resume and no waker of the old message reaches the new one. A wake of the old task that
    /// is under way may still come, to the old task.
    #[must_use = "a set that is not ready stays closed"]
    pub fn recycle(&mut self, stations: usize) -> bool {
        self.shared.close();
        if self.shared.handles.len() != stations {
            return false;
        }
        // Every handle is behind us if there is none: an `Arc` is given up with Release, and found
        // to be the only one with Acquire.
        let Some(shared) = Arc::get_mut(&mut self.shared) else { return false };
        shared.reset();
        true
    }
}

impl Drop for ResumeSet {
    fn drop(&mut self) {
        self.shared.close();
    }
}

impl fmt::Debug for ResumeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResumeSet")
            .field("stations", &self.shared.handles.len())
            .finish_non_exhaustive()
    }
}
