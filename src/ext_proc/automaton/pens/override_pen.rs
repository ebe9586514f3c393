use crate::exchange::Direction;
use crate::ext_proc::automaton::pens::hand::{Hand, can_reroute};
use crate::ext_proc::automaton::state::Came;
use crate::ext_proc::automaton::{Ledger, MessagePart};
use crate::ext_proc::mode::ProcessingMode;
use crate::ext_proc::wire::{HeaderMutation, Part, Reply, ReplyBody};

/// Changes the mode of the stream, with the answer to a head or before it.
///
/// Whether the data plane takes it is not answered: it ignores an override that its configuration
/// does not allow, without a word (P17). So the new mode counts here from now on, and a message
/// that only the old one has is a violation: nothing is read by the wrong rules.
#[derive(Debug)]
#[must_use]
pub struct OverridePen<'a> {
    ledger: &'a mut Ledger,
    direction: Direction,
    mode: ProcessingMode,
    reroutes: bool,
}

impl<'a> OverridePen<'a> {
    /// For an override that was checked.
    pub(in crate::ext_proc::automaton) fn new(
        ledger: &'a mut Ledger,
        direction: Direction,
        mode: ProcessingMode,
    ) -> Self {
        Self { ledger, direction, mode, reroutes: false }
    }

    /// Has the route chosen anew, as [`HeadersPen::clear_route_cache`].
    ///
    /// [`HeadersPen::clear_route_cache`]: super::HeadersPen::clear_route_cache
    pub fn clear_route_cache(self) -> Self {
        Self { reroutes: true, ..self }
    }

    /// Answers the head, and changes the mode by the same message.
    #[must_use]
    pub fn answer(self, mutation: HeaderMutation) -> Reply {
        let direction = self.direction;
        let clear_route_cache = self.reroutes && can_reroute(direction, &mutation);
        let lane = self.ledger.set_mode(self.mode, direction);
        let part = Part::Headers { direction, mutation, replace: None, clear_route_cache };
        Reply { mode_override: Some(self.mode.numbers()), ..Hand::new(lane).write(part) }
    }

    /// Answers the head, gives the message this body, and changes the mode by the same message;
    /// `None` if the head was not all of the message: see [`HeadersPen::ended`].
    ///
    /// [`HeadersPen::ended`]: super::HeadersPen::ended
    #[must_use]
    pub fn replace(self, mutation: HeaderMutation, body: impl Into<ReplyBody>) -> Option<Reply> {
        let came = self.ledger.lane(self.direction).state().came;
        if came != Came::End(MessagePart::Headers) {
            return None;
        }
        let direction = self.direction;
        let clear_route_cache = self.reroutes && can_reroute(direction, &mutation);
        let lane = self.ledger.set_mode(self.mode, direction);
        let replace = Some(body.into());
        let part = Part::Headers { direction, mutation, replace, clear_route_cache };
        Some(Reply { mode_override: Some(self.mode.numbers()), ..Hand::new(lane).write(part) })
    }

    /// Changes the mode, and leaves the head held: the body begins to come. For Envoy 1.40.0 and
    /// later; those before it fail the stream.
    #[must_use]
    pub fn alone(self) -> Reply {
        self.ledger.set_mode(self.mode, self.direction);
        Reply { mode_override: Some(self.mode.numbers()), ..Reply::of(Part::OverrideOnly) }
    }
}
