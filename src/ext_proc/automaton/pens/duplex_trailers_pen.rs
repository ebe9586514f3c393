use super::hand::Hand;
use crate::exchange::Direction;
use crate::ext_proc::wire::{HeaderMutation, Reply, ReplyBody};

/// Writes what is left of a body in FULL_DUPLEX_STREAMED, and the trailers that end it.
///
/// The end is one: there is no `end_of_stream` besides.
///
/// ```compile_fail,E0599
/// # use tidegate::ext_proc::automaton::DuplexTrailersPen;
/// # use tidegate::BodyBuf;
/// fn answer(pen: DuplexTrailersPen<'_>) {
///     pen.finish(BodyBuf::new());
/// }
/// ```
#[derive(Debug)]
#[must_use]
pub struct DuplexTrailersPen<'a> {
    hand: Hand<'a>,
}

impl DuplexTrailersPen<'_> {
    /// Of which message.
    #[must_use]
    pub fn direction(&self) -> Direction {
        self.hand.direction()
    }

    /// As [`DuplexPen::send`](super::DuplexPen::send).
    #[must_use]
    pub fn send(self, body: impl Into<ReplyBody>) -> Option<Reply> {
        let body = body.into();
        (!body.is_empty()).then(|| self.hand.piece(body, false))
    }

    /// The trailers, so changed, and the end.
    #[must_use]
    pub fn trailers(self, mutation: HeaderMutation) -> Reply {
        self.hand.trailers(mutation)
    }
}

impl<'a> From<Hand<'a>> for DuplexTrailersPen<'a> {
    fn from(hand: Hand<'a>) -> Self {
        Self { hand }
    }
}
