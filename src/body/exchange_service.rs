use core::fmt;
use core::task::{Context, Poll};
use std::error::Error as StdError;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::settings::Settings;
use super::{ExchangeFuture, RequestBody, ResponseBody};
use crate::sync::Arc;

/// A service with a request chain and a response chain around it: what
/// [`ExchangeLayer`](super::ExchangeLayer) makes.
#[derive(Clone)]
pub struct ExchangeService<S> {
    inner: S,
    settings: Arc<Settings>,
}

impl<S> ExchangeService<S> {
    pub(super) fn new(inner: S, settings: Arc<Settings>) -> Self {
        Self { inner, settings }
    }
}

impl<S, B, R> Service<Request<B>> for ExchangeService<S>
where
    S: Service<Request<RequestBody<B>>, Response = Response<R>> + Clone,
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
    R: Body<Data = Bytes> + Unpin,
    R::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    type Response = Response<ResponseBody<R>>;
    type Error = S::Error;
    type Future = ExchangeFuture<S, B, R>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The call takes the service that was made ready; the clone has to be asked again.
        let fresh = self.inner.clone();
        let ready = core::mem::replace(&mut self.inner, fresh);
        ExchangeFuture::new(ready, request, Arc::clone(&self.settings))
    }
}

impl<S> fmt::Debug for ExchangeService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExchangeService").field("plan", &self.settings.plan).finish_non_exhaustive()
    }
}
