//! Sends requests to the upstream and tells apart how that can fail.
//!
//! [`Forward`] is a plain tower service over any request body: what wraps it, filters for one, can
//! hand it a body of its own. It answers with hyper's own `Incoming`: dropping that before its end
//! closes an HTTP/1 connection or resets the HTTP/2 stream, reading it to the end puts the
//! connection back into the pool. So a connection is reused only when the body was read.

use std::{
    error::Error,
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, Uri, header, uri::Authority};
use http_body::Body;
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioIo, TokioTimer},
};
use tidegate::Origin;
use tower::{Service, util::MapResponse};

use super::{
    BoxError,
    failure::{Failure, ForwardError},
    hygiene,
    net::{self, TcpStream},
    pipes::{Pipes, Through},
    transport::{FRAME_BYTES, Transport},
    turn::{Turn, Watched},
};

/// How long an unused connection to the upstream is kept.
const POOL_IDLE: Duration = Duration::from_secs(30);

/// The HTTP/2 window of one stream: what an upstream may send that nobody has read yet.
const STREAM_WINDOW: u32 = 1 << 20;

/// The HTTP/2 window of a connection: a few stalled streams must not stop the others.
const CONNECTION_WINDOW: u32 = 8 << 20;

/// Where requests go.
#[derive(Debug, Clone)]
pub(crate) struct Upstream {
    authority: Authority,
    http2: bool,
    wait: Duration,
}

/// Why a URL is no upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UpstreamError {
    /// It is not `http://HOST[:PORT]`.
    NotHttp,
    /// It has a path or a query, which would have to be joined with every request's.
    HasPath,
}

impl fmt::Display for UpstreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotHttp => "the upstream must be http://HOST[:PORT]; TLS is not supported",
            Self::HasPath => "the upstream must not have a path",
        })
    }
}

impl Error for UpstreamError {}

impl Upstream {
    /// Reads the upstream's URL. `http2` means by prior knowledge; `wait` is the longest time to
    /// connect, and then for the response head while nothing else is waited for.
    pub(crate) fn new(uri: &Uri, http2: bool, wait: Duration) -> Result<Self, UpstreamError> {
        if uri.scheme_str() != Some("http") {
            return Err(UpstreamError::NotHttp);
        }
        if uri.path() != "/" || uri.query().is_some() {
            return Err(UpstreamError::HasPath);
        }
        let authority = uri.authority().cloned().ok_or(UpstreamError::NotHttp)?;
        Ok(Self { authority, http2, wait })
    }
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = if self.http2 { "HTTP/2" } else { "HTTP/1.1" };
        write!(f, "{} ({version})", self.authority)
    }
}

/// Connects, and puts a transport around the socket.
type Connector = MapResponse<net::Connector, fn(Socket) -> TokioIo<Transport<TcpStream>>>;

type Socket = TokioIo<TcpStream>;

/// The forwarding service. A clone shares the pool.
#[derive(Debug)]
pub(crate) struct Forward<B> {
    client: Client<Connector, Watched<Through<B>>>,
    upstream: Arc<Upstream>,
    pipes: Pipes,
}

impl<B> Clone for Forward<B> {
    fn clone(&self) -> Self {
        let (client, upstream) = (self.client.clone(), Arc::clone(&self.upstream));
        Self { client, upstream, pipes: self.pipes.clone() }
    }
}

impl<B> Forward<B>
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    /// A service with a pool of its own, that sends requests through `pipes`.
    pub(crate) fn new(upstream: Arc<Upstream>, pipes: Pipes) -> Self {
        let transport = if upstream.http2 { http2_transport } else { http1_transport };
        let connector = MapResponse::new(net::connector(upstream.wait), transport as fn(_) -> _);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(POOL_IDLE)
            .http2_only(upstream.http2)
            .http2_initial_stream_window_size(STREAM_WINDOW)
            .http2_initial_connection_window_size(CONNECTION_WINDOW)
            .http2_max_frame_size(FRAME_BYTES)
            .build(connector);
        Self { client, upstream, pipes }
    }
}

impl<B> Service<Request<B>> for Forward<B>
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<Incoming>;
    type Error = ForwardError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, ForwardError>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), ForwardError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let upstream = Arc::clone(&self.upstream);
        let (mut parts, body) = request.into_parts();
        hygiene::retarget(&mut parts, &upstream.authority, upstream.http2);
        // What lies between may speak of this hop as if it were HTTP/1.1; what is said to it is
        // said here.
        parts.headers.remove(header::CONNECTION);
        parts.headers.remove(header::TRANSFER_ENCODING);
        if !upstream.http2 {
            let known = body.size_hint().exact().is_some();
            hygiene::frame_request(&mut parts, body.is_end_stream(), known);
        }
        let turn = Arc::new(Turn::default());
        let body = self.pipes.through(body, Origin::Downstream);
        let body = Watched::new(body, Arc::clone(&turn));
        let answer = self.client.request(Request::from_parts(parts, body));
        Box::pin(async move {
            let failed =
                |kind, source| ForwardError { kind, upstream: Arc::clone(&upstream), source };
            tokio::select! {
                answer = answer => match answer {
                    Ok(response) => received(response).map_err(|kind| failed(kind, None)),
                    Err(error) => Err(failed(Failure::of(&error), Some(error.into()))),
                },
                () = turn.overdue(upstream.wait) => Err(failed(Failure::Timeout, None)),
            }
        })
    }
}

fn http1_transport(socket: Socket) -> TokioIo<Transport<TcpStream>> {
    TokioIo::new(Transport::connected(socket.into_inner(), false))
}

fn http2_transport(socket: Socket) -> TokioIo<Transport<TcpStream>> {
    TokioIo::new(Transport::connected(socket.into_inner(), true))
}

/// Checks and cleans a response.
fn received(response: Response<Incoming>) -> Result<Response<Incoming>, Failure> {
    let (mut parts, body) = response.into_parts();
    if !hygiene::check_response(&parts) {
        return Err(Failure::Meaning);
    }
    hygiene::clean_response(&mut parts);
    Ok(Response::from_parts(parts, body))
}
