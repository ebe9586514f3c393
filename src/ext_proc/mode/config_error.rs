use core::fmt;
use std::time::Duration;

use http::StatusCode;

use super::{BodyMode, ModeField};
use crate::exchange::Direction;
use crate::limits;

/// Why a configuration cannot be used. Some of these Envoy 1.40.0 refuses too; the others it
/// accepts, and then does what its reason says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// A timeout above [`limits::MAX_MESSAGE_TIMEOUT_MILLIS`]. Envoy refuses it: "value must be
    /// inside range [0s, 1h0m0s]".
    TooLong {
        /// `message_timeout` or `max_message_timeout`.
        field: &'static str,
        /// Its value.
        timeout: Duration,
    },
    /// A `message_timeout` below a millisecond. Envoy accepts it, and it fires at once.
    FiresAtOnce {
        /// Its value.
        timeout: Duration,
    },
    /// A body that is to be observed in a mode other than `STREAMED` and `NONE`. Envoy accepts it,
    /// and sends no body.
    NotObserved {
        /// Of which message.
        direction: Direction,
        /// The mode.
        mode: BodyMode,
    },
    /// A `status_on_error` that is no error, or that Envoy does not define. It refuses the latter,
    /// and sends 500 in place of the former.
    StatusOnError {
        /// Its value.
        status: StatusCode,
    },
    /// An attribute that is no name. Envoy refuses what is no CEL expression, and leaves out in
    /// silence what it cannot evaluate; this takes names that it knows the beginning of.
    Attribute {
        /// `request_attributes` or `response_attributes`.
        field: &'static str,
        /// The attribute.
        attribute: String,
    },
    /// An entry of `allowed_override_modes` that can never match (P19). Envoy accepts it.
    NeverMatches {
        /// Which entry, counted from 0.
        entry: usize,
        /// The field that is `DEFAULT`.
        field: ModeField,
    },
    /// A field of `grpc_initial_metadata` that cannot be sent. Envoy refuses an empty name only.
    Metadata {
        /// Its name.
        name: String,
    },
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { field, timeout } => write!(
                f,
                "{field} is {timeout:?}, above the {} ms that Envoy takes",
                limits::MAX_MESSAGE_TIMEOUT_MILLIS
            ),
            Self::FiresAtOnce { timeout } => write!(
                f,
                "message_timeout is {timeout:?}: Envoy counts in milliseconds, so that it fires at \
                 once and each request is answered 504; leave it out for {} ms",
                limits::DEFAULT_MESSAGE_TIMEOUT_MILLIS
            ),
            Self::NotObserved { direction, mode } => write!(
                f,
                "{} is {mode} with observability_mode: Envoy sends an observer no such body; use \
                 STREAMED or NONE",
                ModeField::body(*direction)
            ),
            Self::StatusOnError { status } => write!(
                f,
                "status_on_error is {}: Envoy takes the errors that its StatusCode defines, and \
                 sends 500 for what is no error",
                status.as_u16()
            ),
            Self::Attribute { field, attribute } => write!(
                f,
                "{attribute:?} in {field} is no attribute such as `request.path` or \
                 `request.headers['x-name']`: Envoy would refuse it, or leave it out in silence"
            ),
            Self::NeverMatches { entry, field } => write!(
                f,
                "allowed_override_modes[{entry}] has {field} DEFAULT (or left out): Envoy compares \
                 numbers, so that it never matches an override; write SEND or SKIP"
            ),
            Self::Metadata { name } => {
                write!(f, "{name:?} in grpc_initial_metadata is no field that gRPC can carry")
            }
        }
    }
}

impl std::error::Error for ConfigError {}
