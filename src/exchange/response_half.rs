use core::fmt;
use core::task::{Context, Poll};

use super::{Ending, Mail, Shared};
use crate::error::{Error, ErrorKind, Origin};
use crate::frame::Outcome;
use crate::sync::{Arc, lock};
use crate::unwind::contained;

/// The mailbox as the owner of the response chain sees it.
///
/// Dropping it without [`finish`](Self::finish) ends the response as cancelled.
pub struct ResponseHalf {
    shared: Arc<Shared>,
}

impl ResponseHalf {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Whether [`poll_mail`](Self::poll_mail) has something; one load, for a busy reader. It may
    /// be late, never wrong.
    #[inline]
    #[must_use]
    pub fn has_mail(&self) -> bool {
        self.shared.to_response.has_letter()
    }

    /// Ready, once, with what the request half says. Otherwise the waker is registered; the newest
    /// one counts.
    ///
    /// # Cancel safety
    ///
    /// What has not been returned is still there.
    pub fn poll_mail(&mut self, cx: &Context<'_>) -> Poll<Mail> {
        self.shared.to_response.poll(cx).map(|mail| *mail)
    }

    /// States how the response ended; the first outcome counts. Unless it is complete, or its
    /// end is not shown here, the request half is told to end the request, and woken.
    pub fn finish(&self, outcome: &Outcome) {
        if outcome.is_complete() || matches!(outcome, Outcome::EndUnseen) {
            self.shared.fix_response(outcome);
        } else {
            // A reply that was under way was given out whole, or the message would have failed.
            let answered = matches!(outcome, Outcome::Replaced { .. } | Outcome::Limit(_));
            self.end_both(outcome, answered);
        }
    }

    /// As [`finish`](Self::finish), for a response of which the client has been given all, or an
    /// answer in its place: the request half is told in any case, and that there is an answer.
    pub fn finish_answered(&self, outcome: &Outcome) {
        self.end_both(outcome, true);
    }

    fn end_both(&self, outcome: &Outcome, answered: bool) {
        if !self.shared.fix_response(outcome) {
            return;
        }
        let error = outcome.error().cloned().unwrap_or_else(|| {
            let (kind, origin, why) = match outcome {
                Outcome::Cancelled => {
                    (ErrorKind::Reset, Origin::Downstream, "the response was given up")
                }
                Outcome::Complete { .. } => {
                    (ErrorKind::AnsweredEarly, Origin::Internal, "the response was complete")
                }
                _ => {
                    let why = "a local reply took the place of the response";
                    (ErrorKind::Reset, Origin::Filter, why)
                }
            };
            Error::with_source(kind, origin, why)
        });
        // Refused if the request half is gone: then there is nothing to end.
        drop(self.shared.to_request.post(Ending { error, answered }));
    }

    /// How the request ended, if it has.
    #[must_use]
    pub fn request_outcome(&self) -> Option<Outcome> {
        lock(&self.shared.outcomes).request.as_ref().map(|outcome| outcome.get().clone())
    }

    /// Whether the request half is waiting for its client, as of its last poll.
    #[must_use]
    pub fn awaits_client(&self) -> bool {
        self.shared.awaits_client() && lock(&self.shared.outcomes).request.is_none()
    }
}

impl Drop for ResponseHalf {
    fn drop(&mut self) {
        self.shared.to_response.close();
        // Wakes the other half: user code.
        contained(|| self.finish(&Outcome::Cancelled));
    }
}

impl fmt::Debug for ResponseHalf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseHalf").field("has_mail", &self.has_mail()).finish_non_exhaustive()
    }
}
