//! The hazards of `docs/hazards.md`, each tried on the real engine. A test is named after its
//! hazard (`h07_…`); what stands above it says where it was seen.

#![allow(clippy::unwrap_used, reason = "clippy knows tests, but not what they share")]

#[path = "../support/counting.rs"]
mod counting;
#[path = "../support/edge.rs"]
mod edge;
#[path = "../kit/mod.rs"]
mod kit;
#[path = "../exchange/stage.rs"]
mod stage;

mod arithmetic;
mod buffer;
mod cancel;
mod credit;
mod ends;
mod expansion;
mod floods;
mod gone;
mod hints;
mod hostile;
mod input_strings;
mod late_input;
mod late_resumes;
mod lends;
mod length;
mod panics;
mod pressure;
mod replies;
mod small_chunks;
mod splits;
mod trailers;
mod transfers;
mod wakes;
