//! How cost grows: one thing at several sizes, which has to be linear in its units, or better.
//!
//! What is made before the count begins is not counted; what goes with it, is.

mod chain;
mod outside;

/// What is counted, ready to run once.
pub(crate) type Job = Box<dyn FnOnce()>;

/// A kind of growth.
#[derive(Clone, Copy)]
pub(crate) struct Growth {
    pub(crate) name: &'static str,
    /// What the cost is divided by.
    pub(crate) unit: &'static str,
    pub(crate) sizes: &'static [usize],
    /// How many units the job of a size has.
    pub(crate) units: fn(usize) -> usize,
    pub(crate) make: fn(usize) -> Job,
}

/// Every kind.
pub(crate) fn all() -> Vec<Growth> {
    [chain::GROWTHS, outside::GROWTHS].concat()
}

/// As many units as the size says.
const fn growth(
    name: &'static str,
    unit: &'static str,
    sizes: &'static [usize],
    make: fn(usize) -> Job,
) -> Growth {
    Growth { name, unit, sizes, units: |size| size, make }
}
