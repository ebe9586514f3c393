//! What a filter may hold (I7).
//!
//! This module never counts the bytes of a piece in flight: limits are of what is held.

use crate::trace::entry::Enter;
use crate::trace::{Direction, Options};

use super::Rule;
use super::lane::Lane;

pub(super) struct Limits {
    /// In bytes; Envoy has one number for both directions and all filters.
    limit: Option<u64>,
    /// Filters that answered in this step that they hold and are to be refused over the limit.
    holders: Vec<(Direction, usize)>,
    /// Envoy refused something in this step.
    refused: bool,
}

impl Limits {
    pub(super) fn new(options: &Options) -> Self {
        Self { limit: options.listener_buffer_limit, holders: Vec::new(), refused: false }
    }

    pub(super) fn set(&mut self, bytes: u64) {
        self.limit = Some(bytes);
    }

    pub(super) fn holds(&mut self, direction: Direction, station: usize) {
        self.holders.push((direction, station));
    }

    /// Envoy made a reply. `actions` are those under way.
    pub(super) fn reply(&mut self, enter: &Enter, lanes: &mut [Lane; 2], actions: usize) {
        let lane = match enter.details.as_deref() {
            Some("request_payload_too_large") => &mut lanes[0],
            Some("response_payload_too_large") => &mut lanes[1],
            _ => return,
        };
        if std::mem::replace(&mut self.refused, true) {
            return;
        }
        let Some(limit) = self.limit else { return };
        let ledger = &mut lane.ledger;
        let most = (0..ledger.peer()).max_by_key(|&station| ledger.bytes_at(station));
        let Some(most) = most else { return };
        let held = ledger.bytes_at(most);
        if held as u64 <= limit {
            let what = format!(
                "the message is refused although no filter holds more than the limit of {limit} \
                 bytes ({} holds most, {held}): the limit is of the shared buffer",
                ledger.name(most)
            );
            ledger.report(Rule::I7, most, what);
        } else if actions > 0 {
            let what = format!(
                "the message is refused in the middle of a call of {}, before its answer tells \
                 whether it holds what it adds",
                ledger.name(most)
            );
            ledger.report(Rule::I7, most, what);
        }
    }

    /// Whoever holds too much was to be refused in the same step.
    pub(super) fn check_step(&mut self, lanes: &mut [Lane; 2]) {
        let refused = std::mem::replace(&mut self.refused, false);
        for (direction, station) in std::mem::take(&mut self.holders) {
            let Some(limit) = self.limit else { continue };
            let lane = &mut lanes[direction as usize];
            let held = lane.ledger.bytes_at(station);
            if !refused && held as u64 > limit {
                let what = format!(
                    "{} holds {held} bytes by StopIterationAndBuffer with a limit of {limit}, \
                     and is not refused",
                    lane.ledger.name(station)
                );
                lane.ledger.report(Rule::I7, station, what);
            }
        }
    }
}
