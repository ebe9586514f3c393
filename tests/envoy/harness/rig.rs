//! One Envoy with all configurations of these tests, an origin and the processors.

use std::collections::HashSet;
use std::future::Future;
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

use super::super::served::apart::Apart;
use super::super::served::serve::{self, Served};
use super::super::served::table;
use super::super::{configurations, raw_processors};
use super::case::Case;
use super::client::{Answer, Call};
use super::configuration::{Cluster, bootstrap};
use super::envoy::Envoy;
use super::origin::{Origin, Plan, Seen};
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
    pub(crate) apart: Apart,
    served_port: u16,
    /// Runs the origin and the processors.
    _servers: Runtime,
    cases: AtomicU64,
    /// Those that are over at the client.
    answered: Mutex<HashSet<u64>>,
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
        let (origin, raw_port, served_port, apart) = servers.block_on(async {
            let raw = raw::start(raw.clone(), transcripts.clone()).await;
            let port = serve::start(Arc::clone(&served), transcripts.clone()).await;
            (Origin::start().await, raw.port(), port.port(), Apart::start().await)
        });
        // Bound and not listening any more when the first connection comes.
        let refused = TcpListener::bind("127.0.0.1:0").expect("a port");
        let refused = refused.local_addr().expect("a socket").port();
        let others = configurations();
        let cluster = |name, port| Cluster { name, port, is_health_checked: false };
        let raw = raw.iter().map(|raw| cluster(raw.name, raw_port));
        let of_table = served.iter().map(|served| cluster(&*served.name, served_port));
        let clusters = raw.chain(of_table).chain(apart.clusters());
        let configurations = served.iter().map(|served| &served.configuration).chain(&others);
        let bootstrap = bootstrap(configurations, clusters, origin.address.port(), refused);
        let envoy = Envoy::start("main", &bootstrap);
        let (cases, answered) = (AtomicU64::new(1), Mutex::default());
        Self {
            envoy,
            origin,
            transcripts,
            served,
            apart,
            served_port,
            _servers: servers,
            cases,
            answered,
        }
    }

    /// Another Envoy, with `more` at the end of its bootstrap, before some of the processors of the
    /// table.
    pub(crate) fn another(&self, name: &str, more: &str, some: impl Fn(&str) -> bool) -> Envoy {
        let served = self.served.iter().filter(|served| some(&served.name));
        let cluster = |served: &'_ Served| (served.name.clone(), self.served_port);
        let clusters: Vec<_> = served.clone().map(cluster).collect();
        let clusters = clusters.iter().map(|(name, port)| Cluster {
            name,
            port: *port,
            is_health_checked: false,
        });
        let configurations = served.map(|served| &served.configuration);
        let bootstrap = bootstrap(configurations, clusters, self.origin.address.port(), 1);
        Envoy::start(name, &(bootstrap + more))
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
        self.case_at(self.envoy.listener(configuration), configuration, call, plan).await
    }

    /// The same at any address, which `what` describes.
    pub(crate) async fn case_at(
        &self,
        address: SocketAddr,
        what: &str,
        call: Call,
        plan: Plan,
    ) -> Case<'_> {
        let what = format!("{what}, {:?}, {} {}", call.http, call.method, call.path);
        let (number, answer, seen) = self.begin_at(address, call, plan);
        let answer = answer.await;
        self.answered.lock().expect("no panic").insert(number);
        Case::new(self, what, number, answer, seen)
    }

    /// Waits until a case has come so far.
    pub(crate) async fn wait_for(&self, case: u64, moment: Moment) {
        let has_come = || match moment {
            Moment::RequestEnded => self.origin.has_ended(case),
            Moment::Answered => self.answered.lock().expect("no panic").contains(&case),
        };
        while !has_come() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// The same, in parts: its number, the answer to wait for, and what comes to the origin.
    /// Whoever drops the second gives the request up.
    pub(crate) fn begin(
        &self,
        configuration: &str,
        call: Call,
        plan: Plan,
    ) -> (u64, impl Future<Output = Answer>, oneshot::Receiver<Seen>) {
        self.begin_at(self.envoy.listener(configuration), call, plan)
    }

    fn begin_at(
        &self,
        address: SocketAddr,
        call: Call,
        plan: Plan,
    ) -> (u64, impl Future<Output = Answer>, oneshot::Receiver<Seen>) {
        let number = self.cases.fetch_add(1, Ordering::Relaxed);
        let seen = self.origin.expect(number, plan);
        (number, call.send(address, number), seen)
    }
}

/// How far a case has come.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Moment {
    /// The origin has seen the end of the request.
    RequestEnded,
    /// The client has seen the end of the response.
    Answered,
}

struct ShowsLog<'a>(&'a Envoy);

impl Drop for ShowsLog<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("the end of Envoy's log:\n{}", self.0.log());
        }
    }
}
