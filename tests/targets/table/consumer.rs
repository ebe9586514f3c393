//! One consumer of a table: its session, its copy, and the wires between the two, which lose,
//! double and turn around what is sent.

use std::collections::{BTreeMap, BTreeSet};

use tidegate::table::Table;
use tidegate::table::delta::{
    Agreement, Applied, Delta, Lookup, Mark, Receipt, Replica, Scope, Session, Value,
};

use super::history::Histories;
use super::world::{KEYS, Key, Plan};

/// Deltas or answers under way at most: behind that the oldest is lost.
const MOST_UNDER_WAY: usize = 6;

pub(crate) struct Consumer {
    pub(crate) replica: Replica<Key, Plan>,
    pub(crate) session: Session<Key, Plan>,
    scope: Scope,
    pub(crate) deltas: Vec<Sent>,
    pub(crate) answers: Vec<(Receipt, Answer)>,
    wanted: BTreeSet<Key>,
    /// Of those wanted: the ones that were answered since.
    answered: BTreeSet<Key>,
    /// The newest entry that was seen of each key: nonce and version.
    newest: BTreeMap<Key, (u64, u64)>,
    /// What was rejected, until something else is said.
    rejected: Option<Said>,
    /// A key was asked for or dropped since the last delta was made: that is news by itself.
    has_asked: bool,
    /// Of the last delta that the session has made.
    last: Option<Receipt>,
    /// Something was changed in the copy that nobody has said.
    is_corrupt: bool,
}

/// A delta under way.
#[derive(Clone)]
pub(crate) struct Sent {
    delta: Delta<Key, Plan>,
    said: Said,
}

/// What a delta says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    keys: BTreeSet<Key>,
    /// Of all keys of the table that it was made of.
    marks: BTreeMap<Key, Mark>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    Ack,
    Nack(Said),
    Resync,
}

/// What is under each key of `table`.
fn marks(table: &Table<Key, Plan>) -> BTreeMap<Key, Mark> {
    let snapshot = table.snapshot();
    let mark = |key| snapshot.version(&key).map_or(Mark::Absent, Mark::Entered);
    (0..KEYS).map(|key| (key, mark(key))).collect()
}

impl Consumer {
    pub(crate) fn new(table: &Table<Key, Plan>, instance: u64, scope: Scope) -> Self {
        let mut replica = Replica::new(instance, scope);
        let session = Session::open(table, replica.hello()).expect("few keys");
        Self {
            replica,
            session,
            scope,
            deltas: Vec::new(),
            answers: Vec::new(),
            wanted: BTreeSet::new(),
            answered: BTreeSet::new(),
            newest: BTreeMap::new(),
            rejected: None,
            has_asked: false,
            last: None,
            is_corrupt: false,
        }
    }

    pub(crate) fn subscribe(&mut self, key: Key) {
        if self.scope == Scope::All {
            return;
        }
        self.replica.subscribe(key);
        self.session.subscribe(key).expect("few keys");
        self.wanted.insert(key);
        self.has_asked = true;
    }

    pub(crate) fn unsubscribe(&mut self, key: Key) {
        if self.scope == Scope::All {
            return;
        }
        assert_eq!(self.replica.unsubscribe(&key), self.wanted.remove(&key));
        self.session.unsubscribe(&key);
        self.answered.remove(&key);
        self.has_asked = true;
    }

    /// The session says what it has to say.
    pub(crate) fn send(&mut self, table: &Table<Key, Plan>) -> bool {
        let delta = self.session.next_delta();
        self.put(table, delta)
    }

    pub(crate) fn send_again(&mut self, table: &Table<Key, Plan>) -> bool {
        let delta = self.session.resend();
        self.put(table, delta)
    }

    fn put(&mut self, table: &Table<Key, Plan>, delta: Option<Delta<Key, Plan>>) -> bool {
        let Some(delta) = delta else { return false };
        let keys: BTreeSet<Key> = delta.changes.iter().map(|(key, _)| *key).collect();
        let said = Said { keys, marks: marks(table) };
        let has_asked = std::mem::take(&mut self.has_asked);
        if let Some(rejected) = self.rejected.take().filter(|_| !has_asked) {
            // G10: something is new, and all that was rejected is said with it.
            let heard = |key: &Key| self.scope == Scope::All || self.wanted.contains(key);
            let is_new = |key: &Key| said.marks[key] != rejected.marks[key];
            assert!((0..KEYS).any(|key| heard(&key) && is_new(&key)), "rejected, and sent again");
            assert!(rejected.keys.is_subset(&said.keys), "rejected, and left out");
        }
        assert!(delta.changes.windows(2).all(|pair| pair[0].0 < pair[1].0), "keys in order");
        for (key, value) in &delta.changes {
            assert_eq!(value.mark(), said.marks[key], "not the newest of key {key}");
        }
        self.last = Some(delta.receipt);
        self.deltas.push(Sent { delta, said });
        if self.deltas.len() > MOST_UNDER_WAY {
            self.deltas.remove(0);
        }
        true
    }

    /// The consumer rejects a delta and keeps what it has.
    pub(crate) fn reject(&mut self, at: usize) {
        let Sent { delta, said } = self.deltas.remove(at);
        self.answer(delta.receipt, Answer::Nack(said));
    }

    pub(crate) fn deliver(&mut self, at: usize) -> Applied {
        let Sent { delta, said } = self.deltas.remove(at);
        let receipt = delta.receipt;
        let applied = self.replica.apply(delta);
        match applied {
            Applied::Applied => {
                self.answered.extend(said.keys.intersection(&self.wanted));
                self.answer(receipt, Answer::Ack);
            }
            Applied::Duplicate => self.answer(receipt, Answer::Ack),
            Applied::NeedsResync => {
                assert!(self.is_corrupt, "a session and its copy have parted");
                self.answer(receipt, Answer::Resync);
            }
        }
        applied
    }

