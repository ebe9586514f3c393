//! The parts of the proxy. `main.rs` is thin, so that a test can start the same proxy in its own
//! process:
//!
//! ```ignore
//! #[allow(dead_code)]
//! #[path = "../../examples/proxy/mod.rs"]
//! mod proxy;
//! ```
//!
//! For that reason the modules name each other by `super::` and never by `crate::`.
//!
//! A request passes, from the outside in:
//!
//! ```text
//! server   accepts connections, HTTP/1.1 or HTTP/2 by its preface, graceful shutdown
//! gate     refuses what a proxy must refuse, removes what belongs to one hop, answers errors
//! engine   the filter chains: a layer between the gate and the forwarding service
//! forward  sends the request upstream over pooled connections, tells apart how that can fail
//! ```
//!
//! `transport` is what lies on the socket below server and forward, `patient` gives up on a peer
//! that reads nothing, `net` is where sockets come from. With `--pipe` a body leaves the engine in
//! a task of its own: `pipes`, used by gate and forward.
//!
//! `filters` holds the filters. `hygiene` holds the rules the two ends apply, as functions on
//! heads.

pub(crate) mod alloc;
pub(crate) mod demo;
pub(crate) mod engine;
pub(crate) mod failure;
pub(crate) mod filter_spec;
pub(crate) mod filters;
pub(crate) mod forward;
pub(crate) mod gate;
pub(crate) mod hygiene;
pub(crate) mod net;
pub(crate) mod options;
pub(crate) mod patient;
pub(crate) mod pipes;
pub(crate) mod server;
pub(crate) mod transport;
pub(crate) mod turn;

use std::{future::Future, sync::Arc};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use tidegate::body::RequestBody;
use tokio::net::TcpListener;
use tower::{Layer, Service};

use engine::Plans;
use forward::Forward;
use gate::Gate;
use options::Options;
use pipes::Pipes;

/// Any error, as hyper and tower pass them on.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Serves `listener` as `options` say until `shutdown` is ready and the exchanges under way ended.
pub(crate) async fn run(
    listener: TcpListener,
    options: &Options,
    shutdown: impl Future<Output = ()>,
) -> Result<(), BoxError> {
    let layer = Plans::new(options)?.layer(options)?;
    run_through::<_, RequestBody<Incoming>, _>(listener, options, layer, shutdown).await
}

/// [`run`] with a layer of the caller's around the forwarding service, in place of the options'
/// filters. `B`: the request body that comes out of it.
pub(crate) async fn run_through<L, B, R>(
    listener: TcpListener,
    options: &Options,
    layer: L,
    shutdown: impl Future<Output = ()>,
) -> Result<(), BoxError>
where
    L: Layer<Forward<B>>,
    L::Service: Service<Request<Incoming>, Response = Response<R>> + Clone + Send + 'static,
    <L::Service as Service<Request<Incoming>>>::Future: Send,
    <L::Service as Service<Request<Incoming>>>::Error: Into<BoxError> + Send,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
    R: Body<Data = Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
{
    let pipes = Pipes::new(options.pipe()?);
    run_with(listener, options, layer, pipes, shutdown).await
}

/// [`run_through`] with pipes of the caller's, who can ask them afterwards.
pub(crate) async fn run_with<L, B, R>(
    listener: TcpListener,
    options: &Options,
    layer: L,
    pipes: Pipes,
    shutdown: impl Future<Output = ()>,
) -> Result<(), BoxError>
where
    L: Layer<Forward<B>>,
    L::Service: Service<Request<Incoming>, Response = Response<R>> + Clone + Send + 'static,
    <L::Service as Service<Request<Incoming>>>::Future: Send,
    <L::Service as Service<Request<Incoming>>>::Error: Into<BoxError> + Send,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
    R: Body<Data = Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
{
    let upstream = options.upstream()?;
    tracing::info!(listen = %listener.local_addr()?, upstream = %upstream, "serving");
    let forward = Forward::new(Arc::new(upstream), pipes.clone());
    let service = Gate::new(layer.layer(forward), pipes.clone());
    server::serve(listener, |_peer| service.clone(), shutdown, options.drain_timeout()).await;
    pipes.report();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_well_formed() {
        use clap::CommandFactory;
        Options::command().debug_assert();
    }
}
