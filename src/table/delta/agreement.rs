/// What a comparison of digests says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a divergence that nobody mends stays"]
pub enum Agreement {
    /// Both hold the same.
    Same,
    /// The consumer does not hold what it has acknowledged, or wants other keys than were asked
    /// for. It has to open a new session with [`Replica::hello_anew`](super::Replica::hello_anew).
    Diverged,
    /// Something is still to be said, or is under way, or was rejected: to be asked again later.
    Unsettled,
}
