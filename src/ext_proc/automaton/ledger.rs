use core::fmt;
use core::time::Duration;

use super::pens::{ImmediatePen, OverridePen};
use super::{Breach, Debt, Lane, Owes, Received, Violation};
use crate::exchange::Direction;
use crate::ext_proc::mode::{BodyMode, ProcessingMode};
use crate::ext_proc::wire::{Part, Reply};

/// What a stream owes: both directions, and what concerns them together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    request: Lane,
    response: Lane,
    stream: Stream,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stream {
    /// Messages are answered.
    Answered,
    /// Messages are only looked at.
    Observed,
    /// `immediate_response` was written: whatever still comes was under way, and is owed nothing.
    Ended,
}

impl Ledger {
    /// Nothing has come. The mode is the one that counts: announced, with what the announcement
    /// leaves open.
    #[must_use]
    pub const fn new(mode: ProcessingMode) -> Self {
        Self {
            request: Lane::new(Direction::Request, mode.request),
            response: Lane::new(Direction::Response, mode.response),
            stream: Stream::Answered,
        }
    }

    /// For a client that only lets watch (`observability_mode`).
    #[must_use]
    pub const fn observing(mode: ProcessingMode) -> Self {
        Self {
            request: Lane::observing(Direction::Request, mode.request),
            response: Lane::observing(Direction::Response, mode.response),
            stream: Stream::Observed,
        }
    }

    /// One direction.
    #[must_use]
    pub const fn lane(&self, direction: Direction) -> &Lane {
        match direction {
            Direction::Request => &self.request,
            Direction::Response => &self.response,
        }
    }

    const fn lane_mut(&mut self, direction: Direction) -> &mut Lane {
        match direction {
            Direction::Request => &mut self.request,
            Direction::Response => &mut self.response,
        }
    }

    /// Takes note of a message that came, whole.
    ///
    /// # Errors
    ///
    /// It may not come; nothing has changed.
    pub fn receive(&mut self, direction: Direction, received: Received) -> Result<(), Violation> {
        match self.stream {
            Stream::Answered | Stream::Observed => self.lane_mut(direction).receive(received),
            Stream::Ended => Ok(()),
        }
    }

    /// Takes note that a body message has begun: see [`Lane::begin_body`].
    ///
    /// # Errors
    ///
    /// It may not come; nothing has changed.
    pub fn begin_body(&mut self, direction: Direction) -> Result<(), Violation> {
        match self.stream {
            Stream::Answered | Stream::Observed => self.lane_mut(direction).begin_body(),
            Stream::Ended => Ok(()),
        }
    }

