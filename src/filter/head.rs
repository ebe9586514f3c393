use http::{HeaderMap, StatusCode, request, response};

use super::reply::LocalReply;
use crate::error::Origin;

/// The head of a message: [`http::request::Parts`] or [`http::response::Parts`].
///
/// Sealed: the engine decides by it which way a local reply goes.
pub trait Head: sealed::Sealed + Send + 'static {
    /// The header fields.
    fn headers(&self) -> &HeaderMap;

    /// The header fields, to edit.
    fn headers_mut(&mut self) -> &mut HeaderMap;
}

impl Head for request::Parts {
    fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    fn headers_mut(&mut self) -> &mut HeaderMap {
        &mut self.headers
    }
}

impl Head for response::Parts {
    fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    fn headers_mut(&mut self) -> &mut HeaderMap {
        &mut self.headers
    }
}

pub(crate) mod sealed {
    use super::{LocalReply, Origin, StatusCode, request, response};

    /// What differs between the directions. Not nameable outside the crate.
    pub trait Sealed: Sized {
        /// Who sends messages of this direction.
        const PEER: Origin;

        /// The status of the engine's reply when a rejecting holder is over its limit.
        const OVERFLOW: StatusCode;

        /// Whether the head itself says that no body follows (RFC 9110, 6.4.1).
        fn forbids_body(&self) -> bool;

        /// Whether a final head has to follow this one (RFC 9110, 15.2). 101 is final.
        fn is_informational(&self) -> bool;

        /// The reply's head, if a message of this direction can carry it; the reply otherwise.
        fn from_reply(reply: LocalReply) -> Result<(Self, bytes::Bytes), LocalReply>;
    }

    impl Sealed for request::Parts {
        const PEER: Origin = Origin::Downstream;
        const OVERFLOW: StatusCode = StatusCode::PAYLOAD_TOO_LARGE;

        fn forbids_body(&self) -> bool {
            false
        }

        fn is_informational(&self) -> bool {
            false
        }

        fn from_reply(reply: LocalReply) -> Result<(Self, bytes::Bytes), LocalReply> {
            Err(reply)
        }
    }

    impl Sealed for response::Parts {
        const PEER: Origin = Origin::Upstream;
        const OVERFLOW: StatusCode = StatusCode::INTERNAL_SERVER_ERROR;

        fn forbids_body(&self) -> bool {
            self.status == StatusCode::NO_CONTENT
                || self.status == StatusCode::NOT_MODIFIED
                || self.status.is_informational()
        }

        fn is_informational(&self) -> bool {
            self.status.is_informational() && self.status != StatusCode::SWITCHING_PROTOCOLS
        }

        fn from_reply(reply: LocalReply) -> Result<(Self, bytes::Bytes), LocalReply> {
            Ok(reply.into_parts())
        }
    }
}