    fn answer(&mut self, receipt: Receipt, answer: Answer) {
        self.answers.push((receipt, answer));
        if self.answers.len() > MOST_UNDER_WAY {
            self.answers.remove(0);
        }
    }

    /// The session hears an answer. Answers whether that changes anything.
    pub(crate) fn hear(&mut self, at: usize) -> bool {
        let (receipt, answer) = self.answers.remove(at);
        match answer {
            Answer::Ack => {
                let is_heard = self.session.ack(receipt);
                if is_heard {
                    self.rejected = None;
                }
                is_heard
            }
            Answer::Resync => {
                self.resync();
                true
            }
            Answer::Nack(said) => {
                let is_heard = self.session.nack(receipt, "no");
                if is_heard {
                    assert!(self.session.rejection().is_some_and(|it| &*it.reason == "no"));
                    self.rejected = Some(said);
                }
                is_heard
            }
        }
    }

    /// The consumer asks for everything again.
    pub(crate) fn resync(&mut self) {
        self.session.resync();
        self.has_asked = true;
    }

    /// The connection breaks, and a new session goes on where the copy is, or from the start. What
    /// is under way may still come.
    pub(crate) fn reconnect(&mut self, table: &Table<Key, Plan>, anew: bool) {
        let hello = if anew { self.replica.hello_anew() } else { self.replica.hello() };
        self.session = Session::open(table, hello).expect("few keys");
        self.rejected = None;
        self.last = None;
    }

    /// Something goes wrong in the copy, and nobody notices: a key is lost. Answers whether it was.
    pub(crate) fn corrupt(&mut self, key: Key) -> bool {
        let (Some(at), Some(last)) = (self.replica.at(), self.last) else { return false };
        if !matches!(self.replica.get(&key), Lookup::Present(_)) {
            return false;
        }
        let receipt = Receipt { number: last.number + 1, ..last };
        let changes = vec![(key, Value::Absent)];
        let forged = Delta { receipt, from: Some(at), to: at, changes };
        let is_lost = self.replica.apply(forged) == Applied::Applied;
        self.is_corrupt |= is_lost;
        is_lost
    }

    /// All goes well for a while: the copy is as the table is.
    pub(crate) fn settle(&mut self, table: &Table<Key, Plan>) {
        for round in 0.. {
            assert!(round < 8, "does not settle: {:?}", self.replica);
            if self.session.rejection().is_some() {
                self.reconnect(table, false);
            }
            if !self.send_again(table) && !self.send(table) {
                match self.session.check(&self.replica.digest()) {
                    // It holds what it should, but may not be where it thinks.
                    Agreement::Same if self.is_corrupt => {
                        self.is_corrupt = false;
                        self.reconnect(table, true);
                        continue;
                    }
                    Agreement::Same => break,
                    Agreement::Diverged => {
                        assert!(self.is_corrupt, "it has diverged by itself: {:?}", self.replica);
                        self.reconnect(table, true);
                        continue;
                    }
                    Agreement::Unsettled => panic!("nothing to say, and not settled"),
                }
            }
            let last = self.deltas.len() - 1;
            _ = self.deliver(last);
            self.hear(self.answers.len() - 1);
        }
        self.is_corrupt = false;
        let snapshot = table.snapshot();
        for key in 0..KEYS {
            let wanted = self.scope == Scope::All || self.wanted.contains(&key);
            match (self.replica.get(&key), snapshot.get(&key)) {
                (Lookup::NotSubscribed, _) => assert!(!wanted),
                (Lookup::Unanswered, _) => panic!("key {key} is not answered"),
                (Lookup::Absent, entry) => assert!(entry.is_none(), "key {key} is lost"),
                (Lookup::Present(held), Some(entry)) => {
                    assert_eq!(Histories::of(held), Histories::of(entry), "key {key}");
                }
                (Lookup::Present(_), None) => panic!("key {key} was removed"),
            }
        }
    }

    /// What is true at every instant (G5, G7).
    pub(crate) fn look(&mut self, histories: &Histories) {
        if self.is_corrupt {
            return;
        }
        for key in 0..KEYS {
            let known = self.replica.get(&key);
            if self.answered.contains(&key) {
                let is_answered = matches!(known, Lookup::Absent | Lookup::Present(_));
                assert!(is_answered, "key {key} was answered, and is missing: {known:?}");
            }
            let at = self.replica.at();
            let then = at.map(|at| histories.at(at).get(&key));
            match (known, then) {
                (Lookup::NotSubscribed | Lookup::Unanswered, _) => {}
                (Lookup::Absent, Some(then)) => {
                    assert_eq!(then, None, "key {key} at {at:?}");
                }
                (Lookup::Present(entry), Some(then)) => {
                    let held = Histories::of(entry);
                    assert_eq!(Some(&held), then.map(|(_, it)| it), "key {key} at {at:?}");
                }
                (known, None) => panic!("key {key} is {known:?} at no epoch"),
            }
        }
        for (key, value) in self.replica.iter() {
            if let (Some(Value::Present { entered, .. }), Some(at)) = (value, self.replica.at()) {
                let now = (at.nonce, *entered);
                let before = self.newest.insert(*key, now).unwrap_or((0, 0));
                assert!(before <= now, "key {key} went back from {before:?} to {now:?}");
            }
        }
    }
}
