use core::fmt;
use core::task::{Context, Poll};

use super::{Mail, Shared};
use crate::error::Error;
use crate::filter::LocalReply;
use crate::frame::Outcome;
use crate::sync::{Arc, lock};
use crate::unwind::contained;

/// The mailbox as the owner of the request chain sees it.
///
/// Dropping it without [`finish`](Self::finish) ends the request as cancelled.
pub struct RequestHalf {
    shared: Arc<Shared>,
    /// What the letter said, once it was read.
    answered: bool,
}

impl RequestHalf {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, answered: false }
    }

    /// Hands a local reply of the request chain to the response half, and wakes it.
    ///
    /// # Errors
    ///
    /// The reply comes back if the response half is gone, or was told something before.
    #[allow(clippy::result_large_err, reason = "it goes back as it came, and is rare")]
    pub fn reply(&self, reply: LocalReply) -> Result<(), LocalReply> {
        let Err(refused) = self.shared.to_response.post(Box::new(Mail::Reply(reply))) else {
            return Ok(());
        };
        match *refused {
            Mail::Reply(reply) => Err(reply),
            Mail::Failed { .. } => Ok(()),
        }
    }

    /// States how the request ended; the first outcome counts. One with an error is told to the
    /// response half, which is woken.
    pub fn finish(&self, outcome: &Outcome) {
        if !self.shared.fix_request(outcome) {
            return;
        }
        if let Some(error) = outcome.error() {
            // Refused if the response half is gone, or has a reply: then nobody has to answer.
            let (error, awaited_client) = (error.clone(), self.shared.awaits_client());
            let mail = Box::new(Mail::Failed { error, awaited_client });
            drop(self.shared.to_response.post(mail));
        }
    }

    /// How the response ended, if it has.
    #[must_use]
    pub fn response_outcome(&self) -> Option<Outcome> {
        lock(&self.shared.outcomes).response.as_ref().map(|outcome| outcome.get().clone())
    }

    /// Whether [`poll_reset`](Self::poll_reset) has something; one load, for a busy reader. It may
    /// be late, never wrong.
    #[inline]
    #[must_use]
    pub fn has_mail(&self) -> bool {
        self.shared.to_request.has_letter()
    }

    /// Ready, once, when the request is to end before its time: it must then end in a way that the
    /// upstream cannot take for complete. Otherwise the waker is registered; the newest
    /// one counts.
    ///
    /// # Cancel safety
    ///
    /// What has not been returned is still there.
    pub fn poll_reset(&mut self, cx: &Context<'_>) -> Poll<Error> {
        self.shared.to_request.poll(cx).map(|ending| {
            self.answered = ending.answered;
            ending.error
        })
    }

    /// Whether the client has a whole answer, according to what [`poll_reset`](Self::poll_reset)
    /// gave out.
    #[must_use]
    pub fn was_answered(&self) -> bool {
        self.answered
    }

    /// States whether the request has to wait for its client: a timeout is then the client's (408),
    /// otherwise not (504).
    pub fn set_awaits_client(&self, awaits: bool) {
        // Only this half writes it, so what it reads is what it said last.
        if self.shared.awaits_client() != awaits {
            self.shared.set_awaits_client(awaits);
        }
    }
}

impl Drop for RequestHalf {
    fn drop(&mut self) {
        self.shared.to_request.close();
        // Wakes the other half: user code.
        contained(|| self.finish(&Outcome::Cancelled));
    }
}

impl fmt::Debug for RequestHalf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestHalf").field("has_mail", &self.has_mail()).finish_non_exhaustive()
    }
}
