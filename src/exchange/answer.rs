//! Which status answers for a message that failed while no response head had been sent.
//!
//! This module never makes up a body: nothing of what happened inside is shown to the client.

use http::StatusCode;

use crate::error::{Error, ErrorKind, Origin};
use crate::filter::LocalReply;

/// The reply for `error`, without a body. `awaited_client`: the exchange was waiting for the client
/// then.
pub(crate) fn answer_for(error: &Error, awaited_client: bool) -> LocalReply {
    LocalReply::new(match (error.kind(), error.origin()) {
        // 408 if the client was awaited: the timeout is its own.
        (ErrorKind::TimedOut(_), _) if awaited_client => StatusCode::REQUEST_TIMEOUT,
        (ErrorKind::TimedOut(_), _) => StatusCode::GATEWAY_TIMEOUT,
        (ErrorKind::Limit { .. }, Origin::Downstream) => StatusCode::PAYLOAD_TOO_LARGE,
        // A peer that broke off, or did not keep to its own length, or sent what it must not.
        (_, Origin::Downstream) => StatusCode::BAD_REQUEST,
        (_, Origin::Upstream) => StatusCode::BAD_GATEWAY,
        (_, Origin::Filter | Origin::Processor | Origin::Internal) => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
    })
}
