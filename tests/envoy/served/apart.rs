//! Processors with a server of their own: one that goes away, one that is not well, and one in a
//! process of its own, whose memory can be measured.

use std::env;
use std::future::pending;
use std::io::{BufRead, BufReader, Lines, Read};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use tidegate::exchange::ExchangePlan;
use tidegate::ext_proc::mode::{DirectionMode, FilterConfig, ProcessingMode};
use tidegate::ext_proc::server::{Drain, ExternalProcessor, Served};
use tidegate::ext_proc::session::{SessionPlan, SessionSettings};
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::super::harness::configuration::{Cluster, Configuration};
use super::actor::{Act, Actor};
use super::carrier::settings;

/// The names of the listeners, and of the clusters.
pub(crate) const GOING: &str = "going";
pub(crate) const AILING: &str = "ailing";
pub(crate) const CHILD: &str = "child";

/// Tells a process of this test binary that it is a server.
const IS_CHILD: &str = "TIDEGATE_TEST_CHILD";

/// They all look at everything, in full duplex.
fn config() -> FilterConfig {
    FilterConfig::new(ProcessingMode::both(DirectionMode::full_duplex()))
}

fn processor() -> ExternalProcessor {
    let plan = ExchangePlan::builder()
        .request("look", || Actor::new(Act::LookModestly))
        .response("look", || Actor::new(Act::LookModestly));
    let plan = plan.build().expect("a plan");
    let plan = SessionPlan::new(plan, SessionSettings::of(&config()));
    ExternalProcessor::new(plan.expect("a plan for full duplex"))
}

pub(crate) fn configurations() -> Vec<Configuration> {
    let listener = |name: &str| Configuration::of_entry(name, config().to_yaml(name));
    vec![listener(GOING), listener(AILING), listener(CHILD).large()]
}

/// The servers, while they run.
pub(crate) struct Apart {
    pub(crate) ailing: ExternalProcessor,
    pub(crate) child: ChildServer,
    going: Mutex<Option<Going>>,
    ports: [(&'static str, u16); 3],
}

/// A server that is told to go.
pub(crate) struct Going {
    pub(crate) drain: Drain,
    pub(crate) go: oneshot::Sender<()>,
    pub(crate) gone: JoinHandle<Served>,
}

impl Apart {
    /// Starts them on this runtime.
    pub(crate) async fn start() -> Self {
        let child = ChildServer::start();
        let (go, told) = oneshot::channel();
        let going = processor();
        let drain = going.drain();
        let (port, gone) = start(going, async {
            // Also if nobody is there to tell.
            let _ = told.await;
        })
        .await;
        let ailing = processor();
        let (ailing_port, _) = start(ailing.clone(), pending()).await;
        let ports = [(GOING, port), (AILING, ailing_port), (CHILD, child.port)];
        Self { ailing, child, going: Mutex::new(Some(Going { drain, go, gone })), ports }
    }

    pub(crate) fn clusters(&self) -> impl Iterator<Item = Cluster<'_>> {
        let checked = |name| name == AILING;
        self.ports.iter().map(move |&(name, port)| Cluster {
            name,
            port,
            is_health_checked: checked(name),
        })
    }

    /// The one that can be told to go; there is one test that does it.
    pub(crate) fn going(&self) -> Going {
        self.going.lock().expect("no panic").take().expect("asked once")
    }
}

async fn start(
    processor: ExternalProcessor,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> (u16, JoinHandle<Served>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("a socket").port();
    let settings = settings().drain(Duration::from_secs(10));
    (port, tokio::spawn(processor.serve(listener, settings, shutdown)))
}

/// A server in a process of its own, which ends when this one does.
pub(crate) struct ChildServer {
    child: Child,
    /// Open, so that what a test prints while it runs long is no error.
    _lines: Lines<BufReader<ChildStdout>>,
    port: u16,
}

impl ChildServer {
    fn start() -> Self {
        let mut command = Command::new(env::current_exe().expect("a test binary"));
        command.args(["--exact", "served::apart::serves_as_a_child", "--nocapture"]);
        command.env(IS_CHILD, "1").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("a process");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let port = loop {
            let line = lines.next().expect("the child says its address").expect("a line");
            let address = line.split_once("listens on ").map(|(_, address)| address.parse());
            if let Some(address) = address {
                let address: SocketAddr = address.expect("an address");
                break address.port();
            }
        };
        Self { child, _lines: lines, port }
    }

    /// Its resident memory, in bytes.
    pub(crate) fn resident_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.expect("a process");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")).expect("VmRSS");
        kib.trim().parse::<u64>().expect("a number") * 1024
    }
}

impl Drop for ChildServer {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// The process of [`ChildServer`]. Run as a test like the others, it serves no time at all.
#[test]
fn serves_as_a_child() {
    let is_child = env::var_os(IS_CHILD).is_some();
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let served = runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        println!("\nlistens on {}", listener.local_addr().expect("a socket"));
        let (end, ended) = oneshot::channel();
        std::thread::spawn(move || {
            let mut input = Vec::new();
            if is_child {
                // Ends when the other process does.
                let _ = std::io::stdin().read_to_end(&mut input);
            }
            let _ = end.send(());
        });
        let shutdown = async {
            let _ = ended.await;
        };
        processor().serve(listener, settings(), shutdown).await
    });
    if is_child {
        // Nobody reads what a test would print at its end.
        std::process::exit(0);
    }
    assert_eq!(served, Served::default());
}
