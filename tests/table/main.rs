//! Tables: what readers, writers, messages and those who wait see of each other.

#![allow(clippy::unwrap_used, reason = "a case that cannot go on has failed")]

#[path = "../support/counting.rs"]
mod counting;
#[allow(dead_code, reason = "the tests use a part of the kit")]
#[path = "../kit/rng.rs"]
mod rng;

mod alloc;
mod core;
mod epochs;
mod map;
mod panics;
mod plans;
mod threads;
mod watches;
