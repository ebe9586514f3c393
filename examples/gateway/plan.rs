//! What serves a route: its flow around its upstream.

use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use tidegate::body::{ExchangeLayer, HttpEdge, RequestBody, ResponseBody, Timeouts};
use tidegate::flow::Flow;
use tower::util::MapRequest;
use tower::{Layer, Service};

use super::flight::{Flight, Held};
use crate::gateway::ends::BoxError;
use crate::gateway::ends::failure::ForwardError;
use crate::gateway::ends::forward::{Forward, Upstream};
use crate::gateway::ends::pipes::Pipes;

/// The longest time to connect, and to wait for the upstream while nobody else is waited for.
const UPSTREAM_WAIT: Duration = Duration::from_secs(10);

/// The longest time without any progress of a body, and the longest that a filter may hold one:
/// without them a peer, or a filter, that does nothing more would keep its exchange for ever.
const IDLE: Duration = Duration::from_secs(30);
const HOLD: Duration = Duration::from_secs(30);

/// The body of a request as its upstream gets it.
type Sent = Held<RequestBody<Incoming>>;

/// A response as its client gets it.
type Answered = Result<Response<Held<ResponseBody<Incoming>>>, ForwardError>;

/// A flow and an upstream.
pub(crate) struct Plan {
    held_bound_bytes: u64,
    layer: ExchangeLayer,
    forward: Forward<Sent>,
}

impl Plan {
    /// The plan of `flow` around the upstream at `url`.
    pub(crate) fn new(flow: &Flow, url: &str) -> Result<Self, BoxError> {
        let timeouts = Timeouts::new().idle(IDLE).hold(HOLD);
        let layer = ExchangeLayer::of_plan(HttpEdge::HYPER, flow.plan())?
            .request_timeouts(timeouts)
            .response_timeouts(timeouts);
        let upstream = Upstream::new(&url.parse()?, false, UPSTREAM_WAIT)?;
        let forward = Forward::new(Arc::new(upstream), Pipes::new(None));
        Ok(Self { held_bound_bytes: flow.held_bound_bytes(), layer, forward })
    }

    /// The most bytes that one exchange makes the engine keep (rule I7).
    pub(crate) fn held_bound_bytes(&self) -> u64 {
        self.held_bound_bytes
    }

    /// One exchange. It keeps `flight` as long as a body of it is there.
    pub(crate) fn call(
        &self,
        request: Request<Incoming>,
        flight: &Arc<Flight>,
    ) -> impl Future<Output = Answered> + Send + use<> {
        let kept = Arc::clone(flight);
        let keep = move |request: Request<RequestBody<Incoming>>| {
            request.map(|body| Held::new(body, &kept))
        };
        let mut service = self.layer.layer(MapRequest::new(self.forward.clone(), keep));
        let answer = service.call(request);
        let kept = Arc::clone(flight);
        async move { Ok(answer.await?.map(|body| Held::new(body, &kept))) }
    }
}
