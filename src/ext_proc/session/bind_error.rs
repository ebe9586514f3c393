use core::fmt;

use crate::chain::Unmet;
use crate::ext_proc::mode::{ModeError, ModeUnmet};

/// Why a plan cannot run in a mode.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum BindError {
    /// The mode itself is refused.
    Mode(ModeError),
    /// A filter asks what the mode does not have.
    Filter(ModeUnmet),
    /// A filter requires what no edge of this kind has.
    Capability(Unmet),
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mode(error) => error.fmt(f),
            Self::Filter(unmet) => unmet.fmt(f),
            Self::Capability(unmet) => unmet.fmt(f),
        }
    }
}

impl std::error::Error for BindError {}

impl From<ModeError> for BindError {
    fn from(error: ModeError) -> Self {
        Self::Mode(error)
    }
}

impl From<ModeUnmet> for BindError {
    fn from(unmet: ModeUnmet) -> Self {
        Self::Filter(unmet)
    }
}

impl From<Unmet> for BindError {
    fn from(unmet: Unmet) -> Self {
        Self::Capability(unmet)
    }
}
