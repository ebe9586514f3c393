//! Tables: what readers, writers, messages and those who wait see of each other.

#![allow(clippy::unwrap_used, reason = "a case that cannot go on has failed")]

#[path = "../support/counting.rs"]
mod counting;
#[allow(dead_code, reason = "the tests use a part of the kit")]
#[path = "../kit/rng.rs"]
mod rng;

// The fuzz target of this layer, and what it needs.
#[path = "../targets/choices.rs"]
mod choices;
#[path = "../targets/table/mod.rs"]
mod table_target;
#[allow(dead_code, reason = "its drivers use more of the target")]
#[path = "../targets/target.rs"]
mod target;

mod alloc;
mod controller;
mod core;
mod deltas;
mod epochs;
mod map;
mod panics;
mod plans;
mod property;
mod shown;
mod story;
mod threads;
mod watches;
