//! What comes from the source and from outside (R11, R12, R17, section 5).

use tidegate::ErrorKind;

use super::{Head, Place, Reference};
use crate::model::log::{Ended, Fields, HeadSeen, Taken};
use crate::model::parts::joined;

/// "all values equal, digits only; anything else is an error" (section 5)
pub(super) fn declared_length(field: Option<&str>) -> Result<Option<u64>, ErrorKind> {
    let Some(field) = field else { return Ok(None) };
    let values: Vec<&str> = field.split(',').map(str::trim).collect();
    let digits = values.iter().all(|value| value.bytes().all(|byte| byte.is_ascii_digit()));
    if !digits || values.iter().any(|value| *value != values[0]) {
        return Err(ErrorKind::LengthInvalid);
    }
    values[0].parse().map(Some).map_err(|_| ErrorKind::LengthInvalid)
}

/// A head before the final one; 101 is final as far as HTTP goes (section 8).
pub(super) fn is_informational(status: u16) -> bool {
    matches!(status, 100 | 102..=199)
}

impl Reference {
    /// `lengths` are the `content-length` fields.
    pub(crate) fn handle_head(&mut self, status: u16, lengths: &[String], end: bool) -> Taken {
        if self.outcome.is_some() {
            return Taken::Ended;
        }
        if self.source.head_given || self.source.stopped {
            return Taken::OutOfOrder;
        }
        self.source.head_given = true;
        self.source.ended = end;
        if !self.request && is_informational(status) {
            self.fail(ErrorKind::NotFinal, None);
            return Taken::Yes;
        }
        let forbids = !self.request && matches!(status, 100..=199 | 204 | 304);
        self.facts.bodiless = self.facts.edge_bodiless || forbids;
        let length = joined(lengths.iter().cloned());
        match declared_length(length.as_deref()) {
            // "passes unchecked"
            _ if self.facts.bodiless => {}
            Ok(declared) => {
                self.facts.declared = declared;
                self.source.declared = declared;
            }
            Err(kind) => {
                self.fail(kind, None);
                return Taken::Yes;
            }
        }
        if end && self.is_short() {
            return Taken::Yes;
        }
        let seen = HeadSeen { status, length, tags: Vec::new() };
        self.head = Some(Head { place: Place::Entrance, let_go: true, seen, given: false });
        if end {
            self.tail_enters(None);
        }
        self.drive();
        Taken::Yes
    }

    pub(crate) fn handle_data(&mut self, data: &[u8], end: bool) -> Taken {
        if let Some(refused) = self.refuses_input() {
            return refused;
        }
        if self.source.stopped {
            // R11: dropped and counted.
            self.source.ended = end;
            self.counts.input += data.len() as u64;
            self.discard(data.len());
            return Taken::Yes;
        }
        if data.is_empty() && !end {
            // R17: dropped at the entrance.
            self.drive();
            return Taken::Yes;
        }
        if !data.is_empty() && !self.entrance.is_empty() {
            return Taken::NotWanted(data.to_vec());
        }
        self.counts.input += data.len() as u64;
        self.source.taken += data.len() as u64;
        self.source.ended = end;
        if self.facts.bodiless && !data.is_empty() {
            self.discard(data.len());
            self.fail(ErrorKind::BodyForbidden, None);
            return Taken::Yes;
        }
        if let Some(declared_bytes) = self.source.declared
            && self.source.taken > declared_bytes
        {
            self.discard(data.len());
            self.fail(ErrorKind::LengthExceeded { declared_bytes }, None);
            return Taken::Yes;
        }
        self.entrance.extend(data);
        if end {
            if self.is_short() {
                return Taken::Yes;
            }
            self.tail_enters(None);
        }
        self.drive();
        Taken::Yes
    }

    /// `None`: a plain end.
    pub(crate) fn handle_tail(&mut self, trailers: Option<Fields>) -> Taken {
        if let Some(refused) = self.refuses_input() {
            return refused;
        }
        self.source.ended = true;
        if self.source.stopped || self.is_short() {
            return Taken::Yes;
        }
        self.tail_enters(trailers);
        self.drive();
        Taken::Yes
    }

    /// R17.
    fn refuses_input(&self) -> Option<Taken> {
        if self.outcome.is_some() || (self.source.ended && !self.source.stopped) {
            Some(Taken::Ended)
        } else if !self.source.head_given && !self.source.stopped {
            Some(Taken::OutOfOrder)
        } else {
            None
        }
    }

    /// Section 5: an end short of the declared length fails the message.
    fn is_short(&mut self) -> bool {
        let actual_bytes = self.source.taken;
        match self.source.declared {
            Some(declared_bytes) if actual_bytes < declared_bytes => {
                self.fail(ErrorKind::LengthShort { declared_bytes, actual_bytes }, None);
                true
            }
            _ => false,
        }
    }

    /// "The source failed. Ignored after the end of the input", and once it was stopped (R11).
    pub(crate) fn handle_reset(&mut self) {
        if self.outcome.is_some() || self.source.ended || self.source.stopped {
            return;
        }
        let failure = Self::failure(ErrorKind::Reset, None);
        self.end_badly(failure.clone(), Ended::Reset(failure));
    }

    /// The edge cuts it off; nothing, if all was given out (R18).
    pub(crate) fn abort(&mut self) {
        if self.outcome.is_some() {
            return;
        }
        if self.is_end_visible() {
            return self.cancel();
        }
        let failure = Self::failure(ErrorKind::Reset, None);
        self.end_badly(failure.clone(), Ended::Reset(failure));
    }

    /// Asks `k` again, as its handle would.
    pub(crate) fn handle_resume(&mut self, k: usize) {
        if let Some(station) = self.stations.get_mut(k)
            && station.is_alive()
        {
            station.resumed = true;
            self.drive();
        }
    }

    /// What the edge does when it is polled: takes the pending resumes.
    pub(crate) fn handle_resumes(&mut self) {
        let mut any = false;
        for k in 0..self.len() {
            if std::mem::take(&mut self.handles.pending[k]) && self.stations[k].is_alive() {
                self.stations[k].resumed = true;
                any = true;
            }
        }
        if any {
            self.drive();
        }
    }

    /// `station == len()`: the output queue.
    pub(crate) fn set_marks(&mut self, station: usize, low: u64, high: u64) {
        match self.stations.get_mut(station) {
            Some(found) => {
                found.gauge.low = low;
                found.gauge.high = high;
                if self.outcome.is_none() {
                    self.check_station(station);
                }
            }
            None => {
                self.queue_gauge.low = low;
                self.queue_gauge.high = high;
                self.update_queue_mark();
            }
        }
        self.drive();
    }
}
