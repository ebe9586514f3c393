use core::fmt;

use super::{ConfigError, ModeField};
use crate::exchange::Direction;

/// Why an override is not sent: the data plane would ignore it without a word (P17), or break the
/// stream.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum OverrideRefusal {
    /// `allow_mode_override` is not set.
    NotAllowed,
    /// Answers to observed messages are ignored.
    Observed,
    /// `send_body_without_waiting_for_header_response` is set.
    SentWithoutWaiting,
    /// A direction is full duplex, by the filter's configuration or on this stream.
    Duplex {
        /// Which.
        direction: Direction,
    },
    /// It goes with the answer to a head only, or before the one to the request's head.
    TooLate,
    /// The head with whose answer it would go is not shown.
    HeadersSkipped {
        /// Whose.
        direction: Direction,
    },
    /// At the response's head, it would change the request, whose body may be under way.
    RequestUnderWay,
    /// `allowed_override_modes` does not have the mode it would make.
    NotListed,
    /// A message of its own, and the data plane is not said to know that
    /// ([`stand_alone_override`](super::FilterConfig::stand_alone_override)).
    StandAloneUnknown,
    /// A message of its own that does not make the request full duplex: Envoy 1.40.0 takes no other
    /// change of the request that way.
    StandAloneNotDuplex,
    /// The mode that it would make cannot be used.
    Invalid(ConfigError),
}

impl fmt::Display for OverrideRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("mode_override is not sent: ")?;
        match self {
            Self::NotAllowed => f.write_str("allow_mode_override is not set"),
            Self::Observed => f.write_str("answers are ignored with observability_mode"),
            Self::SentWithoutWaiting => f.write_str(
                "send_body_without_waiting_for_header_response is set, with which it is ignored",
            ),
            Self::Duplex { direction } => write!(
                f,
                "{} is FULL_DUPLEX_STREAMED, from which nothing leads back",
                ModeField::body(*direction)
            ),
            Self::TooLate => f.write_str("it counts only until a head has been answered"),
            Self::HeadersSkipped { direction } => write!(
                f,
                "{} is SKIP, so that there is no answer it could go with",
                ModeField::headers(*direction)
            ),
            Self::RequestUnderWay => {
                f.write_str("at the response's head, the request's body may be under way")
            }
            Self::NotListed => f.write_str("allowed_override_modes does not have this mode"),
            Self::StandAloneUnknown => f.write_str(
                "in a message of its own, Envoy knows it since 1.40 only; set stand_alone_override \
                 if every data plane does",
            ),
            Self::StandAloneNotDuplex => f.write_str(
                "in a message of its own, request_body_mode can become FULL_DUPLEX_STREAMED only",
            ),
            Self::Invalid(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for OverrideRefusal {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Invalid(error) => Some(error),
            _ => None,
        }
    }
}
