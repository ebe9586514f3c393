//! `wakes` of the transport of the external processor, which only its own folder can name.
//!
//! This module never does anything but pass on.

use std::sync::Arc;
use std::task::Waker;

#[path = "../../src/socket/wakes.rs"]
mod wakes;

/// Who has been woken of a connection and its streams.
pub struct Wakes(Arc<wakes::Wakes>);

impl Wakes {
    /// Of a connection that has not been polled.
    #[allow(clippy::new_without_default, reason = "as it is in the engine")]
    pub fn new() -> Self {
        Self(Arc::new(wakes::Wakes::new()))
    }

    /// Of the connection.
    pub fn connection_waker(&self) -> Waker {
        wakes::Wakes::connection_waker(&self.0)
    }

    /// Of the stream in `place`.
    pub fn waker(&self, place: usize) -> Waker {
        wakes::Wakes::waker(&self.0, place)
    }

    /// A poll begins.
    pub fn begin_poll(&self) {
        self.0.begin_poll();
    }

    /// A poll ends.
    pub fn end_poll(&self, waker: &Waker) {
        self.0.end_poll(waker);
    }

    /// A round: whether the connection was woken, and which streams.
    pub fn take(&self) -> (bool, Vec<usize>) {
        let mut round = wakes::Round::default();
        self.0.take(&mut round);
        (round.connection, round.places)
    }

    /// Streams of a round that were not polled.
    pub fn put_back(&self, places: Vec<usize>) {
        self.0.put_back(places);
    }
}
