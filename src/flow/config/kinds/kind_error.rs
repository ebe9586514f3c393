use core::fmt;

use crate::limits;

/// A kind that cannot be registered.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum KindError {
    /// It has no name.
    Empty,
    /// Its name is longer than [`limits::MAX_CONFIG_NAME_BYTES`].
    TooLong,
    /// Another kind has its name.
    Duplicate {
        /// The name.
        kind: String,
    },
}

impl fmt::Display for KindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("a kind without a name"),
            Self::TooLong => {
                let most = limits::MAX_CONFIG_NAME_BYTES;
                write!(f, "the name of a kind: limits::MAX_CONFIG_NAME_BYTES is {most}")
            }
            Self::Duplicate { kind } => write!(f, "there is a kind called `{kind}` already"),
        }
    }
}

impl std::error::Error for KindError {}
