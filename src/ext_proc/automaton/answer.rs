use super::MessagePart;
use crate::exchange::Direction;
use crate::ext_proc::wire::{BodyChange, Part};

/// An answer to a part of a message, as far as the automaton tells answers apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Headers,
    /// CONTINUE_AND_REPLACE.
    Replacement,
    /// The answer to one body message.
    Body {
        mutates_head: bool,
    },
    /// Of a body in FULL_DUPLEX_STREAMED.
    Piece,
    /// The last of them.
    LastPiece,
    Trailers,
}

impl Answer {
    /// What `part` is, and of which direction; `None` if it answers no part of a message.
    pub(super) fn of(part: &Part) -> Option<(Direction, Self)> {
        match part {
            Part::Headers { direction, replace: None, .. } => Some((*direction, Self::Headers)),
            Part::Headers { direction, .. } => Some((*direction, Self::Replacement)),
            Part::Body { direction, change, mutation, .. } => {
                let answer = match change {
                    BodyChange::Streamed { end_of_stream: false, .. } => Self::Piece,
                    BodyChange::Streamed { end_of_stream: true, .. } => Self::LastPiece,
                    BodyChange::Unchanged | BodyChange::Clear | BodyChange::Replace(_) => {
                        Self::Body { mutates_head: !mutation.is_empty() }
                    }
                };
                Some((*direction, answer))
            }
            Part::Trailers { direction, .. } => Some((*direction, Self::Trailers)),
            Part::Immediate { .. } | Part::OverrideOnly | Part::MessageTimeout(_) => None,
        }
    }

    pub(super) const fn part(self) -> MessagePart {
        match self {
            Self::Headers | Self::Replacement => MessagePart::Headers,
            Self::Body { .. } | Self::Piece | Self::LastPiece => MessagePart::Body,
            Self::Trailers => MessagePart::Trailers,
        }
    }
}
