use crate::sync::{AtomicU64, Ordering};

/// The sender waits for room: a waker of it is registered.
const WAITING: u64 = 1;
/// The sender aborted: what was fetched must not be handed out.
const ABORTED: u64 = 1 << 1;
/// The receiver is gone.
const CLOSED: u64 = 1 << 2;
const FLAG_BITS: u32 = 3;

/// What the two halves tell each other without the lock, in one word.
///
/// | bits | what | set by | cleared by |
/// |---|---|---|---|
/// | 0 | the sender waits | sender | both |
/// | 1 | aborted | sender | – |
/// | 2 | closed | receiver | – |
/// | 3..64 | bytes given back since the start, modulo 2^61 | receiver | – |
///
/// It is one word so that "I gave back" and "I wait" have an order: of two read-modify-writes one
/// sees the other, so either the sender sees the bytes or the receiver sees that it waits.
///
/// On a cache line of its own: the receiver writes here for every item, while the sender is busy
/// with the lock.
#[repr(align(128))]
pub(super) struct Word(AtomicU64);

/// What the receiver finds when it gives back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    None,
    SenderWaits,
    Aborted,
}

// Ordering: all operations are Relaxed. The count carries nothing but itself; a flag is set with
// the lock held, and who sees one takes the lock before it acts: the lock orders what is behind it.
impl Word {
    #[inline]
    pub(super) fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Gives back `bytes`.
    #[inline]
    pub(super) fn give_back(&self, bytes: u64) -> News {
        // Ordering: Relaxed, see above. The sum wraps out of the top; flags stay.
        let before = self.0.fetch_add(bytes << FLAG_BITS, Ordering::Relaxed);
        match before & (WAITING | ABORTED) {
            0 => News::None,
            WAITING => News::SenderWaits,
            _ => News::Aborted,
        }
    }

    /// What of `sent_bytes` was not given back, as far as this thread knows: never too little.
    #[inline]
    pub(super) fn held_bytes(&self, sent_bytes: u64) -> u64 {
        // Ordering: Relaxed. An old value is a higher weight.
        held_bytes(sent_bytes, self.0.load(Ordering::Relaxed))
    }

    /// Says that the sender waits. What of `sent_bytes` was not given back by then: exact.
    #[inline]
    pub(super) fn wait(&self, sent_bytes: u64) -> u64 {
        // Ordering: Relaxed, see above; called with the lock held.
        held_bytes(sent_bytes, self.0.fetch_or(WAITING, Ordering::Relaxed))
    }

    /// Whether the sender waits, as far as this thread knows; exact with the lock held.
    #[inline]
    pub(super) fn is_waiting(&self) -> bool {
        // Ordering: Relaxed, see above.
        self.0.load(Ordering::Relaxed) & WAITING != 0
    }

    /// Says that the sender does not wait any more.
    #[inline]
    pub(super) fn stop_waiting(&self) {
        // An old value costs a wake that finds nobody waiting.
        if !self.is_waiting() {
            return;
        }
        // Ordering: Relaxed. Whoever saw the flag before finds out by the lock.
        self.0.fetch_and(!WAITING, Ordering::Relaxed);
    }

    /// Called with the lock held.
    #[inline]
    pub(super) fn abort(&self) {
        // Ordering: Relaxed, see above.
        self.0.fetch_or(ABORTED, Ordering::Relaxed);
    }

    /// Called with the lock held.
    #[inline]
    pub(super) fn close(&self) {
        // Ordering: Relaxed, see above.
        self.0.fetch_or(CLOSED, Ordering::Relaxed);
    }

    /// Whether the receiver is gone, as far as this thread knows.
    #[inline]
    pub(super) fn is_closed(&self) -> bool {
        // Ordering: Relaxed. An old value is found out at the next lock.
        self.0.load(Ordering::Relaxed) & CLOSED != 0
    }
}

#[inline]
fn held_bytes(sent_bytes: u64, word: u64) -> u64 {
    sent_bytes.wrapping_sub(word >> FLAG_BITS) & (u64::MAX >> FLAG_BITS)
}
