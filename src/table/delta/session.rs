use core::fmt;
use core::hash::Hash;
use core::task::{Context, Poll};
use std::collections::BTreeMap;

use super::{
    Agreement, Delta, Digest, Hello, Mark, Receipt, Rejection, Scope, SessionId, TooManyKeys, Value,
};
use crate::limits;
use crate::sync::ConstArc as Arc;
use crate::table::{Epoch, Snapshot, Table, Watch};

/// What a table has told one consumer, and what it still has to tell it.
///
/// See the [page of the module](super) for the protocol. A session has no lock and no queue: what
/// it says next is made of the table as it is then, so a slow consumer finds the newest value of
/// each key and nothing else. It keeps a few words for each key subscribed, at most
/// [`limits::MAX_SUBSCRIBED_KEYS`] of them, and no plan; making a delta looks at each of them once.
pub struct Session<K, P> {
    table: Table<K, P>,
    watch: Watch,
    id: SessionId,
    scope: Scope,
    /// The number of the last delta.
    sent: u64,
    /// The epoch that the consumer has last acknowledged.
    at: Option<Epoch>,
    /// Only while the consumer is subscribed (G1).
    keys: BTreeMap<K, Known>,
    phase: Phase,
}

/// What the consumer has of a key it is subscribed to.
///
/// | state | subscribed again | a delta is made | the last delta is acknowledged |
/// |---|---|---|---|
/// | `Unanswered` | – | `Offered` | – |
/// | `Offered` | `Unanswered` | `Offered`, what it is then | `Confirmed` |
/// | `Confirmed`, and that is what it is | `Unanswered` | – | – |
/// | `Confirmed`, and it is something else | `Unanswered` | `Offered` | – |
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    /// Nothing, for all that is known.
    Unanswered,
    /// A delta has said so, and it is not known whether it has come.
    Offered(Mark),
    /// It has said that it has it.
    Confirmed(Mark),
}

enum Phase {
    /// No delta is under way.
    Idle,
    /// The last delta is.
    InFlight { to: Epoch },
    /// The last delta was rejected: nothing is said until there is something new to say.
    Rejected(Rejection),
}

impl<K: Clone + Ord + Hash, P> Session<K, P> {
    /// Opens the session that `hello` asks for. What the consumer holds of another instance of the
    /// table, or of an epoch that this one has not had, does not count.
    ///
    /// # Errors
    ///
    /// [`TooManyKeys`].
    pub fn open(table: &Table<K, P>, hello: Hello<K>) -> Result<Self, TooManyKeys> {
        let Hello { session: id, scope, at, keys } = hello;
        if keys.len() > limits::MAX_SUBSCRIBED_KEYS && scope == Scope::Subscribed {
            return Err(TooManyKeys);
        }
        let now = table.epoch();
        let at = at.filter(|at| at.nonce == now.nonce && at.number <= now.number);
        let known = |mark: Option<Mark>| match (at, mark) {
            (Some(at), Some(Mark::Entered(entered))) if entered > at.number => Known::Unanswered,
            (Some(_), Some(mark)) => Known::Confirmed(mark),
            (None, _) | (_, None) => Known::Unanswered,
        };
        let keys = keys.into_iter().map(|(key, mark)| (key, known(mark))).collect();
        let (table, watch) = (table.clone(), table.watch());
        Ok(Self { table, watch, id, scope, sent: 0, at, keys, phase: Phase::Idle })
    }

    /// The consumer wants `key`, and holds nothing of it: it is answered by the next delta, changed
    /// or not (G1). Also where it was subscribed before.
    ///
    /// # Errors
    ///
    /// [`TooManyKeys`]: nothing has changed.
    pub fn subscribe(&mut self, key: K) -> Result<(), TooManyKeys> {
        let is_full = self.keys.len() >= limits::MAX_SUBSCRIBED_KEYS;
        if is_full && self.scope == Scope::Subscribed && !self.keys.contains_key(&key) {
            return Err(TooManyKeys);
        }
        self.keys.insert(key, Known::Unanswered);
        Ok(())
    }

