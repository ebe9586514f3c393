use core::task::{Context, Poll, Waker};

use crate::sync::{AtomicU32, Mutex, Ordering, lock};
use crate::unwind::contained;

/// One direction of the mailbox: at most one letter in its life, and the waker of its reader.
pub(super) struct Lane<T> {
    /// 1 while a letter waits. A hint for readers that are busy anyway; the lock decides.
    waiting: AtomicU32,
    slot: Mutex<Slot<T>>,
}

struct Slot<T> {
    letter: Letter<T>,
    waker: Option<Waker>,
}

enum Letter<T> {
    None,
    Waiting(T),
    /// It was read, or its reader is gone: nothing can be posted any more.
    Closed,
}

impl<T> Lane<T> {
    pub(super) fn new() -> Self {
        Self {
            waiting: AtomicU32::new(0),
            slot: Mutex::new(Slot { letter: Letter::None, waker: None }),
        }
    }

    /// Posts the letter and wakes the reader, whose waker may panic; gives it back if there was one
    /// before, or if the reader is gone.
    pub(super) fn post(&self, letter: T) -> Result<(), T> {
        let waker = {
            let mut slot = lock(&self.slot);
            if !matches!(slot.letter, Letter::None) {
                return Err(letter);
            }
            slot.letter = Letter::Waiting(letter);
            // Ordering: Relaxed. A reader that sees the hint takes the lock.
            self.waiting.store(1, Ordering::Relaxed);
            slot.waker.take()
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
            let known = slot.waker.as_ref().is_some_and(|known| known.will_wake(cx.waker()));
            if known || matches!(slot.letter, Letter::Closed) {
                return Poll::Pending;
            }
        }
        // User code: outside the lock. So the letter has to be looked for again.
        let fresh = cx.waker().clone();
        let (letter, unused) = {
            let mut slot = lock(&self.slot);
            match self.take(&mut slot) {
                Some(letter) => (Poll::Ready(letter), Some(fresh)),
                None => (Poll::Pending, slot.waker.replace(fresh)),
            }
        };
        drop(unused);
        letter
    }

    /// The reader goes away: nothing can be posted any more, and its waker is let go.
    pub(super) fn close(&self) {
        let (letter, waker) = {
            let mut slot = lock(&self.slot);
            let letter = core::mem::replace(&mut slot.letter, Letter::Closed);
            (letter, slot.waker.take())
        };
        // Both are user code, and the other half is still to be told.
        contained(move || drop(letter));
        contained(move || drop(waker));
    }

    fn take(&self, slot: &mut Slot<T>) -> Option<T> {
        if !matches!(slot.letter, Letter::Waiting(_)) {
            return None;
        }
        // Ordering: Relaxed, under the lock.
        self.waiting.store(0, Ordering::Relaxed);
        match core::mem::replace(&mut slot.letter, Letter::Closed) {
            Letter::Waiting(letter) => Some(letter),
            Letter::None | Letter::Closed => None,
        }
    }
}
