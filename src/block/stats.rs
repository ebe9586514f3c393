/// What a pool of blocks has done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BlockStats {
    /// Blocks given out that had been used before.
    pub reused: u64,
    /// Blocks that were allocated.
    pub made: u64,
    /// How often a block was looked at of which slices were alive.
    pub pinned: u64,
    /// Blocks that came back and were dropped, because the pool was full.
    pub refused: u64,
    /// How many blocks are kept now, pinned or not.
    pub kept: usize,
}
