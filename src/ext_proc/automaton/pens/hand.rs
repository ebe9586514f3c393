use super::super::Lane;
use super::super::answer::Answer;
use super::super::state::State;
use crate::exchange::Direction;
use crate::ext_proc::wire::{BodyChange, HeaderMutation, Part, Reply, ReplyBody};

/// What all pens share: the lane, and the one way to write for it.
#[derive(Debug)]
pub(in crate::ext_proc::automaton) struct Hand<'a> {
    lane: &'a mut Lane,
}

impl<'a> Hand<'a> {
    pub(in crate::ext_proc::automaton) fn new(lane: &'a mut Lane) -> Self {
        Self { lane }
    }

    pub(super) fn direction(&self) -> Direction {
        self.lane.direction()
    }

    pub(super) fn state(&self) -> State {
        self.lane.state()
    }

    /// Moves the lane by what is written, through the transition that checks it.
    pub(in crate::ext_proc::automaton) fn write(self, part: Part) -> Reply {
        if let Some((_, answer)) = Answer::of(&part) {
            let moved = self.lane.answer(answer);
            debug_assert!(moved.is_ok(), "a pen wrote what is not legal: {moved:?}");
        }
        Reply::of(part)
    }

    pub(super) fn body(self, mutation: HeaderMutation, change: BodyChange) -> Reply {
        let direction = self.direction();
        self.write(Part::Body { direction, mutation, change, clear_route_cache: false })
    }

    pub(super) fn piece(self, body: ReplyBody, end_of_stream: bool) -> Reply {
        self.body(HeaderMutation::new(), BodyChange::Streamed { body, end_of_stream })
    }

    pub(super) fn trailers(self, mutation: HeaderMutation) -> Reply {
        let direction = self.direction();
        self.write(Part::Trailers { direction, mutation })
    }
}

/// `body`, or `clear_body` where there is none: an empty `body` need not be told from none.
pub(super) fn replaced(body: ReplyBody) -> BodyChange {
    if body.is_empty() { BodyChange::Clear } else { BodyChange::Replace(body) }
}

/// Whether `clear_route_cache` can be asked for: Envoy takes it for requests, and with a header
/// mutation, else it counts it as ignored (P33).
pub(super) fn can_reroute(direction: Direction, mutation: &HeaderMutation) -> bool {
    direction == Direction::Request && !mutation.is_empty()
}