    /// The consumer has dropped `key`, for whatever reason: what was known of it is forgotten (G1).
    /// Answers whether it was subscribed.
    pub fn unsubscribe(&mut self, key: &K) -> bool {
        let dropped = self.keys.remove(key);
        if let (Phase::Rejected(_), Some(Known::Offered(_))) = (&self.phase, dropped) {
            // Without it the rest is another delta, which may be taken.
            self.phase = Phase::Idle;
        }
        dropped.is_some()
    }

    /// The next delta, if there is something to say and none is under way.
    pub fn next_delta(&mut self) -> Option<Delta<K, P>> {
        let snapshot = self.table.snapshot();
        self.make(&snapshot)
    }

    /// Waits for [`next_delta`](Self::next_delta). Where it answers `Pending`, the waker is woken
    /// by the next publish. Calls on this session by its owner wake nobody: poll again after them.
    ///
    /// Cancel safe: nothing is under way until it is ready.
    pub fn poll_delta(&mut self, cx: &mut Context<'_>) -> Poll<Delta<K, P>> {
        loop {
            // First the waker, then the look: what is published between the two wakes.
            let is_waiting = self.watch.poll_changed(cx).is_pending();
            if let Some(delta) = self.next_delta() {
                return Poll::Ready(delta);
            }
            if is_waiting {
                return Poll::Pending;
            }
        }
    }

    /// The delta under way was lost, or was under way for too long: the next one says all of it
    /// again, as it is then. `None`: nothing was under way, or there is nothing left to say.
    pub fn resend(&mut self) -> Option<Delta<K, P>> {
        match self.phase {
            Phase::InFlight { .. } => self.phase = Phase::Idle,
            Phase::Idle | Phase::Rejected(_) => return None,
        }
        self.next_delta()
    }

    /// The consumer needs everything again: the next delta is a full one.
    pub fn resync(&mut self) {
        self.at = None;
        self.phase = Phase::Idle;
        for known in self.keys.values_mut() {
            *known = Known::Unanswered;
        }
    }

    /// The consumer has applied the delta of `receipt`. Answers whether that was the last one made;
    /// else it is ignored: a later one says all that it said.
    pub fn ack(&mut self, receipt: Receipt) -> bool {
        let to = match &self.phase {
            Phase::InFlight { to } => *to,
            // It came a second time, and the consumer has thought better of it.
            Phase::Rejected(rejection) => rejection.epoch,
            Phase::Idle => return false,
        };
        if !self.is_last(receipt) {
            return false;
        }
        for known in self.keys.values_mut() {
            match *known {
                Known::Offered(mark) => *known = Known::Confirmed(mark),
                Known::Unanswered | Known::Confirmed(_) => {}
            }
        }
        match self.scope {
            Scope::All => self.keys.retain(|_, known| *known != Known::Confirmed(Mark::Absent)),
            Scope::Subscribed => {}
        }
        self.at = Some(to);
        self.phase = Phase::Idle;
        true
    }

    /// The consumer has rejected the delta of `receipt` and keeps what it has (G10). It is not sent
    /// again; once a key of this consumer is something else, or a key is subscribed, the next delta
    /// says that and all that was rejected. No other consumer is concerned. Answers whether that
    /// delta was under way; else it is ignored.
    pub fn nack(&mut self, receipt: Receipt, reason: impl Into<Arc<str>>) -> bool {
        match self.phase {
            Phase::InFlight { to } if self.is_last(receipt) => {
                self.phase = Phase::Rejected(Rejection { epoch: to, reason: reason.into() });
                true
            }
            Phase::InFlight { .. } | Phase::Idle | Phase::Rejected(_) => false,
        }
    }

    /// What the consumer has last rejected, if nothing was said since.
    #[must_use]
    pub const fn rejection(&self) -> Option<&Rejection> {
        match &self.phase {
            Phase::Rejected(rejection) => Some(rejection),
            Phase::Idle | Phase::InFlight { .. } => None,
        }
    }

