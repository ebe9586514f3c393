use std::sync::{Arc, Mutex};

use tidegate::Outcome;
use tidegate::exchange::Direction;

use super::case::{PlanSpec, Stream};
use super::peer::Log;
use super::world::Record;

/// The outcomes that observers were told.
pub(crate) type Told = Arc<Mutex<Vec<(Direction, Outcome)>>>;

/// One exchange that is over.
pub(crate) struct Ran {
    /// Of the request and of the response; empty where that side was not there.
    pub(crate) logs: [Log; 2],
    pub(crate) told: Vec<(Direction, Outcome)>,
    /// By number of the filter.
    pub(crate) records: Vec<Record>,
    /// Both sides were there.
    pub(crate) whole: bool,
    pub(crate) stream: u8,
}

impl Ran {
    /// The one outcome of that direction.
    pub(crate) fn outcome(&self, wanted: Direction) -> Option<&Outcome> {
        let mut all = self.told.iter().filter(|(direction, _)| *direction == wanted);
        let outcome = all.next().map(|(_, outcome)| outcome);
        assert!(all.next().is_none(), "I9: one outcome of the {wanted}: {:?}", self.told);
        outcome
    }

    pub(crate) fn log(&self, direction: Direction) -> &Log {
        match direction {
            Direction::Request => &self.logs[0],
            Direction::Response => &self.logs[1],
        }
    }

    /// The filters of that direction, in the order of its chain.
    pub(crate) fn chain(&self, plan: &PlanSpec, direction: Direction) -> Vec<usize> {
        let (half, skipped) = match direction {
            Direction::Request => (0, super::case::Place::Response),
            Direction::Response => (1, super::case::Place::Request),
        };
        let ids = plan.filters.iter().enumerate();
        let ids = ids.filter(|(_, filter)| filter.place != skipped).map(|(k, _)| 2 * k + half);
        match direction {
            Direction::Request => ids.collect(),
            Direction::Response => ids.rev().collect(),
        }
    }

    /// Whether the peer of that direction had nothing odd done to it.
    pub(crate) fn is_plain(stream: &Stream, direction: Direction) -> bool {
        use super::case::Input;
        let spec = &stream.sides[usize::from(direction == Direction::Response)];
        !spec.inputs.iter().any(|input| {
            matches!(
                input,
                Input::Reset
                    | Input::Timeout { .. }
                    | Input::Abort
                    | Input::Cancel
                    | Input::Reply
                    | Input::Drop
            )
        })
    }
}
