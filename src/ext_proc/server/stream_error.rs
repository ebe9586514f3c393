use core::fmt;
use core::time::Duration;

/// Why a stream was ended by the watchdog: see
/// [`StreamSettings::stall`](super::StreamSettings::stall). The source of the error in its report;
/// and of the body's, where no trailers can be sent and hyper resets the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StreamError {
    /// The client has not taken what it was sent.
    Unread {
        /// For how long, at least.
        timeout: Duration,
    },
    /// The filters have left so much lying that the client was not read, neither direction of it.
    Held {
        /// For how long, at least.
        timeout: Duration,
    },
}

impl fmt::Display for StreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, timeout) = match self {
            Self::Unread { timeout } => ("the client has taken nothing", timeout),
            Self::Held { timeout } => ("filters have held both directions up", timeout),
        };
        write!(f, "stalled: {what} for the stall timeout of {} ms", timeout.as_millis())
    }
}

impl std::error::Error for StreamError {}
