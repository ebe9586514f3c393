//! The cases, by what goes wrong in them, and what they are made with.

mod client;
mod origin;
mod rig;
mod watch;
mod wire;

mod edits;
mod gone;
mod leaks;
mod limits;
mod malformed;
mod piped;
mod processor;
mod shutdown;
mod slow;
mod stuck;
mod trailers;
mod transfers;
