use core::fmt;

use http::{request, response};
use tower_layer::Layer;

use super::settings::Settings;
use super::{ExchangeService, HttpEdge, Timeouts};
use crate::chain::{Plan, Unmet};
use crate::exchange::{EarlyResponse, ExchangePlan, Observer};
use crate::sync::Arc;

/// Puts a request chain and a response chain around any `Service<Request<_>>`.
///
/// ```
/// # use std::convert::Infallible;
/// use http::{Request, Response};
/// use http_body_util::BodyExt;
/// use tidegate::Plan;
/// use tidegate::body::{ExchangeLayer, RequestBody};
/// use tower::{Layer, Service, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # type Full = http_body_util::Full<bytes::Bytes>;
/// # let (request_plan, response_plan) = (Plan::builder().build()?, Plan::builder().build()?);
/// let layer = ExchangeLayer::new(request_plan, response_plan)?;
/// let mut service = layer.layer(service_fn(|request: Request<RequestBody<Full>>| async {
///     Ok::<_, Infallible>(Response::new(request.into_body()))
/// }));
///
/// let response = service.ready().await?.call(Request::new(Full::from("hello"))).await?;
/// assert_eq!(response.into_body().collect().await?.to_bytes(), "hello");
/// # Ok(())
/// # }
/// ```
///
/// # What it does
///
/// The request goes through its chain until its head comes out; then the inner service is called
/// with that head and with a [`RequestBody`](super::RequestBody) that drives the rest. Its
/// response goes through the other chain in the same way, behind a
/// [`ResponseBody`](super::ResponseBody).
///
/// | what happens | while the response head is not there | after |
/// |---|---|---|
/// | a request filter replies | the call of the inner service is dropped; the reply goes through the whole response chain | it is handed to the response chain where it is; reset, if the head was sent |
/// | the request fails | likewise, with 400 or 413 (the client's fault), 408 / 504 (a timeout) or 500 | the response goes on; the inner service sees the error in the request body |
/// | the response chain fails | 502 (the server's fault), 504 (a timeout) or 500, past the filters, which are closed; the request is reset | the body ends with an error; the request is reset |
/// | the inner service fails | its error is returned as it is | – |
/// | the response is complete before the request | – | as [set](Self::early_response); by default the request goes on as long as its body is polled |
/// | a required need cannot be met for this message | 406 if the client does not accept trailers, else 501 | – |
///
/// 406 because the client can get the response by accepting trailers (`te: trailers`); 501 because
/// what the request lacks (HTTP/1.0 has no trailers) cannot be negotiated.
///
/// # What it does to heads
///
/// - `content-length` is filled in from a body that knows its length ([`Driver::start`]).
/// - `trailer` announces the fields that filters may add, where they were granted it. Where
///   trailers are announced to an HTTP/1 receiver, `content-length` goes: there, a message has one
///   or the other.
/// - An announcement of trailers to a client that cannot be sent any is taken off.
/// - Requests say `te: trailers` if a response filter looks at trailers, even if the client does
///   not accept any. A proxy that removes the fields of the hop behind this layer has to say it
///   again.
/// - A GET or HEAD request with a body of unknown length says `transfer-encoding: chunked`: hyper
///   would else send it without its body.
///
/// # Limits
///
/// Informational heads (1xx) do not come this way: hyper's client gives them to a callback and its
/// server has no way to send any but the `100` it sends itself, when the body of a request that
/// expects it is first polled. The chains pass them for edges that can
/// ([`Chain::handle_informational`](crate::Chain::handle_informational)).
///
/// Bodies have to be `Unpin`, because a head may be held until body has been seen and the body is
/// moved with the head then; box those that are not. The inner service has to be `Clone`, because
/// it is called later than this one.
///
/// [`Driver::start`]: super::Driver::start
#[derive(Clone)]
pub struct ExchangeLayer {
    settings: Arc<Settings>,
}

impl ExchangeLayer {
    /// A layer between hyper and hyper, or anything that can do as much: [`HttpEdge::HYPER`].
    ///
    /// # Errors
    ///
    /// As [`with_edge`](Self::with_edge).
    pub fn new(
        request: Plan<request::Parts>,
        response: Plan<response::Parts>,
    ) -> Result<Self, Unmet> {
        Self::with_edge(HttpEdge::HYPER, request, response)
    }

    /// A layer at `edge`.
    ///
    /// # Errors
    ///
    /// [`Unmet`], naming filter and capability, if a filter requires what the edge cannot do.
    pub fn with_edge(
        edge: HttpEdge,
        request: Plan<request::Parts>,
        response: Plan<response::Parts>,
    ) -> Result<Self, Unmet> {
        Self::of_plan(edge, &ExchangePlan::new(request, response))
    }

    /// A layer at `edge`, of one plan for both directions: with filters that share state.
    ///
    /// # Errors
    ///
    /// As [`with_edge`](Self::with_edge).
    pub fn of_plan(edge: HttpEdge, plan: &ExchangePlan) -> Result<Self, Unmet> {
        Ok(Self { settings: Arc::new(Settings::new(edge, plan)?) })
    }

    /// Sets what becomes of a request that is still being sent when the client has its answer.
    ///
    /// A request body is read where the inner service polls it, and belongs to that service. So a
    /// body that the service has dropped, or does not poll any more, is not drained: it was let go,
    /// or is with the service's call. While it is drained, the service waits for the body's error,
    /// at most as long as the drain may take. What the server in front of this layer does with the
    /// rest of a request that was let go is its own business: hyper reads what it has already got,
    /// then closes an HTTP/1 connection and resets an HTTP/2 stream.
    ///
    /// [`EarlyResponse::Drain`] needs the timer of a tokio runtime where the body is polled.
    #[must_use]
    pub fn early_response(mut self, policy: EarlyResponse) -> Self {
        self.change(|settings| settings.plan = settings.plan.clone().early_response(policy));
        self
    }

    /// Sets the timeouts of requests. The total runs from the call.
    #[must_use]
    pub fn request_timeouts(mut self, timeouts: Timeouts) -> Self {
        self.change(|settings| settings.request_timeouts = timeouts);
        self
    }

    /// Sets the timeouts of responses. The total runs from the call of the inner service, so it
    /// also limits how long that may take to answer; idle and hold begin with its answer.
    #[must_use]
    pub fn response_timeouts(mut self, timeouts: Timeouts) -> Self {
        self.change(|settings| settings.response_timeouts = timeouts);
        self
    }

    /// Sets who is told how each message ended: see [`Observer`].
    #[must_use]
    pub fn on_finish(mut self, observer: Observer) -> Self {
        self.change(|settings| settings.observer = Some(observer));
        self
    }

    fn change(&mut self, change: impl FnOnce(&mut Settings)) {
        let mut settings = Settings::clone(&self.settings);
        change(&mut settings);
        self.settings = Arc::new(settings);
    }
}

impl<S> Layer<S> for ExchangeLayer {
    type Service = ExchangeService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ExchangeService::new(inner, Arc::clone(&self.settings))
    }
}

impl fmt::Debug for ExchangeLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExchangeLayer").field("plan", &self.settings.plan).finish_non_exhaustive()
    }
}
