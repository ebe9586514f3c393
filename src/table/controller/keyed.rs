use core::time::Duration;

use super::BuildError;
use super::built::{Built, Names};
use crate::sync::ConstArc as Arc;
use crate::table::{Entry, Fault, Ready};
use crate::unwind::contained;

/// What is known of one key.
pub(super) struct Keyed<S, P> {
    /// The last edit.
    pub(super) wanted: Arc<S>,
    /// What was last built of an edit, whether or not it is served.
    pub(super) good: Option<Good<S, P>>,
    pub(super) standing: Standing,
}

/// A spec that was built, and its plan.
pub(super) struct Good<S, P> {
    pub(super) spec: Arc<S>,
    /// Marked with what it leaves out.
    pub(super) ready: Ready<P>,
    pub(super) uses: Names,
    pub(super) without: Names,
    pub(super) freshness: Freshness,
}

/// Whether a plan still stands on what it was built on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Freshness {
    Current,
    /// An extension that it uses or leaves out has gone down or come up since.
    Outdated,
}

/// What a key serves.
#[derive(Clone)]
pub(super) enum Standing {
    /// Nothing yet: it is new.
    New,
    /// The good plan, and that is what is wanted.
    Wanted,
    /// The good plan, but edits since then are faulty.
    Stale { fault: Fault },
    /// Failures.
    Failed {
        fault: Fault,
        /// The extensions that its build depends on; none: it waits for an edit.
        waits_for: Names,
        /// Since when edits are faulty, if the last one is, or would be if it could be built.
        faulty_since: Option<Duration>,
    },
}

impl Standing {
    pub(super) fn faulty_since(&self) -> Option<Duration> {
        match self {
            Self::New | Self::Wanted => None,
            Self::Stale { fault } => Some(fault.since()),
            Self::Failed { faulty_since, .. } => *faulty_since,
        }
    }

    /// A failure: since before, if it was one before.
    pub(super) fn fail(
        &self,
        now: Duration,
        error: BuildError,
        waits_for: Names,
        faulty_since: Option<Duration>,
    ) -> Self {
        let since = match self {
            Self::Failed { fault, .. } => fault.since(),
            Self::New | Self::Wanted | Self::Stale { .. } => now,
        };
        Self::Failed { fault: Fault::new(since, error), waits_for, faulty_since }
    }
}

impl<S, P> Good<S, P> {
    pub(super) fn new(spec: Arc<S>, built: Built<P>) -> Self {
        let Built { plan, uses, without } = built;
        let ready = Ready::new(plan).without(without.iter().map(|name| Box::from(&**name)));
        Self { spec, ready, uses, without, freshness: Freshness::Current }
    }

    pub(super) fn mentions(&self, name: &str) -> bool {
        self.uses.contains(name) || self.without.contains(name)
    }
}

impl<S: PartialEq, P> Keyed<S, P> {
    /// Whether it serves what `spec` says: there is nothing to build. A comparison that panics says
    /// nothing, and must not take the other edits along.
    pub(super) fn serves(&self, spec: &S) -> bool {
        let mut is_same = false;
        if matches!(self.standing, Standing::Wanted) {
            contained(|| is_same = *self.wanted == *spec);
        }
        is_same
    }
}

impl<S, P> Keyed<S, P> {
    pub(super) const fn new(wanted: Arc<S>) -> Self {
        Self { wanted, good: None, standing: Standing::New }
    }

    /// Whether it is to be rebuilt when the extension goes down or comes up.
    pub(super) fn mentions(&self, name: &str) -> bool {
        let waits = match &self.standing {
            Standing::Failed { waits_for, .. } => waits_for.contains(name),
            Standing::New | Standing::Wanted | Standing::Stale { .. } => false,
        };
        waits || self.good.as_ref().is_some_and(|good| good.mentions(name))
    }

    /// The extension has gone down or come up: the good plan does not stand on it as it was built.
    pub(super) fn outdate(&mut self, name: &str) {
        if let Some(good) = &mut self.good
            && good.mentions(name)
        {
            good.freshness = Freshness::Outdated;
        }
    }

    /// As [`outdate`](Self::outdate), for an extension that a build of this key has found down:
    /// what that build has made knows of it.
    pub(super) fn outdate_unless_built(&mut self, name: &str) {
        match self.standing {
            Standing::Failed { .. } => self.outdate(name),
            Standing::New | Standing::Wanted | Standing::Stale { .. } => {}
        }
    }

    /// What readers see of it.
    pub(super) fn entry(&self) -> Option<Entry<P>> {
        let good = || self.good.as_ref().map(|good| good.ready.clone());
        match &self.standing {
            Standing::New => None,
            Standing::Wanted => good().map(Entry::Ready),
            Standing::Stale { fault } => Some(Entry::Ready(good()?.stale_by(fault.clone()))),
            Standing::Failed { fault, .. } => Some(Entry::Failed(fault.clone())),
        }
    }
}

// By hand: neither specs nor plans need to be `Clone`.
impl<S, P> Clone for Keyed<S, P> {
    fn clone(&self) -> Self {
        let Self { wanted, good, standing } = self;
        Self { wanted: Arc::clone(wanted), good: good.clone(), standing: standing.clone() }
    }
}

impl<S, P> Clone for Good<S, P> {
    fn clone(&self) -> Self {
        let Self { spec, ready, uses, without, freshness } = self;
        Self {
            spec: Arc::clone(spec),
            ready: ready.clone(),
            uses: uses.clone(),
            without: without.clone(),
            freshness: *freshness,
        }
    }
}
