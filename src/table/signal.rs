use core::mem;
use core::task::Waker;
use std::collections::BTreeMap;

use crate::sync::{AtomicU64, Mutex, Ordering, lock};
use crate::unwind::{contained, drop_contained};

/// The number of the current epoch, and who waits for the next.
pub(crate) struct Signal {
    number: AtomicU64,
    waiting: Mutex<Waiting>,
}

struct Waiting {
    wakers: BTreeMap<u64, Waker>,
    /// No subscription had this number or a higher one.
    next: u64,
}

impl Signal {
    pub(crate) fn new() -> Self {
        let waiting = Waiting { wakers: BTreeMap::new(), next: 0 };
        Self { number: AtomicU64::new(0), waiting: Mutex::new(waiting) }
    }

    /// The number of the current epoch: that of a snapshot which is there, or a lower one if the
    /// publish did not happen before.
    pub(crate) fn number(&self) -> u64 {
        // Ordering: Relaxed. Nothing is read on the strength of it but the snapshot, by its lock,
        // under which the number was written: who has read n takes the lock after that writer.
        self.number.load(Ordering::Relaxed)
    }

    /// By a publish, with the lock of the snapshot held.
    pub(crate) fn set_number(&self, number: u64) {
        // Ordering: Relaxed, as above.
        self.number.store(number, Ordering::Relaxed);
    }

    pub(crate) fn subscribe(&self) -> u64 {
        let mut waiting = lock(&self.waiting);
        waiting.next += 1;
        waiting.next - 1
    }

    /// Has `waker` woken by the next publish, unless there has been one since `seen`: then that is
    /// said, and nothing will be woken.
    pub(crate) fn register(&self, id: u64, seen: Option<u64>, waker: &Waker) -> Option<u64> {
        // User code: outside the lock.
        let fresh = waker.clone();
        let (news, old, unused) = {
            let mut waiting = lock(&self.waiting);
            // With the lock held. A publish writes the number and then takes what waits: it finds
            // this waker, or its number is found here.
            let number = self.number();
            if seen == Some(number) {
                (None, waiting.wakers.insert(id, fresh), None)
            } else {
                (Some(number), waiting.wakers.remove(&id), Some(fresh))
            }
        };
        // Apart: each may panic.
        drop_contained(old);
        drop_contained(unused);
        news
    }

    pub(crate) fn unsubscribe(&self, id: u64) {
        let waker = lock(&self.waiting).wakers.remove(&id);
        drop_contained(waker);
    }

    /// Wakes all that wait, each once and by itself.
    pub(crate) fn wake_all(&self) {
        let wakers = mem::take(&mut lock(&self.waiting).wakers);
        for waker in wakers.into_values() {
            contained(move || waker.wake());
        }
    }
}
