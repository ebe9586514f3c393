//! Both chains around a tower service.
#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

mod answers;
mod early;
mod exchange;
mod heads;
mod needs;
#[path = "../support/edge.rs"]
mod support;
mod timeouts;
mod wire;
