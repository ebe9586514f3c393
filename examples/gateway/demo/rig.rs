//! What the demo runs on: the servers, the gateway, the file, and what the gateway tells.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tidegate::table::Counters;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::client::Client;
use super::servers::{self, Running};
use crate::gateway::Gateway;
use crate::gateway::ends::{BoxError, server};
use crate::gateway::event::Event;

/// How long anything may take.
pub(super) const LIMIT: Duration = Duration::from_secs(20);

/// What a route of the file says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Route {
    /// For `x-plan`.
    pub(super) version: usize,
    /// Names a filter that is not there.
    pub(super) faulty: bool,
}

pub(super) struct Rig {
    pub(super) client: Client,
    file: PathBuf,
    origin: Running,
    /// Its address is the same, however often it was started.
    extension: Option<Running>,
    extension_addr: SocketAddr,
    starts: u32,
    gateway: Arc<Gateway>,
    events: mpsc::UnboundedReceiver<Event>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

impl Rig {
    /// Starts everything, with both routes at their first version.
    pub(super) async fn start() -> Result<Self, BoxError> {
        let origin = servers::origin().await?;
        let extension = servers::extension(([127, 0, 0, 1], 0).into(), 1).await?;
        let name = format!("tidegate-gateway-{}-{}.yaml", std::process::id(), origin.addr.port());
        let file = std::env::temp_dir().join(name);
        let first = Route { version: 1, faulty: false };
        let extension_addr = extension.addr;
        fs::write(&file, text(origin.addr, extension_addr, [first, first]))?;
        let (tell, mut events) = mpsc::unbounded_channel();
        let read = file.clone();
        // It asks the extension before it returns.
        let starting = tokio::task::spawn_blocking(move || {
            Gateway::start(read, move |event| drop(tell.send(event)))
        });
        let gateway = Arc::new(starting.await?);
        println!("{}", events.recv().await.ok_or("the gateway did not read its file")?);
        let listener = server::bind(([127, 0, 0, 1], 0).into()).await?;
        let client = Client::new(listener.local_addr()?);
        let (stop, stopped) = oneshot::channel::<()>();
        let served = Arc::clone(&gateway);
        let serving = tokio::spawn(async move {
            let stopped = async { drop(stopped.await) };
            served.serve(listener, stopped, LIMIT).await;
        });
        Ok(Self {
            client,
            file,
            origin,
            extension: Some(extension),
            extension_addr,
            starts: 1,
            gateway,
            events,
            stop,
            serving,
        })
    }

    pub(super) fn bounds(&self) -> String {
        self.gateway.bounds()
    }

    /// Writes the file in one step: who reads it sees the old or the new one.
    pub(super) fn write(&self, routes: [Route; 2]) -> Result<(), BoxError> {
        self.write_text(&text(self.origin.addr, self.extension_addr, routes))
    }

    /// Writes a file that breaks off in the middle.
    pub(super) fn write_broken(&self) -> Result<(), BoxError> {
        let route = Route { version: 0, faulty: false };
        let text = text(self.origin.addr, self.extension_addr, [route, route]);
        self.write_text(&format!("{text}  - path: [\n"))
    }

    fn write_text(&self, text: &str) -> Result<(), BoxError> {
        let new = self.file.with_extension("new");
        fs::write(&new, text)?;
        Ok(fs::rename(new, &self.file)?)
    }

    /// The next that the gateway tells.
    pub(super) async fn event(&mut self) -> Result<Event, BoxError> {
        let event = tokio::time::timeout(LIMIT, self.events.recv()).await;
        let event = event.map_err(|_| "the gateway tells nothing")?;
        event.ok_or_else(|| "the gateway has stopped".into())
    }

    /// The next that fits. An answer shows a plan before the gateway tells of it, so that what it
    /// tells of the steps before may still come first.
    pub(super) async fn event_that(
        &mut self,
        fits: impl Fn(&Event) -> bool,
    ) -> Result<Event, BoxError> {
        loop {
            let event = self.event().await?;
            if fits(&event) {
                return Ok(event);
            }
            println!("    {event}");
        }
    }

    /// What it has told since then.
    pub(super) fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.events.try_recv().ok()).collect()
    }

    pub(super) async fn kill_extension(&mut self) -> Result<(), BoxError> {
        match self.extension.take() {
            Some(extension) => extension.stop().await,
            None => Ok(()),
        }
    }

    /// Starts it again, where it was.
    pub(super) async fn start_extension(&mut self) -> Result<(), BoxError> {
        self.starts += 1;
        self.extension = Some(servers::extension(self.extension_addr, self.starts).await?);
        Ok(())
    }

    /// Stops everything and says what started and ended. `asked`: how many requests were sent.
    pub(super) async fn stop(mut self, asked: u64) -> Result<(), BoxError> {
        self.kill_extension().await?;
        drop((self.client, self.stop));
        self.serving.await?;
        let gateway = Arc::into_inner(self.gateway).ok_or("the gateway is still served")?;
        let counters = gateway.counters();
        let tally = tokio::task::spawn_blocking(|| gateway.stop()).await?;
        self.origin.stop().await?;
        let _ = fs::remove_file(&self.file);
        println!("{tally}");
        let counts = tally.counts();
        let started: u64 = counts.values().map(|count| count.started).sum();
        let ended: u64 = counts.values().map(|count| count.ended).sum();
        println!("{asked} requests sent, {started} exchanges started, {ended} ended");
        let Counters { served, stale, degraded, failed, .. } = counters;
        println!("{served} served ({stale} stale, {degraded} degraded), {failed} failed");
        if (started, ended) != (asked, asked) {
            return Err("exchanges were lost".into());
        }
        Ok(())
    }
}

/// The file.
fn text(origin: SocketAddr, extension: SocketAddr, routes: [Route; 2]) -> String {
    let mut text =
        format!("extensions:\n  guard: {{ address: '{extension}', fail: closed }}\nroutes:\n");
    for (name, Route { version, faulty }) in ["one", "two"].iter().zip(routes) {
        let kind = if faulty { "stamped" } else { "stamp" };
        text += &format!(
            "  - path: /{name}
    upstream: http://{origin}
    extension: guard
    flow:
      name: {name}
      filters:
        - {{ name: stamp, kind: {kind}, settings: {{ value: v{version} }} }}
        - {{ name: translated, kind: translated }}
        - {{ name: log, kind: access-log }}
      main:
        flow: [ stamp, call: upstream, {{ filter: stamp, as: stamp-response }}, translated ]
      finalizers: [ log ]
"
        );
    }
    text
}
