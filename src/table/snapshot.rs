use core::borrow::Borrow;
use core::fmt;
use core::hash::Hash;

use super::entry::Entry;
use super::epoch::Epoch;
use super::map::Map;
use crate::sync::Arc;

/// The whole table as one epoch has it. Never changes; cheap to clone.
///
/// For whoever wants all of it: a consumer that begins, a page for people, a test. It keeps every
/// plan of its epoch alive, and its lookups are not counted: messages use a
/// [`Reader`](super::Reader).
pub struct Snapshot<K, P>(pub(super) Arc<Whole<K, P>>);

/// An epoch and its map.
pub(super) struct Whole<K, P> {
    pub(super) epoch: Epoch,
    pub(super) map: Map<K, P>,
}

impl<K: Hash + Eq, P> Snapshot<K, P> {
    /// Which epoch it is of.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.0.epoch
    }

    /// The entry of `key`.
    #[must_use]
    pub fn get<Q>(&self, key: &Q) -> Option<&Entry<P>>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.0.map.get(key).map(|place| &place.node.entry)
    }

    /// The number of the epoch in which `key` got its entry.
    #[must_use]
    pub fn version<Q>(&self, key: &Q) -> Option<u64>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.0.map.get(key).map(|place| place.version)
    }

    /// Every key with its entry and the number of the epoch in which it got it, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &Entry<P>, u64)> {
        self.0.map.iter().map(|place| (&*place.node.key, &place.node.entry, place.version))
    }

    /// How many keys it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.map.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<K, P> Clone for Snapshot<K, P> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K: Hash + Eq, P> fmt::Debug for Snapshot<K, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot").field("epoch", &self.epoch()).field("keys", &self.len()).finish()
    }
}
