//! Tables of plans that are replaced while traffic flows.
//!
//! A [`Table`] maps keys (routes, listeners: the embedder's choice) to [entries](Entry). A publish
//! replaces any number of keys at once. A [`Reader`] looks keys up for one task or thread, and
//! gives each message a [`Pin`]: the entry that the message started on, until it ends. A
//! [`Controller`] makes the entries: of specs, of what builds say, and of which extensions are up.
//! [`delta`] keeps copies of parts of a table elsewhere.
//!
//! # Guarantees
//!
//! The numbers are those of the requirements for a table that can be swapped under load. Tests have
//! them in their names (`tests/table`).
//!
//! | number | guarantee | where |
//! |---|---|---|
//! | G1 | What a consumer has is known by consumer and key, and forgotten when it drops the key: who asks again is answered in full, changed or not, there or not. | [`delta::Session::subscribe`] |
//! | G2 | A failure is a value under the same key, of the same shape. | [`Entry`]: [`Ready`] or a [`Fault`]; an absent key is an answer of its own, [`Absent`] |
//! | G3 | A publish is all or nothing. A key whose edit cannot be built keeps its last good plan, and says since when and why; without one it is a failure. | [`Table::publish`], [`Entry::after_failed_edit`], [`Controller`] |
//! | G4 | Epochs grow with each publish and are never used again, also not behind a restart. A delta says from where to where it leads; who is not there is told all. | [`Epoch`], [`delta::Delta`] |
//! | G5 | A consumer's copy is of one epoch at every instant. | [`delta::Replica::apply`] |
//! | G6 | A message holds its entry for its whole life. Old plans are freed when their last message ends; how many epochs are alive is known and bounded. | [`Pin`], [`Table::epochs`], [`limits::MAX_LIVE_EPOCHS`] |
//! | G7 | Deltas lead to the table, whatever happened: edits, faults, drops, new sessions, lost, doubled and late deliveries. | [`delta`] |
//! | G8 | What was wrong mends itself: an extension that is up again brings all its keys back, with no edit; what nobody tells is retried, and what a copy lost is found by a digest. | [`Controller::extension_up`], [`Controller::poll`], [`delta::Session::check`] |
//! | G9 | Keys are independent: a change of one touches no other, and a fault of one stops no other. Keys of the infrastructure cannot fail. | [`Changes`], [`Controller::set_exempt`] |
//! | G10 | A consumer that rejects a delta keeps what it has, is not sent the same again, and holds up nobody. | [`delta::Session::nack`] |
//! | G11 | Lookups are counted by what served them: a plan, a stale one, one without some of its filters, a failure, nothing. | [`Counters`] |
//! | G12 | A swap never changes what a message under way does. | a pin has no way to another entry |
//!
//! # Cost
//!
//! | what | cost |
//! |---|---|
//! | lookup on the current epoch | one atomic load, one hash, the walk to the key; for the pin two reference counts, which go down again when the message ends, and a count |
//! | first lookup of a reader behind a publish | a lock, held for a pointer and the place of its counts; two allocations |
//! | publish of an edit of one key among n | about 2√n pointers copied and four allocations, with no lock held; then a lock for the swap |
//!
//! The map is persistent: about √n shards of about √n keys, of which an edit copies one. A plain
//! map behind a pointer would copy all n keys; a tree would copy fewer, and make each lookup
//! longer.
//!
//! # Readers and writers
//!
//! The number of the epoch is written with the lock of the snapshot held. So whoever reads the new
//! number, and then takes the lock, takes it after the writer and gets that snapshot or a later
//! one; whoever reads the old number goes on with the old snapshot, as if it had come a moment
//! earlier. A reader cannot go back: it has read the new number, or taken the lock behind it. The
//! load needs no order of its own.
//!
//! Publishes hold no lock while they make their map. If another one comes first, the map is made
//! again on top of it: none is lost, and one of the two has gone on.
//!
//! # What user code runs where
//!
//! Hashes and comparisons of keys: in the caller's lookup or publish; a panic comes out there and
//! changes nothing. Drops of keys, plans and errors: on the thread that lets go of the last
//! reference, contained each by itself. Wakers of a [`Watch`]: on the thread that publishes,
//! contained. None of it with a lock held, so all of it may ask the table.
//!
//! # Example
//!
//! ```
//! use core::time::Duration;
//! use tidegate::table::{Changes, Entry, Fault, Table};
//!
//! let table = Table::new(0x5eed); // Another number after each restart.
//! let mut changes = Changes::new();
//! changes.set("/api", Entry::ready("plan 1"));
//! table.publish(&changes)?;
//!
//! let mut reader = table.reader(); // One for each worker.
//! let message = reader.pin("/api").expect("the route is there");
//!
//! // An edit of the route cannot be built: the last good plan stays, and says so.
//! let fault = Fault::new(Duration::from_secs(90), "line 7: no such filter");
//! let entry = message.entry().after_failed_edit(fault);
//! let mut changes = Changes::new();
//! changes.set("/api", entry);
//! table.publish(&changes)?;
//!
//! let next = reader.pin("/api").expect("the route is there");
//! assert_eq!(next.plan().expect("the last good one"), &"plan 1");
//! assert_eq!(next.entry().fault().expect("stale").since(), Duration::from_secs(90));
//! // The first message goes on as it began.
//! assert_eq!((message.epoch().number, next.epoch().number), (1, 2));
//! assert_eq!(table.epochs()[0].live(), 1);
//! # Ok::<(), tidegate::table::PublishError>(())
//! ```
//!
//! This module never names bytes, HTTP or a runtime, never reads a clock, and never runs code of
//! the user with a lock held.

mod absent;
mod changes;
mod controller;
mod counters;
pub mod delta;
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
pub(crate) mod signal;
mod snapshot;
mod watch;

use core::fmt;
use core::hash::Hash;

pub use absent::Absent;
pub use changes::Changes;
pub use controller::{
    Build, BuildError, Built, Cause, Change, Controller, ExemptKey, Extensions, Mode, Report,
};
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
