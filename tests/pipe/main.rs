//! The pipe between tasks: random scripts against a naive model, on an executor that accounts for
//! every wake; wakers that panic; allocations; two threads.

#![allow(clippy::unwrap_used, reason = "a case that cannot go on has failed")]

#[path = "../kit/mod.rs"]
mod kit;

#[path = "../support/counting.rs"]
mod counting;

// The fuzz target of this layer, and what it needs.
#[path = "../targets/choices.rs"]
mod choices;
#[allow(dead_code, reason = "its drivers use more of the target")]
#[path = "../targets/pipe/mod.rs"]
mod pipe_target;
#[allow(dead_code, reason = "its drivers use more of the target")]
#[path = "../targets/target.rs"]
mod target;

mod alloc;
mod locks;
mod panics;
mod scripts;
mod threads;
