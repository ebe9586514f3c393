use std::collections::VecDeque;

use crate::limits::MAX_REMEMBERED_STREAMS;

/// Streams that we have ended before the peer did: what was under way on them may still come, and
/// means nothing (RFC 9113, section 5.1, "closed").
///
/// It remembers the last [`MAX_REMEMBERED_STREAMS`].
#[derive(Debug, Default)]
pub(super) struct Closed(VecDeque<u32>);

impl Closed {
    pub(super) fn remember(&mut self, stream: u32) {
        if self.0.len() == MAX_REMEMBERED_STREAMS {
            self.0.pop_front();
        }
        self.0.push_back(stream);
    }

    pub(super) fn has(&self, stream: u32) -> bool {
        self.0.iter().rev().any(|&each| each == stream)
    }

    /// The peer has ended it as well.
    pub(super) fn forget(&mut self, stream: u32) {
        self.0.retain(|&each| each != stream);
    }
}
