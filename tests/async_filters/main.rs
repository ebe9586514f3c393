//! Async filters: what they do to a message, in both directions, and what they never do to it.
//! Rules and rulings in the comments are those of `docs/architecture.md`.

#[path = "../kit/mod.rs"]
mod kit;
#[allow(dead_code, reason = "its main is not run here")]
#[path = "../../examples/redact.rs"]
mod redact;

mod flow;
mod heads;
mod lines;
mod misuse;
mod napping;
mod outside;
mod pressure;

mod stage;
mod threads;
mod wakes;
mod works;
