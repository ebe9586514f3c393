//! Accepts connections and serves each in a task of its own, until told to stop.

use std::{future::Future, net::SocketAddr, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{
        conn::auto,
        graceful::{GracefulShutdown, Watcher},
    },
    service::TowerToHyperService,
};
use tower::{Layer, Service, util::MapRequestLayer};

use super::{
    BoxError,
    gate::Peer,
    net::{TcpListener, TcpStream},
    transport::{FRAME_BYTES, Transport},
};

/// How long a client may take for a request head, and for the first bytes of a connection.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// The HTTP/2 window of one stream: what a client may send that nobody has read yet.
const STREAM_WINDOW: u32 = 1 << 20;

/// The HTTP/2 window of a connection.
const CONNECTION_WINDOW: u32 = 8 << 20;

/// How long to wait when no connection can be accepted, most likely for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Listens on an address; the error names it.
pub(crate) async fn bind(addr: SocketAddr) -> Result<TcpListener, BoxError> {
    TcpListener::bind(addr)
        .await
        .map_err(|error| format!("cannot listen on {addr}: {error}").into())
}

/// Ready on Ctrl-C.
pub(crate) async fn ctrl_c() {
    if let Err(error) = tokio::signal::ctrl_c().await {
        tracing::error!(%error, "Ctrl-C cannot be caught");
        std::future::pending::<()>().await;
    }
}

/// Serves connections until `shutdown` is ready, then lets exchanges under way end for at most
/// `drain`. `service_for` makes the service of one connection.
pub(crate) async fn serve<S, B>(
    listener: TcpListener,
    service_for: impl Fn(SocketAddr) -> S,
    shutdown: impl Future<Output = ()>,
    drain: Duration,
) where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let graceful = GracefulShutdown::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut shutdown => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                let service = service_for(peer);
                tokio::spawn(connection(stream, peer, service, graceful.watcher()));
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    // From here on new connections are refused by the kernel, not left waiting.
    drop(listener);
    tracing::info!(connections = graceful.count(), "shutting down");
    if tokio::time::timeout(drain, graceful.shutdown()).await.is_err() {
        tracing::warn!("connections were cut off: they took too long to end");
    }
}

/// One connection, from its first byte to its last.
async fn connection<S, B>(stream: TcpStream, peer: SocketAddr, service: S, watcher: Watcher)
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%peer, %error, "no TCP_NODELAY");
    }
    let named = MapRequestLayer::new(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        request
    });
    let service = TowerToHyperService::new(named.layer(service));
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    builder
        .http2()
        .timer(TokioTimer::new())
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_frame_size(FRAME_BYTES);
    let transport = TokioIo::new(Transport::accepted(stream));
    let serving = builder.serve_connection(transport, service).into_owned();
    if let Err(error) = watcher.watch(serving).await {
        tracing::debug!(%peer, error, "connection ended");
    }
}
