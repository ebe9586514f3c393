//! What once went wrong, one test each: the line above each says how it looked.

#![allow(clippy::unwrap_used, reason = "clippy knows tests, but not what they share")]

mod edge;
mod engine;
mod rests;
#[path = "../support/edge.rs"]
mod support;
