/// What somebody holds under a key, without the value: enough to tell whether it is the latest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mark {
    /// It is known that there is no entry.
    Absent,
    /// The entry that came in with the epoch of this number.
    Entered(u64),
}
