//! The cells of the example gateway: its table, routes and flights as they are. What its thread
//! does with the file is done by the cell, when it wants it done.

#[path = "../../../examples/gateway/build.rs"]
mod build;
#[path = "../../../examples/gateway/extension.rs"]
mod extension;
#[path = "../../../examples/gateway/file.rs"]
mod file;
#[path = "../../../examples/gateway/flight.rs"]
mod flight;
mod kinds;
#[path = "../../../examples/gateway/plan.rs"]
mod plan;
#[path = "../../../examples/gateway/router.rs"]
mod router;
#[path = "../../../examples/gateway/tally.rs"]
mod tally;
#[path = "../../../examples/gateway/yaml.rs"]
mod yaml;

use std::cell::RefCell;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tidegate::body::Direction;
use tidegate::table::{Controller, Table};
use tokio::sync::oneshot;

use crate::board::Board;
use crate::case::Finding;
use crate::cell::{Cell, Phase, Version};
use crate::exchange::Exchange;
use crate::filters::{Moment, Part};
use crate::net::{self, TcpListener};

pub(crate) use crate::ends;
use build::Builder;
use ends::gate::Gate;
use ends::pipes::Pipes;
use ends::server;
use file::RouteSpec;
use plan::Plan;
use router::{Readers, Router};
use tally::Tally;

/// As in the example.
type Routes = Table<String, Plan>;

/// How long exchanges under way have when the gateway is told to stop.
const DRAIN: Duration = Duration::from_secs(5);

/// The table, and what changes it.
struct Reload {
    table: Routes,
    readers: Arc<Readers>,
    controller: RefCell<Controller<String, RouteSpec, Builder>>,
}

impl Reload {
    /// Publishes the routes of a file with this text.
    fn publish(&self, text: &str) {
        let mut controller = self.controller.borrow_mut();
        for (key, spec) in file::read(text).map_err(|error| error.to_string()).unwrap() {
            controller.set(key, spec).unwrap();
        }
        let report = controller.publish(Duration::ZERO);
        assert!(report.faults.is_empty() && report.refused.is_none(), "{report:?}");
        self.readers.rest();
    }
}

/// Plays a cell.
pub(crate) async fn play(cell: Cell) -> Finding {
    let board = Board::here();
    let origin = net::origin_address();
    let (request, response) = cell.parts();
    let table = Table::new(1);
    let readers = Arc::new(Readers::new(&table));
    let controller = RefCell::new(Controller::new(table.clone(), Builder));
    let reload = Reload { table, readers, controller };
    let sees_replies = cell.phase == Phase::Reply;
    reload.publish(&text(origin, request, response, sees_replies));
    let bound = held_bound(&reload.table);

    let tally = Arc::<Tally>::default();
    let router = Router::new(Arc::clone(&reload.readers), Arc::clone(&tally));
    let service = Gate::new(router, Pipes::new(None));
    let listener = TcpListener::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async { drop(stopped.await) };
    let serving = tokio::spawn(server::serve(listener, move |_| service.clone(), stopped, DRAIN));

    let again = || reload.publish(&text(origin, Part::Nothing, Part::Nothing, false));
    let mut exchange = Exchange::new(cell, address, origin, Version::Http1, &again);
    exchange.play().await;
    let told = exchange.told();
    let mut faults = told.lies;
    faults.extend(board.faults(bound));
    for (epoch, count) in tally.counts() {
        if count.started != count.ended {
            faults.push(format!("epoch {epoch}: {count:?}"));
        }
    }
    reload.readers.rest();
    let epochs = reload.table.epochs().len();
    if epochs != 1 {
        faults.push(format!("{epochs} epochs are alive"));
    }
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

fn held_bound(table: &Routes) -> u64 {
    let snapshot = table.snapshot();
    let bounds = snapshot.iter().filter_map(|(_, entry, _)| entry.plan().ok());
    bounds.map(Plan::held_bound_bytes).max().unwrap_or(0)
}

/// The file. A reply of main is seen by the after-pipeline alone.
fn text(origin: SocketAddr, request: Part, response: Part, sees_replies: bool) -> String {
    let on_response = "{ filter: probe, as: probe-3 }, on-response, { filter: probe, as: probe-4 }";
    let (main, after) = if sees_replies { ("", on_response) } else { (on_response, "") };
    let filter = |name: &str, part: Part| {
        let kind = if matches!(part, Part::Hang(_)) { "hangs" } else { "actor" };
        format!("{{ name: {name}, kind: {kind}, settings: {{ part: {} }} }}", yaml(part))
    };
    format!(
        "routes:
  - path: /
    upstream: http://{origin}
    flow:
      name: cell
      filters:
        - {{ name: probe, kind: probe }}
        - {}
        - {}
        - {{ name: told, kind: told }}
      main:
        flow: [ {{ filter: probe, as: probe-1 }}, on-request, {{ filter: probe, as: probe-2 }},
                call: upstream, {main} ]
      after:
        flow: [ {after} ]
      finalizers: [ told ]
",
        filter("on-request", request),
        filter("on-response", response),
    )
}

/// A part as its settings say it.
fn yaml(part: Part) -> String {
    let of = |name: &str, moment: Moment| format!("{{ {name}: {moment:?} }}");
    match part {
        Part::Nothing | Part::Hold | Part::HoldToEnd => format!("{part:?}"),
        Part::Reply { bytes } => format!("{{ Reply: {{ bytes: {bytes} }} }}"),
        Part::ReplyAndPanic { bytes } => format!("{{ ReplyAndPanic: {{ bytes: {bytes} }} }}"),
        Part::Panic(moment) => of("Panic", moment),
        Part::Keep(moment) => of("Keep", moment),
        Part::Lose(moment) => of("Lose", moment),
        Part::Flood(moment) => of("Flood", moment),
        Part::Hang(moment) => of("Hang", moment),
    }
}
