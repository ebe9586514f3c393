use core::hash::Hash;
use core::mem;

use super::changes::Changes;
use super::epoch::Epoch;
use super::lane::Lane;
use super::ledger::Ledger;
use super::map::Map;
use super::publish_error::PublishError;
use super::signal::Signal;
use super::snapshot::{Snapshot, Whole};
use crate::sync::{Arc, Mutex, RandomState, lock};

/// What the table and its readers share.
///
/// | lock | held for | by |
/// |---|---|---|
/// | `ledger` | adding up counts; the swap | publishes, questions about epochs |
/// | `current` | one pointer: cloned or swapped, with one list of lanes | readers behind a publish, publishes |
/// | that of the signal | one map of wakers | tasks that wait, publishes |
///
/// `ledger` comes before `current`. Under none of them anything of the user runs.
pub(super) struct Shared<K, P> {
    pub(super) nonce: u64,
    pub(super) max_live_epochs: usize,
    current: Mutex<Current<K, P>>,
    ledger: Mutex<Ledger>,
}

struct Current<K, P> {
    snapshot: Snapshot<K, P>,
    /// Lanes of readers that came to this snapshot, and are not in the ledger yet.
    arrived: Vec<Arc<Lane>>,
    /// With so many of them the reader that came last files them: as many as the ledger has, so
    /// that each is looked at a few times, and those of readers that are gone do not pile up.
    most_arrived: usize,
}

/// The least that are filed together.
const FEW_LANES: usize = 64;

impl<K: Hash + Eq, P> Shared<K, P> {
    pub(super) fn new(nonce: u64, max_live_epochs: usize) -> Self {
        let epoch = Epoch { nonce, number: 0 };
        let snapshot = Snapshot(Arc::new(Whole { epoch, map: Map::new(RandomState::default()) }));
        Self {
            nonce,
            max_live_epochs,
            current: Mutex::new(Current { snapshot, arrived: Vec::new(), most_arrived: FEW_LANES }),
            ledger: Mutex::new(Ledger::default()),
        }
    }

    pub(super) fn snapshot(&self) -> Snapshot<K, P> {
        lock(&self.current).snapshot.clone()
    }

    /// The current snapshot for a reader, and what it counts in.
    pub(super) fn arrive(&self) -> (Snapshot<K, P>, Arc<Lane>) {
        let mut current = lock(&self.current);
        let snapshot = current.snapshot.clone();
        let lane = Arc::new(Lane::new(snapshot.epoch()));
        current.arrived.push(Arc::clone(&lane));
        let is_full = current.arrived.len() >= current.most_arrived;
        drop(current);
        if is_full {
            let mut ledger = lock(&self.ledger);
            self.settle(&mut ledger);
            lock(&self.current).most_arrived = ledger.lanes().max(FEW_LANES);
        }
        (snapshot, lane)
    }

    /// Swaps the snapshot for one with `changes`, and says which epoch that is.
    pub(super) fn publish(
        &self,
        signal: &Signal,
        changes: &Changes<K, P>,
    ) -> Result<Epoch, PublishError> {
        loop {
            let base = self.snapshot();
            let epoch = Epoch { number: base.epoch().number + 1, ..base.epoch() };
            // The long part, with the user's code in it: outside all locks.
            let map = base.0.map.edited(changes, epoch.number);
            let fresh = Snapshot(Arc::new(Whole { epoch, map }));
            match self.swap(signal, &base, fresh)? {
                Swapped::Done(old) => {
                    drop((old, base));
                    return Ok(epoch);
                }
                // Another publish came first: its changes must not be lost.
                Swapped::Late => {}
            }
        }
    }

    /// `fresh` is dropped, if it is not used, after the guards: it was there before them.
    fn swap(
        &self,
        signal: &Signal,
        base: &Snapshot<K, P>,
        fresh: Snapshot<K, P>,
    ) -> Result<Swapped<K, P>, PublishError> {
        let before = base.epoch().number;
        let mut ledger = lock(&self.ledger);
        self.settle(&mut ledger);
        let (held_before, held_since) = ledger.held(before);
        let mut current = lock(&self.current);
        if current.snapshot.epoch().number != before {
            return Ok(Swapped::Late);
        }
        let is_held = held_since || !current.arrived.is_empty();
        let live = held_before + usize::from(is_held) + 1;
        if live > self.max_live_epochs {
            return Err(PublishError::TooManyEpochs { live, limit: self.max_live_epochs });
        }
        signal.set_number(fresh.epoch().number);
        let arrived = mem::take(&mut current.arrived);
        let old = mem::replace(&mut current.snapshot, fresh);
        drop(current);
        ledger.settle(before, arrived);
        Ok(Swapped::Done(old))
    }

    /// Brings the ledger up to date; the current epoch.
    fn settle(&self, ledger: &mut Ledger) -> Epoch {
        let (epoch, arrived) = {
            let mut current = lock(&self.current);
            (current.snapshot.epoch(), mem::take(&mut current.arrived))
        };
        ledger.settle(epoch.number, arrived);
        epoch
    }

    /// Asks the ledger, brought up to date.
    pub(super) fn ask<T>(&self, question: impl FnOnce(&Ledger, Epoch) -> T) -> T {
        let mut ledger = lock(&self.ledger);
        let epoch = self.settle(&mut ledger);
        question(&ledger, epoch)
    }
}

/// What became of a swap.
enum Swapped<K, P> {
    /// The snapshot before.
    Done(Snapshot<K, P>),
    /// The snapshot was not the one that the new one was made from.
    Late,
}
