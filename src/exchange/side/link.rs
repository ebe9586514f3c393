//! What a side does with its end of the mailbox.
//!
//! This module never touches a chain.

use crate::error::Error;
use crate::exchange::answer::answer_for;
use crate::exchange::{RequestHalf, ResponseHalf};
use crate::filter::LocalReply;
use crate::frame::Outcome;

/// This side's end of the mailbox.
pub(in crate::exchange) enum Link {
    /// The message is no part of an exchange.
    Alone,
    Request(RequestHalf),
    Response(ResponseHalf),
}

impl Link {
    /// One load, for a busy reader; it may be late, never wrong.
    #[inline]
    pub(super) fn has_mail(&self) -> bool {
        match self {
            Self::Alone => false,
            Self::Request(half) => half.has_mail(),
            Self::Response(half) => half.has_mail(),
        }
    }

    /// States how the message ended. `answered`: the client has, or is about to be given, a whole
    /// answer.
    pub(super) fn finish(&self, outcome: &Outcome, answered: bool) {
        match self {
            Self::Alone => {}
            Self::Request(half) => half.finish(outcome),
            Self::Response(half) if answered => half.finish_answered(outcome),
            Self::Response(half) => half.finish(outcome),
        }
    }

    /// The reply to a response that failed with `error` before its head was sent; `None` where
    /// nobody here has to answer.
    pub(super) fn answer(&self, error: &Error) -> Option<LocalReply> {
        match self {
            Self::Alone | Self::Request(_) => None,
            Self::Response(half) => Some(answer_for(error, half.awaits_client())),
        }
    }

    /// Tells the response whether the request waits for its client.
    pub(super) fn set_awaits(&self, awaits: bool) {
        if let Self::Request(half) = self {
            half.set_awaits_client(awaits);
        }
    }
}
