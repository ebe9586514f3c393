//! Both chains around a tower service.
#![allow(clippy::unwrap_used, reason = "what surrounds a test may fail it")]

mod answers;
mod exchange;
mod heads;
mod needs;
#[path = "../support/edge.rs"]
mod support;
mod timeouts;
mod wire;
