use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::error::Error as StdError;

use bytes::Bytes;
use http_body::Body;

use super::message::{Reader, response};
use super::{Method, ServingStatus};
use crate::ext_proc::server::DrainPhase;
use crate::ext_proc::server::drain::Waiting;
use crate::ext_proc::server::shared::Shared;
use crate::ext_proc::server::stream::Step;
use crate::ext_proc::wire::{GrpcCode, GrpcStatus};
use crate::sync::Arc;

/// One call of the health service.
pub(in crate::ext_proc::server) struct HealthCall<B> {
    method: Method,
    shared: Arc<Shared>,
    stage: Stage<B>,
}

enum Stage<B> {
    Reading { request: Pin<Box<B>>, reader: Reader, waiting: Waiting },
    Watching { service: String, told: Option<ServingStatus>, waiting: Waiting },
    Ending(GrpcStatus),
}

impl<B> HealthCall<B> {
    pub(in crate::ext_proc::server) fn new(
        method: Method,
        request: B,
        shared: &Arc<Shared>,
    ) -> Self {
        let request = Box::pin(request);
        let waiting = Waiting::new(shared);
        let stage = Stage::Reading { request, reader: Reader::default(), waiting };
        Self { method, shared: Arc::clone(shared), stage }
    }
}

impl<B> HealthCall<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    pub(in crate::ext_proc::server) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
        loop {
            match &mut self.stage {
                Stage::Reading { request, reader, waiting } => {
                    self.stage = match poll_request(request.as_mut(), reader, cx) {
                        Poll::Ready(Ok(service)) => {
                            let waiting = Waiting::new(&self.shared);
                            Stage::Watching { service, told: None, waiting }
                        }
                        Poll::Ready(Err(status)) => Stage::Ending(status),
                        Poll::Pending => {
                            // Who goes away says the same of each service, and waits for nobody who
                            // does not say which.
                            let is_leaving =
                                |shared: &Shared| shared.phase() != DrainPhase::Serving;
                            ready!(waiting.poll(cx, is_leaving));
                            self.stage = Stage::Ending(self.last_status());
                            return Poll::Ready(Step::Frame(response(ServingStatus::NotServing)));
                        }
                    };
                }
                Stage::Watching { service, told, waiting } => {
                    let status = match self.method {
                        Method::Check => self.shared.status(service),
                        Method::Watch => Some(ready!(poll_change(service, *told, waiting, cx))),
                    };
                    let Some(status) = status else {
                        let why = GrpcStatus::new(GrpcCode::NotFound, "the service is not known");
                        self.stage = Stage::Ending(why);
                        continue;
                    };
                    *told = Some(status);
                    let phase = self.shared.phase();
                    if self.method == Method::Check || phase != DrainPhase::Serving {
                        // Nothing will change any more, and who goes away waits for its streams.
                        self.stage = Stage::Ending(self.last_status());
                    }
                    return Poll::Ready(Step::Frame(response(status)));
                }
                Stage::Ending(status) => return Poll::Ready(Step::End(status.clone())),
            }
        }
    }
}

impl<B> HealthCall<B> {
    /// What a call ends with behind the last status that it tells.
    fn last_status(&self) -> GrpcStatus {
        match self.method {
            Method::Check => GrpcStatus::OK,
            Method::Watch => GrpcStatus::new(GrpcCode::Unavailable, "the server is going away"),
        }
    }
}

/// Ready when the status is another one than was told.
fn poll_change(
    service: &str,
    told: Option<ServingStatus>,
    waiting: &mut Waiting,
    cx: &mut Context<'_>,
) -> Poll<ServingStatus> {
    let mut status = ServingStatus::ServiceUnknown;
    ready!(waiting.poll(cx, |shared| {
        status = shared.status(service).unwrap_or(ServingStatus::ServiceUnknown);
        told != Some(status)
    }));
    Poll::Ready(status)
}

fn poll_request<B>(
    mut request: Pin<&mut B>,
    reader: &mut Reader,
    cx: &mut Context<'_>,
) -> Poll<Result<String, GrpcStatus>>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    loop {
        match ready!(request.as_mut().poll_frame(cx)) {
            Some(Ok(frame)) => {
                if let Ok(piece) = frame.into_data()
                    && let Err(status) = reader.push(&piece)
                {
                    return Poll::Ready(Err(status));
                }
            }
            Some(Err(error)) => {
                return Poll::Ready(Err(GrpcStatus::new(
                    GrpcCode::Cancelled,
                    error.into().to_string(),
                )));
            }
            None => return Poll::Ready(core::mem::take(reader).finish()),
        }
    }
}
