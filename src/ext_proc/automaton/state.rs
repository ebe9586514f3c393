use core::num::NonZeroU64;

use super::answer::Answer;
use super::{Breach, Debt, MessagePart, Received};
use crate::ext_proc::mode::{BodyMode, DirectionMode, SendMode};

/// How far the message has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Came {
    Nothing,
    Headers,
    /// At least one body message.
    Body,
    /// All of it; what came last.
    End(MessagePart),
}

/// What is owed next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    Nothing,
    /// Behind it wait answers to this many body messages (0 in FULL_DUPLEX_STREAMED), and to
    /// trailers if they have come.
    Headers {
        bodies: u64,
    },
    /// Behind them waits the answer to trailers if they have come.
    Bodies(NonZeroU64),
    Trailers,
    /// FULL_DUPLEX_STREAMED: pieces, and an end.
    End,
    /// An answer ended the message: nothing is owed for what may still come.
    Closed,
    /// Nothing is ever owed: the client only lets watch.
    Never,
}

/// Both tables of the module's page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct State {
    pub(super) came: Came,
    pub(super) due: Due,
}

impl State {
    /// What may not come.
    pub(super) fn check(self, mode: DirectionMode, received: Received) -> Result<(), Breach> {
        let part = received.part();
        let shows_headers = mode.headers() == SendMode::Send;
        match (part, self.came) {
            (MessagePart::Headers, Came::Nothing) if !shows_headers => Err(Breach::HeadersUnshown),
            (MessagePart::Headers, Came::Nothing) => Ok(()),
            (_, Came::End(_)) => Err(Breach::AfterEnd { part }),
            (MessagePart::Headers, Came::Headers | Came::Body) => Err(Breach::HeadersLate),
            (MessagePart::Body | MessagePart::Trailers, Came::Nothing) if shows_headers => {
                Err(Breach::HeadersMissing { part })
            }
            (MessagePart::Body, came) => check_body(mode.body(), came),
            (MessagePart::Trailers, _) => match mode.trailers() {
                SendMode::Send => Ok(()),
                SendMode::Skip => Err(Breach::TrailersUnshown),
            },
        }
    }

    /// The first bytes of a body message have come.
    pub(super) fn begin_body(&mut self, mode: DirectionMode) -> Result<(), Breach> {
        let begun = Received::Body { end_of_stream: false };
        if mode.body() == BodyMode::FullDuplexStreamed {
            return self.receive(mode, begun);
        }
        self.check(mode, begun)
    }

    pub(super) fn receive(
        &mut self,
        mode: DirectionMode,
        received: Received,
    ) -> Result<(), Breach> {
        self.check(mode, received)?;
        let part = received.part();
        self.came = match part {
            _ if received.is_end() => Came::End(part),
            MessagePart::Headers => Came::Headers,
            MessagePart::Body | MessagePart::Trailers => Came::Body,
        };
        let is_duplex = mode.body() == BodyMode::FullDuplexStreamed;
        self.due = match (self.due, part) {
            (Due::Closed, _) => Due::Closed,
            (Due::Never, _) => Due::Never,
            (_, MessagePart::Headers) => Due::Headers { bodies: 0 },
            (Due::Headers { bodies }, MessagePart::Body) if !is_duplex => {
                Due::Headers { bodies: bodies.saturating_add(1) }
            }
            (Due::Headers { bodies }, _) => Due::Headers { bodies },
            (Due::Nothing | Due::End, _) if is_duplex => Due::End,
            (Due::Bodies(messages), MessagePart::Body) => Due::Bodies(messages.saturating_add(1)),
            (Due::Nothing, MessagePart::Body) => Due::Bodies(NonZeroU64::MIN),
            (Due::Nothing, MessagePart::Trailers) => Due::Trailers,
            (due @ (Due::Bodies(_) | Due::Trailers | Due::End), _) => due,
        };
        Ok(())
    }

