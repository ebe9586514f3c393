//! What was measured.

use std::time::Duration;

use crate::contender::Contender;
use crate::load::Load;
use crate::protocol::Protocol;

/// What one process took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    /// Processor time of an exchange.
    pub(crate) cpu: Duration,
    pub(crate) peak_bytes: u64,
}

/// What one turn took, or the best of several.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) client: Cost,
    /// Who stands between client and origin.
    pub(crate) forwarder: Cost,
    pub(crate) processor: Option<Cost>,
    pub(crate) origin: Cost,
    /// On the clock, for an exchange.
    pub(crate) elapsed: Duration,
    /// How long half of the exchanges took at most.
    pub(crate) median: Duration,
    /// How long 99 of 100 took at most.
    pub(crate) slow: Duration,
}

/// The turns of a contender under a load.
#[derive(Debug)]
pub(crate) struct Cell {
    pub(crate) contender: Contender,
    pub(crate) protocol: Protocol,
    pub(crate) load: Load,
    pub(crate) turns: Vec<Sample>,
}

impl Cost {
    fn best(self, other: Self) -> Self {
        Self { cpu: self.cpu.min(other.cpu), peak_bytes: self.peak_bytes.max(other.peak_bytes) }
    }
}

impl Sample {
    /// Of each time the least, since others on the machine can only add to it; of each peak the
    /// highest.
    fn best(self, other: Self) -> Self {
        Self {
            client: self.client.best(other.client),
            forwarder: self.forwarder.best(other.forwarder),
            processor: self.processor.zip(other.processor).map(|(one, two)| one.best(two)),
            origin: self.origin.best(other.origin),
            elapsed: self.elapsed.min(other.elapsed),
            median: self.median.min(other.median),
            slow: self.slow.min(other.slow),
        }
    }
}

impl Cell {
    /// The best of its turns.
    pub(crate) fn best(&self) -> Sample {
        self.turns.iter().copied().reduce(Sample::best).expect("a turn")
    }
}
