//! Control flow over filters: what may be built, which nodes run, and what is told of it. Rules R1
//! to R8 in names and comments are flow-R1 to flow-R8.
#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

#[allow(dead_code, reason = "each test binary uses its part")]
#[path = "../kit/rng.rs"]
mod rng;

mod bound;
mod checks;
mod crossings;
mod drawn;
mod edge;
mod ends;
mod finalizers;
mod greed;
mod random;
mod recycled;
mod reference;
mod rig;
mod runs;
mod shown;
#[path = "../support/edge.rs"]
mod support;
mod table;
mod trace;
