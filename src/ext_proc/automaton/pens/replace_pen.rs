use super::hand::{Hand, can_reroute};
use crate::ext_proc::wire::{HeaderMutation, Part, Reply, ReplyBody};

/// Answers a head that was the whole message.
#[derive(Debug)]
#[must_use]
pub struct ReplacePen<'a> {
    hand: Hand<'a>,
    reroutes: bool,
}

impl<'a> ReplacePen<'a> {
    pub(super) fn new(hand: Hand<'a>, reroutes: bool) -> Self {
        Self { hand, reroutes }
    }

    /// Gives the message this body (CONTINUE_AND_REPLACE), and changes its head. The body can be
    /// empty: it is said either way, since Envoy lets the old body pass if it is not (P36).
    #[must_use]
    pub fn replace(self, mutation: HeaderMutation, body: impl Into<ReplyBody>) -> Reply {
        let direction = self.hand.direction();
        let clear_route_cache = self.reroutes && can_reroute(direction, &mutation);
        let replace = Some(body.into());
        self.hand.write(Part::Headers { direction, mutation, replace, clear_route_cache })
    }
}
