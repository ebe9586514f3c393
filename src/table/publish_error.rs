use core::fmt;
use std::error::Error as StdError;

/// Why a publish was refused. The table is as it was; the changes are still the caller's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PublishError {
    /// Messages or readers hold on to too many epochs (G6): see
    /// [`Table::epochs`](super::Table::epochs) for which.
    TooManyEpochs {
        /// How many epochs would be alive, the new one included.
        live: usize,
        /// How many may be.
        limit: usize,
    },
}

impl fmt::Display for PublishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManyEpochs { live, limit } => {
                write!(f, "{live} epochs would be alive, {limit} may be")
            }
        }
    }
}

impl StdError for PublishError {}
