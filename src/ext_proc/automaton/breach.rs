use core::fmt;

use super::{Debt, MessagePart};
use crate::ext_proc::mode::BodyMode;

/// Which rule a message broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Breach {
    /// A head came, and the header mode is SKIP: the mode here is not the one the client runs.
    HeadersUnshown,
    /// The first message was not the head, and the header mode is SEND: filters would have been
    /// passed over.
    HeadersMissing {
        /// What came.
        part: MessagePart,
    },
    /// A head came after something else.
    HeadersLate,
    /// A body message came in mode NONE.
    BodyUnshown,
    /// A second body message came in a mode that has one.
    SecondBody {
        /// BUFFERED or BUFFERED_PARTIAL.
        mode: BodyMode,
    },
    /// Trailers came, and the trailer mode is SKIP: the mode here is not the one the client runs.
    TrailersUnshown,
    /// Something came after the end.
    AfterEnd {
        /// What came.
        part: MessagePart,
    },
    /// An answer to something that did not come, was answered before, or is not next.
    NotOwed {
        /// What was answered.
        answer: MessagePart,
        /// What is owed.
        debt: Debt,
    },
    /// An answer to trailers where none came (P6). Envoy 1.40.0 takes it and waits for ever.
    MadeUpTrailers,
    /// An ordinary body answer in FULL_DUPLEX_STREAMED (P2).
    OrdinaryInDuplex,
    /// `streamed_response` in another mode.
    StreamedOutsideDuplex {
        /// The mode.
        mode: BodyMode,
    },
    /// The answer to a body message in STREAMED has a header mutation: the head has gone, and
    /// Envoy drops it without a word (P9).
    MutationTooLate,
    /// CONTINUE_AND_REPLACE for a head that body or trailers follow.
    ReplacedBeforeEnd,
    /// `end_of_stream` where trailers end the message: their answer is the end.
    EndBeforeTrailers,
    /// `immediate_response` after the head of the response went to the client: it would be cut
    /// (P8).
    HeadCommitted,
    /// An answer after `immediate_response`.
    AfterImmediate,
    /// `mode_override` after the head was answered, or before it came: Envoy ignores it (P17).
    OverrideTooLate,
    /// `mode_override` that changes a direction whose head has been answered: its body may be under
    /// way.
    OverrideUnderWay,
    /// `mode_override` where a direction is FULL_DUPLEX_STREAMED: Envoy ignores it (P17).
    OverrideInDuplex,
    /// `mode_override` to a mode that is not defined, or cannot be used (P1).
    OverrideInvalid,
    /// An answer to a client that only lets watch (`observability_mode`).
    OnlyObserved,
}

impl Breach {
    /// What Envoy 1.40.0 says of such an answer (`%RESPONSE_CODE_DETAILS%`), if it says anything.
    #[must_use]
    pub const fn envoy_text(self) -> Option<&'static str> {
        match self {
            Self::NotOwed { .. } => Some("spurious_message"),
            Self::OrdinaryInDuplex => Some(
                "spurious_message:_Normal_body_mutation_response_is_received_while_body_mode__is_\
                 FULL_DUPLEX_STREAMED",
            ),
            Self::StreamedOutsideDuplex { .. } => Some(
                "spurious_message:_streamed_response_is_received_while_body_mode__is_not_\
                 FULL_DUPLEX_STREAMED",
            ),
            Self::HeadersUnshown
            | Self::HeadersMissing { .. }
            | Self::HeadersLate
            | Self::BodyUnshown
            | Self::SecondBody { .. }
            | Self::TrailersUnshown
            | Self::AfterEnd { .. }
            | Self::MadeUpTrailers
            | Self::MutationTooLate
            | Self::ReplacedBeforeEnd
            | Self::EndBeforeTrailers
            | Self::HeadCommitted
            | Self::AfterImmediate
            | Self::OverrideTooLate
            | Self::OverrideUnderWay
            | Self::OverrideInDuplex
            | Self::OverrideInvalid
            | Self::OnlyObserved => None,
        }
    }

    fn says(self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HeadersUnshown => f.write_str("headers came, and the header mode is SKIP"),
            Self::HeadersMissing { part } => {
                write!(f, "{part} came first, and the header mode is SEND: expected headers")
            }
            Self::HeadersLate => f.write_str("headers came after another message"),
            Self::BodyUnshown => f.write_str("a body message came, and the body mode is NONE"),
            Self::SecondBody { mode } => {
                write!(f, "a second body message came, and {mode} has one")
            }
            Self::TrailersUnshown => f.write_str("trailers came, and the trailer mode is SKIP"),
            Self::AfterEnd { part } => write!(f, "{part} came after the end of the message"),
            Self::NotOwed { answer, debt } => {
                write!(f, "an answer to {answer} was written, and what is owed is {debt}")
            }
            Self::MadeUpTrailers => f.write_str(
                "an answer to trailers was written, and none came: the client would wait for ever",
            ),
            Self::OrdinaryInDuplex => f.write_str(
                "a body answer without streamed_response was written, and the body mode is \
                 FULL_DUPLEX_STREAMED",
            ),
            Self::StreamedOutsideDuplex { mode } => {
                write!(f, "streamed_response was written, and the body mode is {mode}")
            }
            Self::MutationTooLate => f.write_str(
                "a header mutation was written with a body answer, and in STREAMED the head has \
                 gone",
            ),
            Self::ReplacedBeforeEnd => f.write_str(
                "CONTINUE_AND_REPLACE was written, and the headers were not the end of the message",
            ),
            Self::EndBeforeTrailers => {
                f.write_str("end_of_stream was written, and trailers came: their answer is the end")
            }
            Self::HeadCommitted => {
                f.write_str("immediate_response was written, and the head of the response has gone")
            }
            Self::AfterImmediate => f.write_str("an answer was written after immediate_response"),
            Self::OverrideTooLate => f.write_str(
                "mode_override was written, and counts only while headers wait for their answer",
            ),
            Self::OverrideUnderWay => f.write_str(
                "mode_override changes the mode of a message whose headers have been answered",
            ),
            Self::OverrideInDuplex => f.write_str(
                "mode_override was written, and is ignored where a body mode is \
                 FULL_DUPLEX_STREAMED",
            ),
            Self::OverrideInvalid => f.write_str("mode_override has a mode that cannot be used"),
            Self::OnlyObserved => f.write_str("an answer was written in observability mode"),
        }
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.says(f)?;
        match self.envoy_text() {
            Some(text) => write!(f, " (Envoy: {text})"),
            None => Ok(()),
        }
    }
}
