//! Async filters: what they do to a message, in both directions, and what they never do to it.
//! Rules and rulings in the comments are those of `docs/architecture.md`.

#[path = "../kit/mod.rs"]
mod kit;

mod flow;
mod heads;
mod misuse;
mod outside;
mod pressure;

mod stage;
