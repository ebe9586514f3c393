use core::fmt;
use core::hash::Hash;
use std::collections::BTreeMap;

use super::{Applied, Delta, Digest, Hello, Lookup, Mark, Scope, SessionId, Value};
use crate::table::Epoch;
use crate::unwind::drop_contained;

/// A consumer's copy of the keys it is subscribed to, kept by deltas.
///
/// A [`Delta`] is applied as one step or not at all, so at every instant the copy is of one epoch
/// (G5), and a key that was answered stays answered until it is dropped: by an entry or by an
/// explicit absence. Deltas may come twice and in any order; what is older than what was applied
/// changes nothing.
pub struct Replica<K, P> {
    session: SessionId,
    scope: Scope,
    /// The number of the last delta applied in this session.
    last: u64,
    at: Option<Epoch>,
    keys: BTreeMap<K, Slot<P>>,
}

enum Slot<P> {
    Unanswered,
    Answered(Value<P>),
}

impl<P> Slot<P> {
    const fn mark(&self) -> Option<Mark> {
        match self {
            Self::Unanswered => None,
            Self::Answered(value) => Some(value.mark()),
        }
    }
}

impl<K: Clone + Ord + Hash, P> Replica<K, P> {
    /// An empty one, of a consumer that has drawn `instance` as its nonce: another one each time it
    /// starts.
    #[must_use]
    pub const fn new(instance: u64, scope: Scope) -> Self {
        let session = SessionId { instance, number: 0 };
        Self { session, scope, last: 0, at: None, keys: BTreeMap::new() }
    }

    /// Wants `key` from now on; the session has to be told, too. Answers whether that is new. What
    /// is held of it stays.
    pub fn subscribe(&mut self, key: K) -> bool {
        let mut is_new = false;
        self.keys.entry(key).or_insert_with(|| {
            is_new = true;
            Slot::Unanswered
        });
        is_new
    }

    /// Drops `key` and what is held of it; the session has to be told, too. Answers whether there
    /// was something to drop.
    pub fn unsubscribe(&mut self, key: &K) -> bool {
        let dropped = self.keys.remove_entry(key);
        let was_there = dropped.is_some();
        drop_contained(dropped);
        was_there
    }

    /// What is known of `key`.
    #[must_use]
    pub fn get(&self, key: &K) -> Lookup<'_, P> {
        match (self.keys.get(key), self.scope) {
            (Some(Slot::Answered(Value::Present { entry, .. })), _) => Lookup::Present(entry),
            (Some(Slot::Answered(Value::Absent)), _) => Lookup::Absent,
            (Some(Slot::Unanswered), _) => Lookup::Unanswered,
            (None, Scope::All) if self.at.is_some() => Lookup::Absent,
            (None, Scope::All) => Lookup::Unanswered,
            (None, Scope::Subscribed) => Lookup::NotSubscribed,
        }
    }

    /// The keys that are subscribed to or, of all, those that there are: in order, with the values
    /// held.
    pub fn iter(&self) -> impl Iterator<Item = (&K, Option<&Value<P>>)> {
        self.keys.iter().map(|(key, slot)| match slot {
            Slot::Unanswered => (key, None),
            Slot::Answered(value) => (key, Some(value)),
        })
    }

    /// Where it is; `None`: no delta was applied yet.
    #[must_use]
    pub const fn at(&self) -> Option<Epoch> {
        self.at
    }

    /// Opens a new session, which goes on where this replica is. Deltas of the session before are
    /// duplicates from now on.
    pub fn hello(&mut self) -> Hello<K> {
        let keys = self.keys.iter().map(|(key, slot)| (key.clone(), slot.mark()));
        let keys = keys.collect();
        self.open(self.at, keys)
    }

    /// Opens a new session that answers every key anew. What is held stays until then.
    pub fn hello_anew(&mut self) -> Hello<K> {
        let keys = self.keys.keys().map(|key| (key.clone(), None)).collect();
        self.open(None, keys)
    }

    fn open(&mut self, at: Option<Epoch>, keys: Vec<(K, Option<Mark>)>) -> Hello<K> {
        self.session.number += 1;
        self.last = 0;
        Hello { session: self.session, scope: self.scope, at, keys }
    }

    /// Applies `delta`, if it leads from here. Keys that were dropped meanwhile are left out.
    pub fn apply(&mut self, delta: Delta<K, P>) -> Applied {
        let Delta { receipt, from, to, changes } = delta;
        let applied = if receipt.session != self.session || receipt.number <= self.last {
            Applied::Duplicate
        } else if from.is_none_or(|from| self.is_between(from, to)) {
            Applied::Applied
        } else {
            Applied::NeedsResync
        };
        if applied != Applied::Applied {
            drop_contained(changes);
            return applied;
        }
        if from.is_none() {
            self.forget_unless(&changes);
        }
        for (key, value) in changes {
            self.put(key, value);
        }
        self.last = receipt.number;
        self.at = Some(to);
        applied
    }

    /// A delta says all that differs between two epochs, each with its whole value: so it fits at
    /// any epoch between them, too. That is where a consumer is whose acknowledgement was lost.
    fn is_between(&self, from: Epoch, to: Epoch) -> bool {
        self.at.is_some_and(|at| {
            let one_table = at.nonce == from.nonce && at.nonce == to.nonce;
            one_table && (from.number..=to.number).contains(&at.number)
        })
    }

    /// A full delta: what it does not speak of is not known any more.
    fn forget_unless(&mut self, changes: &[(K, Value<P>)]) {
        let said = |key: &K| changes.binary_search_by(|(each, _)| each.cmp(key)).is_ok();
        let gone: Vec<K> = self.keys.keys().filter(|key| !said(key)).cloned().collect();
        for key in gone {
            let old = match self.scope {
                Scope::All => self.keys.remove(&key),
                Scope::Subscribed => self.keys.insert(key, Slot::Unanswered),
            };
            drop_contained(old);
        }
    }

    fn put(&mut self, key: K, value: Value<P>) {
        match (self.scope, &value) {
            (Scope::All, Value::Absent) => drop_contained(self.keys.remove(&key)),
            (Scope::All, Value::Present { .. }) => {
                drop_contained(self.keys.insert(key, Slot::Answered(value)));
            }
            (Scope::Subscribed, _) => match self.keys.get_mut(&key) {
                Some(slot) => drop_contained(core::mem::replace(slot, Slot::Answered(value))),
                None => drop_contained((key, value)),
            },
        }
    }

    /// What is held, to be compared by [`Session::check`](super::Session::check).
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(
            self.at.map(|at| at.nonce),
            self.keys.iter().map(|(key, slot)| (key, slot.mark())),
        )
    }
}

impl<K: fmt::Debug, P> fmt::Debug for Replica<K, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let marks = self.keys.iter().map(|(key, slot)| (key, slot.mark()));
        f.debug_struct("Replica")
            .field("session", &self.session)
            .field("scope", &self.scope)
            .field("at", &self.at)
            .field("keys", &marks.collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}
