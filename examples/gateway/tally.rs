//! What started and ended on each epoch.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// Counts by the number of the epoch.
#[derive(Debug, Default)]
pub(crate) struct Tally(Mutex<BTreeMap<u64, Count>>);

/// Exchanges of one epoch.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) started: u64,
    pub(crate) ended: u64,
}

impl Tally {
    pub(crate) fn start(&self, epoch: u64) {
        self.count(epoch, |count| count.started += 1);
    }

    pub(crate) fn end(&self, epoch: u64) {
        self.count(epoch, |count| count.ended += 1);
    }

    fn count(&self, epoch: u64, change: impl FnOnce(&mut Count)) {
        change(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(epoch).or_default());
    }

    /// By epoch.
    pub(crate) fn counts(&self) -> BTreeMap<u64, Count> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>8}  {:>8}  {:>8}", "epoch", "started", "ended")?;
        for (epoch, Count { started, ended }) in self.counts() {
            write!(f, "\n{epoch:>8}  {started:>8}  {ended:>8}")?;
        }
        Ok(())
    }
}
