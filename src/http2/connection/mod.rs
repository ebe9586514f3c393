//! The task that runs a connection with its streams: what was read goes to them, what they answer
//! is written at once, all in one poll.
//!
//! | state of the connection | left by |
//! |---|---|
//! | `Serving` | an end of either side; an error; having served all streams when it is to leave |
//! | `Closing`: what is queued goes out, and then its end | all being written |
//! | `Lingering`: what still comes is thrown away | the peer's end; time |
//! | `Over` | – |
//!
//! It lingers for at most [`LINGER_SECONDS`](crate::limits::LINGER_SECONDS): a socket that is
//! closed with something unread resets the connection, and the peer would not read why it ended.
//!
//! A slot of the protocol, which is a number, is a *place* here: what wakes it, and a stream if it
//! is taken. A stream is its service's future, then the body of the response, polled by the task of
//! the connection; and an *inbox*, which is all that the body of the request, wherever it is,
//! shares with it. A place that is free keeps the inbox of its last stream for the next one, and
//! the memory of what made its response.
//!
//! The body of a response is asked for more when what it gave is in frames; a frame is made when
//! windows and the queue of what is to be written have room for it. So what a stream has made and
//! not sent is what it gave last.
//!
//! This module never reads a byte of a frame.

mod clock;
#[expect(clippy::module_inception, reason = "a file is named after its type")]
mod connection;
mod connection_end;
mod direct_body;
mod direct_error;
mod http2_settings;
mod inbox;
mod place;
mod stream;
#[cfg(test)]
mod tests;
mod turn;

pub(crate) use connection::Connection;
pub(crate) use connection_end::ConnectionEnd;
pub use direct_body::DirectBody;
pub use direct_error::DirectError;
pub(crate) use http2_settings::Http2Settings;
