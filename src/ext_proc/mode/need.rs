use core::fmt;

use crate::filter::Capability;

/// What a filter asks of a mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Need {
    /// To do this: the filter requires it.
    Capability(Capability),
    /// To be asked about heads: the filter is interested in them.
    Head,
    /// To be asked about body: the filter is interested in it.
    Body,
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Capability(capability) => write!(f, "requires `{capability}`"),
            Self::Head => f.write_str("is interested in heads"),
            Self::Body => f.write_str("is interested in body"),
        }
    }
}
