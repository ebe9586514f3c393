use crate::ext_proc::mode::{BodyMode, DirectionMode};
use crate::limits;

/// What one direction of a session goes by.
#[derive(Debug, Clone, Copy)]
pub(super) struct HalfTerms {
    pub(super) mode: DirectionMode,
    /// Nothing is answered.
    pub(super) observes: bool,
    /// The head is kept as it came: a filter may change it, or the length with the body.
    pub(super) keeps_head: bool,
    /// A filter was granted to edit.
    pub(super) may_edit_body: bool,
    /// Whether what comes out is what went in has to be known.
    pub(super) follows_body: bool,
    /// What has come out of a body message is only counted: no filter edits it, or keeps a part.
    pub(super) counts_body: bool,
    /// The end is shown with the body message; trailers that follow pass by.
    pub(super) ends_with_body: bool,
    /// The mode shows how each message ends: one whose end does not come was cut.
    pub(super) shows_end: bool,
    /// The last body message may not say that it is the last: trailers that are not shown may
    /// follow.
    pub(super) hides_end: bool,
    /// Trailers may follow the last body message, which does not say then that it is the last.
    pub(super) may_have_trailers: bool,
    /// The data plane takes changes of scheme and authority.
    pub(super) routing: bool,
    /// The route is chosen anew when the head was changed.
    pub(super) reroutes: bool,
    /// The longest body of a local reply, in bytes.
    pub(super) max_reply_bytes: u64,
    /// The longest body that is kept whole for one answer, in bytes.
    pub(super) max_whole_bytes: u64,
    /// The largest piece of a body that is answered at once in full duplex, in bytes.
    pub(super) piece_bytes: usize,
}

impl HalfTerms {
    /// How much can wait to be answered, in bytes.
    pub(super) fn answer_bytes(&self) -> u64 {
        let frame_bytes = limits::MAX_FRAME_BYTES as u64;
        let followed_bytes = if self.follows_body { frame_bytes } else { 0 };
        followed_bytes.saturating_add(match self.mode.body() {
            BodyMode::Streamed if self.counts_body => 0,
            // One message is answered by one, however large the data plane makes it.
            BodyMode::Streamed => self.max_whole_bytes,
            BodyMode::Buffered | BodyMode::BufferedPartial if self.may_edit_body => {
                self.max_whole_bytes
            }
            BodyMode::None | BodyMode::Buffered | BodyMode::BufferedPartial => 0,
            BodyMode::FullDuplexStreamed => self.piece_bytes as u64 + frame_bytes,
        })
    }
}
