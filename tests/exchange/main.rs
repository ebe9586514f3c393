//! Both directions of a transaction, without I/O: who tells whom what, and what each then does.
//! Rules and rulings in the comments are those of `docs/architecture.md` and of the page of
//! `tidegate::exchange`.
#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

#[path = "../kit/mod.rs"]
mod kit;

mod early;
mod pairs;
mod random;
mod sides;
mod stage;
mod threads;
