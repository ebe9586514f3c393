//! The parts of the gateway. `main.rs` is thin, so that a test can start the same gateway in its
//! own process. It has the two ends of the example `proxy`, and between them, in the place of one
//! plan, a table of them.
//!
//! ```text
//! server, gate   of the proxy: connections, hygiene, errors as responses
//! router         looks the route up, once, and keeps what it found until the exchange is over
//! plan           the flow of the route around its upstream
//! reload         reads the file when it has changed, builds, publishes
//! ```

mod build;
pub(crate) mod demo;
#[allow(dead_code, reason = "the proxy uses all of it")]
pub(crate) mod ends;
mod event;
mod extension;
mod file;
mod flight;
mod kinds;
mod plan;
mod reload;
mod router;
mod tally;
pub(crate) mod yaml;

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use tidegate::table::{Counters, Table};
use tokio::net::TcpListener;

use crate::gateway::ends::gate::Gate;
use crate::gateway::ends::pipes::Pipes;
use crate::gateway::ends::server;
use event::Event;
use plan::Plan;
use reload::Reload;
use router::{Readers, Router};
use tally::Tally;

/// How often the file is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The routes by their keys, see `file::key`.
type Routes = Table<String, Plan>;

/// A gateway: the table, and the thread that keeps it as the file says.
pub(crate) struct Gateway {
    table: Routes,
    readers: Arc<Readers>,
    tally: Arc<Tally>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Gateway {
    /// Reads `file`, and goes on looking at it. `tell` is told whatever comes of it.
    pub(crate) fn start(file: PathBuf, tell: impl Fn(Event) + Send + 'static) -> Self {
        let table = Table::new(nonce());
        let readers = Arc::new(Readers::new(&table));
        let stop = Arc::new(AtomicBool::new(false));
        let mut reload = Reload::new(file, table.clone());
        // The first time before anybody connects.
        reload.look().into_iter().for_each(&tell);
        let (stopped, resting) = (Arc::clone(&stop), Arc::clone(&readers));
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                std::thread::sleep(LOOK_EVERY);
                let events = reload.look();
                if !events.is_empty() {
                    resting.rest();
                }
                events.into_iter().for_each(&tell);
            }
        });
        Self { table, readers, tally: Arc::default(), stop, thread }
    }

    /// Serves `listener` until `shutdown` is ready, and then lets exchanges end for `drain`.
    pub(crate) async fn serve(
        &self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()>,
        drain: Duration,
    ) {
        let router = Router::new(Arc::clone(&self.readers), Arc::clone(&self.tally));
        let service = Gate::new(router, Pipes::new(None));
        server::serve(listener, |_peer| service.clone(), shutdown, drain).await;
    }

    /// What an exchange of each route makes the engine keep at most, a line a route.
    pub(crate) fn bounds(&self) -> String {
        let routes = self.table.snapshot();
        let mut lines: Vec<String> = routes
            .iter()
            .map(|(key, entry, _)| match entry.plan() {
                Ok(plan) => format!("{key} keeps at most {} bytes", plan.held_bound_bytes()),
                Err(fault) => format!("{key} fails: {fault}"),
            })
            .collect();
        lines.sort();
        lines.join("\n")
    }

    /// How lookups were served.
    pub(crate) fn counters(&self) -> Counters {
        self.table.counters()
    }

    /// Looks at the file no more. Answers what started and ended on each epoch.
    pub(crate) fn stop(self) -> Arc<Tally> {
        self.stop.store(true, Ordering::Relaxed);
        if self.thread.join().is_err() {
            tracing::error!("the thread that reloads has panicked");
        }
        self.tally
    }
}

/// Another one after each start (G4).
fn nonce() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |now| now.as_nanos() as u64)
}
