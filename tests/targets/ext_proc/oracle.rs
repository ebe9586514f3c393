//! What may come and what may be answered in one direction, from all that came and went: no state,
//! only lists.

use tidegate::ext_proc::automaton::Received;
use tidegate::ext_proc::mode::{BodyMode, DirectionMode, SendMode};

/// An answer, as far as rules tell answers apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    Headers,
    /// CONTINUE_AND_REPLACE.
    Whole,
    Body,
    Piece,
    LastPiece,
    Trailers,
}

/// One direction.
#[derive(Debug, Clone)]
pub(super) struct Log {
    pub(super) mode: DirectionMode,
    pub(super) came: Vec<Received>,
    pub(super) said: Vec<Said>,
}

impl Log {
    pub(super) fn new(mode: DirectionMode) -> Self {
        Self { mode, came: Vec::new(), said: Vec::new() }
    }

    /// Whether `next` may come (R1 to R4).
    pub(super) fn may_come(&self, next: Received) -> bool {
        let sends_headers = self.mode.headers() == SendMode::Send;
        if self.came.iter().any(|each| each.is_end()) {
            return false;
        }
        let is_first = self.came.is_empty();
        let bodies = self.came.iter().filter(|each| matches!(each, Received::Body { .. })).count();
        match next {
            Received::Headers { .. } => is_first && sends_headers,
            _ if is_first && sends_headers => false,
            Received::Body { .. } => match self.mode.body() {
                BodyMode::None => false,
                BodyMode::Buffered | BodyMode::BufferedPartial => bodies == 0,
                BodyMode::Streamed | BodyMode::FullDuplexStreamed => true,
            },
            Received::Trailers => self.mode.trailers() == SendMode::Send,
        }
    }

    fn was_ended_by_us(&self) -> bool {
        self.said.iter().any(|each| matches!(each, Said::Whole | Said::LastPiece))
    }

    /// Whether `next` may be answered (sections 3.1 to 3.5).
    pub(super) fn may_say(&self, next: Said) -> bool {
        if self.was_ended_by_us() {
            return false;
        }
        if self.mode.body() == BodyMode::FullDuplexStreamed {
            return self.may_say_in_duplex(next);
        }
        // One answer for each message, in their order.
        match (self.came.get(self.said.len()), next) {
            (Some(Received::Headers { end_of_stream }), Said::Whole) => *end_of_stream,
            (Some(Received::Headers { .. }), Said::Headers)
            | (Some(Received::Body { .. }), Said::Body)
            | (Some(Received::Trailers), Said::Trailers) => true,
            _ => false,
        }
    }

    fn may_say_in_duplex(&self, next: Said) -> bool {
        let head = self.came.iter().find_map(|each| match each {
            Received::Headers { end_of_stream } => Some(*end_of_stream),
            Received::Body { .. } | Received::Trailers => None,
        });
        let is_head_answered = self.said.contains(&Said::Headers);
        let is_over = self.said.contains(&Said::Trailers);
        let has_trailers = self.came.contains(&Received::Trailers);
        match next {
            Said::Headers => head.is_some() && !is_head_answered,
            Said::Whole => head == Some(true) && !is_head_answered,
            Said::Body => false,
            _ if is_over || (head.is_some() && !is_head_answered) || head == Some(true) => false,
            // Without a head, nothing goes before anything has come.
            _ if self.came.is_empty() => false,
            Said::Piece => true,
            Said::LastPiece => !has_trailers,
            Said::Trailers => has_trailers,
        }
    }

    /// Whether nothing is owed.
    pub(super) fn is_settled(&self) -> bool {
        let has_ended = self.was_ended_by_us() || self.said.contains(&Said::Trailers);
        if self.mode.body() != BodyMode::FullDuplexStreamed {
            return has_ended || self.said.len() == self.came.len();
        }
        let is_head_alone = matches!(self.came[..], [Received::Headers { end_of_stream: true }]);
        has_ended || self.came.is_empty() || (is_head_alone && !self.said.is_empty())
    }

    /// Whether the head has gone to the client, as far as anybody knows (R7).
    pub(super) fn has_gone(&self) -> bool {
        let holds = matches!(self.mode.body(), BodyMode::Buffered | BodyMode::BufferedPartial);
        match self.came.first() {
            None => false,
            Some(Received::Headers { end_of_stream }) => {
                let body_came = self.came.iter().any(|each| matches!(each, Received::Body { .. }));
                let body_said = self.said.contains(&Said::Body);
                let trailers_alone = self.came.contains(&Received::Trailers) && !body_came;
                let is_released = !holds || *end_of_stream || body_said || trailers_alone;
                !self.said.is_empty() && is_released
            }
            Some(_) => true,
        }
    }
}
