use core::ops::AddAssign;

/// How lookups were served (G11), since the table was made.
///
/// Every lookup is counted in one of `served`, `failed` and `absent`. Counts of lookups that are
/// under way on other threads may come a little later.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// By a plan.
    pub served: u64,
    /// Of those: by a plan from before an edit that failed.
    pub stale: u64,
    /// Of those: by a plan without some of its fail-open filters. May be stale as well.
    pub degraded: u64,
    /// By a failure value.
    pub failed: u64,
    /// Keys that were not there.
    pub absent: u64,
}

impl AddAssign for Counters {
    fn add_assign(&mut self, other: Self) {
        self.served += other.served;
        self.stale += other.stale;
        self.degraded += other.degraded;
        self.failed += other.failed;
        self.absent += other.absent;
    }
}
