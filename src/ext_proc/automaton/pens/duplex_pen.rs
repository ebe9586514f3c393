use super::hand::Hand;
use crate::exchange::Direction;
use crate::ext_proc::automaton::state::Came;
use crate::ext_proc::wire::{Reply, ReplyBody};

/// Writes a body in FULL_DUPLEX_STREAMED, while no trailers came.
///
/// An empty answer, which is how the other modes pass a body on, cannot be written (P2):
///
/// ```compile_fail,E0599
/// # use tidegate::ext_proc::automaton::DuplexPen;
/// fn answer(pen: DuplexPen<'_>) {
///     pen.unchanged();
/// }
/// ```
///
/// Nor can trailers, since none came: Envoy takes them and waits for ever (P6).
///
/// ```compile_fail,E0599
/// # use tidegate::ext_proc::automaton::DuplexPen;
/// # use tidegate::ext_proc::wire::HeaderMutation;
/// fn answer(pen: DuplexPen<'_>) {
///     pen.trailers(HeaderMutation::new());
/// }
/// ```
///
/// Nothing comes after the end, which consumes the pen:
///
/// ```compile_fail,E0382
/// # use tidegate::ext_proc::automaton::DuplexPen;
/// # use tidegate::BodyBuf;
/// fn answer(pen: DuplexPen<'_>) {
///     pen.finish(BodyBuf::new());
///     pen.send(BodyBuf::new());
/// }
/// ```
#[derive(Debug)]
#[must_use]
pub struct DuplexPen<'a> {
    hand: Hand<'a>,
}

impl DuplexPen<'_> {
    /// Of which message.
    #[must_use]
    pub fn direction(&self) -> Direction {
        self.hand.direction()
    }

    /// Whether the client has sent all.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        matches!(self.hand.state().came, Came::End(_))
    }

    /// A piece of the body; `None` if it is empty, since the client would write an empty frame
    /// (P40).
    #[must_use]
    pub fn send(self, body: impl Into<ReplyBody>) -> Option<Reply> {
        let body = body.into();
        (!body.is_empty()).then(|| self.hand.piece(body, false))
    }

    /// The last piece, and the end. Before the client [has ended](Self::has_ended) this cuts the
    /// message: what is under way is thrown away, by Envoy 1.40.0 and here.
    #[must_use]
    pub fn finish(self, body: impl Into<ReplyBody>) -> Reply {
        self.hand.piece(body.into(), true)
    }
}

impl<'a> From<Hand<'a>> for DuplexPen<'a> {
    fn from(hand: Hand<'a>) -> Self {
        Self { hand }
    }
}
