use core::fmt;

use super::Breach;
use crate::exchange::Direction;

/// A message that may not come, or an answer that may not be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Violation {
    /// Of which message.
    pub direction: Direction,
    /// Which rule.
    pub breach: Breach,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.direction, self.breach)
    }
}

impl core::error::Error for Violation {}
