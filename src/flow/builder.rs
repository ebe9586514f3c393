use core::fmt;
use core::mem;
use core::time::Duration;
use std::collections::BTreeMap;

use http::{request, response};

use super::Flow;
use super::check::Draft;
use super::finalizer::Finalizer;
use super::flow_error::FlowError;
use super::flow_error_kind::FlowErrorKind;
use super::pipeline::Pipeline;
use super::place::Place;
use super::program::{Program, Seat};
use super::run::Script;
use super::stage::Stage;
use super::stages::Stages;
use super::step::Step;
use super::summary::Summary;
use crate::chain::{Plan, PlanBuilder, PlanError};
use crate::exchange::Direction;
use crate::filter::Declaration;
use crate::sync::ConstArc as Arc;
use crate::watermark::Marks;

/// Collects what a [`Flow`] is made of.
pub struct FlowBuilder {
    name: String,
    before: Option<Pipeline>,
    main: Option<Pipeline>,
    after: Option<Pipeline>,
    stages: Stages,
    finalizers: Vec<Finalizer>,
    clock: Option<Arc<dyn Fn() -> Duration + Send + Sync>>,
    request: PlanBuilder<request::Parts>,
    response: PlanBuilder<response::Parts>,
}

impl FlowBuilder {
    pub(super) fn new(name: String) -> Self {
        Self {
            name,
            before: None,
            main: None,
            after: None,
            stages: Stages::default(),
            finalizers: Vec::new(),
            clock: None,
            request: Plan::builder(),
            response: Plan::builder(),
        }
    }

    /// Sets the pipeline before main: request nodes and ends.
    #[must_use]
    pub fn before(mut self, pipeline: Pipeline) -> Self {
        self.before = Some(pipeline);
        self
    }

    /// Sets the main pipeline: request nodes, a call, response nodes, and ends. Without a call the
    /// upstream is never asked: what no request node answers is a 503.
    #[must_use]
    pub fn main(mut self, pipeline: Pipeline) -> Self {
        self.main = Some(pipeline);
        self
    }

    /// Sets the pipeline after main: response nodes and ends.
    #[must_use]
    pub fn after(mut self, pipeline: Pipeline) -> Self {
        self.after = Some(pipeline);
        self
    }

    /// Sets which pipeline runs behind how another one ended.
    #[must_use]
    pub fn stages(mut self, stages: Stages) -> Self {
        self.stages = stages;
        self
    }

    /// Adds a finalizer: it is called once an exchange, when both of its chains are closed,
    /// whatever happened; also for one that was [refused](crate::exchange::Refused), whose chains
    /// that were never made are told as cancelled. Finalizers run in the order in which they were
    /// added, on the thread of the chain that was closed last, so they should be short. A panic in
    /// one is contained.
    #[must_use]
    pub fn finalizer(
        mut self,
        name: impl Into<String>,
        run: impl Fn(&Summary) + Send + Sync + 'static,
    ) -> Self {
        self.finalizers.push(Finalizer { name: name.into(), run: Box::new(run) });
        self
    }

    /// Sets where the times of the trace come from: how long ago something was that stays the same,
    /// of the edge's choice. Without it the trace has no times.
    #[must_use]
    pub fn clock(mut self, now: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        self.clock = Some(Arc::new(now));
        self
    }

    /// Sets the watermarks of the output queues: of requests and of responses.
    #[must_use]
    pub fn output_marks(mut self, request: Marks, response: Marks) -> Self {
        self.request = self.request.output_marks(request);
        self.response = self.response.output_marks(response);
        self
    }

    /// Sets the largest piece of body that enters either chain at once, in bytes: see
    /// [`PlanBuilder::max_frame_bytes`].
    #[must_use]
    pub fn max_frame_bytes(mut self, bytes: usize) -> Self {
        self.request = self.request.max_frame_bytes(bytes);
        self.response = self.response.max_frame_bytes(bytes);
        self
    }

