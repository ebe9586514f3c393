//! Field rules that requests and responses share.

use http::{
    HeaderMap, HeaderName, HeaderValue, Version,
    header::{self, Entry},
};

/// Fields that belong to one hop even if `Connection` does not name them (7.6.1), and the ones by
/// which a proxy and its client know each other (11.7). `trailer` stays: it announces what is
/// forwarded. `te` is not here: it is this proxy's own to answer, see `clean_request`.
const ONE_HOP: [HeaderName; 8] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    HeaderName::from_static("proxy-authentication-info"),
];

/// The name this proxy gives itself in `via`.
const PSEUDONYM: &str = "tidegate";

/// Whether the only transfer coding is the one hyper takes off. Another would be lost with the
/// field, and its bytes passed on as if they were the content.
pub(super) fn known_coding(headers: &HeaderMap) -> bool {
    tokens(headers, &header::TRANSFER_ENCODING).all(|t| t.eq_ignore_ascii_case("chunked"))
}

/// Removes what belongs to the hop the message came over.
///
/// A `content-length` beside a transfer coding goes as well: the coding wins (RFC 9112, 6.3), and
/// hyper's client, other than its server, leaves the field there.
pub(super) fn remove_one_hop(headers: &mut HeaderMap) {
    if headers.contains_key(header::TRANSFER_ENCODING) {
        headers.remove(header::CONTENT_LENGTH);
    }
    let named: Vec<HeaderName> =
        tokens(headers, &header::CONNECTION).filter_map(|token| token.parse().ok()).collect();
    for name in named.iter().chain(&ONE_HOP) {
        headers.remove(name);
    }
}

/// The members of a comma-separated field over all its lines, without empty ones.
pub(super) fn tokens<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> impl Iterator<Item = &'a str> {
    headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|token| !token.is_empty())
}

/// Whether a field has this member, by ASCII case.
pub(super) fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    tokens(headers, name).any(|member| member.eq_ignore_ascii_case(token))
}

/// Adds a member to a list field, after those that are there. Several lines become one, because
/// some readers only look at the first.
pub(super) fn append_member(headers: &mut HeaderMap, name: HeaderName, member: &str) {
    let mut joined = tokens(headers, &name).collect::<Vec<_>>().join(", ");
    if !joined.is_empty() {
        joined.push_str(", ");
    }
    joined.push_str(member);
    set(headers, name, &joined);
}

/// Sets a field to a text, or removes it where the text is no field value.
pub(super) fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    match HeaderValue::from_str(value) {
        Ok(value) => drop(headers.insert(name, value)),
        Err(_) => drop(headers.remove(name)),
    }
}

/// Adds this proxy to `via` (7.6.3), with the version the message was received in.
pub(super) fn add_via(headers: &mut HeaderMap, version: Version) {
    let version = match version {
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2.0",
        _ => "1.1",
    };
    append_member(headers, header::VIA, &format!("{version} {PSEUDONYM}"));
}

/// Makes an HTTP/1 message chunked: the only framing there that carries trailers. The field is
/// written out because hyper would else take the length from the body's exact `size_hint`.
pub(super) fn make_chunked(headers: &mut HeaderMap) {
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
}

/// HTTP/2 may split `cookie` into lines, which HTTP/1 must not see (RFC 9113, 8.2.3).
pub(super) fn join_cookies(headers: &mut HeaderMap) {
    let Entry::Occupied(lines) = headers.entry(header::COOKIE) else { return };
    if lines.iter().nth(1).is_none() {
        return;
    }
    let joined = lines.iter().map(HeaderValue::as_bytes).collect::<Vec<_>>().join(&b"; "[..]);
    if let Ok(value) = HeaderValue::from_bytes(&joined) {
        headers.insert(header::COOKIE, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_hop_fields_and_those_named_are_removed() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("connection", "close, X-Mine"),
            ("connection", "Keep-Alive,  x-other ,"),
            ("keep-alive", "timeout=5"),
            ("x-mine", "1"),
            ("x-other", "1"),
            ("x-kept", "1"),
            ("proxy-connection", "keep-alive"),
            ("proxy-authorization", "x"),
            ("proxy-authenticate", "x"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "websocket"),
            ("trailer", "digest"),
        ] {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        remove_one_hop(&mut headers);
        let mut left: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["trailer", "x-kept"]);
    }

    #[test]
    fn members_are_appended_on_one_line() {
        let mut headers = HeaderMap::new();
        headers.append(header::VIA, HeaderValue::from_static("1.0 a"));
        headers.append(header::VIA, HeaderValue::from_static("1.1 b"));
        add_via(&mut headers, Version::HTTP_2);
        assert_eq!(headers.get_all(header::VIA).iter().count(), 1);
        assert_eq!(headers[header::VIA], "1.0 a, 1.1 b, 2.0 tidegate");
    }

    #[test]
    fn split_cookies_are_joined() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=1"));
        headers.append(header::COOKIE, HeaderValue::from_static("b=2"));
        join_cookies(&mut headers);
        assert_eq!(headers.get_all(header::COOKIE).iter().count(), 1);
        assert_eq!(headers[header::COOKIE], "a=1; b=2");
    }
}
