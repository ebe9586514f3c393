//! A chain behind the `http_body` face, without a runtime where none is needed.
#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

mod clock;
mod frames;
mod piped;
#[path = "../support/edge.rs"]
mod support;
mod threads;
mod truth;
mod wakes;