    /// A pen with the answers that are legal now. One that is dropped unused changes nothing.
    pub fn owes(&mut self, direction: Direction) -> Owes<'_> {
        match self.stream {
            Stream::Answered => self.lane_mut(direction).owes(),
            Stream::Observed | Stream::Ended => Owes::Nothing,
        }
    }

    /// The pen that answers the client in the origin's place; `None` where that would cut an answer
    /// which the client has the head of (P8), and where nobody waits for it. It may be used
    /// whether anything is owed or not.
    pub fn immediate(&mut self) -> Option<ImmediatePen<'_>> {
        self.check_immediate().is_ok().then(|| ImmediatePen::new(self))
    }

    fn check_immediate(&self) -> Result<(), Violation> {
        let breach = match self.stream {
            Stream::Answered if self.response.is_head_committed() => Breach::HeadCommitted,
            Stream::Answered => return Ok(()),
            Stream::Observed => Breach::OnlyObserved,
            Stream::Ended => Breach::AfterImmediate,
        };
        Err(self.response.violation(breach))
    }

    pub(super) fn end(&mut self) {
        self.stream = Stream::Ended;
    }

    /// Asks the client to wait longer for what `direction` owes (`override_message_timeout`), in a
    /// message of its own, as everything else in such a message is lost (P34). `None` if no timer
    /// of the client runs there: nothing is owed, or the mode has none (FULL_DUPLEX_STREAMED, whose
    /// other answers are not timed either).
    ///
    /// Envoy takes one for each message that waits, of 1 ms or more, up to its
    /// `max_message_timeout`; it ignores others.
    #[must_use]
    pub fn more_time(&self, direction: Direction, time: Duration) -> Option<Reply> {
        let lane = self.lane(direction);
        let is_timed = lane.mode().body() != BodyMode::FullDuplexStreamed
            && matches!(lane.debt(), Debt::Headers | Debt::Bodies(_) | Debt::Trailers);
        let is_answered = matches!(self.stream, Stream::Answered);
        (is_timed && is_answered).then(|| Reply::of(Part::MessageTimeout(time)))
    }

    /// The pen that changes the mode of the stream, with or before the answer to the head of
    /// `direction` (2.4). Whether the client's configuration lets it is not known here.
    ///
    /// # Errors
    ///
    /// It would be ignored, or would change a message that is under way.
    pub fn mode_override(
        &mut self,
        direction: Direction,
        mode: ProcessingMode,
    ) -> Result<OverridePen<'_>, Violation> {
        self.check_override(direction, mode)?;
        Ok(OverridePen::new(self, direction, mode))
    }

    fn check_override(&self, direction: Direction, mode: ProcessingMode) -> Result<(), Violation> {
        let lane = self.lane(direction);
        let lanes = [&self.request, &self.response];
        match self.stream {
            Stream::Answered => {}
            Stream::Observed => return Err(lane.violation(Breach::OnlyObserved)),
            Stream::Ended => return Err(lane.violation(Breach::AfterImmediate)),
        }
        if lane.debt() != Debt::Headers {
            return Err(lane.violation(Breach::OverrideTooLate));
        }
        if lanes.iter().any(|lane| lane.mode().body() == BodyMode::FullDuplexStreamed) {
            return Err(lane.violation(Breach::OverrideInDuplex));
        }
        self.request.check_mode(mode.request)?;
        self.response.check_mode(mode.response)
    }

    /// Both lanes' modes, checked; then the lane of `direction`.
    pub(super) fn set_mode(&mut self, mode: ProcessingMode, direction: Direction) -> &mut Lane {
        for lane in [&mut self.request, &mut self.response] {
            let set = lane.set_mode(mode.of(lane.direction()));
            debug_assert!(set.is_ok(), "an override that was checked: {set:?}");
        }
        self.lane_mut(direction)
    }

    fn overridden(&mut self, direction: Direction, numbers: [i32; 6]) -> Result<(), Violation> {
        let mode = ProcessingMode::from_numbers(numbers)
            .map_err(|_| self.lane(direction).violation(Breach::OverrideInvalid))?;
        self.check_override(direction, mode)?;
        self.set_mode(mode, direction);
        Ok(())
    }

    /// Takes note of an answer that somebody wrote: the checker's side.
    ///
    /// # Errors
    ///
    /// It may not be written; nothing has changed.
    pub fn reply(&mut self, reply: &Reply) -> Result<(), Violation> {
        let direction = match &reply.part {
            Part::Headers { direction, .. }
            | Part::Body { direction, .. }
            | Part::Trailers { direction, .. } => *direction,
            Part::Immediate { .. } => {
                self.check_immediate()?;
                self.end();
                return Ok(());
            }
            // It goes before the answer to the request's head, or to the response's.
            Part::OverrideOnly if self.request.debt() == Debt::Headers => Direction::Request,
            Part::OverrideOnly => Direction::Response,
            Part::MessageTimeout(_) => return Ok(()),
        };
        let Some(numbers) = reply.mode_override else {
            return self.answered(direction, reply);
        };
        let before = self.clone();
        let result = self.overridden(direction, numbers);
        let result = result.and_then(|()| self.answered(direction, reply));
        if result.is_err() {
            *self = before;
        }
        result
    }

    fn answered(&mut self, direction: Direction, reply: &Reply) -> Result<(), Violation> {
        match self.stream {
            Stream::Answered | Stream::Observed => self.lane_mut(direction).reply(reply),
            Stream::Ended => Err(self.lane(direction).violation(Breach::AfterImmediate)),
        }
    }

    /// Nothing is owed: the stream may end, in whatever way, and nothing is lost (P20).
    #[must_use]
    pub fn is_complete(&self) -> bool {
        match self.stream {
            Stream::Answered => self.request.is_settled() && self.response.is_settled(),
            Stream::Observed | Stream::Ended => true,
        }
    }

    /// Nothing is owed, and nothing can come that would be.
    #[must_use]
    pub fn is_over(&self) -> bool {
        match self.stream {
            Stream::Answered | Stream::Observed => {
                self.request.is_over() && self.response.is_over()
            }
            Stream::Ended => true,
        }
    }
}

impl fmt::Display for Ledger {
    /// What each direction owes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.stream {
            Stream::Answered => write!(f, "{}; {}", self.request, self.response),
            Stream::Observed => f.write_str("nothing: the stream is only observed"),
            Stream::Ended => f.write_str("nothing: the stream was ended by immediate_response"),
        }
    }
}
