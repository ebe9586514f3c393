use core::future::Future;
use core::time::Duration;
use std::error::Error as StdError;

use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::accept::accept;
use super::transport::{Connected, keep_memory};
use super::{ServeSettings, Served};

/// How long a connection may take to say anything at all. A client of HTTP/2 speaks first.
const FIRST_BYTES: Duration = Duration::from_secs(10);

/// Serves HTTP/2 with prior knowledge on `listener` until `shutdown` is ready, as
/// [`ExternalProcessor::serve`](super::ExternalProcessor::serve) does; for a service that is more
/// than a processor, or has layers around it.
///
/// Then nothing more is accepted and the clients are told (GOAWAY). Streams under way, and those
/// that were opened before the client had heard of it, finish within
/// [`ServeSettings::drain`]; what is left is cut off.
///
/// Each connection is one task, which runs its streams as well: what a stream computes in one poll
/// the others of its connection wait for.
///
/// It begins by freeing one piece of 512 KiB, by which glibc learns to keep 1 MiB at the top of its
/// heap, and to take pieces of that size from there: for the whole process, see mallopt(3). Other
/// allocators are not changed.
///
/// # Panics
///
/// Outside of a tokio runtime with I/O and time.
///
/// # Cancel safety
///
/// Dropping the future cuts all connections off.
pub async fn serve<S, R>(
    listener: TcpListener,
    service: S,
    settings: ServeSettings,
    shutdown: impl Future<Output = ()>,
) -> Served
where
    S: Service<Request<Incoming>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<Box<dyn StdError + Send + Sync>>,
    R: Body + Send + 'static,
    R::Data: Send,
    R::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    keep_memory();
    let graceful = GracefulShutdown::new();
    let connect = |stream: TcpStream| {
        let (watcher, settings, service) = (graceful.watcher(), settings.clone(), service.clone());
        async move {
            // hyper looks at no clock before a client has begun to speak: one that never does
            // would keep its place for ever.
            if timeout(FIRST_BYTES, stream.readable()).await.is_err() {
                return Ok(());
            }
            Connected::new(stream, settings.max_frame_bytes as usize, |transport, spawner| {
                let http2 = settings.http2_on(spawner);
                watcher.watch(http2.serve_connection(TokioIo::new(transport), service))
            })
            .await
        }
    };
    let accepted = accept(listener, &settings, shutdown, connect).await;
    accepted.drain(settings.drain, graceful.shutdown()).await
}
