use core::future::Future;
use core::pin::pin;
use core::time::Duration;
use std::error::Error as StdError;

use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::task::{JoinError, JoinSet};
use tokio::time::timeout;

use super::transport::{Connected, keep_memory};
use super::{ServeSettings, Served};

/// How long nothing is accepted when that has failed: what is missing is a resource of the process,
/// which comes back when connections go.
const PAUSE: Duration = Duration::from_millis(50);

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
    let mut shutdown = pin!(shutdown);
    let mut served = Served::default();
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    loop {
        let has_room = connections.len() < settings.max_connections;
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            Some(ended) = connections.join_next() => {
                served.count(&ended);
                continue;
            }
            accepted = listener.accept(), if has_room => accepted,
        };
        let Ok((stream, _)) = accepted else {
            served.not_accepted += 1;
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        served.connections += 1;
        // Small answers must not wait for more of them. A socket that was reset in the meantime
        // says so to who reads it.
        let _ = stream.set_nodelay(true);
        let watcher = graceful.watcher();
        let (settings, service) = (settings.clone(), service.clone());
        connections.spawn(async move {
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
        });
    }
    drop(listener);
    let told = graceful.shutdown();
    if timeout(settings.drain, told).await.is_err() {
        connections.abort_all();
    }
    while let Some(ended) = connections.join_next().await {
        served.count(&ended);
    }
    served
}

impl Served {
    fn count(&mut self, ended: &Result<hyper::Result<()>, JoinError>) {
        match ended {
            Ok(Ok(())) => {}
            Err(error) if error.is_cancelled() => self.cut += 1,
            Ok(Err(_)) | Err(_) => self.failed += 1,
        }
    }
}
