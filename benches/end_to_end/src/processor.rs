//! The external processor: one filter in each direction, which sees all that the mode shows.

use std::future::pending;

use tidegate::exchange::ExchangePlan;
use tidegate::ext_proc::server::{ExternalProcessor, ServeSettings};
use tidegate::ext_proc::session::{SessionPlan, SessionSettings};
use tidegate::{Declaration, Filter, Head, Interest, Verdict, View};
use tokio::net::TcpListener;

use crate::envoy;
use crate::load::LARGE_BYTES;
use crate::mode::Mode;

/// Counts what it is shown, and lets it pass.
struct Count {
    interest: Interest,
    bytes: u64,
}

impl<H: Head> Filter<H> for Count {
    fn declare(&self) -> Declaration {
        Declaration::new().interest(self.interest)
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.bytes += view.new_bytes() as u64;
        Verdict::PASS
    }
}

pub(crate) async fn serve(listener: TcpListener, mode: Mode) {
    let interest = match mode {
        Mode::None => Interest::HEAD,
        _ => Interest::HEAD | Interest::DATA,
    };
    let count = move || Count { interest, bytes: 0 };
    let plan = ExchangePlan::builder().request("count", count).response("count", count);
    let plan = plan.build().expect("a plan");
    let settings = SessionSettings::of(&envoy::filter(mode)).max_whole_bytes(LARGE_BYTES);
    let plan = SessionPlan::new(plan, settings).expect("the filter fits the mode");
    ExternalProcessor::new(plan).serve(listener, ServeSettings::new(), pending()).await;
}
