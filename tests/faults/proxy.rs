//! The cells of the example proxy: its two ends, and an `ExchangeLayer` between them.

use std::sync::Arc;
use std::time::Duration;

use tidegate::Plan;
use tidegate::body::{Direction, ExchangeLayer, Timeouts};
use tokio::sync::oneshot;
use tower::Layer;

use crate::board::Board;
use crate::case::{self, Finding};
use crate::cell::{Cell, Version};
use crate::ends::forward::{Forward, Upstream};
use crate::ends::gate::Gate;
use crate::ends::pipes::Pipes;
use crate::ends::server;
use crate::exchange::Exchange;
use crate::filters;
use crate::net::{self, TcpListener};

/// The longest times: each another one, so that none is taken for another.
const HOLD: Duration = Duration::from_secs(10);
const IDLE: Duration = Duration::from_secs(20);
const UPSTREAM: Duration = Duration::from_secs(30);

/// How long exchanges under way have when the proxy is told to stop.
const DRAIN: Duration = Duration::from_secs(5);

/// Plays a cell.
pub(crate) async fn play(cell: Cell) -> Finding {
    let (request_part, response_part) = cell.parts();
    let request = filters::add(Plan::builder(), request_part).build().unwrap();
    let response = filters::add(Plan::builder(), response_part).build().unwrap();
    let board = Board::here();
    let tell = Arc::clone(&board);
    let timeouts = Timeouts::new().hold(HOLD).idle(IDLE);
    let layer = ExchangeLayer::new(request.clone(), response.clone())
        .unwrap()
        .request_timeouts(timeouts)
        .response_timeouts(timeouts)
        .on_finish(Arc::new(move |direction, outcome, stats| tell.tell(direction, outcome, stats)));

    let origin = net::origin_address();
    let is_http2 = cell.version == Version::Http2;
    let url = format!("http://{origin}").parse().unwrap();
    let upstream = Upstream::new(&url, is_http2, UPSTREAM).unwrap();
    let forward = Forward::new(Arc::new(upstream), Pipes::new(None));
    let service = Gate::new(layer.layer(forward), Pipes::new(None));
    let listener = TcpListener::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async { drop(stopped.await) };
    let serving = tokio::spawn(server::serve(listener, move |_| service.clone(), stopped, DRAIN));

    let mut exchange = Exchange::new(cell, address, origin, cell.version, &|| {});
    exchange.play().await;
    let told = exchange.told();
    let mut faults = told.lies;
    let bound = request.held_bound_bytes().max(response.held_bound_bytes());
    // While the peers are still there: who stalls must not keep anything for ever.
    faults.extend(board.faults(bound));
    faults.extend(case::balance("request", request.recycling()));
    faults.extend(case::balance("response", response.recycling()));
    drop((exchange, stop));
    serving.await.unwrap();
    Finding {
        client: told.client,
        origin: told.origin,
        request: board.outcome(Direction::Request),
        response: board.outcome(Direction::Response),
        faults,
    }
}
