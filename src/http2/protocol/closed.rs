use std::collections::VecDeque;

use crate::limits::MAX_REMEMBERED_STREAMS;

/// The streams that were closed last, up to [`MAX_REMEMBERED_STREAMS`].
#[derive(Debug, Default)]
pub(super) struct Closed(VecDeque<(u32, By)>);

/// Who has ended a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// We, before the peer did: what was under way may still come, and means nothing (RFC 9113,
    /// section 5.1, "closed").
    Us,
    /// The peer as well: nothing more may come.
    Peer,
}

impl Closed {
    pub(super) fn remember(&mut self, stream: u32, by: By) {
        if self.0.len() == MAX_REMEMBERED_STREAMS {
            self.0.pop_front();
        }
        self.0.push_back((stream, by));
    }

    /// Who has ended it, if it is one of these.
    pub(super) fn by(&self, stream: u32) -> Option<By> {
        self.0.iter().rev().find(|(id, _)| *id == stream).map(|&(_, by)| by)
    }

    /// The peer has ended it as well.
    pub(super) fn ended_by_peer(&mut self, stream: u32) {
        if let Some((_, by)) = self.0.iter_mut().rev().find(|(id, _)| *id == stream) {
            *by = By::Peer;
        }
    }
}
