//! What the sink is given.

use super::{Place, Reference};
use crate::model::log::Given;

impl Reference {
    /// Something to give out.
    pub(super) fn has_output(&self) -> bool {
        if self.outcome.is_some() {
            return self.last.is_some();
        }
        let head_out = self.head.as_ref().is_some_and(|head| head.place == Place::Exit);
        let head_waits = self.head.as_ref().is_some_and(|head| head_out && !head.given);
        let tail_out = self.tail.as_ref().is_some_and(|tail| tail.place == Place::Exit);
        self.next_is_interim() || head_waits || !self.queue.is_empty() || tail_out
    }

    /// The next output. Drives when it has nothing to give out (R14). How bytes are cut is not
    /// specified: a piece is as long as `data_bytes`, what the engine gave.
    pub(crate) fn poll_output(&mut self, data_bytes: usize) -> Option<Given> {
        if !self.has_output() {
            self.drive();
            // R13: at rest, with nothing to give out.
            if !self.has_output() && !self.has_work() {
                self.look_for_stall();
            }
        }
        if self.outcome.is_some() {
            return self.last.take();
        }
        if !self.has_output() {
            return None;
        }
        if self.next_is_interim() {
            return Some(Given::Informational(self.interim.remove(0)));
        }
        let end_behind =
            self.tail.as_ref().is_some_and(|tail| tail.place == Place::Exit && tail.is_plain());
        if let Some(head) = &mut self.head
            && !head.given
        {
            head.given = true;
            let head = head.seen.clone();
            let end_of_stream = end_behind && self.queue.is_empty();
            if end_of_stream {
                self.complete();
            }
            return Some(Given::Head { head, end_of_stream });
        }
        if !self.queue.is_empty() {
            return Some(Given::Data(self.take_data(data_bytes.max(1))));
        }
        let trailers = self.tail.take().and_then(|tail| tail.trailers);
        self.complete();
        Some(trailers.map_or(Given::End, Given::Trailers))
    }

    /// The sink takes up to `most` bytes, if data is next.
    pub(crate) fn take_data(&mut self, most: usize) -> Vec<u8> {
        if self.head.as_ref().is_none_or(|head| !head.given) {
            return Vec::new();
        }
        let n = most.min(self.queue.len());
        let data: Vec<u8> = self.queue.drain(..n).collect();
        self.exit.given += n as u64;
        self.counts.output += n as u64;
        self.update_queue_mark();
        data
    }

    /// The sink has taken the end.
    fn complete(&mut self) {
        // Left in the stations before a declared end there is nothing: END dropped it.
        self.drop_everything();
        let outcome = self.good_outcome();
        self.close_all(outcome);
    }
}
