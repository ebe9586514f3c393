//! The least that answers the same messages: what hyper, h2 and the kernel cost whoever uses them.
//!
//! The transport and its settings are tidegate's, the service is none: it looks for the bytes of
//! bodies, writes answers that were encoded before around them, and puts all that is ready into one
//! DATA frame.

use core::convert::Infallible;
use core::future::{Ready, pending, ready};
use core::pin::Pin;
use core::task::{Context, Poll};

use bytes::Bytes;
use bytes::buf::Chain;
use http::{HeaderMap, HeaderValue, Request, Response, header};
use http_body::{Body, Frame};
use hyper::body::Incoming;
use hyper::service::Service;
use tidegate::ext_proc::server::{ServeSettings, serve as serve_http};
use tokio::net::TcpListener;

use crate::canned::{Messages, Output, Progress};
use crate::scenario::Scenario;

#[derive(Clone)]
struct Floor(Scenario);

pub(crate) async fn serve(listener: TcpListener, scenario: Scenario) {
    serve_http(listener, Floor(scenario), ServeSettings::new(), pending()).await;
}

impl Service<Request<Incoming>> for Floor {
    type Response = Response<Answers>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let answers = Answers {
            request: request.into_body(),
            messages: Messages::new(),
            output: Output::new(self.0),
        };
        let mut response = Response::new(answers);
        let grpc = HeaderValue::from_static("application/grpc");
        response.headers_mut().insert(header::CONTENT_TYPE, grpc);
        ready(Ok(response))
    }
}

/// The answers to one stream.
struct Answers {
    request: Incoming,
    messages: Messages,
    output: Output,
}

impl Body for Answers {
    type Data = Chain<Bytes, Bytes>;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = &mut *self;
        loop {
            if let Some(segment) = this.output.ready.pop_front() {
                return Poll::Ready(Some(Ok(Frame::data(segment))));
            }
            if this.output.progress == Progress::Ended {
                return Poll::Ready(match this.output.rest() {
                    Some(rest) => Some(Ok(Frame::data(rest))),
                    None => Some(Ok(Frame::trailers(end(&mut this.output)))),
                });
            }
            match Pin::new(&mut this.request).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    if let Ok(bytes) = frame.into_data() {
                        this.messages.read(bytes, &mut this.output);
                    }
                }
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error))),
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => {
                    return match this.output.rest() {
                        Some(rest) => Poll::Ready(Some(Ok(Frame::data(rest)))),
                        None => Poll::Pending,
                    };
                }
            }
        }
    }
}

fn end(output: &mut Output) -> HeaderMap {
    output.progress = Progress::Over;
    let status = header::HeaderName::from_static("grpc-status");
    HeaderMap::from_iter([(status, HeaderValue::from_static("0"))])
}
