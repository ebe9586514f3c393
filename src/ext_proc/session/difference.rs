//! What filters have changed in a head or in trailers, as an Envoy can be told.
//!
//! Only differences are sent: a field that nobody touched cannot come back wrong (P13).
//!
//! This module never sees a chain.

use bytes::Bytes;
use http::header::{
    CONNECTION, CONTENT_LENGTH, HOST, HeaderName, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderValue, request, response};

use crate::ext_proc::wire::HeaderMutation;

/// What may be said of a head besides its plain fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rules {
    /// The data plane takes changes of the method.
    pub(super) method: bool,
    /// The data plane takes changes of scheme and authority (`allow_all_routing`).
    pub(super) routing: bool,
    /// The length of the body that goes with this head, in bytes, where the server is to state it.
    pub(super) body_bytes: Option<u64>,
}

/// Fields of one hop: they are the data plane's own (RFC 9110, 7.6.1), and so is the length of a
/// body that it frames.
const OF_THE_HOP: [HeaderName; 6] =
    [CONNECTION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE, CONTENT_LENGTH];

fn is_of_the_hop(name: &HeaderName) -> bool {
    OF_THE_HOP.contains(name) || matches!(name.as_str(), "keep-alive" | "proxy-connection")
}

/// Adds what makes `after` of `before`. Answers how many fields have changed in a way that cannot
/// be said.
pub(super) fn fields(before: &HeaderMap, after: &HeaderMap, into: &mut HeaderMutation) -> u64 {
    // As nearly always: then nothing has to be looked up.
    if before.len() == after.len() && before.iter().eq(after) {
        return 0;
    }
    let mut unsent = 0;
    for name in before.keys().filter(|name| !after.contains_key(*name)) {
        if name == CONTENT_LENGTH {
            // Who changes the length of a body has it dropped on the way: the data plane knows.
        } else if is_of_the_hop(name) {
            unsent += 1;
        } else {
            into.remove(name_bytes(name));
        }
    }
    for name in after.keys() {
        let is_same = before.get_all(name).iter().eq(after.get_all(name).iter());
        if is_same || name == CONTENT_LENGTH {
            continue;
        }
        if is_of_the_hop(name) {
            unsent += 1;
            continue;
        }
        values(name, before, after, into);
    }
    unsent
}

/// The values of one field that has changed.
fn values(name: &HeaderName, before: &HeaderMap, after: &HeaderMap, into: &mut HeaderMutation) {
    let (old, new) = (before.get_all(name), after.get_all(name));
    let kept = old.iter().count();
    let starts_alike = old.iter().zip(&new).all(|(old, new)| old == new);
    if kept > 0 && starts_alike && new.iter().count() > kept {
        for value in new.iter().skip(kept) {
            into.append(name_bytes(name), value_bytes(value));
        }
        return;
    }
    for (at, value) in new.iter().enumerate() {
        if at == 0 {
            into.set(name_bytes(name), value_bytes(value));
        } else {
            into.append(name_bytes(name), value_bytes(value));
        }
    }
}

/// As [`fields`], with the length and with what a request head has besides its fields.
pub(super) fn request(
    before: &request::Parts,
    after: &request::Parts,
    rules: Rules,
    into: &mut HeaderMutation,
) -> u64 {
    let mut unsent = fields(&before.headers, &after.headers, into);
    length(before.headers.get(CONTENT_LENGTH), rules, into);
    let path = |head: &request::Parts| head.uri.path_and_query().map(ToString::to_string);
    if before.uri.path_and_query() != after.uri.path_and_query()
        // What is not the same can be written alike.
        && path(before) != path(after)
        && let Some(path) = path(after)
    {
        into.set(Bytes::from_static(b":path"), path);
    }
    if before.method != after.method {
        if rules.method {
            into.set(Bytes::from_static(b":method"), copied(after.method.as_str()));
        } else {
            unsent += 1;
        }
    }
    let pseudo = [
        (
            ":authority",
            before.uri.authority().map(|a| a.as_str()),
            after.uri.authority().map(|a| a.as_str()),
        ),
        (":scheme", before.uri.scheme_str(), after.uri.scheme_str()),
    ];
    for (name, before, after) in pseudo {
        match after {
            _ if before == after => {}
            Some(after) if rules.routing => {
                into.set(Bytes::from_static(name.as_bytes()), copied(after));
            }
            Some(_) | None => unsent += 1,
        }
    }
    if !rules.routing && before.headers.get(HOST) != after.headers.get(HOST) {
        // Sent, and ignored by Envoy's default mutation rules.
        unsent += 1;
    }
    unsent
}

/// As [`fields`], with the length and the status.
pub(super) fn response(
    before: &response::Parts,
    after: &response::Parts,
    rules: Rules,
    into: &mut HeaderMutation,
) -> u64 {
    let unsent = fields(&before.headers, &after.headers, into);
    length(before.headers.get(CONTENT_LENGTH), rules, into);
    if before.status != after.status {
        into.set(Bytes::from_static(b":status"), copied(after.status.as_str()));
    }
    unsent
}

/// Every field of `headers` that is not of the hop, as set: for a head of one's own.
pub(super) fn all(headers: &HeaderMap, into: &mut HeaderMutation) -> u64 {
    let mut unsent = 0;
    for name in headers.keys() {
        if name == CONTENT_LENGTH {
            // The data plane counts the body of a reply itself.
        } else if is_of_the_hop(name) {
            unsent += 1;
        } else {
            values(name, &HeaderMap::new(), headers, into);
        }
    }
    unsent
}

/// A length that is there has to go with the body (P12); one that is not is not made up.
pub(super) fn length(before: Option<&HeaderValue>, rules: Rules, into: &mut HeaderMutation) {
    let Some(bytes) = rules.body_bytes else { return };
    let stated = HeaderValue::from(bytes);
    if before.is_some_and(|before| *before != stated) {
        into.set(name_bytes(&CONTENT_LENGTH), value_bytes(&stated));
    }
}

fn name_bytes(name: &HeaderName) -> Bytes {
    copied(name.as_str())
}

fn value_bytes(value: &HeaderValue) -> Bytes {
    Bytes::copy_from_slice(value.as_bytes())
}

fn copied(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}
