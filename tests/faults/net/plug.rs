//! The end of a connection that a test has: it does at once what it is told, and waits for nothing.

use std::sync::{Arc, Mutex};

use super::lane::Step;
use super::socket::Cable;

/// The other end of an edge's socket.
#[derive(Debug)]
pub(crate) struct Plug {
    cable: Arc<Mutex<Cable>>,
    /// What did not fit yet.
    waiting: Vec<u8>,
}

/// What there was to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// More may come.
    Open,
    /// The edge has ended what it writes.
    Ended,
    /// The connection was reset.
    Reset,
}

impl Plug {
    pub(super) fn new(cable: Arc<Mutex<Cable>>) -> Self {
        Self { cable, waiting: Vec::new() }
    }

    /// Sends bytes: now what fits, and the rest with [`Plug::take`].
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.waiting.extend_from_slice(bytes);
        self.push();
    }

    fn push(&mut self) {
        let mut cable = self.cable.lock().unwrap();
        while !self.waiting.is_empty() {
            match cable.to_edge.write(&self.waiting) {
                Step::Done(n) => drop(self.waiting.drain(..n)),
                Step::Wait => return,
                Step::Failed(_) => self.waiting.clear(),
            }
        }
        if cable.to_edge.is_reset() {
            cable.reset();
        }
    }

    /// How much of what was sent did not fit yet, in bytes.
    pub(crate) fn waiting_bytes(&self) -> usize {
        self.waiting.len()
    }

    /// Reads all there is, but at most `most` bytes.
    pub(crate) fn take(&mut self, mut most: usize, to: &mut Vec<u8>) -> Taken {
        self.push();
        let mut cable = self.cable.lock().unwrap();
        while most > 0 {
            match cable.from_edge.read(most, |bytes| to.extend_from_slice(bytes)) {
                Step::Done(0) => return Taken::Ended,
                Step::Done(n) => most -= n,
                Step::Wait => return Taken::Open,
                Step::Failed(_) => return Taken::Reset,
            }
        }
        Taken::Open
    }

    /// Says that no more comes, and goes on reading.
    pub(crate) fn half_close(&mut self) {
        self.cable.lock().unwrap().to_edge.end();
    }

    /// Resets, as a crashed process does that had not read all.
    pub(crate) fn reset(self) {
        self.cable.lock().unwrap().reset();
    }
}

impl Drop for Plug {
    /// Closes. What was sent before still arrives.
    fn drop(&mut self) {
        let cable = &mut *self.cable.lock().unwrap();
        if cable.from_edge.leave_unread() {
            cable.reset();
        } else {
            cable.to_edge.end();
        }
    }
}
