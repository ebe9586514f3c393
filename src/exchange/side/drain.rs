//! Reading on for a client whose request is not wanted any more.
//!
//! This module never forwards anything.

use core::time::Duration;

use super::Side;
use crate::exchange::EarlyResponse;
use crate::filter::Head;

/// How far a drain has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Drain {
    Off,
    /// The chain is over; its last output waits until this is.
    On {
        drained_bytes: u64,
    },
    Over {
        drained_bytes: u64,
    },
}

impl<H: Head> Side<H> {
    #[inline]
    pub(super) fn is_draining(&self) -> bool {
        matches!(self.drain, Drain::On { .. })
    }

    /// How long the drain that is under way may take, from its begin; `None` if there is none. The
    /// edge starts a timer when this becomes something, and calls
    /// [`stop_draining`](Self::stop_draining) when it runs out.
    #[must_use]
    pub fn drain_time(&self) -> Option<Duration> {
        match self.early {
            EarlyResponse::Drain { max_time, .. } if self.is_draining() => Some(max_time),
            _ => None,
        }
    }

    /// How many bytes of body were read and dropped for an [early
    /// response](EarlyResponse::Drain). They are in no statistics of the chain, which was over.
    #[must_use]
    pub fn drained_bytes(&self) -> u64 {
        match self.drain {
            Drain::Off => 0,
            Drain::On { drained_bytes } | Drain::Over { drained_bytes } => drained_bytes,
        }
    }

    /// Ends a drain: the source is let go, the reset goes out. Nothing, if there is none.
    pub fn stop_draining(&mut self) {
        if self.is_draining() {
            self.drain = Drain::Over { drained_bytes: self.drained_bytes() };
        }
    }

    /// The client has its answer, and its request is over before its time: the source is read on,
    /// if that is the policy.
    pub(super) fn begin_draining(&mut self) {
        if matches!(self.early, EarlyResponse::Drain { .. }) {
            self.drain = Drain::On { drained_bytes: 0 };
        }
    }

    /// Takes a piece of body away. One that is over the limit ends the drain.
    pub(super) fn drain_bytes(&mut self, bytes: usize) {
        let (Drain::On { drained_bytes }, EarlyResponse::Drain { max_bytes, .. }) =
            (&mut self.drain, self.early)
        else {
            return;
        };
        *drained_bytes = drained_bytes.saturating_add(bytes as u64);
        if *drained_bytes > max_bytes {
            self.stop_draining();
        }
    }
}
