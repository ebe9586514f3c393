use core::borrow::Borrow;
use core::fmt;
use core::hash::Hash;

use super::absent::Absent;
use super::epoch::Epoch;
use super::lane::Lane;
use super::pin::Pin;
use super::shared::Shared;
use super::signal::Signal;
use super::snapshot::Snapshot;
use crate::sync::Arc;

/// Looks keys up for one task or thread, in a snapshot of its own.
///
/// # Cost
///
/// A lookup on the current epoch: one atomic load, the hash, the walk to the key, and for the pin
/// two reference counts; no lock, no allocation. What it counts lies in words that this reader
/// alone writes. After a publish, once: a lock, held for the clone of a pointer, and two
/// allocations.
///
/// # Idle readers
///
/// A reader keeps the snapshot that it looked at last, and so every plan of that epoch, until its
/// next lookup, [`rest`](Self::rest) or its drop. One reader for each worker thread is always busy;
/// one for each connection should rest when the connection is idle. [`Table::epochs`] says which
/// epochs readers keep.
///
/// [`Table::epochs`]: super::Table::epochs
pub struct Reader<K, P> {
    signal: Arc<Signal>,
    shared: Arc<Shared<K, P>>,
    seen: Option<Seen<K, P>>,
}

/// What a reader looked at last.
struct Seen<K, P> {
    number: u64,
    snapshot: Snapshot<K, P>,
    lane: Arc<Lane>,
}

impl<K, P> Drop for Seen<K, P> {
    fn drop(&mut self) {
        self.lane.leave();
    }
}

impl<K: Hash + Eq, P> Reader<K, P> {
    pub(super) fn new(signal: &Arc<Signal>, shared: &Arc<Shared<K, P>>) -> Self {
        Self { signal: Arc::clone(signal), shared: Arc::clone(shared), seen: None }
    }

    /// The entry of `key` on the current epoch, for one message.
    ///
    /// An epoch is current here if its publish happened before; one that is under way may be seen
    /// or not. A reader never goes back.
    ///
    /// # Errors
    ///
    /// [`Absent`], if the table does not have the key.
    ///
    /// # Panics
    ///
    /// If the key's `Hash` or `Eq` does; nothing has changed then.
    pub fn pin<Q>(&mut self, key: &Q) -> Result<Pin<K, P>, Absent>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let Seen { snapshot, lane, .. } = self.look();
        if let Some(place) = snapshot.0.map.get(key) {
            Ok(Pin::new(&place.node, place.version, lane))
        } else {
            lane.count_absent();
            Err(Absent { epoch: lane.epoch })
        }
    }

    /// The current epoch, as [`pin`](Self::pin) would see it.
    pub fn epoch(&mut self) -> Epoch {
        self.look().lane.epoch
    }

    /// Lets go of the snapshot: what it kept alive is dropped here if nobody else holds it. The
    /// next lookup takes the lock.
    pub fn rest(&mut self) {
        self.seen = None;
    }

    fn look(&mut self) -> &Seen<K, P> {
        let number = self.signal.number();
        if self.seen.as_ref().is_some_and(|seen| seen.number != number) {
            self.rest();
        }
        self.seen.get_or_insert_with(|| {
            let (snapshot, lane) = self.shared.arrive();
            Seen { number: snapshot.epoch().number, snapshot, lane }
        })
    }
}

impl<K, P> fmt::Debug for Reader<K, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let epoch = self.seen.as_ref().map(|seen| seen.lane.epoch);
        f.debug_struct("Reader").field("looked_at", &epoch).finish_non_exhaustive()
    }
}
