/// What came of a delta.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a consumer that is not told what it missed stays where it is"]
pub enum Applied {
    /// The replica is at its epoch now: to be acknowledged.
    Applied,
    /// It or a later one was applied before, or it is of an earlier session. Nothing has changed;
    /// to acknowledge it again does no harm, and helps where the first acknowledgement was lost.
    Duplicate,
    /// It leads from where this replica is not. Nothing has changed: the replica needs a full delta
    /// ([`Session::resync`](super::Session::resync), or a new session).
    NeedsResync,
}