    /// The epoch that the consumer has last acknowledged.
    #[must_use]
    pub const fn at(&self) -> Option<Epoch> {
        self.at
    }

    /// Compares what the consumer holds with what it has acknowledged (G8). The digest has to come
    /// behind all that the consumer has asked and acknowledged before it was made.
    pub fn check(&self, digest: &Digest) -> Agreement {
        let mut marks = Vec::with_capacity(self.keys.len());
        for (key, known) in &self.keys {
            match (&self.phase, known) {
                (Phase::Idle, Known::Confirmed(mark)) => marks.push((key, Some(*mark))),
                _ => return Agreement::Unsettled,
            }
        }
        if Digest::of(self.at.map(|at| at.nonce), marks.into_iter()) == *digest {
            Agreement::Same
        } else {
            Agreement::Diverged
        }
    }

    fn is_last(&self, receipt: Receipt) -> bool {
        receipt == Receipt { session: self.id, number: self.sent }
    }

    /// Makes a delta of what `snapshot` has and the consumer may not.
    fn make(&mut self, snapshot: &Snapshot<K, P>) -> Option<Delta<K, P>> {
        let is_due = |(key, known): (&K, &Known)| {
            let mark = mark_in(snapshot, key);
            match self.phase {
                Phase::Idle => *known != Known::Confirmed(mark),
                Phase::InFlight { .. } => false,
                Phase::Rejected(_) => {
                    *known != Known::Confirmed(mark) && *known != Known::Offered(mark)
                }
            }
        };
        if !self.keys.iter().any(is_due) && !self.owes_all(snapshot) {
            return None;
        }
        match self.scope {
            Scope::All => self.subscribe_to_all(snapshot),
            Scope::Subscribed => {}
        }
        let mut changes = Vec::new();
        for (key, known) in &mut self.keys {
            let value = value_in(snapshot, key);
            if *known != Known::Confirmed(value.mark()) {
                *known = Known::Offered(value.mark());
                changes.push((key.clone(), value));
            }
        }
        let to = snapshot.epoch();
        self.sent += 1;
        self.phase = Phase::InFlight { to };
        let receipt = Receipt { session: self.id, number: self.sent };
        Some(Delta { receipt, from: self.at, to, changes })
    }

    /// Who wants all has to be told of keys that are new, and also that there is nothing.
    fn owes_all(&self, snapshot: &Snapshot<K, P>) -> bool {
        let has_new = || snapshot.iter().any(|(key, ..)| !self.keys.contains_key(key));
        match (self.scope, &self.phase) {
            (Scope::All, Phase::Idle) => self.at.is_none() || has_new(),
            (Scope::All, Phase::Rejected(_)) => has_new(),
            (Scope::All, Phase::InFlight { .. }) | (Scope::Subscribed, _) => false,
        }
    }

    /// Only with a delta that says them: a key that comes and goes in between is no news.
    fn subscribe_to_all(&mut self, snapshot: &Snapshot<K, P>) {
        for (key, ..) in snapshot.iter() {
            if !self.keys.contains_key(key) {
                self.keys.insert(key.clone(), Known::Unanswered);
            }
        }
    }
}

fn mark_in<K: Eq + Hash, P>(snapshot: &Snapshot<K, P>, key: &K) -> Mark {
    snapshot.version(key).map_or(Mark::Absent, Mark::Entered)
}

fn value_in<K: Eq + Hash, P>(snapshot: &Snapshot<K, P>, key: &K) -> Value<P> {
    match (snapshot.version(key), snapshot.get(key)) {
        (Some(entered), Some(entry)) => Value::Present { entered, entry: entry.clone() },
        (_, None) | (None, _) => Value::Absent,
    }
}

impl<K, P> fmt::Debug for Session<K, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("id", &self.id)
            .field("scope", &self.scope)
            .field("at", &self.at)
            .field("sent", &self.sent)
            .field("keys", &self.keys.len())
            .finish_non_exhaustive()
    }
}
