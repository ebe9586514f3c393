//! A chain together with those who are told how its message ended.
//!
//! This module never decides how a message ends; the chain does.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::clock::Clock;
use super::driver::Next;
use super::{Direction, Observer};
use crate::chain::{Chain, Output, Stats};
use crate::exchange::{RequestHalf, ResponseHalf};
use crate::filter::Head;
use crate::frame::Outcome;

/// The chain of one message; when it goes, everybody who is to know has been told its outcome.
pub(super) struct Message<H: Head> {
    pub(super) chain: Chain<H>,
    /// What the chain gave out last, if it was not data: kept here so that it is not moved from
    /// hand to hand, with room for a head, where most of what is handed on is data.
    pub(super) parked: Option<Output<H>>,
    /// The head, until it is asked for.
    pub(super) head: Option<H>,
    /// `None` without timeouts.
    pub(super) clock: Option<Clock>,
    pub(super) half: Half,
    pub(super) observer: Option<Observer>,
    stage: Stage,
}

/// This message's end of the mailbox of its exchange.
pub(super) enum Half {
    None,
    Request(RequestHalf),
    Response(ResponseHalf),
}

impl Half {
    #[inline]
    pub(super) fn has_mail(&self) -> bool {
        match self {
            Self::None => false,
            Self::Request(half) => half.has_mail(),
            Self::Response(half) => half.has_mail(),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The chain has had no head: there is no message to tell of.
    Unstarted,
    Running,
    Told,
}

impl<H: Head> Message<H> {
    pub(super) fn new(chain: Chain<H>) -> Self {
        Self {
            chain,
            parked: None,
            head: None,
            clock: None,
            half: Half::None,
            observer: None,
            stage: Stage::Unstarted,
        }
    }

    pub(super) fn start(&mut self) {
        if self.stage == Stage::Unstarted {
            self.stage = Stage::Running;
        }
        if let Some(clock) = &mut self.clock {
            clock.start();
        }
    }

    /// Keeps an output that is not data for whoever polls, and tells the outcome if it was the
    /// last.
    #[cold]
    pub(super) fn park(&mut self, output: Output<H>) -> Next {
        // A reply has to be handed over before the outcome is told.
        if !matches!(output, Output::Reply(_)) {
            self.tell();
        }
        self.parked = Some(output);
        Next::Parked
    }

    pub(super) fn is_started(&self) -> bool {
        self.stage != Stage::Unstarted
    }

    /// Tells the outcome, if it is fixed and has not been told.
    pub(super) fn tell(&mut self) {
        if self.stage != Stage::Running {
            return;
        }
        let Some(outcome) = self.chain.outcome() else { return };
        self.stage = Stage::Told;
        match &self.half {
            Half::None => {}
            Half::Request(half) => half.finish(outcome),
            Half::Response(half) => half.finish(outcome),
        }
        if let Some(observer) = &self.observer {
            tell(observer, Direction::of::<H>(), outcome, &self.chain.stats());
        }
    }
}

/// Tells `observer`. One that panics must not take the message with it, which has ended well.
pub(super) fn tell(observer: &Observer, direction: Direction, outcome: &Outcome, stats: &Stats) {
    drop(catch_unwind(AssertUnwindSafe(|| observer(direction, outcome, stats))));
}

impl<H: Head> Drop for Message<H> {
    fn drop(&mut self) {
        if self.stage == Stage::Running {
            // The consumer goes away. Whether that is an end as declared is the chain's to say.
            self.chain.cancel();
            self.tell();
        }
    }
}
