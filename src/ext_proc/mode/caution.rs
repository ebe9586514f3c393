use core::fmt;

use super::{BodyMode, ModeField};
use crate::exchange::Direction;

/// What is to be known of a configuration that can be used: Envoy 1.40.0 accepts it without a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Caution {
    /// `failure_mode_allow` with full duplex: once a byte of body has been sent to the server, no
    /// failure of it can be passed over (P32).
    FailOpenEndsWithBody {
        /// Of which message.
        direction: Direction,
    },
    /// An observer whose failures fail requests: `observability_mode` without `failure_mode_allow`
    /// (P26).
    ObserverFailsRequests,
    /// A body in pieces whose end is not shown if trailers follow, since they are skipped.
    EndUnseen {
        /// Of which message.
        direction: Direction,
    },
    /// `content-length` is kept in a mode in which nobody compares it with the body that goes on:
    /// a changed length would let a peer read what is not there, or smuggle a request (P12). No
    /// filter is granted to change it.
    LengthKept {
        /// Of which message.
        direction: Direction,
        /// Its body mode.
        mode: BodyMode,
    },
    /// `max_message_timeout` is below `message_timeout`: a timeout can only be shortened.
    OnlyShortened,
    /// Nothing is shown: the server is never asked.
    NothingShown,
    /// `disable_immediate_response`: a filter's local reply becomes a 500, or is passed over with
    /// `failure_mode_allow`.
    LocalRepliesFail,
    /// `route_cache_action` is `CLEAR`: any change of a request's head may send it along another
    /// route, past what was decided for the first one, such as its authorization (P33).
    Reroutes,
    /// A field that changes nothing here.
    NoEffect {
        /// Its name.
        field: &'static str,
        /// Why it does not.
        because: &'static str,
    },
}

impl fmt::Display for Caution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::FailOpenEndsWithBody { direction } => write!(
                f,
                "failure_mode_allow does nothing for {} FULL_DUPLEX_STREAMED once a byte of body \
                 has been sent: failures of the server fail the request",
                ModeField::body(direction)
            ),
            Self::ObserverFailsRequests => f.write_str(
                "observability_mode without failure_mode_allow: a server that fails, or is not \
                 there, fails requests, or cuts responses short",
            ),
            Self::EndUnseen { direction } => write!(
                f,
                "{} is STREAMED and {} is not SEND: a message that ends in trailers has no end \
                 that the server could see",
                ModeField::body(direction),
                ModeField::trailers(direction)
            ),
            Self::LengthKept { direction, mode } => write!(
                f,
                "allow_content_length_header with {} {mode}: no filter can change the length",
                ModeField::body(direction)
            ),
            Self::OnlyShortened => f.write_str(
                "max_message_timeout is below message_timeout: the server can only shorten it",
            ),
            Self::NothingShown => f.write_str(
                "all headers and trailers are SKIP, all bodies NONE: no message is sent",
            ),
            Self::LocalRepliesFail => f.write_str(
                "disable_immediate_response: a filter's local reply ends as 500, or is passed over \
                 with failure_mode_allow",
            ),
            Self::Reroutes => f.write_str(
                "route_cache_action is CLEAR: any change of a head may choose another route, past \
                 what was decided for this one",
            ),
            Self::NoEffect { field, because } => write!(f, "{field} has no effect: {because}"),
        }
    }
}
