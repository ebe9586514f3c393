use bytes::Bytes;
use http::HeaderMap;

#[cfg(doc)]
use super::Protocol;
use crate::http2::Reason;

/// What came means this.
#[derive(Debug)]
pub(in crate::http2) enum Event {
    /// A stream has begun, in a slot that was free: [`Protocol::take_request`] has its head.
    Request { slot: usize, ends: bool },
    /// The next piece of a body. Where it `ends` there may be no bytes.
    Data { slot: usize, bytes: Bytes, ends: bool },
    /// The end of a body.
    Trailers { slot: usize, trailers: Box<HeaderMap> },
    /// The stream is over: by the peer, or by what the peer did wrong.
    Reset { slot: usize, reason: Reason },
    /// The stream has more room to be sent something.
    Room { slot: usize },
    /// All streams have, perhaps.
    RoomForAll,
}
