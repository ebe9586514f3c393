use std::collections::BTreeMap;

use super::counters::Counters;
use super::epoch::Epoch;
use super::epoch_stats::EpochStats;
use super::lane::Lane;
use crate::sync::Arc;

/// What messages and readers hold of each epoch, added up from their lanes.
#[derive(Default)]
pub(super) struct Ledger {
    /// By number: the current epoch if anybody looked at it, and those that somebody holds.
    epochs: BTreeMap<u64, Account>,
    /// What epochs counted that are no more.
    past: Counters,
}

/// One epoch.
#[derive(Default)]
struct Account {
    lanes: Vec<Arc<Lane>>,
    /// What lanes counted that are no more.
    counters: Counters,
    ended: u64,
}

impl Ledger {
    /// Files lanes that were made on epoch `number`, the current one, and closes what nobody holds.
    pub(super) fn settle(&mut self, number: u64, arrived: Vec<Arc<Lane>>) {
        if !arrived.is_empty() {
            self.epochs.entry(number).or_default().lanes.extend(arrived);
        }
        let past = &mut self.past;
        self.epochs.retain(|&epoch, account| {
            account.settle();
            let stays = epoch == number || !account.lanes.is_empty();
            if !stays {
                *past += account.counters;
            }
            stays
        });
    }

    /// How many epochs before `number` somebody holds, and whether somebody holds that one.
    pub(super) fn held(&self, number: u64) -> (usize, bool) {
        let is_held = |account: &Account| !account.lanes.is_empty();
        let before = self.epochs.range(..number).filter(|(_, account)| is_held(account));
        (before.count(), self.epochs.get(&number).is_some_and(is_held))
    }

    /// How many lanes there are.
    pub(super) fn lanes(&self) -> usize {
        self.epochs.values().map(|account| account.lanes.len()).sum()
    }

    pub(super) fn stats(&self, current: Epoch) -> Vec<EpochStats> {
        let mut stats: Vec<_> = self
            .epochs
            .iter()
            .map(|(&number, account)| account.stats(Epoch { number, ..current }))
            .collect();
        if !self.epochs.contains_key(&current.number) {
            stats.push(Account::default().stats(current));
        }
        stats
    }

    pub(super) fn counters(&self) -> Counters {
        let mut counters = self.past;
        for account in self.epochs.values() {
            counters += account.stats(Epoch { nonce: 0, number: 0 }).counters;
        }
        counters
    }
}

impl Account {
    /// Adds up and lets go the lanes of readers that have left and whose messages have ended.
    fn settle(&mut self) {
        let (counters, ended) = (&mut self.counters, &mut self.ended);
        self.lanes.retain_mut(|lane| {
            // A reader, and each of its pins, has a reference of its own. If this is the last, what
            // they counted happened before.
            let is_done = Arc::get_mut(lane).is_some();
            if is_done {
                *counters += lane.counters();
                *ended += lane.ended();
            }
            !is_done
        });
    }

    fn stats(&self, epoch: Epoch) -> EpochStats {
        let (mut counters, mut ended, mut readers) = (self.counters, self.ended, 0);
        for lane in &self.lanes {
            // The ends first: each has its start before it.
            ended += lane.ended();
            counters += lane.counters();
            readers += u64::from(lane.is_looked_at());
        }
        EpochStats { epoch, started: counters.served + counters.failed, ended, readers, counters }
    }
}
