//! How an exchange begins: both chains are made, and the request is given to the first.
//!
//! This module never calls the inner service.

use core::pin::Pin;
use std::error::Error as StdError;

use bytes::Bytes;
use http::{StatusCode, Version, request};
use http_body::Body;

use super::heads::Client;
use super::settings::Settings;
use super::{FilteredBody, RequestBody, ResponseBody};
use crate::chain::{MessageTraits, Stats, Unmet};
use crate::error::{Error, ErrorKind, Origin};
use crate::exchange::side::tell;
use crate::exchange::{Direction, Refused, Side};
use crate::filter::{Capability, Head, LocalReply};
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
    let mut traits = settings.edge.request_traits(&head);
    let mut may_add_trailers = head.version >= Version::HTTP_11;
    if source.is_end_stream() && !settings.request_needs_trailers {
        // A request without body stays one: trailers would need a chunked body to stand behind.
        traits = traits.without(Capability::AddTrailers);
        may_add_trailers = false;
    }
    let (request, response) =
        match settings.plan.exchange(traits, settings.edge.response_traits(&head)) {
            Ok(sides) => sides,
            Err(refused) => return (None, refuse(settings, client, refused)),
        };
    let mut body = observed(request, settings).timeouts(settings.request_timeouts);
    Pin::new(&mut body).driver_mut().start(head, Some(source));
    let response = observed(response, settings).timeouts(settings.response_timeouts);
    (Some(Pending { service, body, may_add_trailers }), response)
}

fn observed<B, H: Head>(side: Side<H>, settings: &Settings) -> FilteredBody<B, H> {
    FilteredBody::of_side(match &settings.observer {
        Some(observer) => side.on_finish(Arc::clone(observer)),
        None => side,
    })
}

/// The response to an exchange that cannot have what a filter requires. What the response lacks,
/// the client can ask for; what the request lacks, nobody can.
fn refuse<R>(settings: &Settings, client: Client, refused: Refused) -> ResponseBody<R>
where
    R: Unpin,
{
    tell_unmet(settings, refused.direction(), refused.unmet());
    match refused {
        Refused::Request { response, .. } => {
            let mut response = observed(*response, settings).timeouts(settings.response_timeouts);
            let reply = LocalReply::new(StatusCode::NOT_IMPLEMENTED);
            Pin::new(&mut response).driver_mut().handle_reply(reply);
            response
        }
        Refused::Response { .. } => {
            bare(settings, client, LocalReply::new(StatusCode::NOT_ACCEPTABLE))
        }
    }
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

/// Tells the observer why there will be no message of this direction.
fn tell_unmet(settings: &Settings, direction: Direction, unmet: &Unmet) {
    let Some(observer) = &settings.observer else { return };
    let capability = unmet.capability().name();
    let kind = ErrorKind::Undeclared { capability };
    let error = Error::with_source(kind, Origin::Downstream, unmet.clone());
    tell(observer, direction, &Outcome::Failed(error), &Stats::default());
}
