//! The only door to the network: `server` and `forward` name its types through here, so that a test
//! can put a simulated network in its place (`tests/faults`).

use std::time::Duration;

pub(crate) use hyper_util::client::legacy::connect::HttpConnector as Connector;
pub(crate) use tokio::net::{TcpListener, TcpStream};

/// Connects within `wait`.
pub(crate) fn connector(wait: Duration) -> Connector {
    let mut connector = Connector::new();
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(wait));
    connector
}
