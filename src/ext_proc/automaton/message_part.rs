use core::fmt;

/// What a message on the stream is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessagePart {
    /// A head.
    Headers,
    /// A body, or some of it.
    Body,
    /// Trailers.
    Trailers,
}

impl fmt::Display for MessagePart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Headers => "headers",
            Self::Body => "body",
            Self::Trailers => "trailers",
        })
    }
}
