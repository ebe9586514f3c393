use core::fmt;

use super::{Inner, Plan, Unmet, check_needs};
use crate::chain::{Chain, MessageTraits};
use crate::filter::{Capabilities, Capability, Declaration, Head};
use crate::pool::PoolStats;
use crate::sync::ConstArc as Arc;

/// A plan whose needs an edge can meet. Cheap to clone; makes one [`Chain`] per message.
pub struct BoundPlan<H: Head> {
    pub(super) inner: Arc<Inner<H>>,
    pub(super) edge: Capabilities,
}

impl<H: Head> BoundPlan<H> {
    /// Makes the chain of one message. Where the maker of a filter panics, the chain has failed
    /// already: it takes no input, and gives out a reset.
    ///
    /// # Errors
    ///
    /// [`Unmet`], when this message cannot have what a filter requires.
    pub fn chain(&self, message: MessageTraits) -> Result<Chain<H>, Unmet> {
        let mut granted = self.edge.and(message.capabilities);
        check_needs(&self.inner, granted)?;
        if message.bodiless {
            granted = granted.without(Capability::AddTrailers);
        }
        Ok(Chain::new(Arc::clone(&self.inner), granted, message))
    }

    /// See [`Plan::held_bound_bytes`].
    #[must_use]
    pub fn held_bound_bytes(&self) -> u64 {
        Plan { inner: Arc::clone(&self.inner) }.held_bound_bytes()
    }

    /// See [`Plan::recycling`].
    #[must_use]
    pub fn recycling(&self) -> PoolStats {
        self.inner.pool.stats()
    }

    /// Names and declarations, in chain order.
    pub fn filters(&self) -> impl Iterator<Item = (&str, &Declaration)> + Clone {
        self.inner.stations.iter().map(|station| (&*station.name, &station.declaration))
    }
}

impl<H: Head> Clone for BoundPlan<H> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner), edge: self.edge }
    }
}

impl<H: Head> fmt::Debug for BoundPlan<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundPlan")
            .field("edge", &self.edge)
            .field("filters", &self.filters().map(|(name, _)| name).collect::<Vec<_>>())
            .finish()
    }
}
