//! One message as an edge holds it: its side of the exchange, and what is kept for whoever polls.
//!
//! This module never decides how a message ends, or who is told; its side does.

use core::pin::Pin;

use tokio::time::Sleep;

use super::clock::Clock;
use super::driver::Next;
use crate::chain::Output;
use crate::exchange::Side;
use crate::filter::Head;

/// The side of one message, with its clock.
pub(super) struct Message<H: Head> {
    pub(super) side: Side<H>,
    /// What the side gave out last, if it was not data: kept here so that it is not moved from
    /// hand to hand, with room for a head, where most of what is handed on is data.
    pub(super) parked: Option<Output<H>>,
    /// The head, until it is asked for.
    pub(super) head: Option<H>,
    /// `None` without timeouts.
    pub(super) clock: Option<Clock>,
    /// While the source is drained for an early response.
    pub(super) drain_timer: Option<Pin<Box<Sleep>>>,
}

impl<H: Head> Message<H> {
    pub(super) fn new(side: Side<H>) -> Self {
        Self { side, parked: None, head: None, clock: None, drain_timer: None }
    }

    /// The clock runs from the first of these calls.
    pub(super) fn start_clock(&mut self) {
        if let Some(clock) = &mut self.clock {
            clock.start();
        }
    }

    /// Keeps an output that is not data for whoever polls.
    #[cold]
    pub(super) fn park(&mut self, output: Output<H>) -> Next {
        self.parked = Some(output);
        Next::Parked
    }
}
