use core::fmt;

use super::{BodyMode, ModeField};
use crate::exchange::Direction;

/// A body mode that a data plane announces and an embedder states otherwise. The announced one is
/// in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Disagreement {
    /// Of which message.
    pub direction: Direction,
    /// What the embedder's mode value says.
    pub stated: BodyMode,
    /// What the data plane says.
    pub announced: BodyMode,
}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} is announced as {} and stated as {}; the announced one counts",
            ModeField::body(self.direction),
            self.announced,
            self.stated
        )
    }
}
