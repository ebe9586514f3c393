use core::fmt;
use core::task::Waker;

use super::handle::{ResumeHandle, Resumed};
use crate::sync::{Arc, AtomicU32, AtomicU64, Mutex, Ordering, lock};

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
        let open = if stations == 64 { u64::MAX } else { (1 << stations) - 1 };
        Self {
            shared: Arc::new(Shared {
                pending: AtomicU64::new(0),
                open: AtomicU64::new(open),
                handles: (0..stations).map(|_| AtomicU32::new(0)).collect(),
                waker: Mutex::new(None),
            }),
        }
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

    /// Closes the stations in `mask`: their handles answer [`Resumed::Gone`] from now on.
    pub fn close_stations(&self, mask: u64) {
        // Ordering: Relaxed. A resume that races with this may still set its bit; the driver
        // ignores bits of stations it has closed.
        self.shared.open.fetch_and(!mask, Ordering::Relaxed);
    }
}

impl Drop for ResumeSet {
    fn drop(&mut self) {
        self.close_stations(u64::MAX);
        // The task's waker must not be kept alive by a handle that outlives the message. Taken
        // under the lock, dropped after it.
        let waker = lock(&self.shared.waker).take();
        drop(waker);
    }
}

impl fmt::Debug for ResumeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResumeSet")
            .field("stations", &self.shared.handles.len())
            .finish_non_exhaustive()
    }
}

/// What handles and set share.
///
/// | word | bit / slot k | set by | cleared by |
/// |---|---|---|---|
/// | `pending` | a resume of station k waits | `resume` | the driver's swap |
/// | `open` | station k can still be asked | construction | the driver |
/// | `handles[k]` | live handles of station k | clone | drop |
pub(super) struct Shared {
    pending: AtomicU64,
    open: AtomicU64,
    handles: Box<[AtomicU32]>,
    waker: Mutex<Option<Waker>>,
}

impl Shared {
    pub(super) fn resume(&self, station: u8) -> Resumed {
        let bit = 1u64 << station;
        // Ordering: Relaxed, as in `close_stations`: a stale "open" costs one ignored bit.
        if self.open.load(Ordering::Relaxed) & bit == 0 {
            return Resumed::Gone;
        }
        // Ordering: Release publishes what the caller wrote to the filter that will be asked;
        // Acquire so that a resume that finds its bit set happens after the one that set it.
        let before = self.pending.fetch_or(bit, Ordering::AcqRel);
        if before == 0 {
            self.wake();
        }
        if before & bit == 0 { Resumed::Queued } else { Resumed::AlreadyQueued }
    }

    pub(super) fn add_handle(&self, station: u8) {
        // Ordering: Relaxed. A count goes up only from the driver or from a live handle, so it
        // cannot race with the driver's decision on a zero.
        self.handles[usize::from(station)].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn remove_handle(&self, station: u8) {
        // Ordering: Release so that the handle's last `resume` is visible to a driver that reads
        // the zero; Acquire so that the one who reaches zero has seen the others' resumes.
        let before = self.handles[usize::from(station)].fetch_sub(1, Ordering::AcqRel);
        // The driver has to look for a stall now, if the station can still be asked at all.
        // Ordering: Relaxed. A stale "open" costs one wake.
        if before == 1 && self.open.load(Ordering::Relaxed) & (1u64 << station) != 0 {
            self.wake();
        }
    }

    fn register(&self, waker: &Waker) {
        {
            let slot = lock(&self.waker);
            if slot.as_ref().is_some_and(|known| known.will_wake(waker)) {
                return;
            }
        }
        // User code: outside the lock.
        let fresh = waker.clone();
        let old = lock(&self.waker).replace(fresh);
        drop(old);
    }

    fn wake(&self) {
        let waker = lock(&self.waker).take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}
