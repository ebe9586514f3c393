/// What went through a pipe so far, and how often tasks were woken for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PipeStats {
    /// Items that were sent.
    pub items: u64,
    /// Items of those that were dropped in the pipe: by an abort, or because the receiver went.
    pub dropped_items: u64,
    /// How often the sender's task was woken: room again, or the receiver gone.
    pub sender_wakes: u64,
    /// How often the receiver's task was woken: something there again, or the end.
    pub receiver_wakes: u64,
}
