use core::fmt;
use std::error::Error as StdError;

use super::epoch::Epoch;

/// The answer for a key that is not in the table: said, and by which epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Absent {
    /// The epoch that does not have the key.
    pub epoch: Epoch,
}

impl fmt::Display for Absent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the key is not in the table of epoch {}", self.epoch)
    }
}

impl StdError for Absent {}
