//! Runs a case: a runtime, a proxy in it, and what must be true when both are gone.

use std::{future::Future, net::SocketAddr, sync::Arc, time::Duration};

use clap::Parser;
use http::{request, response};
use hyper::body::Incoming;
use tidegate::{Plan, body::RequestBody, chain::PlanBuilder};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle, time::Instant};

use super::watch::Watch;
use crate::proxy::{BoxError, engine::Plans, filters, options::Options, run_through};

/// The longest a case may take.
const LIMIT: Duration = Duration::from_secs(60);

/// Runs a case to its end and checks that it leaves no task behind.
pub(super) fn case(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        tokio::time::timeout(LIMIT, test).await.expect("the case ends in time");
        let late = Instant::now() + Duration::from_secs(15);
        let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
        while tasks() > 0 {
            assert!(Instant::now() < late, "{} tasks are left behind", tasks());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
}

/// A listener on a free port of loopback.
pub(super) async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let addr = listener.local_addr().unwrap();
    (listener, addr)
}

/// The proxy, as `--upstream http://ORIGIN` and further arguments start it.
pub(super) struct Proxy {
    pub(super) addr: SocketAddr,
    pub(super) watch: Arc<Watch>,
    bound: u64,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), BoxError>>,
}

impl Proxy {
    /// A proxy before `origin`.
    pub(super) async fn start(origin: SocketAddr, args: &[&str]) -> Self {
        Self::with(origin, args, |plan| plan, |plan| plan).await
    }

    /// A proxy with further filters behind those of the arguments.
    pub(super) async fn with(
        origin: SocketAddr,
        args: &[&str],
        request: impl FnOnce(PlanBuilder<request::Parts>) -> PlanBuilder<request::Parts>,
        response: impl FnOnce(PlanBuilder<response::Parts>) -> PlanBuilder<response::Parts>,
    ) -> Self {
        let upstream = format!("http://{origin}");
        let args = [&["proxy", "--upstream", &upstream], args].concat();
        let options = Options::try_parse_from(args).unwrap();
        let watch = Arc::new(Watch::default());
        let plans = Plans {
            request: probed(&options, &watch, request),
            response: probed(&options, &watch, response),
        };
        let layer = plans.layer(&options).unwrap().on_finish(watch.observer());
        let bound = plans.held_bound();
        let (listener, addr) = listen().await;
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            let stopped = async { drop(stopped.await) };
            run_through::<_, RequestBody<Incoming>, _>(listener, &options, layer, stopped).await
        });
        Self { addr, watch, bound, stop, task }
    }

    /// Waits until all messages are over, and checks how they ended.
    pub(super) async fn settled(&self) {
        self.watch.settled(self.bound).await;
    }

    /// Tells the proxy to stop. It ends when the exchanges under way have ended.
    pub(super) fn stop(self) -> JoinHandle<Result<(), BoxError>> {
        drop(self.stop);
        self.task
    }

    /// Waits until all messages are over, stops the proxy and checks that it ends well.
    pub(super) async fn finish(self) {
        self.settled().await;
        self.stop().await.unwrap().unwrap();
    }
}

/// The plan of the options, with probes at its ends.
fn probed<H: tidegate::Head>(
    options: &Options,
    watch: &Arc<Watch>,
    add: impl FnOnce(PlanBuilder<H>) -> PlanBuilder<H>,
) -> Plan<H> {
    let (first, last) = (Arc::clone(watch), Arc::clone(watch));
    let marks = options.watermarks();
    let mut builder = Plan::builder().filter("first", move || first.probe());
    builder = filters::add_all(builder, options.filters(), marks).unwrap();
    add(builder).filter("last", move || last.probe()).build().unwrap()
}
