//! The origin and the extension: HTTP servers of a line or two.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tower::util::service_fn;

use crate::gateway::ends::{BoxError, server};

/// A server that is stopped by its end.
pub(super) struct Running {
    pub(super) addr: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Running {
    /// Stops it: its port is closed when this is ready.
    pub(super) async fn stop(self) -> Result<(), BoxError> {
        drop(self.stop);
        Ok(self.task.await?)
    }
}

/// How long a server that is stopped waits for its connections.
const DRAIN: Duration = Duration::from_secs(2);

/// An origin that answers a request with its own body, and says in `x-request-plan` which plan the
/// request came through. Every second one takes a while.
pub(super) async fn origin() -> Result<Running, BoxError> {
    let listener = server::bind(([127, 0, 0, 1], 0).into()).await?;
    let addr = listener.local_addr()?;
    let (stop, stopped) = oneshot::channel::<()>();
    let service = service_fn(|request: Request<Incoming>| Box::pin(echo(request)));
    let stopped = async move { drop(stopped.await) };
    let task = tokio::spawn(server::serve(listener, move |_| service, stopped, DRAIN));
    Ok(Running { addr, stop, task })
}

async fn echo(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let plan = request.headers().get("x-plan").cloned();
    let Ok(body) = request.into_body().collect().await else {
        let mut response = Response::new(Full::default());
        *response.status_mut() = StatusCode::BAD_REQUEST;
        return Ok(response);
    };
    let body = body.to_bytes();
    if body.len().is_multiple_of(2) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut response = Response::new(Full::from(body));
    if let Some(plan) = plan {
        response.headers_mut().insert("x-request-plan", plan);
    }
    Ok(response)
}

/// An extension at `addr` that answers its name with a number: how often it was started.
pub(super) async fn extension(addr: SocketAddr, start: u32) -> Result<Running, BoxError> {
    let listener = TcpListener::bind(addr).await?;
    let addr = listener.local_addr()?;
    let (stop, stopped) = oneshot::channel::<()>();
    let service = service_fn(move |_: Request<Incoming>| {
        let answer = Response::new(Full::from(format!("guard-{start}")));
        std::future::ready(Ok::<_, Infallible>(answer))
    });
    let stopped = async move { drop(stopped.await) };
    let task = tokio::spawn(server::serve(listener, move |_| service, stopped, DRAIN));
    Ok(Running { addr, stop, task })
}
