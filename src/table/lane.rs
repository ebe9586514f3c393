use super::counters::Counters;
use super::entry::Entry;
use super::epoch::Epoch;
use crate::sync::{AtomicU32, AtomicU64, Ordering};

/// What one reader counts on one epoch. Its pins count their ends in it, on any thread.
///
/// All but `ended` is written by the reader alone, with a load and a store: no other thread waits
/// for these, and whoever adds them up may read them a moment late.
pub(super) struct Lane {
    pub(super) epoch: Epoch,
    served: AtomicU64,
    stale: AtomicU64,
    degraded: AtomicU64,
    failed: AtomicU64,
    absent: AtomicU64,
    ended: AtomicU64,
    /// 1 once the reader has looked at a later epoch, or is gone.
    left: AtomicU32,
}

impl Lane {
    pub(super) fn new(epoch: Epoch) -> Self {
        Self {
            epoch,
            served: AtomicU64::new(0),
            stale: AtomicU64::new(0),
            degraded: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            absent: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            left: AtomicU32::new(0),
        }
    }

    /// Counts a lookup that found `entry`, and the start of a message. By the reader.
    pub(super) fn count<P>(&self, entry: &Entry<P>) {
        match entry {
            Entry::Ready(ready) => {
                add_one(&self.served);
                if ready.stale().is_some() {
                    add_one(&self.stale);
                }
                if ready.is_degraded() {
                    add_one(&self.degraded);
                }
            }
            Entry::Failed(_) => add_one(&self.failed),
        }
    }

    /// Counts a lookup that found nothing. By the reader.
    pub(super) fn count_absent(&self) {
        add_one(&self.absent);
    }

    /// Counts the end of a message, whose entry is let go already.
    pub(super) fn end(&self) {
        // Ordering: Release. Who reads the count sees what the drop of the message's plan did; also
        // for those that ended before, as each of these is a read-modify-write.
        self.ended.fetch_add(1, Ordering::Release);
    }

    pub(super) fn leave(&self) {
        // Ordering: Relaxed. A count for people.
        self.left.store(1, Ordering::Relaxed);
    }

    pub(super) fn is_looked_at(&self) -> bool {
        // Ordering: Relaxed, as above.
        self.left.load(Ordering::Relaxed) == 0
    }

    pub(super) fn ended(&self) -> u64 {
        // Ordering: Acquire pairs with the Release of `end`.
        self.ended.load(Ordering::Acquire)
    }

    pub(super) fn counters(&self) -> Counters {
        // Ordering: Relaxed. Each is a count for itself.
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Counters {
            served: read(&self.served),
            stale: read(&self.stale),
            degraded: read(&self.degraded),
            failed: read(&self.failed),
            absent: read(&self.absent),
        }
    }
}

/// By the only writer.
fn add_one(count: &AtomicU64) {
    // Ordering: Relaxed. A count for itself.
    count.store(count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
}
