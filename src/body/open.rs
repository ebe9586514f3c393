//! How an exchange begins: both chains are made, and the request is given to the first.
//!
//! This module never calls the inner service.

use core::pin::Pin;
use std::error::Error as StdError;

use bytes::Bytes;
use http::{StatusCode, Version, request};
use http_body::Body;

use super::heads::Client;
use super::message::tell;
use super::settings::Settings;
use super::{Direction, FilteredBody, RequestBody, ResponseBody};
use crate::chain::{MessageTraits, Stats, Unmet};
use crate::error::{Error, ErrorKind, Origin};
use crate::exchange::mailbox;
use crate::filter::{Capability, LocalReply};
use crate::frame::Outcome;
use crate::sync::Arc;

/// A request on its way to the inner service.
pub(super) struct Pending<S, B> {
    pub(super) service: S,
    pub(super) body: RequestBody<B>,
    pub(super) may_add_trailers: bool,
}

/// Makes both chains and gives the request to the first. Without a pending request, the response is
/// a refusal.
pub(super) fn open<S, B, R>(
    settings: &Settings,
    service: S,
    head: request::Parts,
    source: B,
    client: Client,
) -> (Option<Pending<S, B>>, ResponseBody<R>)
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
    R: Unpin,
{
    let response_chain = match settings.response.chain(settings.edge.response_traits(&head)) {
        Ok(chain) => chain,
        Err(unmet) => {
            tell_unmet(settings, Direction::Response, &unmet);
            return (None, bare(settings, client, refusal(Direction::Response)));
        }
    };
    let mut response = FilteredBody::unstarted(response_chain).timeouts(settings.response_timeouts);
    if let Some(observer) = &settings.observer {
        response = response.on_finish(Arc::clone(observer));
    }
    let mut traits = settings.edge.request_traits(&head);
    let mut may_add_trailers = head.version >= Version::HTTP_11;
    if source.is_end_stream() && !settings.request_needs_trailers {
        // A request without body stays one: trailers would need a chunked body to stand behind.
        traits = traits.without(Capability::AddTrailers);
        may_add_trailers = false;
    }
    let request_chain = match settings.request.chain(traits) {
        Ok(chain) => chain,
        Err(unmet) => {
            tell_unmet(settings, Direction::Request, &unmet);
            Pin::new(&mut response).driver_mut().handle_reply(refusal(Direction::Request));
            return (None, response);
        }
    };
    let (request_half, response_half) = mailbox();
    let mut body = FilteredBody::unstarted(request_chain)
        .timeouts(settings.request_timeouts)
        .request_half(request_half);
    if let Some(observer) = &settings.observer {
        body = body.on_finish(Arc::clone(observer));
    }
    Pin::new(&mut body).driver_mut().start(head, Some(source));
    (Some(Pending { service, body, may_add_trailers }), response.response_half(response_half))
}

/// A response without filters, for a reply that the response chain cannot carry.
pub(super) fn bare<R>(settings: &Settings, client: Client, reply: LocalReply) -> ResponseBody<R>
where
    R: Unpin,
{
    let mut traits = MessageTraits::new();
    if client.is_head {
        traits = traits.bodiless();
    }
    let chain = settings.bare.chain(traits).expect("a plan without filters needs nothing");
    let mut body = FilteredBody::unstarted(chain);
    Pin::new(&mut body).driver_mut().handle_reply(reply);
    body
}

/// The reply to a message that cannot have what a filter requires. What the response lacks, the
/// client can ask for; what the request lacks, nobody can.
fn refusal(direction: Direction) -> LocalReply {
    LocalReply::new(match direction {
        Direction::Request => StatusCode::NOT_IMPLEMENTED,
        Direction::Response => StatusCode::NOT_ACCEPTABLE,
    })
}

/// Tells the observer why there will be no message of this direction.
fn tell_unmet(settings: &Settings, direction: Direction, unmet: &Unmet) {
    let Some(observer) = &settings.observer else { return };
    let capability = unmet.capability().name();
    let kind = ErrorKind::Undeclared { capability };
    let error = Error::with_source(kind, Origin::Downstream, unmet.clone());
    tell(observer, direction, &Outcome::Failed(error), &Stats::default());
}
