//! How forwarding fails, and what the client is told then.

use std::{error::Error, fmt, sync::Arc};

use http::StatusCode;
use tidegate::{ErrorKind, Origin};

use super::{BoxError, forward::Upstream};

/// What failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// There is no connection to be had.
    Connect,
    /// Connecting, or waiting for the response head, took too long.
    Timeout,
    /// The request's own body failed: nothing the upstream did.
    RequestBody,
    /// The upstream closed, reset, or spoke no HTTP.
    Exchange,
    /// The upstream answered what nobody asked for, or in a coding this proxy does not know.
    Meaning,
}

impl Failure {
    /// Sorts an error of the client.
    pub(crate) fn of(error: &hyper_util::client::legacy::Error) -> Self {
        let timed_out = causes(error).any(|cause| {
            let io = cause.downcast_ref::<std::io::Error>();
            io.is_some_and(|io| io.kind() == std::io::ErrorKind::TimedOut)
        });
        let of_body = |cause: &(dyn Error + 'static)| {
            cause.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_user)
        };
        match error.is_connect() {
            true if timed_out => Self::Timeout,
            true => Self::Connect,
            false if causes(error).any(of_body) => Self::RequestBody,
            false => Self::Exchange,
        }
    }
}

/// An error and what caused it, outermost first.
pub(crate) fn causes<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// A request that got no response head.
#[derive(Debug)]
pub(crate) struct ForwardError {
    pub(super) kind: Failure,
    pub(super) upstream: Arc<Upstream>,
    pub(super) source: Option<BoxError>,
}

impl ForwardError {
    /// The status to answer with.
    pub(crate) fn status(&self) -> StatusCode {
        match self.kind {
            Failure::Connect | Failure::Exchange | Failure::Meaning => StatusCode::BAD_GATEWAY,
            Failure::Timeout => StatusCode::GATEWAY_TIMEOUT,
            Failure::RequestBody => StatusCode::BAD_REQUEST,
        }
    }
}

/// The status for an error that reached the gate: by the engine's error in it, if there is one, as
/// that says who is to blame.
pub(crate) fn status(error: &(dyn Error + 'static)) -> StatusCode {
    let forward = causes(error).find_map(|cause| cause.downcast_ref::<ForwardError>());
    let engine = causes(error).find_map(|cause| cause.downcast_ref::<tidegate::Error>());
    match (engine, forward) {
        (Some(engine), _) => engine_status(engine),
        (None, Some(forward)) => forward.status(),
        (None, None) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The status for an error of the engine. Usually its layer has answered itself, and knows more.
fn engine_status(error: &tidegate::Error) -> StatusCode {
    match (error.kind(), error.origin()) {
        (ErrorKind::TimedOut(_), Origin::Downstream) => StatusCode::REQUEST_TIMEOUT,
        (ErrorKind::TimedOut(_), _) => StatusCode::GATEWAY_TIMEOUT,
        (ErrorKind::Limit { .. }, Origin::Downstream) => StatusCode::PAYLOAD_TOO_LARGE,
        (_, Origin::Downstream) => StatusCode::BAD_REQUEST,
        (_, Origin::Upstream) => StatusCode::BAD_GATEWAY,
        (_, _) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl fmt::Display for ForwardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let upstream = &self.upstream;
        match self.kind {
            Failure::Connect => write!(f, "cannot connect to upstream {upstream}"),
            Failure::Timeout => write!(f, "upstream {upstream} did not answer in time"),
            Failure::RequestBody => write!(f, "the request body failed on its way to {upstream}"),
            Failure::Exchange => write!(f, "upstream {upstream} broke off the exchange"),
            Failure::Meaning => {
                write!(f, "upstream {upstream} gave an answer that cannot be passed on")
            }
        }
    }
}

impl Error for ForwardError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate::Timeout;

    #[test]
    fn an_error_of_the_engine_says_who_is_to_blame() {
        let upstream = Upstream::new(&"http://a:1".parse().unwrap(), false, Default::default());
        let upstream = Arc::new(upstream.unwrap());
        let limit = ErrorKind::Limit { limit: "limit", limit_bytes: 1 };
        for (kind, origin, expected) in [
            (limit, Origin::Downstream, 413),
            (limit, Origin::Upstream, 502),
            (ErrorKind::Reset, Origin::Downstream, 400),
            (ErrorKind::LengthInvalid, Origin::Upstream, 502),
            (ErrorKind::TimedOut(Timeout::Idle), Origin::Downstream, 408),
            (ErrorKind::TimedOut(Timeout::Total), Origin::Internal, 504),
            (ErrorKind::Stalled, Origin::Filter, 500),
            (ErrorKind::Panicked, Origin::Filter, 500),
        ] {
            let source = Some(tidegate::Error::new(kind, origin).into());
            let upstream = Arc::clone(&upstream);
            let error = ForwardError { kind: Failure::RequestBody, upstream, source };
            assert_eq!(status(&error), expected, "{kind:?}");
        }
        let plain = ForwardError { kind: Failure::Connect, upstream, source: None };
        assert_eq!(status(&plain), 502);
        assert_eq!(status(&std::io::Error::other("?")), 500);
    }
}
