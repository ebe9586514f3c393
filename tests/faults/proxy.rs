//! The cells of the example proxy: its two ends, and an `ExchangeLayer` between them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{request, response};
use tidegate::Plan;
use tidegate::body::{ExchangeLayer, Timeouts};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tower::Layer;

use crate::board::Board;
use crate::case::{self, Finding};
use crate::cell::{Cell, Version};
use crate::ends::forward::{Forward, Upstream};
use crate::ends::gate::Gate;
use crate::ends::pipes::Pipes;
use crate::ends::server;
use crate::exchange::Exchange;
use crate::filters::{self, Part};
use crate::net::{self, TcpListener};

/// The longest times: each another one, so that none is taken for another.
pub(crate) const HOLD: Duration = Duration::from_secs(10);
pub(crate) const IDLE: Duration = Duration::from_secs(20);
const UPSTREAM: Duration = Duration::from_secs(30);

/// How long exchanges under way have when the proxy is told to stop.
const DRAIN: Duration = Duration::from_secs(5);

/// The proxy, before an origin of the test.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    pub(crate) origin: SocketAddr,
    request: Plan<request::Parts>,
    response: Plan<response::Parts>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

/// The timeouts of the cells.
pub(crate) fn timeouts() -> Timeouts {
    Timeouts::new().hold(HOLD).idle(IDLE)
}

/// Serves with filters of these parts; speaks `version` to the origin.
pub(crate) async fn serve(version: Version, parts: (Part, Part), timeouts: Timeouts) -> Served {
    let request = filters::add(Plan::builder(), parts.0).build().unwrap();
    let response = filters::add(Plan::builder(), parts.1).build().unwrap();
    let board = Board::here();
    let layer = ExchangeLayer::new(request.clone(), response.clone())
        .unwrap()
        .request_timeouts(timeouts)
        .response_timeouts(timeouts)
        .on_finish(Arc::new(move |direction, outcome, stats| {
            board.tell(direction, outcome, stats);
        }));
    let origin = net::origin_address();
    let url = format!("http://{origin}").parse().unwrap();
    let upstream = Upstream::new(&url, version == Version::Http2, UPSTREAM).unwrap();
    let forward = Forward::new(Arc::new(upstream), Pipes::new(None));
    let service = Gate::new(layer.layer(forward), Pipes::new(None));
    let listener = TcpListener::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async { drop(stopped.await) };
    let serving = tokio::spawn(server::serve(listener, move |_| service.clone(), stopped, DRAIN));
    Served { address, origin, request, response, stop, serving }
}

impl Served {
    /// What is wrong when all exchanges are over, whoever is still connected: who stalls must not
    /// keep anything for ever.
    pub(crate) fn faults(&self) -> Vec<String> {
        let bound = self.request.held_bound_bytes().max(self.response.held_bound_bytes());
        let mut faults = Board::here().faults(bound);
        faults.extend(case::balance("request", self.request.recycling()));
        faults.extend(case::balance("response", self.response.recycling()));
        faults
    }

    /// Stops it, when nobody is connected any more.
    pub(crate) async fn stop(self) {
        drop(self.stop);
        self.serving.await.unwrap();
    }
}

/// Plays a cell.
pub(crate) async fn play(cell: Cell) -> Finding {
    let served = serve(cell.version, cell.parts(), timeouts()).await;
    let mut exchange = Exchange::new(cell, served.address, served.origin, cell.version, &|| {});
    exchange.play().await;
    let told = exchange.told();
    let mut faults = told.lies;
    faults.extend(served.faults());
    drop(exchange);
    served.stop().await;
    let (request, response) = Board::here().outcomes();
    Finding { client: told.client, origin: told.origin, request, response, faults }
}
