//! The codec of external processing beside prost's: framing, messages, and what they cost.

#[path = "../kit/ext_proc/mod.rs"]
mod messages;

mod kit_round_trip;
