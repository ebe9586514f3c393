use core::mem::size_of;
use std::collections::VecDeque;

use super::field::Kept;
use super::hpack_error::HpackError;

/// What an entry counts for besides its name and its value, in bytes: section 4.1.
pub(super) const ENTRY_BYTES: usize = 32;

/// A field that was sent before.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) kept: Kept,
    /// What it counts for: its name, its value and [`ENTRY_BYTES`].
    pub(super) bytes: usize,
}

/// The fields that were sent before, the last one first: section 2.3.2.
///
/// Entries are ready to be handed on: an indexed field costs no look at its bytes, and no copy.
///
/// The RFC's 32 bytes do not pay for that. There are at most `max_bytes / 32` entries, whose slots
/// double as they are needed, and stay; a name and a value are allocations of their own, and so are
/// the counters of who has them. With what malloc adds that is eleven times `max_bytes` at most:
/// 30 KB, with names and values of one byte, where 4 KiB were announced. Nothing is reserved before
/// an entry comes.
#[derive(Debug)]
pub(super) struct DynamicTable {
    entries: VecDeque<Entry>,
    /// The sum of what they count for.
    bytes: usize,
    /// What the peer's encoder has chosen.
    limit_bytes: usize,
    /// What it can choose.
    max_bytes: usize,
    /// How often something has come in, or the limit was told.
    changes: u64,
}

const _: () = assert!(size_of::<Entry>() <= 3 * ENTRY_BYTES, "what is said of memory above");

impl DynamicTable {
    pub(super) const fn new(max_bytes: usize) -> Self {
        Self { entries: VecDeque::new(), bytes: 0, limit_bytes: max_bytes, max_bytes, changes: 0 }
    }

    /// How often it has been changed.
    pub(super) const fn changes(&self) -> u64 {
        self.changes
    }

    /// The entry `nth`, where the last one that came is 0.
    #[inline]
    pub(super) fn get(&self, nth: usize) -> Option<&Entry> {
        self.entries.get(nth)
    }

    pub(super) fn set_limit(&mut self, limit_bytes: usize) -> Result<(), HpackError> {
        if limit_bytes > self.max_bytes {
            return Err(HpackError::TableSize);
        }
        self.changes += 1;
        self.limit_bytes = limit_bytes;
        self.evict_to(limit_bytes);
        Ok(())
    }

    /// What has no room even alone leaves the table empty, and is no error: section 4.4.
    pub(super) fn insert(&mut self, entry: Entry) {
        self.changes += 1;
        match self.limit_bytes.checked_sub(entry.bytes) {
            Some(left_bytes) => {
                self.evict_to(left_bytes);
                self.bytes += entry.bytes;
                self.entries.push_front(entry);
            }
            None => self.evict_to(0),
        }
    }

    fn evict_to(&mut self, bytes: usize) {
        while self.bytes > bytes
            && let Some(entry) = self.entries.pop_back()
        {
            self.bytes -= entry.bytes;
        }
    }

    #[cfg(test)]
    pub(super) fn parts(&self) -> (&VecDeque<Entry>, usize) {
        (&self.entries, self.bytes)
    }
}
