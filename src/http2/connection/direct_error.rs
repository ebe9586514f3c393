use core::fmt;

/// Why the body of a request on the direct carrier has no end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DirectError {
    /// The stream was reset: by the client, or for something that the client did wrong.
    Reset {
        /// The error code of HTTP/2 (RFC 9113, section 7).
        code: u32,
    },
    /// The connection is gone.
    Disconnected,
}

impl fmt::Display for DirectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reset { code } => {
                write!(f, "the stream was reset: {}", crate::http2::Reason(*code))
            }
            Self::Disconnected => f.write_str("the connection is gone"),
        }
    }
}

impl std::error::Error for DirectError {}
