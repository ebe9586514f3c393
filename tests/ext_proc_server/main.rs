//! The gRPC service around sessions, over real HTTP/2: hyper's client at the other end of a pipe.
//! Rules in the comments are the pitfalls P1 to P40 and hazards of the architecture page.
#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

#[path = "../kit/ext_proc/mod.rs"]
mod messages;

#[path = "../support/counting.rs"]
mod counting;

mod answers;
mod calls;
mod crowd;
mod ends;
mod health;
mod hostile;
mod modes;
mod mounted;
mod peer;
mod serving;
mod stage;
mod stalls;
