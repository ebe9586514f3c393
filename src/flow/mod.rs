//! Control flow over filters: which nodes of an exchange run, by the results of those before.
//!
//! This module never does I/O, reads a clock or wakes anybody; it runs no user code under its lock.

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
mod stage;
mod stage_end;
mod stages;
mod step;
mod summary;
mod trace_entry;

use core::fmt;
use core::time::Duration;

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
use crate::exchange::ExchangePlan;
use crate::sync::ConstArc as Arc;
use finalizer::Finalizer;
use program::Program;

/// Three pipelines, checked and compiled to the plan of an exchange.
#[derive(Clone)]
pub struct Flow {
    program: Arc<Program>,
    plan: ExchangePlan,
}

impl Flow {
    /// Starts a flow of this name.
    pub fn builder(name: impl Into<String>) -> FlowBuilder {
        FlowBuilder::new(name.into())
    }

    fn new(
        program: Program,
        _finalizers: Vec<Finalizer>,
        _clock: Option<Arc<dyn Fn() -> Duration + Send + Sync>>,
        request: Plan<request::Parts>,
        response: Plan<response::Parts>,
    ) -> Self {
        let plan = ExchangePlan::new(request, response);
        Self { program: Arc::new(program), plan }
    }

    /// What the flow is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.program.name
    }

    /// The plan of its exchanges, for any edge.
    #[must_use]
    pub fn plan(&self) -> &ExchangePlan {
        &self.plan
    }

    /// The most payload bytes that both chains of one exchange can keep at rest (rule I7).
    #[must_use]
    pub fn held_bound_bytes(&self) -> u64 {
        self.plan.held_bound_bytes()
    }
}

impl fmt::Debug for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flow").field("name", &self.name()).field("plan", &self.plan).finish()
    }
}
