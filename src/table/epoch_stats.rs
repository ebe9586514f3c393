use super::counters::Counters;
use super::epoch::Epoch;

/// What is known of an epoch that is alive: the current one, or one that messages or readers hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EpochStats {
    /// Which epoch.
    pub epoch: Epoch,
    /// How many messages started on it: pins that were given out.
    pub started: u64,
    /// How many of those ended. What their drops did happened before, for who reads this.
    pub ended: u64,
    /// How many readers looked at it last, and so keep its snapshot.
    pub readers: u64,
    /// How lookups on it were served.
    pub counters: Counters,
}

impl EpochStats {
    /// How many messages are on it.
    #[must_use]
    pub fn live(&self) -> u64 {
        self.started.saturating_sub(self.ended)
    }
}
