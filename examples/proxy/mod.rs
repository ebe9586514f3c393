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
//! (tower)  the place of the filter chains: a layer between the gate and the forwarding service
//! forward  sends the request upstream over pooled connections, tells apart how that can fail
//! ```
//!
//! `hygiene` holds the rules the two ends apply, as functions on heads.

pub(crate) mod alloc;
pub(crate) mod demo;
pub(crate) mod failure;
pub(crate) mod filter_spec;
pub(crate) mod filters;
pub(crate) mod forward;
pub(crate) mod gate;
pub(crate) mod hygiene;
pub(crate) mod options;
pub(crate) mod server;
pub(crate) mod turn;

use std::{future::Future, sync::Arc};

use tokio::net::TcpListener;

use forward::Forward;
use gate::Gate;
use options::Options;

/// Any error, as hyper and tower pass them on.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Serves `listener` as `options` say until `shutdown` is ready and the exchanges under way ended.
pub(crate) async fn run(
    listener: TcpListener,
    options: &Options,
    shutdown: impl Future<Output = ()>,
) -> Result<(), BoxError> {
    if !options.filters().is_empty() {
        // Better no proxy than one that lets by what it was told to stop.
        return Err("filters are not built in yet".into());
    }
    let upstream = options.upstream()?;
    tracing::info!(listen = %listener.local_addr()?, upstream = %upstream, "serving");
    let forward = Forward::new(Arc::new(upstream));
    // The filter layer goes here: around `forward`, inside the gate.
    let service = Gate::new(forward);
    server::serve(listener, |_peer| service.clone(), shutdown, options.drain_timeout()).await;
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
