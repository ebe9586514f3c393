use core::fmt;

use super::{DirectionMode, Need};
use crate::exchange::Direction;

/// A filter that cannot run in a mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModeUnmet {
    filter: Box<str>,
    direction: Direction,
    mode: DirectionMode,
    need: Need,
}

impl ModeUnmet {
    pub(super) fn new(filter: &str, direction: Direction, mode: DirectionMode, need: Need) -> Self {
        Self { filter: filter.into(), direction, mode, need }
    }

    /// The filter, as named in the plan.
    #[must_use]
    pub fn filter(&self) -> &str {
        &self.filter
    }

    /// Over which message it was to run.
    #[must_use]
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// The mode of that direction.
    #[must_use]
    pub fn mode(&self) -> DirectionMode {
        self.mode
    }

    /// What the filter asks and the mode does not have.
    #[must_use]
    pub fn need(&self) -> Need {
        self.need
    }
}

impl fmt::Display for ModeUnmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "filter `{}` of the {} {}, which a processor cannot have with headers {}, body {}, \
             trailers {}",
            self.filter,
            self.direction,
            self.need,
            self.mode.headers(),
            self.mode.body(),
            self.mode.trailers()
        )
    }
}

impl std::error::Error for ModeUnmet {}
