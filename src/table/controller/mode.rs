/// How a key serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mode {
    /// What is wanted.
    Current,
    /// What is wanted, without fail-open filters whose extension is down.
    Degraded,
    /// The last good plan, as edits since then are faulty. It may be degraded as well.
    Stale,
    /// Failures.
    Failed,
    /// Not at all: there is no entry.
    Removed,
}
