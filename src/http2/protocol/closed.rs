use std::collections::VecDeque;

use crate::limits::MAX_REMEMBERED_STREAMS;

/// The streams that were closed last, up to [`MAX_REMEMBERED_STREAMS`].
#[derive(Debug, Default)]
pub(super) struct Closed {
    last: VecDeque<(u32, By)>,
    /// The highest number of those that were closed before them. Of what comes on those up to it
    /// nobody knows any more whether it may.
    forgotten: u32,
}

/// Who has ended a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// We, before the peer did: what was under way may still come, and means nothing (RFC 9113,
    /// section 5.1, "closed"). Or nobody knows.
    Us,
    /// The peer as well: nothing more may come.
    Peer,
}

impl Closed {
    pub(super) fn remember(&mut self, stream: u32, by: By) {
        if self.last.len() == MAX_REMEMBERED_STREAMS
            && let Some((forgotten, _)) = self.last.pop_front()
        {
            self.forgotten = self.forgotten.max(forgotten);
        }
        self.last.push_back((stream, by));
    }

    /// Who has ended it, if it is one of these, or may have been before them.
    pub(super) fn by(&self, stream: u32) -> Option<By> {
        let found = self.last.iter().rev().find(|(id, _)| *id == stream);
        let forgotten = (stream <= self.forgotten).then_some(By::Us);
        found.map(|&(_, by)| by).or(forgotten)
    }

    /// The peer has ended it as well.
    pub(super) fn ended_by_peer(&mut self, stream: u32) {
        if let Some((_, by)) = self.last.iter_mut().rev().find(|(id, _)| *id == stream) {
            *by = By::Peer;
        }
    }
}