    pub(super) fn answer(&mut self, mode: DirectionMode, answer: Answer) -> Result<(), Breach> {
        let came_trailers = self.came == Came::End(MessagePart::Trailers);
        self.due = match (self.due, answer) {
            (Due::Never, _) => return Err(Breach::OnlyObserved),
            (Due::Headers { bodies }, Answer::Headers) => self.after_headers(mode, bodies),
            (Due::Headers { .. }, Answer::Replacement) => match self.came {
                Came::End(MessagePart::Headers) => Due::Closed,
                _ => return Err(Breach::ReplacedBeforeEnd),
            },
            (Due::Bodies(_), Answer::Body { mutates_head: true })
                if mode.body() == BodyMode::Streamed =>
            {
                return Err(Breach::MutationTooLate);
            }
            (Due::Bodies(messages), Answer::Body { .. }) => self.bodies(messages.get() - 1),
            (Due::Bodies(_), Answer::Piece | Answer::LastPiece) => {
                return Err(Breach::StreamedOutsideDuplex { mode: mode.body() });
            }
            (Due::End, Answer::Body { .. }) => return Err(Breach::OrdinaryInDuplex),
            (Due::End, Answer::Piece) => Due::End,
            (Due::End, Answer::LastPiece) if came_trailers => {
                return Err(Breach::EndBeforeTrailers);
            }
            (Due::End, Answer::LastPiece) => Due::Closed,
            (_, Answer::Trailers) if !came_trailers => return Err(Breach::MadeUpTrailers),
            (Due::End | Due::Trailers, Answer::Trailers) => Due::Closed,
            (
                Due::Nothing
                | Due::Headers { .. }
                | Due::Bodies(_)
                | Due::Trailers
                | Due::End
                | Due::Closed,
                _,
            ) => return Err(Breach::NotOwed { answer: answer.part(), debt: self.debt() }),
        };
        Ok(())
    }

    fn after_headers(self, mode: DirectionMode, bodies: u64) -> Due {
        match (mode.body(), self.came) {
            (_, Came::End(MessagePart::Headers)) => Due::Closed,
            (BodyMode::FullDuplexStreamed, _) => Due::End,
            _ => self.bodies(bodies),
        }
    }

    /// What is owed where this many answers to body messages are next.
    fn bodies(self, messages: u64) -> Due {
        match (NonZeroU64::new(messages), self.came) {
            (Some(messages), _) => Due::Bodies(messages),
            (None, Came::End(MessagePart::Trailers)) => Due::Trailers,
            (None, Came::End(_)) => Due::Closed,
            (None, _) => Due::Nothing,
        }
    }

    pub(super) const fn debt(self) -> Debt {
        match self.due {
            Due::Nothing | Due::Closed | Due::Never => Debt::Nothing,
            Due::Headers { .. } => Debt::Headers,
            Due::Bodies(messages) => Debt::Bodies(messages),
            Due::Trailers => Debt::Trailers,
            Due::End => Debt::End,
        }
    }

    /// Whether the mode may change: the head has not been answered, and nothing came behind it.
    pub(super) const fn can_change_mode(self) -> bool {
        match (self.came, self.due) {
            (Came::Nothing, _) => true,
            (Came::Headers | Came::End(MessagePart::Headers), Due::Headers { .. }) => true,
            (Came::Headers | Came::Body | Came::End(_), _) => false,
        }
    }

    /// Whether a message could still come that is owed an answer.
    pub(super) fn can_come(self, mode: DirectionMode) -> bool {
        let shows_trailers = mode.trailers() == SendMode::Send;
        match (self.due, self.came) {
            (Due::Closed, _) | (_, Came::End(_)) => false,
            (_, Came::Nothing) if mode.headers() == SendMode::Send => true,
            (_, came) => shows_trailers || check_body(mode.body(), came).is_ok(),
        }
    }

    /// Whether the head has gone on, as far as can be known here (R7).
    pub(super) fn is_committed(self, mode: DirectionMode) -> bool {
        let waits_for_body = matches!(mode.body(), BodyMode::Buffered | BodyMode::BufferedPartial);
        match (self.came, self.due) {
            (Came::Nothing, _) | (_, Due::Headers { .. }) => false,
            // A head that is not shown is not held.
            _ if mode.headers() == SendMode::Skip => true,
            (Came::Headers, _) => !waits_for_body,
            (Came::Body | Came::End(_), Due::Bodies(_)) => !waits_for_body,
            (Came::Body | Came::End(_), _) => true,
        }
    }
}

fn check_body(mode: BodyMode, came: Came) -> Result<(), Breach> {
    match (mode, came) {
        (BodyMode::None, _) => Err(Breach::BodyUnshown),
        (BodyMode::Buffered | BodyMode::BufferedPartial, Came::Body | Came::End(_)) => {
            Err(Breach::SecondBody { mode })
        }
        (
            BodyMode::Buffered
            | BodyMode::BufferedPartial
            | BodyMode::Streamed
            | BodyMode::FullDuplexStreamed,
            _,
        ) => Ok(()),
    }
}
