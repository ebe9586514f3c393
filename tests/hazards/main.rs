//! The hazards of `docs/hazards.md`, each tried on the real engine. A test is named after its
//! hazard (`h07_…`); what stands above it says where it was seen.

#![allow(clippy::unwrap_used, reason = "clippy knows tests, but not what they share")]

#[path = "../support/counting.rs"]
mod counting;
mod arithmetic;
mod buffer;
mod cancel;
#[path = "../support/edge.rs"]
mod edge;
mod ends;
mod hostile;
#[path = "../kit/mod.rs"]
mod kit;

#[path = "../support/edge.rs"]
mod edge;
#[path = "../exchange/stage.rs"]
mod stage;

mod credit;
mod floods;
mod gone;
mod input_strings;
mod late_input;
mod pressure;
mod replies;
mod small_chunks;
mod lends;
mod length;
mod panics;
mod splits;
mod trailers;
mod wakes;
