use core::borrow::Borrow;
use core::hash::{BuildHasher, Hash};

use super::changes::{Base, Change, Changes};
use super::shard::{Place, Shard, low};
use crate::sync::{Arc, RandomState};

/// A hash map that never changes: an edit makes another one, which shares all shards but those that
/// the edit touches.
///
/// With n keys there are about √n shards of about √n keys. So an edit of one key copies about 2√n
/// pointers (each with a count that goes up, and down again when the old map goes) and allocates
/// three times, and a lookup is still one hash, two indexes and a short walk.
pub(super) struct Map<K, P> {
    hasher: RandomState,
    /// As many as a power of two.
    shards: Box<[Arc<Shard<K, P>>]>,
    len: usize,
}

/// A map below so many keys has one shard: to copy it all is cheap.
const FEW_KEYS: usize = 64;

impl<K: Hash + Eq, P> Map<K, P> {
    pub(super) fn new(hasher: RandomState) -> Self {
        Self { hasher, shards: Box::new([Arc::new(Shard::new())]), len: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn get<Q>(&self, key: &Q) -> Option<&Place<K, P>>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let hash = self.hasher.hash_one(key);
        self.shards[shard_of(hash, self.shards.len())].find(hash, key)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Place<K, P>> {
        self.shards.iter().flat_map(|shard| shard.iter())
    }

    /// The map behind `changes`, whose new entries are of version `version`.
    pub(super) fn edited(&self, changes: &Changes<K, P>, version: u64) -> Self {
        let mut edited = match changes.base {
            Base::Current => {
                let shards = self.shards.clone();
                Self { hasher: self.hasher.clone(), shards, len: self.len }
            }
            Base::Empty => Self::new(self.hasher.clone()),
        };
        for change in &changes.list {
            edited.apply(change, version);
        }
        edited.spread()
    }

    fn apply(&mut self, change: &Change<K, P>, version: u64) {
        match change {
            Change::Set(node) => {
                let hash = self.hasher.hash_one(&*node.key);
                let place = Place { hash, version, node: Arc::clone(node) };
                self.in_shard(hash, |shard| shard.set(place));
            }
            Change::Remove(key) => {
                let hash = self.hasher.hash_one(&**key);
                if self.shards[shard_of(hash, self.shards.len())].find(hash, &**key).is_some() {
                    self.in_shard(hash, |shard| _ = shard.remove(hash, &**key));
                }
            }
        }
    }

    /// Edits the shard of `hash`: in place if it is this map's own, else a copy.
    fn in_shard(&mut self, hash: u64, edit: impl FnOnce(&mut Shard<K, P>)) {
        let at = shard_of(hash, self.shards.len());
        let shard = &mut self.shards[at];
        let before = shard.len();
        let after = if let Some(own) = Arc::get_mut(shard) {
            edit(own);
            own.len()
        } else {
            let mut copy = Shard::clone(shard);
            edit(&mut copy);
            let len = copy.len();
            *shard = Arc::new(copy);
            len
        };
        self.len = self.len - before + after;
    }

    /// The same with as many shards as its keys need. All are made anew only when the number of
    /// keys has grown fourfold since, or come down to a sixteenth: a part of the cost of each edit.
    fn spread(self) -> Self {
        let (wanted, have) = (shards_for(self.len), self.shards.len());
        if wanted <= have && wanted * 2 >= have {
            return self;
        }
        let mut shards: Vec<Shard<K, P>> = Vec::new();
        shards.resize_with(wanted, Shard::new);
        for place in self.iter() {
            shards[shard_of(place.hash, wanted)].set(place.clone());
        }
        let shards = shards.into_iter().map(Arc::new).collect();
        Self { hasher: self.hasher.clone(), shards, len: self.len }
    }
}

/// About the square root, as a power of two.
fn shards_for(keys: usize) -> usize {
    if keys < FEW_KEYS { 1 } else { 1 << (keys.ilog2() / 2) }
}

/// By bits that the shard itself does not use, unless it is huge.
fn shard_of(hash: u64, shards: usize) -> usize {
    low(hash >> 32) & (shards - 1)
}
