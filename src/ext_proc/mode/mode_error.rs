use core::fmt;

use super::ModeField;
use crate::exchange::Direction;

/// Why there is no such mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ModeError {
    /// `FULL_DUPLEX_STREAMED` without the trailers of its direction.
    ///
    /// Envoy 1.40.0 refuses such a listener, saying "If the ext_proc filter has the
    /// request_body_mode set to FULL_DUPLEX_STREAMED, then the request_trailer_mode has to be set
    /// to SEND" (or the same of the response). It accepts the mode in a per-route override and in a
    /// `mode_override`, and then loses bodies: a message that ends in trailers has no end that the
    /// server could see, and its trailers overtake its body (pitfall P1; Envoy Gateway issue 6270).
    TrailersSkipped {
        /// Of which message, where that is known: a [`DirectionMode`](super::DirectionMode) by
        /// itself is of either.
        direction: Option<Direction>,
    },
    /// `GRPC`, number 5.
    Grpc {
        /// Where it stands.
        field: ModeField,
    },
    /// A number that the protocol does not define.
    Undefined {
        /// Where it stands.
        field: ModeField,
        /// The number.
        number: i32,
    },
}

impl ModeError {
    /// The same error, of a direction that is known now.
    pub(super) fn of(self, direction: Direction) -> Self {
        match self {
            Self::TrailersSkipped { .. } => Self::TrailersSkipped { direction: Some(direction) },
            Self::Grpc { .. } | Self::Undefined { .. } => self,
        }
    }
}

impl fmt::Display for ModeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::TrailersSkipped { direction: Some(direction) } => write!(
                f,
                "{} is FULL_DUPLEX_STREAMED and {} is not SEND: a message that ends in trailers \
                 would have no end; set {} to SEND, or leave it out",
                ModeField::body(direction),
                ModeField::trailers(direction),
                ModeField::trailers(direction),
            ),
            Self::TrailersSkipped { direction: None } => f.write_str(
                "the body mode is FULL_DUPLEX_STREAMED and the trailer mode of its direction \
                 (request_trailer_mode or response_trailer_mode) is not SEND: a message that ends \
                 in trailers would have no end; set it to SEND, or leave it out",
            ),
            Self::Grpc { field } => write!(
                f,
                "{field} is GRPC (5): Envoy 1.40.0 accepts it and does not implement it, so that \
                 bodies pass the server by; use FULL_DUPLEX_STREAMED"
            ),
            Self::Undefined { field, number } => {
                write!(f, "{field} is {number}, which the protocol does not define")
            }
        }
    }
}

impl std::error::Error for ModeError {}
