//! Both chains around a tower service.

mod answers;
mod exchange;
mod heads;
mod needs;
#[path = "../support/edge.rs"]
mod support;
mod timeouts;
mod wire;
