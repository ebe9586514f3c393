use bytes::Bytes;

use super::{Envelope, Section};
use crate::exchange::Direction;

/// What has been read of a `ProcessingRequest`.
///
/// Heads and trailers come when their message is whole. A body comes in pieces, as they arrive:
/// [`BodyPiece`](Self::BodyPiece)s, then one [`BodyEnd`](Self::BodyEnd) when the message is whole,
/// since `end_of_stream` and what a message carries besides stand behind the bytes.
#[derive(Debug)]
pub enum Event {
    /// A head.
    Headers {
        /// Of which message.
        direction: Direction,
        /// The head. Boxed: rare, and large.
        section: Box<Section>,
        /// Neither body nor trailers follow.
        end_of_stream: bool,
        /// What comes with it; `None` if that is nothing.
        envelope: Option<Box<Envelope>>,
    },
    /// A piece of the body of a message that is not whole yet; never empty. A slice of what was
    /// read.
    BodyPiece {
        /// Of which message.
        direction: Direction,
        /// The bytes.
        bytes: Bytes,
    },
    /// A body message is whole; its bytes were given out before.
    BodyEnd {
        /// Of which message.
        direction: Direction,
        /// How many bytes it had.
        body_bytes: u64,
        /// Neither body nor trailers follow.
        end_of_stream: bool,
        /// What comes with it; `None` if that is nothing.
        envelope: Option<Box<Envelope>>,
    },
    /// Trailers.
    Trailers {
        /// Of which message.
        direction: Direction,
        /// The trailers.
        section: Box<Section>,
        /// What comes with them; `None` if that is nothing.
        envelope: Option<Box<Envelope>>,
    },
    /// A message without a part: flow control, or nothing that is known.
    Other {
        /// What it carries; `None` if that is nothing.
        envelope: Option<Box<Envelope>>,
    },
}
