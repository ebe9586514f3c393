use super::{Disagreement, ProcessingMode};
use crate::exchange::Direction;

/// What is in force on a stream, and where that is not what the embedder stated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Announced {
    stated: ProcessingMode,
    mode: ProcessingMode,
}

impl Announced {
    pub(super) const fn new(stated: ProcessingMode, mode: ProcessingMode) -> Self {
        Self { stated, mode }
    }

    /// What is in force.
    #[must_use]
    pub const fn mode(self) -> ProcessingMode {
        self.mode
    }

    /// The body modes that were stated otherwise, the request's first.
    pub fn disagreements(self) -> impl Iterator<Item = Disagreement> {
        [Direction::Request, Direction::Response].into_iter().filter_map(move |direction| {
            let (stated, announced) =
                (self.stated.of(direction).body(), self.mode.of(direction).body());
            (stated != announced).then_some(Disagreement { direction, stated, announced })
        })
    }
}
