use crate::exchange::Direction;

/// When a server wants to send an override.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OverrideMoment {
    /// With the answer to the head of this direction.
    WithHeadersAnswer(Direction),
    /// In a message of its own, after the request's head came and before it is answered.
    StandAlone,
    /// At any other time.
    Later,
}
