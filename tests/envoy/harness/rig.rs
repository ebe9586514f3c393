//! One Envoy with all configurations of these tests, an origin and the processors.

use std::future::Future;
use std::net::TcpListener;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

use super::super::served::serve::{self, Served};
use super::super::served::table;
use super::super::{configurations, raw_processors};
use super::case::Case;
use super::client::Call;
use super::configuration::{Ports, bootstrap};
use super::envoy::Envoy;
use super::origin::{Origin, Plan};
use super::raw;
use super::transcript::Transcripts;

/// How long one test may take.
const LIMIT: Duration = Duration::from_secs(120);

/// What the tests share.
pub(crate) struct Rig {
    pub(crate) envoy: Envoy,
    pub(crate) origin: Origin,
    pub(crate) transcripts: Transcripts,
    pub(crate) served: Arc<Vec<Served>>,
    /// Runs the origin and the processors.
    _servers: Runtime,
    cases: AtomicU64,
}

/// Starts it on first use.
pub(crate) fn rig() -> &'static Rig {
    static RIG: LazyLock<Rig> = LazyLock::new(Rig::start);
    &RIG
}

impl Rig {
    fn start() -> Self {
        let servers =
            Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        let transcripts = Transcripts::default();
        let (raw, served) = (raw_processors(), Arc::new(table::served()));
        let names: Vec<_> = raw.iter().map(|raw| raw.name).collect();
        let served_names: Vec<_> = served.iter().map(|served| &*served.name).collect();
        let (origin, raw, port) = servers.block_on(async {
            let raw = raw::start(raw, transcripts.clone()).await;
            let port = serve::start(Arc::clone(&served), transcripts.clone()).await;
            (Origin::start().await, raw, port)
        });
        // Bound and not listening any more when the first connection comes.
        let refused = TcpListener::bind("127.0.0.1:0").expect("a port");
        let refused = refused.local_addr().expect("a socket").port();
        let (raw, port) = (raw.port(), port.port());
        let ports = Ports { origin: origin.address.port(), raw, served: port, refused };
        let others = configurations();
        let configurations = served.iter().map(|served| &served.configuration).chain(&others);
        let bootstrap = bootstrap(configurations, &names, &served_names, ports);
        let envoy = Envoy::start("main", &bootstrap);
        Self { envoy, origin, transcripts, served, _servers: servers, cases: AtomicU64::new(1) }
    }

    /// Runs a test. If it fails, what Envoy has logged is shown.
    pub(crate) fn run(&self, test: impl Future<Output = ()>) {
        let _log = ShowsLog(&self.envoy);
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let done = tokio::time::timeout(LIMIT, test).await;
            assert!(done.is_ok(), "the test is not done after {LIMIT:?}");
        });
    }

    /// One request through the listener of a configuration.
    pub(crate) async fn case(&self, configuration: &str, call: Call, plan: Plan) -> Case<'_> {
        let number = self.cases.fetch_add(1, Ordering::Relaxed);
        let seen = self.origin.expect(number, plan);
        let address = self.envoy.listener(configuration);
        let what = format!("{configuration}, {:?}, {} {}", call.http, call.method, call.path);
        let answer = call.send(address, number).await;
        Case::new(self, what, number, answer, seen)
    }
}

struct ShowsLog<'a>(&'a Envoy);

impl Drop for ShowsLog<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("the end of Envoy's log:\n{}", self.0.log());
        }
    }
}
