use core::fmt;

use crate::limits;

/// A plan that cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlanError {
    /// More filters than [`limits::MAX_FILTERS`].
    TooManyFilters {
        /// How many there were.
        filters: usize,
    },
    /// A largest frame of 0 bytes would let nothing in.
    EmptyFrames,
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManyFilters { filters } => write!(
                f,
                "{filters} filters in one chain: limits::MAX_FILTERS is {}",
                limits::MAX_FILTERS
            ),
            Self::EmptyFrames => f.write_str("max_frame_bytes is 0"),
        }
    }
}

impl std::error::Error for PlanError {}
