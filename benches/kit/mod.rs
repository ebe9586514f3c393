//! What all benchmarks share.
//!
//! A [`Case`] is one thing that is done, and a row is one way of doing it: ours, that of a peer, or
//! the floor, which does nothing but what cannot be left out. Before a row is timed it has carried
//! a whole message, whose bytes and trailers were compared; then its allocations are counted, in a
//! pass that nobody times. Rows of one case are compared with each other, within one run only.

mod allocations;
mod case;

pub(crate) use case::{Case, config};
