use core::fmt;
use std::error::Error as StdError;

use super::SendError;

/// Why an item was not sent at once, with the item.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum TrySendError<T> {
    /// The pipe went over its high mark and has not come down to its low mark.
    Full(T),
    /// The receiver is gone.
    Closed(T),
    /// This sender had ended before.
    Ended(T),
}

impl<T> TrySendError<T> {
    /// What was not sent.
    pub fn into_inner(self) -> T {
        match self {
            Self::Full(value) | Self::Closed(value) | Self::Ended(value) => value,
        }
    }
}

impl<T> From<SendError<T>> for TrySendError<T> {
    fn from(error: SendError<T>) -> Self {
        match error {
            SendError::Closed(value) => Self::Closed(value),
            SendError::Ended(value) => Self::Ended(value),
        }
    }
}

/// Without the value, whose bytes belong into no log.
impl<T> fmt::Debug for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "Full(..)",
            Self::Closed(_) => "Closed(..)",
            Self::Ended(_) => "Ended(..)",
        })
    }
}

impl<T> fmt::Display for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "the pipe is full",
            Self::Closed(_) => "the receiver of the pipe is gone",
            Self::Ended(_) => "the sender of the pipe had ended",
        })
    }
}

impl<T> StdError for TrySendError<T> {}
