//! The rules for request heads.

use std::net::IpAddr;

use http::{
    HeaderName, HeaderValue, Method, StatusCode, Uri, Version, header, request::Parts, uri,
};

use super::fields::{
    add_via, append_member, has_token, join_cookies, known_coding, make_chunked, remove_one_hop,
    set, tokens,
};

/// A request that is not forwarded, and what its sender is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The status of the answer.
    pub(crate) status: StatusCode,
    /// The text of the answer.
    pub(crate) text: &'static str,
    /// Whether what follows on the connection may be no HTTP, so that it must not be read on.
    pub(crate) close: bool,
}

/// Says whether a request may be forwarded.
///
/// - CONNECT, HTTP/2's extended one too: 501, "the appropriate response when the server does not
///   recognize the request method and is not capable of supporting it" (15.6.2). Not 405, which is
///   for a method that is known but not allowed on this resource.
/// - `Upgrade`: a server may ignore it (7.8), but a client that offers to switch usually cannot go
///   on without, so it is told: 501. `h2c` alone is ignored: clients add it to requests they mean
///   as HTTP/1.1, and RFC 9113 (3.1) has withdrawn it. In HTTP/1.0 it must be ignored (7.8).
/// - An expectation other than `100-continue` cannot be met: 417 (10.1.1).
/// - A transfer coding other than `chunked`: 501 (RFC 9112, 6.1).
/// - An HTTP/1.1 request with no or several `Host` fields: 400 (RFC 9112, 3.2). hyper lets it by.
pub(crate) fn check_request(parts: &Parts) -> Result<(), Refusal> {
    let refuse = |status, text, close| Err(Refusal { status, text, close });
    if parts.method == Method::CONNECT {
        return refuse(StatusCode::NOT_IMPLEMENTED, "CONNECT: tunnels are not supported\n", true);
    }
    let headers = &parts.headers;
    let asks_more = || tokens(headers, &header::UPGRADE).any(|t| !t.eq_ignore_ascii_case("h2c"));
    if parts.version == Version::HTTP_11 && asks_more() {
        return refuse(
            StatusCode::NOT_IMPLEMENTED,
            "Upgrade: switching protocols is not supported\n",
            true,
        );
    }
    if tokens(headers, &header::EXPECT).any(|t| !t.eq_ignore_ascii_case("100-continue")) {
        return refuse(StatusCode::EXPECTATION_FAILED, "Expect: only 100-continue is met\n", false);
    }
    if !known_coding(headers) {
        return refuse(
            StatusCode::NOT_IMPLEMENTED,
            "Transfer-Encoding: only chunked is known\n",
            true,
        );
    }
    let hosts = headers.get_all(header::HOST).into_iter().count();
    if hosts > 1 || hosts == 0 && parts.version == Version::HTTP_11 {
        return refuse(StatusCode::BAD_REQUEST, "Host: exactly one is needed\n", true);
    }
    Ok(())
}

/// Removes what the request said to this hop only and adds what this hop has to say.
///
/// `te` is reduced to `trailers`, which it says for itself: it is the one member an intermediary
/// can pass on (10.1.4), and what the edge reads to know whether trailers can be sent back.
///
/// `expect` goes too. hyper's server answers `100 Continue` when the body is first polled, which
/// `forward` does when the upstream connection stands: so the client has been answered for what it
/// asked. hyper's client never waits for a 100: to forward the field would promise the upstream a
/// wait that does not happen.
pub(crate) fn clean_request(parts: &mut Parts, peer: Option<IpAddr>) {
    let headers = &mut parts.headers;
    let trailers = has_token(headers, &header::TE, "trailers");
    remove_one_hop(headers);
    headers.remove(header::EXPECT);
    headers.remove(HeaderName::from_static("http2-settings"));
    headers.remove(header::TE);
    if trailers {
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
    }
    add_via(headers, parts.version);
    if let Some(peer) = peer {
        append_member(headers, HeaderName::from_static("x-forwarded-for"), &peer.to_string());
    }
    // The target's own authority wins over the Host field (RFC 9112, 3.2.2; RFC 9113, 8.3.1).
    let asked = parts.uri.authority().map(uri::Authority::as_str).map(str::to_owned);
    let host = asked.or_else(|| {
        headers.get(header::HOST).and_then(|host| host.to_str().ok()).map(str::to_owned)
    });
    let forwarded_host = HeaderName::from_static("x-forwarded-host");
    match host {
        Some(host) => set(headers, forwarded_host, &host),
        None => drop(headers.remove(forwarded_host)),
    }
    set(headers, HeaderName::from_static("x-forwarded-proto"), "http");
}

/// Points a request at the upstream: its authority, its version, no Host field of the client.
///
/// The client side of hyper writes `Host` or `:authority` from the URI, whichever the version
/// needs, so that the two cannot disagree.
pub(crate) fn retarget(parts: &mut Parts, upstream: &uri::Authority, http2: bool) {
    let path = parts.uri.path_and_query().cloned();
    let mut to = uri::Parts::default();
    to.scheme = Some(uri::Scheme::HTTP);
    to.authority = Some(upstream.clone());
    to.path_and_query = Some(path.unwrap_or_else(|| uri::PathAndQuery::from_static("/")));
    if let Ok(uri) = Uri::from_parts(to) {
        parts.uri = uri;
    }
    parts.version = if http2 { Version::HTTP_2 } else { Version::HTTP_11 };
    parts.headers.remove(header::HOST);
}

