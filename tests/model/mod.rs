//! The independent oracle of the engine: a naive reference, and a harness that drives it and the
//! engine with the same random case and compares every call with its whole view.
//!
//! Shared by `tests/model.rs` and by the fuzz target `chain`.

pub(crate) mod case;
pub(crate) mod engine;
pub(crate) mod filter;
pub(crate) mod generate;
pub(crate) mod harness;
pub(crate) mod log;
pub(crate) mod parts;
pub(crate) mod recording;
pub(crate) mod recycled;
pub(crate) mod reference;
pub(crate) mod rules;
pub(crate) mod shrink;
pub(crate) mod steps;
pub(crate) mod walk;

pub(crate) use harness::run;
