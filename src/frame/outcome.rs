use crate::error::Error;
use crate::sync::ConstArc as Arc;

/// How a message ended (rule I9): fixed once, then told once to every filter that was started.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Outcome {
    /// Everything was delivered, or a filter declared the end early.
    Complete {
        /// Bytes that were dropped behind or before a declared end.
        discarded_bytes: u64,
        /// Trailer fields that passed the chain but could not be sent by the edge.
        unsent_trailers: u64,
    },
    /// The peer ended the message abnormally.
    Reset(Error),
    /// The consumer went away before the end.
    Cancelled,
    /// Nothing failed, but the edge is not shown how the message ended: an external processor that
    /// is given heads only, or no trailers, learns nothing of what follows. All that came has been
    /// passed on.
    EndUnseen,
    /// A filter held more than its high mark under a rejecting verdict; 413 or 500 was answered.
    Limit(Error),
    /// Nothing could go on (rule I8).
    Stalled(Error),
    /// A timeout of the edge passed.
    TimedOut(Error),
    /// A filter failed, panicked, or broke its declaration; or a length was not kept.
    Failed(Error),
    /// A local reply took the place of the message.
    Replaced {
        /// The filter that replied; `None` when the reply came from outside this chain.
        by: Option<Arc<str>>,
        /// The status of the reply.
        status: http::StatusCode,
    },
}

impl Outcome {
    /// The error of an outcome that has one.
    #[must_use]
    pub fn error(&self) -> Option<&Error> {
        match self {
            Self::Reset(error)
            | Self::Limit(error)
            | Self::Stalled(error)
            | Self::TimedOut(error)
            | Self::Failed(error) => Some(error),
            Self::Complete { .. } | Self::EndUnseen | Self::Cancelled | Self::Replaced { .. } => {
                None
            }
        }
    }

    /// Whether the message ended as its sender and its filters meant it to.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        matches!(self, Self::Complete { .. })
    }
}
