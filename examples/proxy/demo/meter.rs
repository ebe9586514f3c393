//! Tells the engine's allocations from those of hyper around it, and counts chunks.
//!
//! Both ends of the engine are bodies that are polled: what comes out of it, by hyper, and what
//! goes into it, by the engine. So a poll of the first counts for the engine, and a poll of the
//! second, inside it, for hyper again.

use std::{
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tidegate::{
    Outcome,
    body::{Direction, ExchangeLayer, RequestBody, ResponseBody},
    chain::Stats,
};
use tower::{Layer, Service, ServiceBuilder};

use super::super::{
    alloc::{Role, set_role},
    failure::ForwardError,
    forward::Forward,
};

/// What goes into the engine.
pub(super) type Inward = Metered<Incoming>;

/// The request body that comes out of it.
pub(super) type Outward = Metered<RequestBody<Inward>>;

/// What the engine has counted, over all messages of the demo.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) peak_held: AtomicU64,
    pub(super) pauses: AtomicU64,
    pub(super) resumes: AtomicU64,
    pub(super) chunks: AtomicU64,
    /// What went wrong in a message.
    faults: Mutex<Vec<String>>,
}

impl Tally {
    /// Takes the figures of a message that ended.
    pub(super) fn add(&self, direction: Direction, outcome: &Outcome, stats: &Stats) {
        self.peak_held.fetch_max(stats.peak_held_bytes, Relaxed);
        self.pauses.fetch_add(stats.pauses, Relaxed);
        self.resumes.fetch_add(stats.resumes, Relaxed);
        if !outcome.is_complete() {
            let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
            faults.push(format!("{direction}: {outcome:?}"));
        }
    }

    /// The first message that did not end as it should.
    pub(super) fn fault(&self) -> Option<String> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).first().cloned()
    }
}

/// The engine between two meters.
pub(super) fn metered(
    engine: ExchangeLayer,
    tally: Arc<Tally>,
) -> impl Layer<
    Forward<Outward>,
    Service: Service<
        Request<Incoming>,
        Response = Response<Metered<ResponseBody<Inward>>>,
        Error = ForwardError,
        Future: Send,
    > + Clone
                 + Send
                 + 'static,
> {
    let (up, down) = (Arc::clone(&tally), tally);
    ServiceBuilder::new()
        .map_request(|request: Request<Incoming>| request.map(Metered::inward))
        .map_response(move |response: Response<ResponseBody<Inward>>| {
            response.map(|body| Metered::outward(body, &down))
        })
        .layer(engine)
        .map_request(move |request: Request<RequestBody<Inward>>| {
            request.map(|body| Metered::outward(body, &up))
        })
        .map_response(|response: Response<Incoming>| response.map(Metered::inward))
}

/// A body that counts allocations for a role while it is polled.
#[derive(Debug)]
pub(super) struct Metered<B> {
    body: B,
    role: Role,
    tally: Option<Arc<Tally>>,
}

impl<B> Metered<B> {
    fn inward(body: B) -> Self {
        Self { body, role: Role::Proxy, tally: None }
    }

    fn outward(body: B, tally: &Arc<Tally>) -> Self {
        Self { body, role: Role::Engine, tally: Some(Arc::clone(tally)) }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Metered<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.get_mut();
        let outside = set_role(this.role);
        let polled = Pin::new(&mut this.body).poll_frame(cx);
        set_role(outside);
        if let (Poll::Ready(Some(Ok(frame))), Some(tally)) = (&polled, &this.tally) {
            tally.chunks.fetch_add(u64::from(frame.is_data()), Relaxed);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
