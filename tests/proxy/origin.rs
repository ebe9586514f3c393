//! Origins on hyper, HTTP/1.1 and HTTP/2.

use std::{convert::Infallible, future::Future, net::SocketAddr, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use tokio::sync::{mpsc, oneshot};
use tower::util::service_fn;

use super::rig::listen;
use crate::proxy::{demo::origin, server};

/// An origin; it ends when it is dropped.
pub(super) struct Origin {
    pub(super) addr: SocketAddr,
    _stop: oneshot::Sender<()>,
}

/// How a request's body came to its end at the origin: so many bytes, or cut off.
pub(super) type Read = Result<usize, String>;

impl Origin {
    /// The demo's origin: it makes bodies with a digest, and says what it was sent.
    pub(super) async fn start() -> Self {
        Self::spawn(|listener, stopped| {
            server::serve(listener, |_| origin::service(), stopped, Duration::from_millis(100))
        })
        .await
    }

    /// Reads requests, tells how they ended, and answers with nothing.
    pub(super) async fn reading() -> (Self, mpsc::UnboundedReceiver<Read>) {
        let (tell, told) = mpsc::unbounded_channel();
        let service = service_fn(move |request: Request<Incoming>| {
            let tell = tell.clone();
            async move {
                let read = request.into_body().collect().await;
                let read = read.map(|all| all.to_bytes().len()).map_err(|e| e.to_string());
                let _ = tell.send(read);
                Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
            }
        });
        let serve = |listener, stopped| {
            server::serve(listener, move |_| service.clone(), stopped, Duration::from_millis(100))
        };
        (Self::spawn(serve).await, told)
    }

    async fn spawn<F>(serve: impl FnOnce(tokio::net::TcpListener, Stopped) -> F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (listener, addr) = listen().await;
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(serve(listener, Box::pin(async { drop(stopped.await) })));
        Self { addr, _stop: stop }
    }
}

type Stopped = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;
