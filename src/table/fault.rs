use core::fmt;
use core::time::Duration;
use std::error::Error as StdError;

use super::kept::Kept;
use crate::sync::ConstArc;

/// Why a key has no current plan, and since when. Cheap to clone.
#[derive(Clone)]
pub struct Fault {
    since: Duration,
    error: ConstArc<Kept<Box<dyn StdError + Send + Sync>>>,
}

impl Fault {
    /// A fault that began at `since`, a time since a start of the caller's choice.
    #[must_use]
    pub fn new(since: Duration, error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { since, error: ConstArc::new(Kept::new(error.into())) }
    }

    /// The same fault as met again: it began when `first` did.
    #[must_use]
    pub fn following(mut self, first: &Self) -> Self {
        self.since = first.since;
        self
    }

    /// When it began, since a start of the caller's choice.
    #[must_use]
    pub fn since(&self) -> Duration {
        self.since
    }

    /// The last error.
    #[must_use]
    pub fn error(&self) -> &(dyn StdError + Send + Sync + 'static) {
        &***self.error
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fault").field("since", &self.since).field("error", &self.error).finish()
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (since {:?})", self.error(), self.since)
    }
}
