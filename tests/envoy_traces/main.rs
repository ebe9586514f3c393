//! Golden traces of a real Envoy, played through an exchange.
//!
//! - `trace`: what is in a file of `tests/envoy-traces`.
//! - `play`: the script of a trace, played here; and the rules, checked on that run by itself.
//! - `moment`, `observe`, `compare`: what was seen after each step, there and here, and where the
//!   two differ.
//! - `rules`: which rules (I1 to I14) the recording breaks; `caveat`: what was decided otherwise.
//! - `explain`, `judge`: each difference gets one of the two as its reason, or is unexplained.
//! - `page`: `docs/envoy-differences.md`; `runs`, `planted`, `model`: the tests.

#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

mod caveat;
mod compare;
mod explain;
mod judge;
mod model;
mod moment;
mod observe;
mod page;
mod planted;
mod play;
mod rules;
mod runs;
mod trace;
