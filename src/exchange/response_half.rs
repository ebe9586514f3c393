use core::fmt;
use core::task::{Context, Poll};

use super::{Mail, Shared};
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
        self.shared.to_response.poll(cx)
    }

    /// States how the response ended; the first outcome counts. Unless it is complete, the request
    /// half is told to end the request, and woken.
    pub fn finish(&self, outcome: &Outcome) {
        if !self.shared.fix_response(outcome) || outcome.is_complete() {
            return;
        }
        let error = outcome.error().cloned().unwrap_or_else(|| {
            let (origin, why) = match outcome {
                Outcome::Cancelled => (Origin::Downstream, "the response was given up"),
                _ => (Origin::Filter, "a local reply took the place of the response"),
            };
            Error::with_source(ErrorKind::Reset, origin, why)
        });
        // Refused if the request half is gone: then there is nothing to end.
        drop(self.shared.to_request.post(error));
    }

    /// How the request ended, if it has.
    #[must_use]
    pub fn request_outcome(&self) -> Option<Outcome> {
        lock(&self.shared.outcomes).request.clone()
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
