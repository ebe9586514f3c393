use core::convert::Infallible;
use core::fmt;
use core::future::{Ready, ready};
use core::mem;
use core::task::{Context, Poll};
use std::collections::BTreeMap;
use std::error::Error as StdError;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::Body;
use tokio::net::TcpListener;
use tower_service::Service;

use super::health::{Health, HealthCall, Method, ServingStatus};
use super::shared::{Shared, Watched};
use super::slot::{Look, Slot};

#[cfg(feature = "ext-proc-direct")]
use super::serve_direct;
use super::stream::Stream;
use super::{
    BytesProcessor, Carrier, Drain, ProcessBody, ServeSettings, Served, StreamSettings, grpc,
    serve, watchdog,
};
use crate::ext_proc::session::SessionPlan;
use crate::ext_proc::wire::{GrpcCode, GrpcStatus};
use crate::sync::{Arc, Weak};

/// The path of the one method of the service.
pub const PROCESS_PATH: &str = "/envoy.service.ext_proc.v3.ExternalProcessor/Process";

/// The name of the service, for health checks and routers.
pub const SERVICE_NAME: &str = "envoy.service.ext_proc.v3.ExternalProcessor";

/// An external processor as a service over HTTP/2.
///
/// Cheap to clone: the clones share plan, settings, health and drain. It answers
/// [`PROCESS_PATH`] and `grpc.health.v1.Health`; any other path is `UNIMPLEMENTED`. The answer is
/// there at once, and its body does everything when it is polled: see [`ProcessBody`].
///
/// A `tower_service::Service` and a `hyper::service::Service` both. Where bodies have to be of
/// `Bytes` (axum, tonic), [`bytes`](Self::bytes) makes one of those.
#[derive(Clone)]
pub struct ExternalProcessor {
    plan: SessionPlan,
    settings: Arc<StreamSettings>,
    shared: Arc<Shared>,
}

impl ExternalProcessor {
    /// A processor that runs one session of `plan` for each stream.
    #[must_use]
    pub fn new(plan: SessionPlan) -> Self {
        let statuses = ["", SERVICE_NAME].map(|name| (name.into(), ServingStatus::Serving));
        Self {
            plan,
            settings: Arc::new(StreamSettings::new()),
            shared: Arc::new(Shared::new(BTreeMap::from(statuses))),
        }
    }

    /// Sets how long streams may take, and who is told of their ends: of this clone, and of those
    /// that are made of it.
    #[must_use]
    pub fn settings(mut self, settings: StreamSettings) -> Self {
        self.settings = Arc::new(settings);
        self
    }

    /// How it goes away.
    #[must_use]
    pub fn drain(&self) -> Drain {
        Drain::new(&self.shared)
    }

    /// What it says of its health.
    #[must_use]
    pub fn health(&self) -> Health {
        Health::new(&self.shared)
    }

    /// Serves on `listener` until `shutdown` is ready: see [`serve`](super::serve()). The health
    /// service says so then.
    ///
    /// # Panics
    ///
    /// As there.
    ///
    /// # Cancel safety
    ///
    /// As there.
    pub async fn serve(
        self,
        listener: TcpListener,
        settings: ServeSettings,
        shutdown: impl Future<Output = ()>,
    ) -> Served {
        let drain = self.drain();
        let shutdown = async move {
            shutdown.await;
            drain.leave();
        };
        match settings.carrier {
            Carrier::Hyper => serve(listener, self, settings, shutdown).await,
            #[cfg(feature = "ext-proc-direct")]
            Carrier::Direct => serve_direct(listener, self, settings, shutdown).await,
        }
    }

    /// The same, with answers in plain pieces of `Bytes`.
    #[must_use]
    pub fn bytes(self) -> BytesProcessor {
        BytesProcessor::new(self)
    }

    pub(super) fn respond<B>(&self, mut request: Request<B>) -> Response<ProcessBody<B>>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        if let Err(status) = grpc::check(&request) {
            return grpc::refuse(status, ProcessBody::over());
        }
        let path = request.uri().path();
        if path == PROCESS_PATH {
            let fields = mem::take(request.headers_mut());
            return self.process(request.into_body(), fields);
        }
        match Method::of(path) {
            Some(method) => {
                let call = HealthCall::new(method, request.into_body(), &self.shared);
                grpc::accept(ProcessBody::health(call), HeaderMap::new())
            }
            None => {
                let status = GrpcStatus::new(
                    GrpcCode::Unimplemented,
                    format!("there is no method `{path}`"),
                );
                grpc::end(&status, ProcessBody::over())
            }
        }
    }

    /// `fields`: of the request. Nobody needs them, and those of the response have room there.
    fn process<B>(&self, request: B, fields: HeaderMap) -> Response<ProcessBody<B>>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        let stream = Stream::new(request, self.plan.session(), &self.settings);
        let slot = Arc::new(Slot::new(Box::pin(stream)));
        let look: Weak<dyn Look> = Arc::downgrade(&slot) as _;
        let Some((ticket, watched)) = self.shared.enter(look, self.settings.stall) else {
            let status = GrpcStatus::new(GrpcCode::Unavailable, "the server is going away");
            return grpc::end(&status, ProcessBody::over());
        };
        if let Some(timeout) = self.settings.stall
            && watched == Watched::No
        {
            watchdog::start(&self.shared, timeout);
        }
        grpc::accept(ProcessBody::stream(slot, ticket), fields)
    }
}

impl<B> Service<Request<B>> for ExternalProcessor
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    type Response = Response<ProcessBody<B>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        ready(Ok(self.respond(request)))
    }
}

impl<B> hyper::service::Service<Request<B>> for ExternalProcessor
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    type Response = Response<ProcessBody<B>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn call(&self, request: Request<B>) -> Self::Future {
        ready(Ok(self.respond(request)))
    }
}

impl fmt::Debug for ExternalProcessor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExternalProcessor")
            .field("plan", &self.plan)
            .field("settings", &self.settings)
            .field("drain", &self.drain())
            .finish()
    }
}
