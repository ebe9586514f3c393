//! Lengths that only the body knows.
//!
//! This module never takes a declared length away; the chain does.

use http::header::{CONTENT_LENGTH, TRAILER, TRANSFER_ENCODING};
use http_body::Body;

use crate::filter::Head;

/// Sets `content-length` from the size hint of the source, where hyper would do so if there were no
/// chain in between: a chain that changes nothing must not turn a body of known length into a
/// chunked one. Not where trailers are announced, or where there is nothing but (perhaps) trailers:
/// HTTP/1 cannot have both.
pub(super) fn declare_length<H: Head>(head: &mut H, source: &impl Body) {
    let framed = [CONTENT_LENGTH, TRANSFER_ENCODING, TRAILER]
        .iter()
        .any(|name| head.headers().contains_key(name));
    if framed || head.forbids_body() || source.is_end_stream() {
        return;
    }
    if let Some(bytes @ 1..) = source.size_hint().exact() {
        // A head that can hold no more fields goes without.
        let _ = head.headers_mut().try_insert(CONTENT_LENGTH, bytes.into());
    }
}
