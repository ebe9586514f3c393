//! How often each thing happened in a history.

use tidegate::table::Mode;

#[derive(Debug, Default, Clone)]
pub(crate) struct Ran {
    pub(crate) epochs: u32,
    pub(crate) current: u32,
    pub(crate) degraded: u32,
    pub(crate) stale: u32,
    pub(crate) failed: u32,
    pub(crate) removed: u32,
    pub(crate) refused_edits: u32,
    pub(crate) refused_publishes: u32,
    pub(crate) retried: u32,
    pub(crate) restarts: u32,
    pub(crate) applied: u32,
    pub(crate) duplicates: u32,
    pub(crate) exchanged: u32,
    pub(crate) resyncs: u32,
    pub(crate) rejected: u32,
    pub(crate) ignored_answers: u32,
    pub(crate) corrupted: u32,
}

impl Ran {
    pub(crate) fn count(&mut self, mode: Mode) {
        let count = match mode {
            Mode::Current => &mut self.current,
            Mode::Degraded => &mut self.degraded,
            Mode::Stale => &mut self.stale,
            Mode::Failed => &mut self.failed,
            Mode::Removed => &mut self.removed,
            _ => unreachable!("a mode that this test does not know"),
        };
        *count += 1;
    }

    #[allow(dead_code, reason = "for the property tests")]
    pub(crate) fn all(&self) -> [(&'static str, u32); 17] {
        [
            ("epochs", self.epochs),
            ("current", self.current),
            ("degraded", self.degraded),
            ("stale", self.stale),
            ("failed", self.failed),
            ("removed", self.removed),
            ("refused edits", self.refused_edits),
            ("refused publishes", self.refused_publishes),
            ("retried", self.retried),
            ("restarts", self.restarts),
            ("applied", self.applied),
            ("duplicates", self.duplicates),
            ("exchanged", self.exchanged),
            ("resyncs", self.resyncs),
            ("rejected", self.rejected),
            ("ignored answers", self.ignored_answers),
            ("corrupted", self.corrupted),
        ]
    }
}
