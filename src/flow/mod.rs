//! Control flow over filters: which nodes of an exchange run, by the results of those before.
//!
//! This module never does I/O, reads a clock or wakes anybody; it runs no user code under its lock.

mod bound;
mod builder;
mod call;
mod check;
mod fall_through;
mod finalizer;
mod flow_error;
mod flow_error_kind;
mod node;
mod on_unhandled;
mod pipeline;
mod place;
mod program;
mod request_route;
mod response_route;
mod run;
mod spans;
mod stage;
mod stage_end;
mod stages;
mod step;
mod summary;
mod trace_entry;
mod visits;
mod walk;

use core::fmt;

use http::{request, response};

pub use builder::FlowBuilder;
pub use call::Call;
pub use fall_through::FallThrough;
pub use flow_error::FlowError;
pub use flow_error_kind::FlowErrorKind;
pub use node::{END, Node};
pub use on_unhandled::OnUnhandled;
pub use pipeline::Pipeline;
pub use place::Place;
pub use stage::Stage;
pub use stage_end::StageEnd;
pub use stages::Stages;
pub use step::Step;
pub use summary::Summary;
pub use trace_entry::TraceEntry;

use crate::chain::Plan;
use crate::exchange::{ExchangePlan, MakeRoutes, Routes};
use crate::filter::Head;
use crate::sync::{Arc, ConstArc};

use bound::dearest_path;
use program::{Program, Seat};
use request_route::RequestRoute;
use response_route::ResponseRoute;
use run::{Run, Script};

/// Three pipelines, checked and compiled to the plan of an exchange.
#[derive(Clone)]
pub struct Flow {
    script: ConstArc<Script>,
    plan: ExchangePlan,
    held_bound_bytes: u64,
}

impl Flow {
    /// Starts a flow of this name.
    pub fn builder(name: impl Into<String>) -> FlowBuilder {
        FlowBuilder::new(name.into())
    }

    fn new(script: Script, request: Plan<request::Parts>, response: Plan<response::Parts>) -> Self {
        let held_bound_bytes = {
            let of_request = |seat| match seat {
                Seat::Request(station) => Some(station),
                Seat::Call | Seat::End | Seat::Response(_) => None,
            };
            let of_response = |seat| match seat {
                Seat::Response(station) => Some(station),
                Seat::Call | Seat::End | Seat::Request(_) => None,
            };
            let request = held_bound(&script.program, &request, of_request);
            request.saturating_add(held_bound(&script.program, &response, of_response))
        };
        let script = ConstArc::new(script);
        let plan = ExchangePlan::new(request, response)
            .with_routes(ConstArc::new(ConstArc::clone(&script)));
        Self { script, plan, held_bound_bytes }
    }

    /// What the flow is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.script.program.name
    }

    /// The plan of its exchanges, for any edge.
    #[must_use]
    pub fn plan(&self) -> &ExchangePlan {
        &self.plan
    }

    /// The most payload bytes that both chains of one exchange can keep at rest (rule I7): that of
    /// the stations on the dearest path through each of them. Never more than
    /// [`ExchangePlan::held_bound_bytes`] says, which knows of no jump.
    #[must_use]
    pub fn held_bound_bytes(&self) -> u64 {
        self.held_bound_bytes
    }
}

/// The bound of one chain: its own, less what is not on the dearest path. `station`: where a step
/// is in this chain.
fn held_bound<H: Head>(
    program: &Program,
    plan: &Plan<H>,
    station: impl Fn(Seat) -> Option<usize>,
) -> u64 {
    let high_bytes: Vec<u64> = plan.filters().map(|(_, each)| each.marks.high()).collect();
    let all_bytes = high_bytes.iter().copied().fold(0, u64::saturating_add);
    let path_bytes = dearest_path(program, |seat| {
        station(seat).and_then(|station| high_bytes.get(station).copied()).unwrap_or(0)
    });
    let skipped_bytes = all_bytes.saturating_sub(path_bytes);
    plan.held_bound_bytes().saturating_sub(skipped_bytes.saturating_mul(2))
}

impl MakeRoutes for ConstArc<Script> {
    fn routes(&self) -> Routes {
        let run = Arc::new(Run::new(self));
        let request = RequestRoute::new(Arc::clone(&run));
        (Box::new(request), Box::new(ResponseRoute::new(run)))
    }
}

impl fmt::Debug for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flow").field("name", &self.name()).field("plan", &self.plan).finish()
    }
}
