//! The codec of external processing beside prost's: framing, messages, and what they cost.

#[path = "../support/counting.rs"]
mod counting;
#[path = "../kit/mod.rs"]
mod kit;
#[path = "../kit/ext_proc/mod.rs"]
mod messages;

mod cost;
mod decode;
mod hostile;
mod kit_round_trip;
mod random;
mod replies;
mod shuffle;
mod status;
mod structs;
