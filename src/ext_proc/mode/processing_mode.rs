use super::DirectionMode;
use crate::exchange::Direction;

/// What an external processor is given of both directions (`ProcessingMode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ProcessingMode {
    /// Of the request.
    pub request: DirectionMode,
    /// Of the response.
    pub response: DirectionMode,
}

impl ProcessingMode {
    /// Both.
    #[must_use]
    pub const fn new(request: DirectionMode, response: DirectionMode) -> Self {
        Self { request, response }
    }

    /// The mode of `direction`.
    #[must_use]
    pub const fn of(self, direction: Direction) -> DirectionMode {
        match direction {
            Direction::Request => self.request,
            Direction::Response => self.response,
        }
    }
}
