//! The pipe between tasks: random scripts against a naive model, on an executor that accounts for
//! every wake; wakers that panic; allocations; two threads.

#![allow(clippy::unwrap_used, reason = "a case that cannot go on has failed")]

#[path = "../kit/mod.rs"]
mod kit;

#[path = "../support/counting.rs"]
mod counting;

mod alloc;
mod harness;
mod locks;
mod model;
mod panics;
mod scripts;
mod threads;
