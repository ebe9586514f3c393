//! Heads before the final one (1xx): a wave of their own (section 8).

use tidegate::{ErrorKind, limits};

use super::input::is_informational;
use super::{Reference, State};
use crate::model::case::Informs;
use crate::model::log::{Event, HeadSeen, Taken};

impl Reference {
    /// "each goes through all filters that look at heads when it comes in, and to the output"
    pub(crate) fn handle_informational(&mut self, status: u16) -> Taken {
        if !is_informational(status) {
            return Taken::NotInformational;
        }
        if self.outcome.is_some() {
            return Taken::Ended;
        }
        if self.source.head_given || self.source.stopped {
            return Taken::OutOfOrder;
        }
        if self.interims == limits::MAX_INFORMATIONAL_HEADS {
            self.counts.dropped_interims += 1;
            return Taken::Yes;
        }
        self.interims += 1;
        let mut head = HeadSeen { status, length: None, tags: Vec::new() };
        for k in 0..self.len() {
            if !self.stations[k].wants_head {
                continue;
            }
            self.stations[k].informed = true;
            self.log.push(Event::Inform { station: k, head: head.clone() });
            match self.scripts[k].informs {
                Informs::Pass => {}
                Informs::Tag => head.tags.push(b'0' + k as u8),
                Informs::Drop => {
                    self.counts.dropped_interims += 1;
                    return Taken::Yes;
                }
                Informs::Final => {
                    self.fail(ErrorKind::Filter, Some(k));
                    return Taken::Yes;
                }
                Informs::Panic => {
                    self.stations[k].state = State::Panicked;
                    self.fail(ErrorKind::Panicked, Some(k));
                    return Taken::Yes;
                }
            }
        }
        self.interim.push(head);
        Taken::Yes
    }

    /// They leave before the head, or the local reply in its place.
    pub(super) fn next_is_interim(&self) -> bool {
        !self.interim.is_empty() && self.head.as_ref().is_none_or(|head| !head.given)
    }
}
