use core::fmt;
use core::time::Duration;

/// Why a stream ends without trailers: hyper resets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StreamError {
    /// The client has not taken what was sent, so that neither direction could go on: see
    /// [`StreamSettings::stall`](super::StreamSettings::stall).
    Stalled {
        /// For how long, at least.
        timeout: Duration,
    },
}

impl fmt::Display for StreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stalled { timeout } => write!(
                f,
                "the client has taken nothing for the stall timeout of {} ms",
                timeout.as_millis()
            ),
        }
    }
}

impl std::error::Error for StreamError {}
