use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;

use super::{HeaderMutation, ReplyBody};
use crate::exchange::Direction;

/// One `ProcessingResponse`. Made by what is owed (`automaton`), so that one which is not cannot be
/// written.
#[derive(Debug)]
pub struct Reply {
    pub(in crate::ext_proc) part: Part,
    /// The numbers of the six fields of a `ProcessingMode`, in their order.
    pub(in crate::ext_proc) mode_override: Option<[i32; 6]>,
    /// A `Struct`, encoded.
    pub(in crate::ext_proc) dynamic_metadata: Option<Bytes>,
}

#[derive(Debug)]
pub(in crate::ext_proc) enum Part {
    Headers {
        direction: Direction,
        mutation: HeaderMutation,
        /// CONTINUE_AND_REPLACE with this body.
        replace: Option<ReplyBody>,
        clear_route_cache: bool,
    },
    Body {
        direction: Direction,
        mutation: HeaderMutation,
        change: BodyChange,
        clear_route_cache: bool,
    },
    Trailers {
        direction: Direction,
        mutation: HeaderMutation,
    },
    Immediate {
        status: StatusCode,
        mutation: HeaderMutation,
        body: ReplyBody,
        grpc_status: Option<u32>,
        details: Bytes,
    },
    /// `mode_override` by itself.
    OverrideOnly,
    /// `override_message_timeout`, in a message of its own.
    MessageTimeout(Duration),
}

/// What becomes of the body that is answered.
#[derive(Debug)]
pub(in crate::ext_proc) enum BodyChange {
    /// `CommonResponse {}`.
    Unchanged,
    /// `clear_body`.
    Clear,
    /// `body`.
    Replace(ReplyBody),
    /// `streamed_response`.
    Streamed { body: ReplyBody, end_of_stream: bool },
}

impl Reply {
    pub(in crate::ext_proc) fn of(part: Part) -> Self {
        Self { part, mode_override: None, dynamic_metadata: None }
    }
}
