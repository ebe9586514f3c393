//! Golden traces of a real Envoy, played through an exchange.

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
