//! The levels that edges look at.

use super::{Mutant, Place, Reference};
use crate::model::log::Levels;

impl Reference {
    /// R12.
    pub(crate) fn wants_input(&self) -> bool {
        let open = self.source.head_given && !self.source.ended && !self.source.stopped;
        self.outcome.is_none()
            && open
            && (!self.anything_over() || self.is(Mutant::NeverPauses))
            && self.entrance.is_empty()
            && self.next_work(&vec![true; self.len()]).is_none()
    }

    /// More can be done without waiting for anything.
    pub(crate) fn has_work(&self) -> bool {
        self.outcome.is_none() && self.next_work(&vec![false; self.len()]).is_some()
    }

    /// A resume was asked for through a handle and has not been passed on by the edge.
    pub(crate) fn has_pending_resumes(&self) -> bool {
        self.handles.pending.contains(&true)
    }

    pub(crate) fn levels(&self) -> Levels {
        let held: u64 = self.stations.iter().map(super::Station::charge).sum();
        let over = self.outcome.is_some();
        let remaining = match self.exit.declared {
            Some(declared) => Some(declared - self.exit.given),
            None => self.exit.bodiless.then_some(0),
        };
        let head_left = self.head.as_ref().is_some_and(|head| head.place == Place::Exit);
        Levels {
            wants_input: self.wants_input(),
            has_work: self.has_work(),
            input_stopped: over || self.source.stopped,
            is_holding: !over && self.stations.iter().any(super::Station::is_holding),
            is_end_stream: !over && self.is_end_visible(),
            remaining_bytes: remaining.filter(|_| head_left && !over),
            held_bytes: if over { 0 } else { held + self.queue.len() as u64 },
            input_bytes: self.counts.input,
            output_bytes: self.counts.output,
            discarded_bytes: self.counts.discarded,
            unsent_trailers: self.counts.unsent,
            dropped_informational: self.counts.dropped_interims,
            outcome: self.outcome.clone(),
        }
    }
}
