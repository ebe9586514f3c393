use core::convert::Infallible;
use core::future::{Ready, ready};
use core::task::{Context, Poll};
use std::error::Error as StdError;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::{BytesBody, ExternalProcessor};

/// An [`ExternalProcessor`] whose answers are bodies of `Bytes`: what axum's routers and tonic's
/// servers take.
///
/// # Examples
///
/// Beside services of tonic, whose server routes by the path:
///
/// ```text
/// let processor = ExternalProcessor::new(plan).bytes();
/// let router = tonic::service::Routes::new(greeter)
///     .into_axum_router()
///     .route_service(PROCESS_PATH, processor);
/// ```
#[derive(Debug, Clone)]
pub struct BytesProcessor(ExternalProcessor);

impl BytesProcessor {
    pub(super) fn new(processor: ExternalProcessor) -> Self {
        Self(processor)
    }
}

impl<B> Service<Request<B>> for BytesProcessor
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    type Response = Response<BytesBody<B>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        ready(Ok(self.0.respond(request).map(BytesBody::new)))
    }
}
