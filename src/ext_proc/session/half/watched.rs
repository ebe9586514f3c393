//! Observability: filters see what there is to see, and nothing is answered.
//!
//! This module never writes.

use core::task::Context;

use super::{Given, Half, Stage, Step};
use crate::ext_proc::session::heads::SessionHead;

impl<H: SessionHead> Half<H> {
    pub(super) fn poll_watched(&mut self, cx: &Context<'_>) -> Step {
        loop {
            match self.take(cx) {
                Given::Head { .. } | Given::Local => self.head = Stage::Gone,
                // The data plane has the original.
                Given::Data => self.pending.clear(),
                Given::Tail(tail) => self.tail = Some(tail),
                // A message that was cut in here goes on out there.
                Given::Cut(_) | Given::Over | Given::Nothing => {
                    if !self.feed() {
                        return Step::Idle;
                    }
                }
            }
        }
    }
}
