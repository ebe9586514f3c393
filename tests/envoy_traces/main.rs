//! Golden traces of a real Envoy, played through an exchange.

#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

mod compare;
mod model;
mod moment;
mod observe;
mod play;
mod rules;
mod runs;
mod trace;
