use core::num::NonZeroU64;

use super::hand::{Hand, replaced};
use crate::exchange::Direction;
use crate::ext_proc::automaton::MessagePart;
use crate::ext_proc::automaton::state::{Came, Due};
use crate::ext_proc::wire::{BodyChange, HeaderMutation, Reply, ReplyBody};

/// Answers one body message of STREAMED: the oldest that has no answer.
///
/// The head has gone: it cannot be changed with the body (P9).
///
/// ```compile_fail,E0061
/// # use tidegate::ext_proc::automaton::StreamedPen;
/// # use tidegate::ext_proc::wire::HeaderMutation;
/// fn answer(pen: StreamedPen<'_>) {
///     pen.unchanged(HeaderMutation::new());
/// }
/// ```
///
/// The client ends the message, and nobody else:
///
/// ```compile_fail,E0599
/// # use tidegate::ext_proc::automaton::StreamedPen;
/// # use tidegate::BodyBuf;
/// fn answer(pen: StreamedPen<'_>) {
///     pen.finish(BodyBuf::new());
/// }
/// ```
#[derive(Debug)]
#[must_use]
pub struct StreamedPen<'a> {
    hand: Hand<'a>,
}

impl StreamedPen<'_> {
    /// Of which message.
    #[must_use]
    pub fn direction(&self) -> Direction {
        self.hand.direction()
    }

    /// How many messages have no answer, this one included.
    #[must_use]
    pub fn owed_messages(&self) -> NonZeroU64 {
        match self.hand.state().due {
            Due::Bodies(messages) => messages,
            _ => NonZeroU64::MIN,
        }
    }

    /// Whether the message it answers said that it is the end. This is the last place for bytes
    /// that are owed.
    #[must_use]
    pub fn ends(&self) -> bool {
        let is_last = self.owed_messages() == NonZeroU64::MIN;
        is_last && self.hand.state().came == Came::End(MessagePart::Body)
    }

    /// Whether trailers came, and this is the last answer before theirs: the last place for bytes
    /// that are owed.
    #[must_use]
    pub fn is_before_trailers(&self) -> bool {
        let is_last = self.owed_messages() == NonZeroU64::MIN;
        is_last && self.hand.state().came == Came::End(MessagePart::Trailers)
    }

    /// The bytes of the message pass as they are.
    #[must_use]
    pub fn unchanged(self) -> Reply {
        self.hand.body(HeaderMutation::new(), BodyChange::Unchanged)
    }

    /// The bytes of the message do not pass: they are held here, or dropped.
    #[must_use]
    pub fn clear(self) -> Reply {
        self.hand.body(HeaderMutation::new(), BodyChange::Clear)
    }

    /// These bytes pass in place of those of the message.
    #[must_use]
    pub fn replace(self, body: impl Into<ReplyBody>) -> Reply {
        self.hand.body(HeaderMutation::new(), replaced(body.into()))
    }
}

impl<'a> From<Hand<'a>> for StreamedPen<'a> {
    fn from(hand: Hand<'a>) -> Self {
        Self { hand }
    }
}