    /// Sets how many chains of each direction are kept for the exchanges to come: see
    /// [`PlanBuilder::keep_chains`].
    #[must_use]
    pub fn keep_chains(mut self, chains: usize) -> Self {
        self.request = self.request.keep_chains(chains);
        self.response = self.response.keep_chains(chains);
        self
    }

    /// Checks the flow and compiles it.
    ///
    /// Every filter is made once, for its declaration.
    ///
    /// # Panics
    ///
    /// If the maker of a filter panics.
    ///
    /// # Errors
    ///
    /// [`FlowError`], with the first place that is wrong: what stands where, and how it is called,
    /// in the order of the pipelines; then jumps and what no jump leads to; then what a chain
    /// cannot be.
    pub fn build(self) -> Result<Flow, FlowError> {
        let Self { name, before, main, after, stages, finalizers, clock, request, response } = self;
        let drafted = [(Stage::Before, &before), (Stage::Main, &main), (Stage::After, &after)];
        let drafted = drafted
            .into_iter()
            .filter_map(|(stage, pipeline)| pipeline.as_ref().map(|pipeline| (stage, pipeline)));
        let draft = Draft { pipelines: drafted.collect() };
        draft.check_steps()?;
        let mut chains = Chains::new(request, response);
        let mut parts = BTreeMap::new();
        for &(stage, pipeline) in &draft.pipelines {
            let (declared, seats) = chains.add(pipeline);
            parts.insert(stage, draft.compile(stage, pipeline, &declared, &seats)?);
        }
        let Chains { request, response, request_stations, response_stations } = chains;
        let program = Program {
            name: Arc::from(name),
            stages,
            before: parts.remove(&Stage::Before),
            main: parts.remove(&Stage::Main).unwrap_or_default(),
            after: parts.remove(&Stage::After),
            request_stations,
            response_stations,
            failure_statuses: draft.failure_statuses(),
        };
        let request = request.build().map_err(|error| wrong_plan(Direction::Request, error))?;
        let response = response.build().map_err(|error| wrong_plan(Direction::Response, error))?;
        Ok(Flow::new(Script { program, finalizers, clock }, request, response))
    }
}

/// Both chains of a flow under construction.
struct Chains {
    request: PlanBuilder<request::Parts>,
    response: PlanBuilder<response::Parts>,
    request_stations: usize,
    response_stations: usize,
}

impl Chains {
    fn new(request: PlanBuilder<request::Parts>, response: PlanBuilder<response::Parts>) -> Self {
        Self { request, response, request_stations: 0, response_stations: 0 }
    }

    /// Adds the filters of a pipeline to their chains: what each step declared, and where it is.
    fn add(&mut self, pipeline: &Pipeline) -> (Vec<Declaration>, Vec<Seat>) {
        let each = pipeline.steps.iter().map(|step| match step {
            Step::Request(node) => {
                self.request_stations += 1;
                let declaration = (node.make)().declare();
                let request = mem::replace(&mut self.request, Plan::builder());
                self.request =
                    request.late_filter(&node.name, declaration.clone(), Arc::clone(&node.make));
                (declaration, Seat::Request(self.request_stations - 1))
            }
            Step::Response(node) => {
                self.response_stations += 1;
                let declaration = (node.make)().declare();
                let response = mem::replace(&mut self.response, Plan::builder());
                self.response =
                    response.late_filter(&node.name, declaration.clone(), Arc::clone(&node.make));
                (declaration, Seat::Response(self.response_stations - 1))
            }
            Step::Call(_) => (Declaration::new(), Seat::Call),
            Step::End => (Declaration::new(), Seat::End),
        });
        each.unzip()
    }
}

fn wrong_plan(direction: Direction, error: PlanError) -> FlowError {
    FlowError::new(Place::stage(Stage::Main), FlowErrorKind::Plan { direction, error })
}

impl fmt::Debug for FlowBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FlowBuilder")
            .field("name", &self.name)
            .field("before", &self.before)
            .field("main", &self.main)
            .field("after", &self.after)
            .field("stages", &self.stages)
            .field("finalizers", &self.finalizers)
            .finish_non_exhaustive()
    }
}
