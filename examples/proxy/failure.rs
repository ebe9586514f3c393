//! How forwarding fails, and what the client is told then.

use std::{error::Error, fmt, sync::Arc};

use http::StatusCode;

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
