use core::fmt;
use std::error::Error as StdError;

/// Why what came through a pipe is not complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut<E> {
    /// The sender failed, after the items before it: [`Sender::fail`](super::Sender::fail).
    Failed(E),
    /// The sender aborted; items were dropped: [`Sender::abort`](super::Sender::abort).
    Aborted(E),
    /// The sender was dropped without an end, after the items before it.
    Cancelled,
}

impl<E: fmt::Display> fmt::Display for Cut<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => write!(f, "the sender failed: {error}"),
            Self::Aborted(reason) => write!(f, "the sender aborted: {reason}"),
            Self::Cancelled => f.write_str("the sender was dropped before the end"),
        }
    }
}

impl<E: StdError + 'static> StdError for Cut<E> {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Failed(error) | Self::Aborted(error) => Some(error),
            Self::Cancelled => None,
        }
    }
}
