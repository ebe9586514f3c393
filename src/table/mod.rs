//! Tables of plans that are replaced while traffic flows.
//!
//! A [`Table`] maps keys (routes, listeners: the embedder's choice) to plans. A publish replaces
//! any number of keys at once; each message goes on with the plan it started on.
//!
//! This module never names bytes, HTTP or a runtime, never reads a clock, and never runs code of
//! the user with a lock held.

mod absent;
mod changes;
mod counters;
mod entry;
mod epoch;
mod epoch_stats;
mod fault;
mod kept;
mod lane;
mod ledger;
mod map;
mod node;
mod pin;
mod publish_error;
mod reader;
mod ready;
mod shard;
mod shared;
mod signal;
mod snapshot;
mod watch;

use core::fmt;
use core::hash::Hash;

pub use absent::Absent;
pub use changes::Changes;
pub use counters::Counters;
pub use entry::Entry;
pub use epoch::Epoch;
pub use epoch_stats::EpochStats;
pub use fault::Fault;
pub use pin::Pin;
pub use publish_error::PublishError;
pub use reader::Reader;
pub use ready::Ready;
pub use snapshot::Snapshot;
pub use watch::Watch;

use crate::limits;
use crate::sync::Arc;
use shared::Shared;
use signal::Signal;

/// Keys and their plans. Cheap to clone: clones are the same table. See the [module](self).
pub struct Table<K, P> {
    signal: Arc<Signal>,
    shared: Arc<Shared<K, P>>,
}

impl<K: Hash + Eq, P> Table<K, P> {
    /// An empty table, at epoch 0 of the instance `nonce`.
    ///
    /// The nonce has to be another one after each restart (G4): a start time, or a random number.
    #[must_use]
    pub fn new(nonce: u64) -> Self {
        Self::with_max_live_epochs(nonce, limits::MAX_LIVE_EPOCHS)
    }

    /// As [`new`](Self::new), with another bound than [`limits::MAX_LIVE_EPOCHS`] on the epochs
    /// that are alive: the current one, and those that messages or readers hold. 0 counts as 1.
    #[must_use]
    pub fn with_max_live_epochs(nonce: u64, max_live_epochs: usize) -> Self {
        Self {
            signal: Arc::new(Signal::new()),
            shared: Arc::new(Shared::new(nonce, max_live_epochs.max(1))),
        }
    }

    /// Makes `changes` visible, all at once, as a new epoch, and wakes who waits for one.
    ///
    /// The new map is made with no lock held, then a pointer is swapped. Two publishes at once both
    /// take effect, in some order: the later one is made again on top of the other.
    ///
    /// What was replaced is dropped when its last message ends, or here.
    ///
    /// # Errors
    ///
    /// [`PublishError`]; then nothing has changed, and nobody is woken.
    ///
    /// # Panics
    ///
    /// If a key's `Hash` or `Eq` does; then, too, nothing has changed.
    pub fn publish(&self, changes: &Changes<K, P>) -> Result<Epoch, PublishError> {
        let epoch = self.shared.publish(&self.signal, changes)?;
        self.signal.wake_all();
        Ok(epoch)
    }

    /// A reader, for one task or thread.
    #[must_use]
    pub fn reader(&self) -> Reader<K, P> {
        Reader::new(&self.signal, &self.shared)
    }

    /// All of the current epoch.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot<K, P> {
        self.shared.snapshot()
    }

    /// The current epoch.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        Epoch { nonce: self.shared.nonce, number: self.signal.number() }
    }

    /// Tells of publishes.
    #[must_use]
    pub fn watch(&self) -> Watch {
        Watch::new(&self.signal, self.shared.nonce)
    }

    /// The epochs that are alive, the current one last: which of them messages hold, and which
    /// readers.
    ///
    /// An epoch that is not in it any more has no message and no reader, and what the drops of its
    /// plans did happened before. A [`Snapshot`] that somebody holds is not counted.
    #[must_use]
    pub fn epochs(&self) -> Vec<EpochStats> {
        self.shared.ask(|ledger, current| ledger.stats(current))
    }

    /// How lookups were served since the table was made (G11).
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.shared.ask(|ledger, _| ledger.counters())
    }
}

impl<K, P> Clone for Table<K, P> {
    fn clone(&self) -> Self {
        Self { signal: Arc::clone(&self.signal), shared: Arc::clone(&self.shared) }
    }
}

impl<K: Hash + Eq, P> fmt::Debug for Table<K, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").field("epoch", &self.epoch()).finish_non_exhaustive()
    }
}
