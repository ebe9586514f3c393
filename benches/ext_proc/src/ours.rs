//! The same with tidegate: one filter in each direction that is shown.

use std::future::pending;

use tidegate::exchange::ExchangePlan;
use tidegate::ext_proc::mode::{DirectionMode, ProcessingMode, SendMode};
use tidegate::ext_proc::server::{Carrier, ExternalProcessor, PROCESS_PATH, ServeSettings};
use tidegate::ext_proc::session::{SessionPlan, SessionSettings};
use tidegate::{Capability, Declaration, Filter, Head, Interest, Verdict, View};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::service::Routes;

use crate::scenario::Scenario;

/// More than a body has.
const MOST_BODY_BYTES: u64 = 80 << 20;

/// Looks at all bytes, and lets them pass.
#[derive(Default)]
struct Count(u64);

impl<H: Head> Filter<H> for Count {
    fn declare(&self) -> Declaration {
        Declaration::new().interest(Interest::DATA).keeps_nothing()
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.0 += view.new_bytes() as u64;
        Verdict::PASS
    }
}

/// Puts the same bytes in the place of those that come.
struct Replace;

impl<H: Head> Filter<H> for Replace {
    fn declare(&self) -> Declaration {
        Declaration::new().interest(Interest::DATA).require(Capability::EditBytes)
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        let mut bytes = view.take().expect("a granted edit");
        while let Some(segment) = bytes.pop_front() {
            view.push(segment).expect("a granted edit");
        }
        Verdict::PASS
    }
}

fn processor(scenario: Scenario) -> ExternalProcessor {
    let skipped = DirectionMode::heads_only().with_headers(SendMode::Skip);
    let skipped = skipped.with_trailers(SendMode::Skip).expect("nothing is shown");
    let plan = ExchangePlan::builder();
    let (plan, mode) = match scenario {
        Scenario::Duplex => (
            plan.request("count", Count::default),
            ProcessingMode::new(DirectionMode::full_duplex(), skipped),
        ),
        Scenario::Streamed => (
            plan.request("count", Count::default),
            ProcessingMode::new(DirectionMode::streamed(), skipped),
        ),
        Scenario::Buffered => (
            plan.request("count", Count::default),
            ProcessingMode::new(DirectionMode::buffered(), skipped),
        ),
        Scenario::Replaced => (
            plan.request("replace", || Replace),
            ProcessingMode::new(DirectionMode::buffered(), skipped),
        ),
        Scenario::Small => (
            plan.request("count", Count::default).response("count", Count::default),
            ProcessingMode::both(DirectionMode::full_duplex()),
        ),
    };
    let plan = plan.build().expect("a plan");
    let settings = SessionSettings::new(mode).max_whole_bytes(MOST_BODY_BYTES);
    ExternalProcessor::new(SessionPlan::new(plan, settings).expect("the filters fit the mode"))
}

pub(crate) async fn serve(listener: TcpListener, scenario: Scenario, carrier: Carrier) {
    let settings = ServeSettings::new().carrier(carrier);
    processor(scenario).serve(listener, settings, pending()).await;
}

/// In tonic's own server, beside a service of tonic's.
pub(crate) async fn serve_mounted(listener: TcpListener, scenario: Scenario) {
    let (_, health) = tonic_health::server::health_reporter();
    let router = Routes::new(health).into_axum_router();
    let router = router.route_service(PROCESS_PATH, processor(scenario).bytes());
    let server = tonic::transport::Server::builder()
        .initial_stream_window_size(1 << 20)
        .initial_connection_window_size(1 << 22)
        .add_routes(Routes::from(router))
        .serve_with_incoming(TcpListenerStream::new(listener));
    server.await.expect("a server");
}
