use core::mem;
use core::task::{Context, Poll, Waker};

use crate::sync::{AtomicU32, Mutex, Ordering, lock};
use crate::unwind::contained;

/// One direction of the mailbox: at most one letter in its life, and the waker of its reader.
pub(super) struct Lane<T> {
    /// 1 while a letter waits. A hint for readers that are busy anyway; the lock decides.
    waiting: AtomicU32,
    slot: Mutex<Slot<T>>,
}

/// One word for all: a reader waits for a letter, or the letter for its reader.
enum Slot<T> {
    Empty,
    /// The reader is woken when there is a letter.
    Awaited(Waker),
    Waiting(T),
    /// It was read, or its reader is gone: nothing can be posted any more.
    Closed,
}

impl<T> Lane<T> {
    pub(super) fn new() -> Self {
        Self { waiting: AtomicU32::new(0), slot: Mutex::new(Slot::Empty) }
    }

    /// Posts the letter and wakes the reader, whose waker may panic; gives it back if there was one
    /// before, or if the reader is gone.
    pub(super) fn post(&self, letter: T) -> Result<(), T> {
        let waker = {
            let mut slot = lock(&self.slot);
            if matches!(*slot, Slot::Waiting(_) | Slot::Closed) {
                return Err(letter);
            }
            let before = mem::replace(&mut *slot, Slot::Waiting(letter));
            // Ordering: Relaxed. A reader that sees the hint takes the lock.
            self.waiting.store(1, Ordering::Relaxed);
            before.into_waker()
        };
        if let Some(waker) = waker {
            // The other side's: its panic is no business of this one, which has more to tell.
            contained(|| waker.wake());
        }
        Ok(())
    }

    /// Whether a letter waits, as far as this thread knows; one load.
    pub(super) fn has_letter(&self) -> bool {
        // Ordering: Relaxed. A stale zero is harmless: the reader finds the letter, at the
        // latest, when it registers its waker under the lock.
        self.waiting.load(Ordering::Relaxed) != 0
    }

    /// Takes the letter, or registers the waker. The newest waker counts.
    pub(super) fn poll(&self, cx: &Context<'_>) -> Poll<T> {
        {
            let mut slot = lock(&self.slot);
            if let Some(letter) = self.take(&mut slot) {
                return Poll::Ready(letter);
            }
            if slot.is_awaited_by(cx.waker()) || matches!(*slot, Slot::Closed) {
                return Poll::Pending;
            }
        }
        // User code: outside the lock. So the letter has to be looked for again.
        let fresh = cx.waker().clone();
        let (letter, unused) = {
            let mut slot = lock(&self.slot);
            match self.take(&mut slot) {
                Some(letter) => (Poll::Ready(letter), Some(fresh)),
                None => (Poll::Pending, slot.register(fresh)),
            }
        };
        drop(unused);
        letter
    }

    /// The reader goes away: nothing can be posted any more, and its waker is let go.
    pub(super) fn close(&self) {
        let slot = mem::replace(&mut *lock(&self.slot), Slot::Closed);
        // Letter and waker are user code, and the other half is still to be told.
        contained(move || drop(slot));
    }

    fn take(&self, slot: &mut Slot<T>) -> Option<T> {
        if !matches!(slot, Slot::Waiting(_)) {
            return None;
        }
        // Ordering: Relaxed, under the lock.
        self.waiting.store(0, Ordering::Relaxed);
        match mem::replace(slot, Slot::Closed) {
            Slot::Waiting(letter) => Some(letter),
            Slot::Empty | Slot::Awaited(_) | Slot::Closed => None,
        }
    }
}

impl<T> Slot<T> {
    fn is_awaited_by(&self, waker: &Waker) -> bool {
        matches!(self, Self::Awaited(known) if known.will_wake(waker))
    }

    fn into_waker(self) -> Option<Waker> {
        match self {
            Self::Awaited(waker) => Some(waker),
            Self::Empty | Self::Waiting(_) | Self::Closed => None,
        }
    }

    /// Registers the waker of a reader that has found no letter. The one before, to be dropped.
    fn register(&mut self, fresh: Waker) -> Option<Waker> {
        match self {
            Self::Empty | Self::Awaited(_) => mem::replace(self, Self::Awaited(fresh)).into_waker(),
            // Only the reader reads and closes, and it is here.
            Self::Waiting(_) | Self::Closed => Some(fresh),
        }
    }
}
