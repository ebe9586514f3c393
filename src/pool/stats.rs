/// What a pool has done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStats {
    /// Values that were given out a second time, or more often.
    pub reused: u64,
    /// How often there was none to give out, so that the caller made one.
    pub missed: u64,
    /// Values that came back and were kept.
    pub returned: u64,
    /// Values that came back and were dropped, because the pool was full or closed.
    pub refused: u64,
    /// How many values are kept now.
    pub kept: usize,
}
