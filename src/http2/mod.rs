//! A server's end of an HTTP/2 connection (RFC 9113), for services whose answers are made by
//! whoever polls them.
//!
//! - `protocol`: what a connection is, without a socket, a clock or a task.
//! - `connection`: the task that runs it with its streams.
//! - `hpack` and `frame`: how fields and frames are written.
//!
//! A body is handed on in slices of what was read, and written as the segments that it is made of.
//! What HTTP/2 can do besides requests and their answers is not there: no push, no priorities, no
//! extended CONNECT; that a peer asks for them changes nothing.
//!
//! This module never knows what it carries.

mod broken;
mod connection;
mod frame;
mod hpack;
mod protocol;
mod reason;
mod window;

pub(crate) use broken::Broken;
pub(crate) use connection::{Connection, Http2Settings};
pub use connection::{DirectBody, DirectError};
pub(crate) use reason::Reason;
