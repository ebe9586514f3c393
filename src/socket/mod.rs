//! What a task that runs a connection together with its streams is made of.
//!
//! - `wakes`: who has been woken, of the connection and its streams.
//! - `write_queue`: what was written and the socket has not taken.
//!
//! This module never knows a protocol.

mod wakes;
mod write_queue;

pub(crate) use wakes::{Round, Wakes};
pub(crate) use write_queue::WriteQueue;
