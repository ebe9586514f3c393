//! The outermost service: what is between hyper's server and everything that forwards.
//!
//! It refuses, cleans request heads, frames responses, and turns errors into responses. Inside it
//! nothing sees a field of one hop, but for `te: trailers`, which says whether the client takes
//! trailers: `forward` does the same at its end, cleans responses and frames requests.

use std::{
    convert::Infallible,
    future::Future,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{
    HeaderValue, Method, Request, Response, StatusCode, Version, header, request, response,
};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use pin_project_lite::pin_project;
use tidegate::Origin;
use tower::Service;

use super::{
    BoxError,
    failure::{self, causes},
    hygiene,
    pipes::{Pipes, Through},
};

/// The address of the client, as an extension of its requests.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// The service around `S`. It never fails: hyper would close the connection without a word.
#[derive(Debug, Clone)]
pub(crate) struct Gate<S> {
    inner: S,
    pipes: Pipes,
}

impl<S> Gate<S> {
    /// Puts the gate before `inner`. Responses come through `pipes`.
    pub(crate) fn new(inner: S, pipes: Pipes) -> Self {
        Self { inner, pipes }
    }
}

/// What the response needs to know of its request.
struct Asked {
    method: Method,
    version: Version,
    trailers: bool,
}

impl Asked {
    fn of(parts: &request::Parts) -> Self {
        Self {
            method: parts.method.clone(),
            version: parts.version,
            trailers: hygiene::takes_trailers(parts),
        }
    }
}

impl<S, B> Service<Request<Incoming>> for Gate<S>
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError> + Send,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<GateBody<Through<B>>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // The inner service is asked in the future, where its error can be answered.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Incoming>) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        let asked = Asked::of(&parts);
        if let Err(refusal) = hygiene::check_request(&parts) {
            let (method, uri, status) = (&parts.method, &parts.uri, refusal.status);
            tracing::info!(%method, %uri, %status, "refused");
            let text = refusal.text.into();
            let response =
                plain(refusal.status, text, refusal.close && asked.version != Version::HTTP_2);
            return Box::pin(async move { Ok(response) });
        }
        let peer: Option<IpAddr> = parts.extensions.get::<Peer>().map(|peer| peer.0.ip());
        hygiene::clean_request(&mut parts, peer);
        let (mut inner, pipes) = (self.inner.clone(), self.pipes.clone());
        Box::pin(async move {
            let request = Request::from_parts(parts, body);
            let answered = match std::future::poll_fn(|cx| inner.poll_ready(cx)).await {
                Ok(()) => inner.call(request).await,
                Err(error) => Err(error),
            };
            Ok(match answered {
                Ok(response) => {
                    let (parts, body) = response.into_parts();
                    pass(parts, pipes.through(body, Origin::Upstream), &asked)
                }
                Err(error) => fail(error.into()),
            })
        })
    }
}

/// A response of the inner service on its way to the client.
fn pass<B: Body>(mut parts: response::Parts, body: B, asked: &Asked) -> Response<GateBody<B>> {
    if asked.version != Version::HTTP_2 {
        hygiene::frame_response(&mut parts, &asked.method, asked.trailers);
    }
    // hyper's HTTP/1 server drops the length of a 304 whose body says that it is at its end. That
    // length tells the client whether its copy is current.
    let bodiless = parts.status == StatusCode::NOT_MODIFIED
        && asked.version != Version::HTTP_2
        && parts.headers.contains_key(header::CONTENT_LENGTH);
    // The version is the client's to choose, not the upstream's.
    parts.version = Version::default();
    let body = if bodiless { GateBody::Bodiless } else { GateBody::Stream { body } };
    Response::from_parts(parts, body)
}

/// What a client is told if there is no response to pass on.
fn fail<B>(error: BoxError) -> Response<GateBody<B>> {
    let status = failure::status(&*error);
    let chain = causes(&*error).map(ToString::to_string).collect::<Vec<_>>().join(": ");
    tracing::warn!(%status, error = chain, "no response");
    plain(status, format!("{error}\n").into(), false)
}

/// A plain text response.
fn plain<B>(status: StatusCode, text: Bytes, close: bool) -> Response<GateBody<B>> {
    let mut response = Response::new(GateBody::Text { text: Some(text) });
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    if close {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

pin_project! {
    /// The body of what the gate answers.
    #[project = GateBodyProj]
    #[derive(Debug)]
    pub(crate) enum GateBody<B> {
        /// The inner service's.
        Stream {
            #[pin]
            body: B,
        },
        /// The gate's own text.
        Text {
            text: Option<Bytes>,
        },
        /// None, but without saying so in advance.
        Bodiless,
    }
}

impl<B: Body<Data = Bytes>> Body for GateBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match self.project() {
            GateBodyProj::Stream { body } => body.poll_frame(cx),
            GateBodyProj::Text { text } => {
                Poll::Ready(text.take().map(|text| Ok(Frame::data(text))))
            }
            GateBodyProj::Bodiless => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Stream { body } => body.is_end_stream(),
            Self::Text { text } => text.is_none(),
            Self::Bodiless => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Stream { body } => body.size_hint(),
            Self::Text { text } => {
                SizeHint::with_exact(text.as_ref().map_or(0, |t| t.len() as u64))
            }
            Self::Bodiless => SizeHint::default(),
        }
    }
}
