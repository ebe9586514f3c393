use super::hand::{Hand, can_reroute, replaced};
use crate::exchange::Direction;
use crate::ext_proc::automaton::MessagePart;
use crate::ext_proc::automaton::state::Came;
use crate::ext_proc::wire::{BodyChange, HeaderMutation, Part, Reply, ReplyBody};

/// Answers the one body message of BUFFERED and BUFFERED_PARTIAL. The head is still held: it can
/// be changed.
#[derive(Debug)]
#[must_use]
pub struct BufferedPen<'a> {
    hand: Hand<'a>,
    reroutes: bool,
}

impl BufferedPen<'_> {
    /// Of which message.
    #[must_use]
    pub fn direction(&self) -> Direction {
        self.hand.direction()
    }

    /// Whether the body message said that it is the end. If not, trailers may follow, shown or not,
    /// and in BUFFERED_PARTIAL more of the body.
    #[must_use]
    pub fn ends(&self) -> bool {
        self.hand.state().came == Came::End(MessagePart::Body)
    }

    /// As [`HeadersPen::clear_route_cache`](super::HeadersPen::clear_route_cache).
    pub fn clear_route_cache(self) -> Self {
        Self { reroutes: true, ..self }
    }

    /// Goes on with the body as it is.
    #[must_use]
    pub fn unchanged(self, mutation: HeaderMutation) -> Reply {
        self.body(mutation, BodyChange::Unchanged)
    }

    /// Goes on with this body. If the head has a `content-length`, the mutation sets it to the
    /// body's: Envoy fails the exchange otherwise, with 500 (P12).
    #[must_use]
    pub fn replace(self, mutation: HeaderMutation, body: impl Into<ReplyBody>) -> Reply {
        self.body(mutation, replaced(body.into()))
    }

    fn body(self, mutation: HeaderMutation, change: BodyChange) -> Reply {
        let direction = self.hand.direction();
        let clear_route_cache = self.reroutes && can_reroute(direction, &mutation);
        self.hand.write(Part::Body { direction, mutation, change, clear_route_cache })
    }
}

impl<'a> From<Hand<'a>> for BufferedPen<'a> {
    fn from(hand: Hand<'a>) -> Self {
        Self { hand, reroutes: false }
    }
}
