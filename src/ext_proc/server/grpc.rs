//! What gRPC says of heads and trailers.
//!
//! Rules: <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>.
//!
//! This module never reads a message.

use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version};

use crate::ext_proc::wire::GrpcStatus;

const GRPC: HeaderValue = HeaderValue::from_static("application/grpc");
const GRPC_ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");
const IDENTITY: HeaderValue = HeaderValue::from_static("identity");

/// The HTTP status for a request that is none of gRPC's.
pub(super) fn check<B>(request: &Request<B>) -> Result<(), StatusCode> {
    if request.version() < Version::HTTP_2 {
        return Err(StatusCode::HTTP_VERSION_NOT_SUPPORTED);
    }
    if request.method() != Method::POST {
        return Err(StatusCode::METHOD_NOT_ALLOWED);
    }
    match request.headers().get(CONTENT_TYPE) {
        Some(usual) if *usual == GRPC => Ok(()),
        Some(content_type) if is_grpc(content_type.as_bytes()) => Ok(()),
        _ => Err(StatusCode::UNSUPPORTED_MEDIA_TYPE),
    }
}

/// `application/grpc` or `application/grpc+proto`, with or without parameters. Messages in anything
/// else than protobuf could not be read.
fn is_grpc(content_type: &[u8]) -> bool {
    let essence = content_type.split(|&byte| byte == b';').next().unwrap_or_default();
    let essence = essence.trim_ascii();
    essence.eq_ignore_ascii_case(b"application/grpc")
        || essence.eq_ignore_ascii_case(b"application/grpc+proto")
}

/// The response to a request that is none of gRPC's.
pub(super) fn refuse<T>(status: StatusCode, body: T) -> Response<T> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    if status == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
    }
    response
}

/// The response to a call whose answers are in `body`. `fields` are emptied, and are its own: a map
/// that is there already costs no allocation.
pub(super) fn accept<T>(body: T, mut fields: HeaderMap) -> Response<T> {
    fields.clear();
    fields.insert(CONTENT_TYPE, GRPC);
    // A message that is compressed is refused: this says what is not.
    fields.insert(GRPC_ACCEPT_ENCODING, IDENTITY);
    let mut response = Response::new(body);
    *response.headers_mut() = fields;
    response
}

/// The response to a call that has no answers: its status is in the head ("Trailers-Only").
pub(super) fn end<T>(status: &GrpcStatus, body: T) -> Response<T> {
    let mut response = accept(body, HeaderMap::new());
    response.headers_mut().extend(status.to_trailers());
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_the_request_is_in_the_response() {
        let mut fields = HeaderMap::new();
        for (name, value) in [("te", "trailers"), ("authorization", "a"), ("authorization", "b")] {
            fields.append(name, HeaderValue::from_static(value));
        }
        fields.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc+proto"));
        let response = accept((), fields);
        let mut names: Vec<_> = response.headers().keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["content-type", "grpc-accept-encoding"]);
        assert_eq!(response.headers()[CONTENT_TYPE], "application/grpc");
    }

    #[test]
    fn only_protobuf_is_grpc() {
        for yes in ["application/grpc", "application/grpc+proto", "Application/gRPC ; a=b"] {
            assert!(is_grpc(yes.as_bytes()), "{yes}");
        }
        for no in ["application/grpc-web", "application/grpc+json", "application/grpcx", ""] {
            assert!(!is_grpc(no.as_bytes()), "{no}");
        }
    }
}
