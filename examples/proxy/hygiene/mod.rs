//! What a proxy must refuse, remove and rewrite, as functions on heads: no I/O, no state.
//!
//! The numbers are sections of RFC 9110 (semantics), 9112 (HTTP/1.1) and 9113 (HTTP/2).
//!
//! What hyper 1.12 does about trailers decides much of this and all of what a filter may add:
//!
//! - Its HTTP/1 server writes response trailers if and only if the request said `te: trailers`
//!   (any version, no `Connection: te` asked), the response is chunked, and the field is named in
//!   the response's `trailer` field and not forbidden there. Anything else is dropped with a
//!   `debug!`, the message still ends well. (`proto/h1/conn.rs` `write_trailers`, `encode.rs`.)
//! - Its HTTP/1 client writes request trailers under the same rules but for `te`.
//! - Chunked means: no `content-length` field, and no exact `size_hint` of the body; but a
//!   `transfer-encoding: chunked` field set by us beats an exact hint, on both sides.
//! - HTTP/2 on both sides writes whatever trailers the body gives: no announcement, no `te`.
//! - Trailers received are always given to us, announced or not.

mod fields;
mod request;
mod response;

pub(crate) use request::{check_request, clean_request, frame_request, retarget};
pub(crate) use response::{check_response, clean_response, frame_response, takes_trailers};
