//! Which status answers for a message that failed while no response head had been sent.
//!
//! This module never makes up a body: nothing of what happened inside is shown to the client.

use http::StatusCode;

use crate::error::{Error, ErrorKind, Origin};
use crate::filter::LocalReply;

/// The reply for `error`. `awaited_client`: the exchange was waiting for the client then.
pub(super) fn reply_for(error: &Error, awaited_client: bool) -> LocalReply {
    LocalReply::new(match (error.kind(), error.origin()) {
        (ErrorKind::TimedOut(_), _) => timeout_status(awaited_client),
        (ErrorKind::Limit { .. }, Origin::Downstream) => StatusCode::PAYLOAD_TOO_LARGE,
        // A peer that broke off, or did not keep to its own length, or sent what it must not.
        (_, Origin::Downstream) => StatusCode::BAD_REQUEST,
        (_, Origin::Upstream) => StatusCode::BAD_GATEWAY,
        (_, Origin::Filter | Origin::Processor | Origin::Internal) => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
    })
}

/// 408 if the client was awaited, else 504.
pub(super) fn timeout_status(awaited_client: bool) -> StatusCode {
    if awaited_client { StatusCode::REQUEST_TIMEOUT } else { StatusCode::GATEWAY_TIMEOUT }
}
