use core::fmt;

use crate::filter::Capability;
use crate::sync::ConstArc as Arc;

/// A required need that the edge, or this message, cannot meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmet {
    pub(super) filter: Arc<str>,
    pub(super) capability: Capability,
}

impl Unmet {
    /// The filter, as named in the plan.
    #[must_use]
    pub fn filter(&self) -> &str {
        &self.filter
    }

    /// What it requires.
    #[must_use]
    pub fn capability(&self) -> Capability {
        self.capability
    }
}

impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "filter `{}` requires `{}`, which this edge cannot do",
            self.filter, self.capability
        )
    }
}

impl std::error::Error for Unmet {}
