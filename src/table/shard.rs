use core::borrow::Borrow;

use super::node::Node;
use crate::sync::Arc;

/// One part of a map: open addressing, at most half full. Written only before it is shared.
pub(super) struct Shard<K, P> {
    /// As many as a power of two, or none.
    places: Vec<Option<Place<K, P>>>,
    len: usize,
}

/// Where a key is found.
pub(super) struct Place<K, P> {
    pub(super) hash: u64,
    /// The number of the epoch in which the key got this entry.
    pub(super) version: u64,
    pub(super) node: Arc<Node<K, P>>,
}

/// Places of the smallest shard that has any.
const FEWEST_PLACES: usize = 4;

impl<K: Eq, P> Shard<K, P> {
    pub(super) fn new() -> Self {
        Self { places: Vec::new(), len: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn find<Q>(&self, hash: u64, key: &Q) -> Option<&Place<K, P>>
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        self.places.get(self.position(hash, key)?)?.as_ref()
    }

    /// Where `key` is.
    fn position<Q>(&self, hash: u64, key: &Q) -> Option<usize>
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        let mask = self.places.len().checked_sub(1)?;
        let mut at = low(hash) & mask;
        // Ends: half of the places are free.
        while let Some(place) = &self.places[at] {
            if place.hash == hash && (*place.node.key).borrow() == key {
                return Some(at);
            }
            at = (at + 1) & mask;
        }
        None
    }

    /// Puts `place` in, for the one of its key before.
    pub(super) fn set(&mut self, place: Place<K, P>) {
        if let Some(at) = self.position(place.hash, &*place.node.key) {
            self.places[at] = Some(place);
            return;
        }
        if (self.len + 1) * 2 > self.places.len() {
            self.resize((self.places.len() * 2).max(FEWEST_PLACES));
        }
        self.add(place);
    }

    /// Puts in a place whose key is not there. There is room.
    fn add(&mut self, place: Place<K, P>) {
        let mask = self.places.len() - 1;
        let mut at = low(place.hash) & mask;
        while self.places[at].is_some() {
            at = (at + 1) & mask;
        }
        self.places[at] = Some(place);
        self.len += 1;
    }

    fn resize(&mut self, places: usize) {
        let old = core::mem::take(&mut self.places);
        self.places.resize_with(places, || None);
        self.len = 0;
        old.into_iter().flatten().for_each(|place| self.add(place));
    }

    /// Takes `key` out; whether it was there.
    pub(super) fn remove<Q>(&mut self, hash: u64, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        let Some(mut hole) = self.position(hash, key) else { return false };
        let mask = self.places.len() - 1;
        self.places[hole] = None;
        self.len -= 1;
        // What stands behind the hole moves into it, unless it would then stand before the place
        // where a search for it begins.
        let mut at = (hole + 1) & mask;
        while let Some(place) = &self.places[at] {
            let from_home = at.wrapping_sub(low(place.hash)) & mask;
            let from_hole = at.wrapping_sub(hole) & mask;
            if from_home >= from_hole {
                self.places[hole] = self.places[at].take();
                hole = at;
            }
            at = (at + 1) & mask;
        }
        true
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Place<K, P>> {
        self.places.iter().flatten()
    }
}

impl<K, P> Clone for Shard<K, P> {
    fn clone(&self) -> Self {
        Self { places: self.places.clone(), len: self.len }
    }
}

impl<K, P> Clone for Place<K, P> {
    fn clone(&self) -> Self {
        Self { hash: self.hash, version: self.version, node: Arc::clone(&self.node) }
    }
}

/// As many of the low bits of a hash as an index has.
#[expect(clippy::cast_possible_truncation, reason = "any bits of a hash are a hash")]
pub(super) fn low(hash: u64) -> usize {
    hash as usize
}
