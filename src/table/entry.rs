use core::fmt;

use super::fault::Fault;
use super::ready::Ready;

/// What a key stands for. A failure is a value under the same key, of the same shape (G2): who
/// looks a key up gets one of these in every case. Cheap to clone.
pub enum Entry<P> {
    /// A plan serves.
    Ready(Ready<P>),
    /// No plan serves: the embedder answers with its failure reply.
    Failed(Fault),
}

impl<P> Entry<P> {
    /// A plan as it was asked for.
    #[must_use]
    pub fn ready(plan: P) -> Self {
        Self::Ready(Ready::new(plan))
    }

    /// The plan to use.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub fn plan(&self) -> Result<&P, &Fault> {
        match self {
            Self::Ready(ready) => Ok(ready.plan()),
            Self::Failed(fault) => Err(fault),
        }
    }

    /// What is wrong with the key, if anything is: it failed, or its plan is from before an edit
    /// that failed.
    #[must_use]
    pub fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Ready(ready) => ready.stale(),
            Self::Failed(fault) => Some(fault),
        }
    }

    /// What becomes of this entry when an edit of its key cannot be built (G3): a plan stays, as
    /// the last good one; without one the key fails. A fault that was there goes on since when it
    /// began, with the new error.
    #[must_use]
    pub fn after_failed_edit(&self, fault: Fault) -> Self {
        let fault = match self.fault() {
            Some(first) => fault.following(first),
            None => fault,
        };
        match self {
            Self::Ready(ready) => Self::Ready(ready.clone().stale_by(fault)),
            Self::Failed(_) => Self::Failed(fault),
        }
    }
}

impl<P> Clone for Entry<P> {
    fn clone(&self) -> Self {
        match self {
            Self::Ready(ready) => Self::Ready(ready.clone()),
            Self::Failed(fault) => Self::Failed(fault.clone()),
        }
    }
}

impl<P> fmt::Debug for Entry<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready(ready) => ready.fmt(f),
            Self::Failed(fault) => f.debug_tuple("Failed").field(fault).finish(),
        }
    }
}
