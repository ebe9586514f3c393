//! The rules for response heads.

use http::{Method, StatusCode, Version, header, request, response::Parts};

use super::fields::{add_via, has_token, known_coding, make_chunked, remove_one_hop};

/// Whether the sender of this request can be given trailers: always in HTTP/2; in HTTP/1.1 if it
/// said so. This is what hyper's HTTP/1 server asks, too.
pub(crate) fn takes_trailers(request: &request::Parts) -> bool {
    match request.version {
        Version::HTTP_2 => true,
        Version::HTTP_11 => has_token(&request.headers, &header::TE, "trailers"),
        _ => false,
    }
}

/// Whether a response can be passed on: it switches no protocol, which this proxy never asks for,
/// and has no transfer coding but the one hyper takes off.
pub(crate) fn check_response(parts: &Parts) -> bool {
    parts.status != StatusCode::SWITCHING_PROTOCOLS && known_coding(&parts.headers)
}

/// Removes what the response said to this hop only, and adds this hop to `via`.
///
/// A 204 must not have a `content-length` (8.6); that of a 304, or of a response to HEAD, says how
/// long the body would be and stays.
pub(crate) fn clean_response(parts: &mut Parts) {
    remove_one_hop(&mut parts.headers);
    if parts.status == StatusCode::NO_CONTENT {
        parts.headers.remove(header::CONTENT_LENGTH);
    }
    add_via(&mut parts.headers, parts.version);
}

/// Makes a response that goes down HTTP/1.1 chunked if it announces trailers that can be sent.
/// Where they cannot, the length is worth more.
pub(crate) fn frame_response(parts: &mut Parts, method: &Method, trailers: bool) {
    let has_body = *method != Method::HEAD
        && !matches!(parts.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    if trailers && has_body && parts.headers.contains_key(header::TRAILER) {
        make_chunked(&mut parts.headers);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Response;

    fn head(status: u16, fields: &[(&str, &str)]) -> Parts {
        let mut builder = Response::builder().status(status);
        for (name, value) in fields {
            builder = builder.header(*name, *value);
        }
        builder.body(()).unwrap().into_parts().0
    }

    #[test]
    fn switches_and_unknown_codings_are_not_passed_on() {
        assert!(check_response(&head(200, &[("transfer-encoding", "chunked")])));
        assert!(!check_response(&head(200, &[("transfer-encoding", "gzip, chunked")])));
        assert!(!check_response(&head(101, &[])));
    }

    #[test]
    fn a_length_beside_chunked_is_not_believed() {
        let mut parts = head(200, &[("transfer-encoding", "chunked"), ("content-length", "9")]);
        clean_response(&mut parts);
        assert!(!parts.headers.contains_key("content-length"));
    }

    #[test]
    fn only_a_204_loses_its_length() {
        for (status, kept) in [(200, true), (204, false), (304, true)] {
            let mut parts = head(status, &[("content-length", "9"), ("keep-alive", "x")]);
            clean_response(&mut parts);
            assert_eq!(parts.headers.contains_key("content-length"), kept, "{status}");
            assert!(!parts.headers.contains_key("keep-alive"));
        }
    }

    #[test]
    fn announced_trailers_beat_a_length_where_they_can_be_sent() {
        for (method, trailers, chunked) in
            [(Method::GET, true, true), (Method::GET, false, false), (Method::HEAD, true, false)]
        {
            let mut parts = head(200, &[("content-length", "9"), ("trailer", "x")]);
            frame_response(&mut parts, &method, trailers);
            assert_eq!(parts.headers.contains_key("transfer-encoding"), chunked);
            assert_eq!(parts.headers.contains_key("content-length"), !chunked);
        }
    }
}
