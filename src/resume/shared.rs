use core::task::Waker;

use super::resumed::Resumed;
use crate::sync::{AtomicU32, AtomicU64, Mutex, Ordering, lock};
use crate::unwind::contained;

/// What handles and set share.
///
/// | word | bit / slot k | set by | cleared by |
/// |---|---|---|---|
/// | `pending` | a resume of station k waits | `resume` | the driver's swap |
/// | `open` | station k can still be asked | construction | the driver |
/// | `handles[k]` | live handles of station k | clone | drop |
pub(super) struct Shared {
    pub(super) pending: AtomicU64,
    pub(super) open: AtomicU64,
    pub(super) handles: Box<[AtomicU32]>,
    waker: Mutex<Option<Waker>>,
}

impl Shared {
    pub(super) fn new(stations: usize) -> Self {
        Self {
            pending: AtomicU64::new(0),
            open: AtomicU64::new(all(stations)),
            handles: (0..stations).map(|_| AtomicU32::new(0)).collect(),
            waker: Mutex::new(None),
        }
    }

    pub(super) fn resume(&self, station: u8) -> Resumed {
        let bit = 1u64 << station;
        // Ordering: Relaxed, as in `close_stations`: a stale "open" costs one ignored bit.
        if self.open.load(Ordering::Relaxed) & bit == 0 {
            return Resumed::Gone;
        }
        // Ordering: Release publishes what the caller wrote to the filter that will be asked; also
        // for a caller that finds its bit set, as each of these is a read-modify-write. Nothing is
        // read on the strength of `before`: the waker has its lock.
        let before = self.pending.fetch_or(bit, Ordering::Release);
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
        // Ordering: Release so that what the handle did before, its last `resume` above all, is
        // visible to a driver that reads the zero. That of handles that went before is, too: each
        // of these is a read-modify-write.
        let before = self.handles[usize::from(station)].fetch_sub(1, Ordering::Release);
        // The driver has to look for a stall now, if the station can still be asked at all.
        // Ordering: Relaxed. A stale "open" costs one wake.
        if before == 1 && self.open.load(Ordering::Relaxed) & (1u64 << station) != 0 {
            // In a `Drop`.
            contained(|| self.wake());
        }
    }

    /// The newest waker counts. The set is whole at each step where `waker` may panic: a clone that
    /// panics leaves the one before, and one that panics when it is dropped has been replaced.
    pub(super) fn register(&self, waker: &Waker) {
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

    /// Ends the message for its handles, and lets the task's waker go: it must not be kept alive by
    /// a handle that outlives the message. Taken under the lock, dropped after it.
    pub(super) fn close(&self) {
        self.close_stations(u64::MAX);
        let waker = lock(&self.waker).take();
        // In a `Drop`.
        contained(move || drop(waker));
    }

    pub(super) fn close_stations(&self, mask: u64) {
        // Ordering: Relaxed. A resume that races with this may still set its bit; the driver
        // ignores bits of stations it has closed.
        self.open.fetch_and(!mask, Ordering::Relaxed);
    }

    /// As new. By the only owner: no handle is left, and what they did happened before.
    pub(super) fn reset(&mut self) {
        // Ordering: Relaxed. Nobody else can see it; who gets it next has it from this thread.
        self.pending.store(0, Ordering::Relaxed);
        // Ordering: Relaxed, as above.
        self.open.store(all(self.handles.len()), Ordering::Relaxed);
    }
}

/// One bit for each station.
fn all(stations: usize) -> u64 {
    if stations == 64 { u64::MAX } else { (1 << stations) - 1 }
}
