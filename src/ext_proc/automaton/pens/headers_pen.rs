use super::ReplacePen;
use super::hand::{Hand, can_reroute};
use crate::exchange::Direction;
use crate::ext_proc::automaton::MessagePart;
use crate::ext_proc::automaton::state::Came;
use crate::ext_proc::wire::{HeaderMutation, Part, Reply};

/// Answers a head.
///
/// There is no way to replace the body of a message that goes on: only a head that was the end
/// gives the pen for that.
///
/// ```compile_fail,E0599
/// # use tidegate::ext_proc::automaton::HeadersPen;
/// # use tidegate::BodyBuf;
/// fn answer(pen: HeadersPen<'_>) {
///     pen.replace(BodyBuf::new());
/// }
/// ```
#[derive(Debug)]
#[must_use]
pub struct HeadersPen<'a> {
    hand: Hand<'a>,
    reroutes: bool,
}

impl<'a> HeadersPen<'a> {
    /// Of which message.
    #[must_use]
    pub fn direction(&self) -> Direction {
        self.hand.direction()
    }

    /// Asks the client to choose the route again. Left out of a response, and of an answer without
    /// a mutation: Envoy ignores it there (P33).
    pub fn clear_route_cache(self) -> Self {
        Self { reroutes: true, ..self }
    }

    /// Goes on, with the head so changed.
    #[must_use]
    pub fn answer(self, mutation: HeaderMutation) -> Reply {
        let direction = self.hand.direction();
        let clear_route_cache = self.reroutes && can_reroute(direction, &mutation);
        self.hand.write(Part::Headers { direction, mutation, replace: None, clear_route_cache })
    }

    /// The pen that gives the message a body, if the head was all of it. Envoy 1.40.0 fails a
    /// request whose body is still to come, with 500.
    #[must_use]
    pub fn ended(self) -> Option<ReplacePen<'a>> {
        match self.hand.state().came {
            Came::End(MessagePart::Headers) => Some(ReplacePen::new(self.hand, self.reroutes)),
            Came::End(_) | Came::Nothing | Came::Headers | Came::Body => None,
        }
    }
}

impl<'a> From<Hand<'a>> for HeadersPen<'a> {
    fn from(hand: Hand<'a>) -> Self {
        Self { hand, reroutes: false }
    }
}
