//! What the layer does to heads that leave their chains, for the sake of HTTP/1.
//!
//! This module never touches a field that filters or peers have set, but `content-length` where
//! trailers are announced, and an announcement of trailers that cannot be sent.

use core::pin::Pin;
use std::error::Error as StdError;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, TE, TRAILER, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Version, request, response};
use http_body::Body;

use super::settings::Settings;
use super::trailers::{accepts_trailers, has_token};
use super::{RequestBody, ResponseBody};
use crate::error::{Error, ErrorKind, Origin};
use crate::filter::{Capability, Declaration};

/// What the response has to know of its client.
#[derive(Debug, Clone, Copy)]
pub(super) struct Client {
    pub(super) is_head: bool,
    is_http1: bool,
    /// It can be sent trailers, and may be sent trailers that did not come from the server.
    takes_trailers: bool,
}

impl Client {
    pub(super) fn of(request: &request::Parts) -> Self {
        Self {
            is_head: request.method == Method::HEAD,
            is_http1: request.version <= Version::HTTP_11,
            takes_trailers: request.version >= Version::HTTP_11
                && accepts_trailers(&request.headers),
        }
    }
}

/// The request's head is about to be given to the inner service.
pub(super) fn request_leaves<B>(
    settings: &Settings,
    head: &mut request::Parts,
    body: &mut RequestBody<B>,
    may_add_trailers: bool,
) where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    if settings.wants_trailers {
        ask_for_trailers(head);
    }
    if body.is_end_stream() || head.version < Version::HTTP_11 {
        return;
    }
    if let Some(announcement) = settings.request_trailers.as_ref().filter(|_| may_add_trailers) {
        announce(&mut head.headers, announcement);
    }
    // Which HTTP the server speaks is the inner service's to know: HTTP/2 can do without a length.
    if head.headers.contains_key(TRAILER) {
        head.headers.remove(CONTENT_LENGTH);
        body.hide_length();
    }
    let unframed =
        ![CONTENT_LENGTH, TRANSFER_ENCODING].iter().any(|name| head.headers.contains_key(name));
    let bodiless_by_habit = head.method == Method::GET || head.method == Method::HEAD;
    if unframed && bodiless_by_habit && head.version == Version::HTTP_11 {
        let chunked = HeaderValue::from_static("chunked");
        if let Err(full) = head.headers.try_insert(TRANSFER_ENCODING, chunked) {
            // The client would leave the body out, and the request would look whole.
            let error = Error::with_source(ErrorKind::Reset, Origin::Internal, full);
            Pin::new(body).driver_mut().cut(error);
        }
    }
}

/// The response's head is about to be given to the client.
pub(super) fn response_leaves<B>(
    settings: &Settings,
    client: Client,
    head: &mut response::Parts,
    body: &mut ResponseBody<B>,
) where
    ResponseBody<B>: Body,
{
    if client.is_http1 && !client.takes_trailers {
        // None will be sent: those that come are taken off at the exit.
        head.headers.remove(TRAILER);
    }
    if body.is_end_stream() || client.is_head || !client.takes_trailers {
        return;
    }
    if let Some(announcement) = &settings.response_trailers {
        announce(&mut head.headers, announcement);
    }
    if client.is_http1 {
        // hyper drops what is not announced; the outcome has to say so.
        body.send_only_trailers(announced(&head.headers));
        if head.headers.contains_key(TRAILER) {
            head.headers.remove(CONTENT_LENGTH);
            body.hide_length();
        }
    }
}

/// The fields that `trailer` names.
fn announced(headers: &HeaderMap) -> Vec<HeaderName> {
    let values = headers.get_all(TRAILER).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).filter_map(|name| name.trim().parse().ok()).collect()
}

/// The `trailer` field for what the filters may add, if any of them may.
pub(super) fn announcement<'a>(
    declarations: impl Iterator<Item = &'a Declaration>,
) -> Option<HeaderValue> {
    let mut names: Vec<&HeaderName> = Vec::new();
    for declaration in declarations.filter(|declaration| adds_trailers(declaration)) {
        for name in &declaration.trailers {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    let list = names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
    if list.is_empty() {
        return None;
    }
    HeaderValue::from_maybe_shared(Bytes::from(list)).ok()
}

pub(super) fn adds_trailers(declaration: &Declaration) -> bool {
    (declaration.required | declaration.preferred).has(Capability::AddTrailers)
}

/// Announces fields besides those that the sender of the message has announced. A map that can
/// hold no more fields stays as it is: what is not announced is not sent, and counted.
fn announce(headers: &mut HeaderMap, announcement: &HeaderValue) {
    let _ = headers.try_append(TRAILER, announcement.clone());
}

/// Says to the server that this hop accepts trailers. TE is a field of the hop, so on HTTP/1 it is
/// named in `connection` (RFC 9110, 10.1.4); on HTTP/2 it must not be.
fn ask_for_trailers(head: &mut request::Parts) {
    if head.version < Version::HTTP_11 || accepts_trailers(&head.headers) {
        return;
    }
    // A head that can hold no more fields does not ask.
    let asked = head.headers.try_append(TE, HeaderValue::from_static("trailers")).is_ok();
    let is_named = head.version != Version::HTTP_11 || has_token(&head.headers, &CONNECTION, "te");
    if asked && !is_named {
        let named = head.headers.try_append(CONNECTION, HeaderValue::from_static("te"));
        if named.is_err() {
            head.headers.remove(TE);
        }
    }
}
