use super::MessagePart;

/// What a message that came was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Received {
    /// A head.
    Headers {
        /// Neither body nor trailers follow.
        end_of_stream: bool,
    },
    /// A body message, whole. Its bytes do not matter here: an empty one is owed what any is (R5,
    /// P30).
    Body {
        /// Neither body nor trailers follow.
        end_of_stream: bool,
    },
    /// Trailers.
    Trailers,
}

impl Received {
    /// Without whether it is the last.
    #[must_use]
    pub const fn part(self) -> MessagePart {
        match self {
            Self::Headers { .. } => MessagePart::Headers,
            Self::Body { .. } => MessagePart::Body,
            Self::Trailers => MessagePart::Trailers,
        }
    }

    /// Whether nothing comes after it.
    #[must_use]
    pub const fn is_end(self) -> bool {
        match self {
            Self::Headers { end_of_stream } | Self::Body { end_of_stream } => end_of_stream,
            Self::Trailers => true,
        }
    }
}
