//! Informational heads (1xx): a wave of their own, which leaves the head slot alone.
//!
//! A filter is asked about each with [`Filter::informational`](crate::Filter::informational), and
//! may edit or drop it, but not hold it. None needs to be held: what a 1xx says is said again by
//! the final head, or is a hint that is worthless when it is late (RFC 9110, 15.2). And a hold
//! would make the final head, or a local reply, either wait for it or overtake it. As it is, all
//! 1xx of a message have gone through all filters before its final head comes in, so they leave in
//! order.
//!
//! This module never moves a final head.

use core::mem;
use std::collections::VecDeque;

use http::response;

use super::position::{HeadAt, number};
use super::{Chain, InputError};
use crate::error::ErrorKind;
use crate::filter::{HeadKind, Interim};
use crate::limits;
use crate::unwind::{drop_contained, drop_each_contained};

/// What is known of informational heads; made for the first one, as most messages have none.
pub(super) struct Informational<H> {
    /// The heads that the sink has not taken.
    queue: VecDeque<H>,
    /// How many there were.
    heads: u32,
    /// Filters that were asked about one: they get a close call, even if no final head comes.
    asked: u64,
}

impl<H> Default for Informational<H> {
    fn default() -> Self {
        Self { queue: VecDeque::new(), heads: 0, asked: 0 }
    }
}

impl<H> Informational<H> {
    /// Counts one more, if it is within the limit.
    fn admit(&mut self) -> bool {
        let admitted = self.heads < limits::MAX_INFORMATIONAL_HEADS;
        self.heads += u32::from(admitted);
        admitted
    }

    pub(super) fn pop(&mut self) -> Option<H> {
        self.queue.pop_front()
    }

    /// Whether the sink has one to take.
    pub(super) fn waits(&self) -> bool {
        !self.queue.is_empty()
    }

    /// The filters that were asked about one.
    pub(super) fn asked(&self) -> u64 {
        self.asked
    }

    /// The sink will not be given any more.
    pub(super) fn clear(&mut self) {
        drop_each_contained(mem::take(&mut self.queue).into_iter());
    }
}

impl Chain<response::Parts> {
    /// An informational head (1xx) before the final one. It goes through all filters that look at
    /// heads, and comes out as [`Output::Informational`](super::Output::Informational), before the
    /// final head or a local reply.
    ///
    /// Of one message at most [`limits::MAX_INFORMATIONAL_HEADS`] are taken. More are dropped, and
    /// counted in [`Stats::dropped_informational`](super::Stats::dropped_informational): a server
    /// that sends them without end is not worth failing a good response for, which is still to
    /// come, nor worth the memory.
    ///
    /// # Errors
    ///
    /// - [`InputError::NotInformational`] if the status is not 1xx; or if it is 101 (Switching
    ///   Protocols), which ends the exchange as far as HTTP goes: give it to
    ///   [`handle_head`](Self::handle_head), as a message without body. What comes after it is no
    ///   body, and does not concern the chain.
    /// - [`InputError::OutOfOrder`] after the final head or a local reply.
    /// - [`InputError::Ended`] if the message is over.
    pub fn handle_informational(&mut self, head: response::Parts) -> Result<(), InputError> {
        if !head.is_informational() {
            return Err(InputError::NotInformational);
        }
        if !self.life.is_live() {
            return Err(InputError::Ended);
        }
        if self.head_at != HeadAt::Awaited {
            return Err(InputError::OutOfOrder);
        }
        if !self.lobby.informational_mut().admit() {
            self.stations.stats.dropped_informational += 1;
            drop_contained(head);
            return Ok(());
        }
        self.guarded(|chain| chain.inform(head));
        Ok(())
    }

    /// Asks one filter after the other.
    fn inform(&mut self, mut head: response::Parts) {
        for k in 0..self.len() {
            let bit = 1u64 << k;
            // Which stations of a route the final head will meet is not known yet.
            if self.stations.wants_head & bit == 0 || self.routing.is_some() {
                continue;
            }
            self.lobby.informational_mut().asked |= bit;
            if self.stations.late & bit != 0 {
                self.make_late(k);
            }
            self.calling = Some(number(k));
            self.calls += 1;
            let interim = self.filters[k].informational(&mut head);
            self.calling = None;
            match interim {
                Interim::Pass if head.is_informational() => {}
                // A final head from here would be one of two.
                Interim::Pass => {
                    drop_contained(head);
                    return self.fail_filter(k, ErrorKind::Filter);
                }
                Interim::Drop => {
                    self.stations.stats.dropped_informational += 1;
                    return drop_contained(head);
                }
            }
        }
        self.lobby.informational_mut().queue.push_back(head);
    }
}
