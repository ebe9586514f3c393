//! What a connection is, without a socket, a clock or a task: what has come goes in, what is to be
//! written lies in a queue, and [`Event`] says what it means for the streams.
//!
//! # A stream
//!
//! | state | the peer may send | we may send |
//! |---|---|---|
//! | open | body, trailers, reset | head, body, trailers, reset |
//! | half closed (peer) | windows, reset | the same |
//! | half closed (us) | not there: where we end first, the peer is told that it need not go on | |
//! | closed | windows and resets, which mean nothing; of a stream that we have reset also what was under way | nothing |
//!
//! A stream lies in a slot, which stays its own until whoever drives the connection lets go of it
//! ([`Protocol::finish`], [`Protocol::forget`]): no event and no call can mean another stream.
//!
//! # What is refused
//!
//! What breaks the rules ends the connection ([`Broken`](super::Broken)) where it says so of it, or
//! could mean anything; where it concerns one request, that stream is reset. What costs work or
//! memory has a bound of [`limits`](crate::limits): a head, a number of streams, a number of
//! streams that come to nothing. Answers to SETTINGS and PING wait in the queue of what is to be
//! written, and whoever drives the connection does not read on when that is long.
//!
//! This module never waits.

mod block;
mod closed;
mod event;
mod going;
mod last_head;
#[expect(clippy::module_inception, reason = "a file is named after its type")]
mod protocol;
mod protocol_settings;
mod read_control;
mod read_data;
mod read_head;
mod reading;
mod request_head;
mod stream;
mod streams;
#[cfg(test)]
pub(super) mod tests;
mod write;

pub(super) use event::Event;
pub(super) use protocol::Protocol;
pub(super) use protocol_settings::ProtocolSettings;
