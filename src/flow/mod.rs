//! Control flow over filters: which nodes of an exchange run, by the results of those before.
//!
//! A [`Flow`] is three [pipelines](Pipeline): *before* (request nodes), *main* (request nodes, at
//! most one [call](Call) to the upstream, response nodes), *after* (response nodes); and its
//! finalizers. It compiles to one [`ExchangePlan`], so that any edge can run it. A node is a filter
//! with a name and jumps: on a result that the filter has
//! [declared](crate::Declaration::result) and [said](crate::View::set_result), a later node of the
//! pipeline is next, or [`END`]. The rules are those of Easegress, with its edges closed:
//! `docs/architecture.md` says which.
//!
//! ```
//! use http::{StatusCode, request, response};
//! use tidegate::flow::{Call, Flow, Node, Pipeline};
//! use tidegate::{Declaration, Filter, Verdict, View};
//!
//! /// Lets nobody in without a key.
//! struct Auth;
//!
//! impl Filter<request::Parts> for Auth {
//!     fn declare(&self) -> Declaration {
//!         Declaration::new().result("denied")
//!     }
//!
//!     fn head(&mut self, view: &mut View<'_, request::Parts>) -> Verdict {
//!         if view.head().is_none_or(|head| !head.headers.contains_key("x-key")) {
//!             // It was declared, and the head is here.
//!             let _ = view.set_result("denied");
//!         }
//!         Verdict::PASS
//!     }
//! }
//!
//! /// Makes the answer of who did not get in.
//! struct Page;
//!
//! impl Filter<response::Parts> for Page {
//!     fn head(&mut self, view: &mut View<'_, response::Parts>) -> Verdict {
//!         if view.is_local_reply() && let Some(head) = view.head_mut() {
//!             head.status = StatusCode::FORBIDDEN;
//!         }
//!         Verdict::PASS
//!     }
//! }
//!
//! let main = Pipeline::new()
//!     .request(Node::new("auth", || Auth).jump("denied", "page"))
//!     .call(Call::new("upstream").jump("failureCode", "page"))
//!     .end()
//!     .response(Node::new("page", || Page));
//! let flow = Flow::builder("shop")
//!     .main(main)
//!     .finalizer("access-log", |summary| println!("{:?} {:?}", summary.status, summary.main))
//!     .build()?;
//! assert!(flow.held_bound_bytes() <= flow.plan().held_bound_bytes());
//! # Ok::<(), tidegate::flow::FlowError>(())
//! ```
//!
//! # What a result leads to
//!
//! When the head leaves a node, in this order: a jump on its result; for success, the following
//! node; for a result without a jump, what [`OnUnhandled`] says. The end of the list is the end of
//! the pipeline ([`StageEnd::Through`]); to come to END is [`StageEnd::Stopped`]; a result that
//! nobody handles is [`StageEnd::Failed`]. [`Stages`] says which pipeline runs behind which end.
//!
//! # The states of a run
//!
//! The two directions of an exchange share one record. Where the request stands:
//!
//! | state | its head goes on | local reply of the node where it stands | any other reply | the request fails | it is cancelled |
//! |---|---|---|---|---|---|
//! | `Awaited` | comes to the first node, to the upstream, or is answered (503) | – | the first pipeline is stopped | the first pipeline has failed | – |
//! | `Node` | by its result, to another node, to the upstream, or it is answered (503) | by its result, to a response node; else the pipeline is stopped, or has failed | the pipeline is stopped | the pipeline has failed | – |
//! | `Called` | – | main is stopped | main is stopped | a limit: main has failed. Else the call fails, which has results; but where a node failed, main has | – |
//! | `Answered` | – | – | – | – | – |
//!
//! Each of these but the first column leads to `Answered`: it is known where the answer comes in,
//! as main is skipped where there is no request for it. Then what comes into the response chain:
//!
//! | what comes in | request `Awaited` | `Node` | `Called` | `Answered` |
//! |---|---|---|---|---|
//! | the upstream's response | – | – | by the call's result | by the call's result, if it had been made before |
//! | a reply | the after-pipeline | its pipeline is stopped | main is stopped | where the answer comes in |
//! | the answer to an error | the first pipeline has failed | its pipeline has failed | by the call's result; main has failed where a node did | where the answer comes in |
//!
//! And from then on, where the response stands:
//!
//! | state | its head goes on | local reply of the node where it stands | any other reply | it fails |
//! |---|---|---|---|---|
//! | `Node` of main | by its result | by its result; else stopped, or failed | main is stopped | main has failed; the answer meets the after-pipeline |
//! | `Node` of after | by its result | the same | goes on behind the node | after has failed; the answer goes past the filters |
//! | `Out` | – | – | goes straight to the sink | as without a flow |
//!
//! "Stopped" and "has failed" end the pipeline, and what comes then is for [`Stages`] to say. Once
//! something has come into the response chain, nothing that happens to the request changes which
//! nodes run. A failure never jumps, and nodes that have had their head are never left: so a jump
//! takes nothing back that was sent (flow-R7).
//!
//! What a filter requires of the edge is bound for all nodes of a flow, as it is not known before
//! which of them will run: an exchange that cannot have it is refused, also where this run would
//! have left the node out.
//!
//! # What it costs
//!
//! A chunk of a body costs nothing more than without a flow. An exchange costs five allocations:
//! the record, both routes, and the engine's side of each. A node that is left out costs none: its
//! filter is made when the head comes to it. The trace costs six more an exchange (the nodes of
//! each chain, what they are told as, the list of all), two looks at the clock a node, and one
//! addition where a chunk comes to rest; it is recorded only where there is a finalizer or a
//! subscriber of spans (feature `tracing`).
//!
//! This module never does I/O, reads a clock or wakes anybody; it runs no user code under its lock.

mod bound;
mod builder;
mod call;
mod check;
#[cfg(feature = "serde")]
pub mod config;
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

/// The bound of one chain: that of the stations on the dearest path. `station`: where a step is in
/// this chain.
fn held_bound<H: Head>(
    program: &Program,
    plan: &Plan<H>,
    station: impl Fn(Seat) -> Option<usize>,
) -> u64 {
    let high_bytes: Vec<u64> = plan.filters().map(|(_, each)| each.marks.high()).collect();
    plan.held_bound_of(dearest_path(program, |seat| {
        station(seat).and_then(|station| high_bytes.get(station).copied()).unwrap_or(0)
    }))
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
