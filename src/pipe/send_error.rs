use core::fmt;
use std::error::Error as StdError;

/// Why something was not sent, with what it was.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum SendError<T> {
    /// The receiver is gone.
    Closed(T),
    /// This sender had ended before.
    Ended(T),
}

impl<T> SendError<T> {
    /// What was not sent.
    pub fn into_inner(self) -> T {
        match self {
            Self::Closed(value) | Self::Ended(value) => value,
        }
    }

    pub(super) fn map<U>(self, change: impl FnOnce(T) -> U) -> SendError<U> {
        match self {
            Self::Closed(value) => SendError::Closed(change(value)),
            Self::Ended(value) => SendError::Ended(change(value)),
        }
    }
}

/// Without the value, whose bytes belong into no log.
impl<T> fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed(_) => "Closed(..)",
            Self::Ended(_) => "Ended(..)",
        })
    }
}

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed(_) => "the receiver of the pipe is gone",
            Self::Ended(_) => "the sender of the pipe had ended",
        })
    }
}

impl<T> StdError for SendError<T> {}
