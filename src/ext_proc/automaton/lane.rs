use core::fmt;

use super::answer::Answer;
use super::pens::Hand;
use super::state::{Came, Due, State};
use super::{Breach, Debt, MessagePart, Owes, Received, Violation};
use crate::exchange::Direction;
use crate::ext_proc::mode::{BodyMode, DirectionMode};
use crate::ext_proc::wire::Reply;

/// What one direction owes. See the [module](super) for the tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lane {
    direction: Direction,
    mode: DirectionMode,
    state: State,
}

impl Lane {
    /// Nothing has come.
    #[must_use]
    pub const fn new(direction: Direction, mode: DirectionMode) -> Self {
        Self { direction, mode, state: State { came: Came::Nothing, due: Due::Nothing } }
    }

    /// As [`new`](Self::new), for a client that only lets watch (`observability_mode`): what comes
    /// is checked, and nothing is owed for it.
    #[must_use]
    pub const fn observing(direction: Direction, mode: DirectionMode) -> Self {
        Self { direction, mode, state: State { came: Came::Nothing, due: Due::Never } }
    }

    /// Of which message.
    #[must_use]
    pub const fn direction(&self) -> Direction {
        self.direction
    }

    /// What the client shows of it.
    #[must_use]
    pub const fn mode(&self) -> DirectionMode {
        self.mode
    }

    /// Takes note of a message that came, whole.
    ///
    /// # Errors
    ///
    /// It may not come; the lane is as it was.
    pub fn receive(&mut self, received: Received) -> Result<(), Violation> {
        let result = self.state.receive(self.mode, received);
        result.map_err(|breach| self.violation(breach))
    }

    /// Takes note that a body message has begun, before its first bytes are handed on; once more
    /// for the same message changes nothing. In FULL_DUPLEX_STREAMED, where answers are not tied to
    /// messages, body can be written from here on.
    ///
    /// # Errors
    ///
    /// It may not come; the lane is as it was.
    pub fn begin_body(&mut self) -> Result<(), Violation> {
        let result = self.state.begin_body(self.mode);
        result.map_err(|breach| self.violation(breach))
    }

    /// A pen with the answers that are legal now. One that is dropped unused changes nothing.
    pub fn owes(&mut self) -> Owes<'_> {
        let came_trailers = self.state.came == Came::End(MessagePart::Trailers);
        match self.state.due {
            Due::Nothing | Due::Closed | Due::Never => Owes::Nothing,
            Due::Headers { .. } => Owes::Headers(Hand::new(self).into()),
            Due::Bodies(_) if self.mode.body() == BodyMode::Streamed => {
                Owes::Streamed(Hand::new(self).into())
            }
            Due::Bodies(_) => Owes::Buffered(Hand::new(self).into()),
            Due::End if came_trailers => Owes::DuplexTrailers(Hand::new(self).into()),
            Due::End => Owes::Duplex(Hand::new(self).into()),
            Due::Trailers => Owes::Trailers(Hand::new(self).into()),
        }
    }

    /// Takes note of an answer that somebody wrote: the checker's side. One of the other direction,
    /// or of none, changes nothing.
    ///
    /// # Errors
    ///
    /// It may not be written; the lane is as it was.
    pub fn reply(&mut self, reply: &Reply) -> Result<(), Violation> {
        match Answer::of(&reply.part) {
            Some((direction, answer)) if direction == self.direction => self.answer(answer),
            _ => Ok(()),
        }
    }

    /// The one way in which an answer moves the lane.
    pub(super) fn answer(&mut self, answer: Answer) -> Result<(), Violation> {
        let result = self.state.answer(self.mode, answer);
        result.map_err(|breach| self.violation(breach))
    }

    /// What is owed, for error texts.
    #[must_use]
    pub const fn debt(&self) -> Debt {
        self.state.debt()
    }

    /// Nothing is owed. Not said in FULL_DUPLEX_STREAMED before the end was written: whatever has
    /// not come back is lost there if the stream ends (P7).
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.debt() == Debt::Nothing
    }

    /// Nothing is owed, and nothing can come that would be. Not said of a message whose end is not
    /// shown: one whose trailers are sent may have none, and with trailer mode SKIP its last body
    /// message may not say that it is the last.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.is_settled() && !self.state.can_come(self.mode)
    }

    /// Whether all of the message has come, or as much of it as is shown.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        matches!(self.state.came, Came::End(_))
    }

    /// Whether anything came.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.state.came != Came::Nothing
    }

    /// Whether the client has let the head go on, as far as can be known here.
    #[must_use]
    pub fn is_head_committed(&self) -> bool {
        self.state.is_committed(self.mode)
    }

    /// The mode is another from here on. What came is owed what it is owed: of a head that came,
    /// the header mode stays as it was.
    ///
    /// # Errors
    ///
    /// [`Breach::OverrideUnderWay`]: something came behind the head, or the head was answered. The
    /// mode it has already is taken at any time.
    pub fn set_mode(&mut self, mode: DirectionMode) -> Result<(), Violation> {
        let mode = if self.has_begun() { mode.with_headers(self.mode.headers()) } else { mode };
        self.check_mode(mode)?;
        self.mode = mode;
        Ok(())
    }

    pub(super) fn check_mode(&self, mode: DirectionMode) -> Result<(), Violation> {
        if mode == self.mode || self.state.can_change_mode() {
            return Ok(());
        }
        Err(self.violation(Breach::OverrideUnderWay))
    }

    pub(super) fn state(&self) -> State {
        self.state
    }

    #[cold]
    pub(super) fn violation(&self, breach: Breach) -> Violation {
        Violation { direction: self.direction, breach }
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.direction, self.debt())
    }
}
