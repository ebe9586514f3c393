use core::fmt;

use crate::limits;
use crate::sync::ConstArc as Arc;

/// A plan that cannot be.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlanError {
    /// More filters than [`limits::MAX_FILTERS`].
    TooManyFilters {
        /// How many there were.
        filters: usize,
    },
    /// A largest frame of 0 bytes would let nothing in.
    EmptyFrames,
    /// A filter declares more results than [`limits::MAX_RESULTS`].
    TooManyResults {
        /// The filter.
        filter: Arc<str>,
        /// How many there were.
        results: usize,
    },
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
            Self::TooManyResults { filter, results } => write!(
                f,
                "{results} results of filter `{filter}`: limits::MAX_RESULTS is {}",
                limits::MAX_RESULTS
            ),
        }
    }
}

impl std::error::Error for PlanError {}
