use core::fmt;

use super::fault::Fault;
use super::kept::Kept;
use crate::sync::{Arc, ConstArc};

/// A plan that serves, and what is to be known of it. Cheap to clone: the plan is shared.
///
/// It is *stale* if a later edit of its key could not be built, and *degraded* if filters were left
/// out because what they need is down and they are fail-open.
pub struct Ready<P> {
    plan: Arc<Kept<P>>,
    stale: Option<Fault>,
    dropped: ConstArc<[Box<str>]>,
}

impl<P> Ready<P> {
    /// A plan as it was asked for.
    #[must_use]
    pub fn new(plan: P) -> Self {
        Self { plan: Arc::new(Kept::new(plan)), stale: None, dropped: ConstArc::from([]) }
    }

    /// The same plan, without which names of fail-open filters it had to be built.
    #[must_use]
    pub fn without(mut self, dropped: impl IntoIterator<Item = impl Into<Box<str>>>) -> Self {
        self.dropped = dropped.into_iter().map(Into::into).collect();
        self
    }

    /// The same plan, kept as the last good one behind an edit that failed.
    #[must_use]
    pub fn stale_by(mut self, fault: Fault) -> Self {
        self.stale = Some(fault);
        self
    }

    /// The same plan, current again.
    #[must_use]
    pub fn current(mut self) -> Self {
        self.stale = None;
        self
    }

    /// The plan.
    #[must_use]
    pub fn plan(&self) -> &P {
        &self.plan
    }

    /// The edit that could not be built, if this is the plan from before it.
    #[must_use]
    pub fn stale(&self) -> Option<&Fault> {
        self.stale.as_ref()
    }

    /// The names of the fail-open filters that were left out.
    pub fn dropped(&self) -> impl ExactSizeIterator<Item = &str> {
        self.dropped.iter().map(|name| &**name)
    }

    /// Whether filters were left out.
    #[must_use]
    pub fn is_degraded(&self) -> bool {
        !self.dropped.is_empty()
    }

    /// Whether both share one plan: not an equal one, the same.
    #[must_use]
    pub fn is_same_plan(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.plan, &other.plan)
    }
}

impl<P> Clone for Ready<P> {
    fn clone(&self) -> Self {
        Self {
            plan: Arc::clone(&self.plan),
            stale: self.stale.clone(),
            dropped: ConstArc::clone(&self.dropped),
        }
    }
}

impl<P> fmt::Debug for Ready<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ready")
            .field("stale", &self.stale)
            .field("dropped", &self.dropped)
            .finish_non_exhaustive()
    }
}
