//! Reading on for a client whose request is not wanted any more.
//!
//! This module never forwards anything.

use core::time::Duration;

use super::Side;
use crate::exchange::EarlyResponse;
use crate::filter::Head;

/// What becomes of a request whose answer comes early: [`EarlyResponse`], and how far it has got.
#[derive(Debug)]
pub(super) enum Early {
    Forward,
    Stop,
    /// Boxed: few exchanges drain, and all wait.
    Drain(Box<Draining>),
}

#[derive(Debug)]
pub(super) struct Draining {
    max_bytes: u64,
    max_time: Duration,
    drain: Drain,
}

/// How far a drain has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Drain {
    Off,
    /// The chain is over; its last output waits until this is.
    On {
        drained_bytes: u64,
    },
    Over {
        drained_bytes: u64,
    },
}

impl From<EarlyResponse> for Early {
    fn from(policy: EarlyResponse) -> Self {
        match policy {
            EarlyResponse::Forward => Self::Forward,
            EarlyResponse::Stop => Self::Stop,
            EarlyResponse::Drain { max_bytes, max_time } => {
                Self::Drain(Box::new(Draining { max_bytes, max_time, drain: Drain::Off }))
            }
        }
    }
}

impl<H: Head> Side<H> {
    #[inline]
    pub(super) fn is_draining(&self) -> bool {
        self.draining().is_some()
    }

    /// What is under way.
    #[inline]
    fn draining(&self) -> Option<&Draining> {
        match &self.early {
            Early::Drain(draining) if matches!(draining.drain, Drain::On { .. }) => Some(draining),
            Early::Drain(_) | Early::Forward | Early::Stop => None,
        }
    }

    /// How long the drain that is under way may take, from its begin; `None` if there is none. The
    /// edge starts a timer when this becomes something, and calls
    /// [`stop_draining`](Self::stop_draining) when it runs out.
    #[must_use]
    pub fn drain_time(&self) -> Option<Duration> {
        self.draining().map(|draining| draining.max_time)
    }

    /// How many bytes of body were read and dropped for an [early
    /// response](EarlyResponse::Drain). They are in no statistics of the chain, which was over.
    #[must_use]
    pub fn drained_bytes(&self) -> u64 {
        match &self.early {
            Early::Drain(draining) => draining.drained_bytes(),
            Early::Forward | Early::Stop => 0,
        }
    }

    /// Ends a drain: the source is let go, the reset goes out. Nothing, if there is none.
    pub fn stop_draining(&mut self) {
        if let Early::Drain(draining) = &mut self.early
            && let Drain::On { drained_bytes } = draining.drain
        {
            draining.drain = Drain::Over { drained_bytes };
        }
    }

    /// The client has its answer, and its request is over before its time: the source is read on,
    /// if that is the policy.
    pub(super) fn begin_draining(&mut self) {
        if let Early::Drain(draining) = &mut self.early {
            draining.drain = Drain::On { drained_bytes: 0 };
        }
    }

    /// Takes a piece of body away. One that is over the limit ends the drain.
    pub(super) fn drain_bytes(&mut self, bytes: usize) {
        let Early::Drain(draining) = &mut self.early else { return };
        let Drain::On { drained_bytes } = &mut draining.drain else { return };
        *drained_bytes = drained_bytes.saturating_add(bytes as u64);
        if *drained_bytes > draining.max_bytes {
            self.stop_draining();
        }
    }
}

impl Draining {
    fn drained_bytes(&self) -> u64 {
        match self.drain {
            Drain::Off => 0,
            Drain::On { drained_bytes } | Drain::Over { drained_bytes } => drained_bytes,
        }
    }
}
