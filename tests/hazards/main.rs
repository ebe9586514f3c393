//! The hazards of `docs/hazards.md`, each tried on the real engine. A test is named after its
//! hazard (`h07_…`); what stands above it says where it was seen.

#[path = "../support/counting.rs"]
mod counting;
#[path = "../kit/mod.rs"]
mod kit;

#[path = "../support/edge.rs"]
mod edge;

mod input_strings;
mod small_chunks;