/// Gives a request that goes upstream over HTTP/1 the framing and hop fields it needs. `open` says
/// that a body follows whose length the body itself does not know.
///
/// - With trailers announced it is chunked, even if its length is known: HTTP/2 can send both.
/// - GET, HEAD and CONNECT with a body of unknown length need the field written out, because hyper
///   would send no body at all, and say nothing.
/// - `te` needs `Connection: te` (10.1.4).
pub(crate) fn frame_request(parts: &mut Parts, ended: bool, known: bool) {
    let headers = &mut parts.headers;
    join_cookies(headers);
    let announced = headers.contains_key(header::TRAILER);
    let sized = known || headers.contains_key(header::CONTENT_LENGTH);
    if !ended && (announced || !sized) {
        make_chunked(headers);
    }
    if headers.contains_key(header::TE) {
        headers.insert(header::CONNECTION, HeaderValue::from_static("te"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn head(build: impl FnOnce(http::request::Builder) -> http::request::Builder) -> Parts {
        let builder = build(Request::builder().uri("/a?b").header("host", "mine"));
        builder.body(()).unwrap().into_parts().0
    }

    fn refused(parts: &Parts) -> Option<u16> {
        check_request(parts).err().map(|refusal| refusal.status.as_u16())
    }

    #[test]
    fn tunnels_and_upgrades_are_refused() {
        assert_eq!(refused(&head(|b| b)), None);
        assert_eq!(refused(&head(|b| b.method("CONNECT"))), Some(501));
        assert_eq!(refused(&head(|b| b.header("upgrade", "websocket"))), Some(501));
        assert_eq!(refused(&head(|b| b.header("upgrade", "h2c, websocket"))), Some(501));
        assert_eq!(refused(&head(|b| b.header("upgrade", "H2C"))), None);
        let old = head(|b| b.header("upgrade", "websocket").version(Version::HTTP_10));
        assert_eq!(refused(&old), None);
    }

    #[test]
    fn hosts_and_expectations_are_checked() {
        assert_eq!(refused(&head(|b| b.header("host", "other"))), Some(400));
        let mut none = head(|b| b);
        none.headers.clear();
        assert_eq!(refused(&none), Some(400));
        none.version = Version::HTTP_2;
        assert_eq!(refused(&none), None);
        assert_eq!(refused(&head(|b| b.header("expect", "100-Continue"))), None);
        assert_eq!(refused(&head(|b| b.header("expect", "a-pony"))), Some(417));
        assert_eq!(refused(&head(|b| b.header("transfer-encoding", "gzip, chunked"))), Some(501));
    }

    #[test]
    fn a_request_is_cleaned_and_marked() {
        let mut parts = head(|b| {
            b.header("te", "gzip, Trailers")
                .header("connection", "te, x-forwarded-for")
                .header("x-forwarded-for", "forged")
                .header("expect", "100-continue")
        });
        clean_request(&mut parts, Some(IpAddr::from([10, 0, 0, 9])));
        let headers = &parts.headers;
        assert_eq!(headers["te"], "trailers");
        assert!(!headers.contains_key("expect") && !headers.contains_key("connection"));
        assert_eq!(headers["x-forwarded-for"], "10.0.0.9", "the one named is gone");
        assert_eq!(headers["x-forwarded-host"], "mine");
        assert_eq!(headers["via"], "1.1 tidegate");
    }

    #[test]
    fn a_request_is_pointed_at_the_upstream() {
        let upstream = uri::Authority::from_static("up:99");
        for (target, whole) in [
            ("/a?b", "http://up:99/a?b"),
            ("http://evil/a", "http://up:99/a"),
            ("http://evil", "http://up:99/"),
        ] {
            let mut parts = head(|b| b.uri(target));
            retarget(&mut parts, &upstream, true);
            assert_eq!(parts.uri.to_string(), whole);
            assert_eq!(parts.version, Version::HTTP_2);
            assert!(!parts.headers.contains_key("host"));
        }
    }

    #[test]
    fn a_body_of_unknown_length_is_chunked_by_name() {
        let framed = |ended, known, parts: &mut Parts| {
            frame_request(parts, ended, known);
            parts.headers.get("transfer-encoding").is_some()
        };
        assert!(!framed(true, false, &mut head(|b| b)));
        assert!(framed(false, false, &mut head(|b| b)));
        assert!(!framed(false, true, &mut head(|b| b)));
        assert!(!framed(false, false, &mut head(|b| b.header("content-length", "3"))));
        let mut both = head(|b| b.header("content-length", "3").header("trailer", "x"));
        assert!(framed(false, true, &mut both));
        assert!(!both.headers.contains_key("content-length"));
    }
}
