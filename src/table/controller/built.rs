use std::collections::BTreeSet;

use crate::sync::ConstArc as Arc;

/// Names of extensions.
pub(super) type Names = BTreeSet<Arc<str>>;

/// A plan, and which extensions it stands on.
#[derive(Debug, Clone)]
pub struct Built<P> {
    pub(super) plan: P,
    pub(super) uses: Names,
    pub(super) without: Names,
}

impl<P> Built<P> {
    /// A plan that uses no extension.
    #[must_use]
    pub const fn new(plan: P) -> Self {
        Self { plan, uses: Names::new(), without: Names::new() }
    }

    /// Says that the plan uses the extension called `name`. It is rebuilt when that goes down and
    /// when it is up again, and never served while it is down.
    #[must_use]
    pub fn uses(mut self, name: impl Into<Arc<str>>) -> Self {
        self.uses.insert(name.into());
        self
    }

    /// Says that the fail-open filters of the extension called `name` were left out, because it is
    /// down. The plan is served and marked; it is rebuilt when the extension is up again. If the
    /// controller had it for up, it counts as found down, and is retried.
    #[must_use]
    pub fn without(mut self, name: impl Into<Arc<str>>) -> Self {
        self.without.insert(name.into());
        self
    }
}
