//! Tables: what readers, writers and messages see of each other.

#![allow(clippy::unwrap_used, reason = "a case that cannot go on has failed")]

#[path = "../support/counting.rs"]
mod counting;

mod core;
