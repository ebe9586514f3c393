//! A client on hyper, HTTP/1.1 or HTTP/2, one connection to a request.

use std::{
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, combinators::UnsyncBoxBody};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{net::TcpStream, sync::mpsc};

use crate::proxy::BoxError;

/// What is sent.
pub(super) type Sent = UnsyncBoxBody<Bytes, BoxError>;

/// A body that the case feeds.
pub(super) struct Fed(mpsc::Receiver<Result<Frame<Bytes>, BoxError>>);

/// The other end of a [`Fed`]. Dropping it ends the body.
pub(super) type Feed = mpsc::Sender<Result<Frame<Bytes>, BoxError>>;

impl Body for Fed {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.0.poll_recv(cx)
    }
}

/// A body and what feeds it.
pub(super) fn fed() -> (Feed, Sent) {
    let (feed, fed) = mpsc::channel(1);
    (feed, Fed(fed).boxed_unsync())
}

/// A body of known length.
pub(super) fn full(bytes: impl Into<Bytes>) -> Sent {
    http_body_util::Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// A body in frames of `size` bytes, of unknown length, with trailers.
pub(super) fn frames(bytes: &[u8], size: usize, trailers: HeaderMap) -> Sent {
    let (feed, body) = fed();
    let frames: Vec<_> = bytes.chunks(size).map(Bytes::copy_from_slice).collect();
    tokio::spawn(async move {
        for frame in frames {
            if feed.send(Ok(Frame::data(frame))).await.is_err() {
                return;
            }
        }
        if !trailers.is_empty() {
            drop(feed.send(Ok(Frame::trailers(trailers))).await);
        }
    });
    body
}

/// A response that came whole.
#[derive(Debug)]
pub(super) struct Whole {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) trailers: HeaderMap,
}

/// Sends a request to the proxy; the head of the response. The connection ends with the response.
pub(super) async fn send(
    to: SocketAddr,
    http2: bool,
    request: Request<Sent>,
) -> Result<Response<Incoming>, hyper::Error> {
    let io = TokioIo::new(TcpStream::connect(to).await.unwrap());
    let (mut parts, body) = request.into_parts();
    if http2 {
        let uri = format!("http://{to}{}", parts.uri);
        parts.uri = uri.parse().unwrap();
        let request = Request::from_parts(parts, body);
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await?;
        tokio::spawn(connection);
        return sender.send_request(request).await;
    }
    parts.headers.insert("host", to.to_string().parse().unwrap());
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await?;
    tokio::spawn(connection);
    sender.send_request(Request::from_parts(parts, body)).await
}

/// Sends a request and reads the whole response.
pub(super) async fn fetch(
    to: SocketAddr,
    http2: bool,
    request: Request<Sent>,
) -> Result<Whole, hyper::Error> {
    let (parts, body) = send(to, http2, request).await?.into_parts();
    let collected = body.collect().await?;
    Ok(Whole {
        status: parts.status.as_u16(),
        headers: parts.headers,
        trailers: collected.trailers().cloned().unwrap_or_default(),
        body: collected.to_bytes(),
    })
}
