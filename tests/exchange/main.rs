//! Both directions of a transaction, without I/O: who tells whom what, and what each then does.
//! Rules and rulings in the comments are those of `docs/architecture.md` and of the page of
//! `tidegate::exchange`.
#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

#[path = "../kit/mod.rs"]
mod kit;

// The fuzz target of this layer, and what it needs.
#[path = "../targets/choices.rs"]
mod choices;
#[allow(dead_code, reason = "its drivers use more of the target")]
#[path = "../targets/exchange/mod.rs"]
mod exchange_target;
#[allow(dead_code, reason = "its drivers use more of the target")]
#[path = "../targets/target.rs"]
mod target;

mod early;
mod pairs;
mod random;
mod sides;
mod stage;
mod threads;
