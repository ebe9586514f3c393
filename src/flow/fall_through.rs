use super::stage_end::StageEnd;

/// Whether the next pipeline runs behind one that did not run off its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FallThrough {
    /// Behind one that was *stopped*.
    pub stopped: bool,
    /// Behind one that has *failed*.
    pub failed: bool,
}

impl FallThrough {
    /// Only behind a pipeline that ran off its end.
    pub const NEVER: Self = Self { stopped: false, failed: false };

    /// Always.
    pub const ALWAYS: Self = Self { stopped: true, failed: true };

    /// Easegress's one switch for both.
    #[must_use]
    pub const fn both(on: bool) -> Self {
        Self { stopped: on, failed: on }
    }

    /// Whether the next pipeline runs behind one that ended so.
    #[must_use]
    pub const fn lets(self, end: StageEnd) -> bool {
        match end {
            StageEnd::Through => true,
            StageEnd::Stopped => self.stopped,
            StageEnd::Failed => self.failed,
        }
    }
}
