//! What all exchanges of one layer share.
//!
//! This module never changes after construction.

use http::{HeaderValue, response};

use super::heads::announcement;
use super::{HttpEdge, Timeouts};
use crate::chain::{BoundPlan, Plan, Unmet};
use crate::exchange::{BoundExchangePlan, ExchangePlan, Observer};
use crate::filter::{Capabilities, Capability, Interest};

#[derive(Clone)]
pub(super) struct Settings {
    pub(super) edge: HttpEdge,
    pub(super) plan: BoundExchangePlan,
    /// No filters: carries a reply that the response chain cannot carry.
    pub(super) bare: BoundPlan<response::Parts>,
    pub(super) request_timeouts: Timeouts,
    pub(super) response_timeouts: Timeouts,
    pub(super) observer: Option<Observer>,
    /// What request and response filters may add as trailers, if anything.
    pub(super) request_trailers: Option<HeaderValue>,
    pub(super) response_trailers: Option<HeaderValue>,
    /// Whether a request filter cannot do without adding trailers.
    pub(super) request_needs_trailers: bool,
    /// Whether a response filter looks at trailers, so that the server should be asked for them.
    pub(super) wants_trailers: bool,
}

impl Settings {
    pub(super) fn new(edge: HttpEdge, plan: &ExchangePlan) -> Result<Self, Unmet> {
        let (request, response) = (plan.request(), plan.response());
        let bare = Plan::builder().build().expect("a plan without filters is within all limits");
        let can_add = |capabilities: Capabilities| capabilities.has(Capability::AddTrailers);
        Ok(Self {
            edge,
            plan: plan.bind(edge.request(), edge.response())?,
            bare: bare.bind(Capabilities::NONE).expect("a plan without filters needs nothing"),
            request_timeouts: Timeouts::new(),
            response_timeouts: Timeouts::new(),
            observer: None,
            request_trailers: announcement(request.filters().map(|(_, declaration)| declaration))
                .filter(|_| can_add(edge.request())),
            response_trailers: announcement(response.filters().map(|(_, declaration)| declaration))
                .filter(|_| can_add(edge.response())),
            request_needs_trailers: request
                .filters()
                .any(|(_, declaration)| can_add(declaration.required)),
            wants_trailers: response
                .filters()
                .any(|(_, declaration)| declaration.interest.contains(Interest::TRAILERS)),
        })
    }
}
