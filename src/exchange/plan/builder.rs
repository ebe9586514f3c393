use core::fmt;

use http::{request, response};

use super::{ExchangePlan, PlannedPair};
use crate::chain::{Plan, PlanBuilder, PlanError};
use crate::filter::Filter;
use crate::sync::ConstArc as Arc;
use crate::watermark::Marks;

/// Collects the filters of an [`ExchangePlan`], from the client to the upstream.
pub struct ExchangePlanBuilder {
    request: PlanBuilder<request::Parts>,
    request_filters: usize,
    /// From the client to the upstream; the chain is built in reverse.
    response: Vec<AddResponse>,
    response_settings: PlanBuilder<response::Parts>,
    /// Their response stations are counted from the client until the plan is built.
    pairs: Vec<PlannedPair>,
}

/// Adds one filter to the response chain.
type AddResponse = Box<dyn FnOnce(ResponsePlan) -> ResponsePlan + Send + Sync>;
type ResponsePlan = PlanBuilder<response::Parts>;

impl ExchangePlanBuilder {
    pub(super) fn new() -> Self {
        Self {
            request: Plan::builder(),
            request_filters: 0,
            response: Vec::new(),
            response_settings: Plan::builder(),
            pairs: Vec::new(),
        }
    }

    /// Adds a filter for requests, nearer to the upstream than the ones before. `make` is called
    /// once now, for the declaration, and once for every exchange.
    #[must_use]
    pub fn request<F>(
        mut self,
        name: impl Into<String>,
        make: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Filter<request::Parts> + 'static,
    {
        self.request = self.request.filter(name, make);
        self.request_filters += 1;
        self
    }

    /// Adds a filter for responses, nearer to the upstream than the ones before: it sees a response
    /// **before** them. `make` is called once for the declaration, when the plan is built, and once
    /// for every exchange.
    #[must_use]
    pub fn response<F>(
        mut self,
        name: impl Into<String>,
        make: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Filter<response::Parts> + 'static,
    {
        let name = name.into();
        self.response.push(Box::new(|plan| plan.filter(name, make)));
        self
    }

    /// Adds a filter for both directions, nearer to the upstream than the ones before. `make` is
    /// called once now, for the declarations, and once for every exchange: what it makes in one
    /// call belongs together.
    #[must_use]
    pub fn pair<A, B>(
        mut self,
        name: impl Into<String>,
        make: impl Fn() -> (A, B) + Send + Sync + 'static,
    ) -> Self
    where
        A: Filter<request::Parts> + 'static,
        B: Filter<response::Parts> + 'static,
    {
        let name = name.into();
        let (request, response) = make();
        let (request, response) = (request.declare(), response.declare());
        self.pairs.push(PlannedPair {
            request: self.request_filters,
            response: self.response.len(),
            make: Box::new(move || {
                let (request, response) = make();
                (Box::new(request), Box::new(response))
            }),
        });
        self.request = self.request.given(name.clone(), request);
        self.request_filters += 1;
        self.response.push(Box::new(|plan| plan.given(name, response)));
        self
    }

    /// Sets the watermarks of the output queues: of requests and of responses.
    #[must_use]
    pub fn output_marks(mut self, request: Marks, response: Marks) -> Self {
        self.request = self.request.output_marks(request);
        self.response_settings = self.response_settings.output_marks(response);
        self
    }

    /// Sets the largest piece of body that enters either chain at once, in bytes: see
    /// [`PlanBuilder::max_frame_bytes`].
    #[must_use]
    pub fn max_frame_bytes(mut self, bytes: usize) -> Self {
        self.request = self.request.max_frame_bytes(bytes);
        self.response_settings = self.response_settings.max_frame_bytes(bytes);
        self
    }

    /// Sets how many chains of each direction are kept for the exchanges to come: see
    /// [`PlanBuilder::keep_chains`].
    #[must_use]
    pub fn keep_chains(mut self, chains: usize) -> Self {
        self.request = self.request.keep_chains(chains);
        self.response_settings = self.response_settings.keep_chains(chains);
        self
    }

    /// Finishes the plan.
    ///
    /// # Errors
    ///
    /// As [`PlanBuilder::build`], for either chain.
    pub fn build(self) -> Result<ExchangePlan, PlanError> {
        let Self { request, response, response_settings, mut pairs, .. } = self;
        let last = response.len().saturating_sub(1);
        for pair in &mut pairs {
            pair.response = last - pair.response;
        }
        let response = response.into_iter().rev().fold(response_settings, |plan, add| add(plan));
        Ok(ExchangePlan {
            request: request.build()?,
            response: response.build()?,
            pairs: Arc::from(pairs),
            routes: None,
        })
    }
}

impl fmt::Debug for ExchangePlanBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExchangePlanBuilder")
            .field("request_filters", &self.request_filters)
            .field("response_filters", &self.response.len())
            .field("pairs", &self.pairs.len())
            .finish_non_exhaustive()
    }
}
