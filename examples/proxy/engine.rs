//! The engine around the forwarding service: plans, timeouts and marks as the options say.

use http::{request, response};
use tidegate::{
    Plan,
    body::{ExchangeLayer, Timeouts},
};

use super::{BoxError, filters, options::Options};

/// What requests and responses go through.
#[derive(Debug, Clone)]
pub(crate) struct Plans {
    /// The chain of requests.
    pub(crate) request: Plan<request::Parts>,
    /// The chain of responses.
    pub(crate) response: Plan<response::Parts>,
}

impl Plans {
    /// The filters that the options ask for, the same in both directions.
    pub(crate) fn new(options: &Options) -> Result<Self, BoxError> {
        let (specs, marks) = (options.filters(), options.watermarks());
        Ok(Self {
            request: filters::add_all(Plan::builder(), specs, marks)?.build()?,
            response: filters::add_all(Plan::builder(), specs, marks)?.build()?,
        })
    }

    /// The names of the filters, in order.
    pub(crate) fn names(&self) -> Vec<String> {
        self.request.filters().map(|(name, _)| name.to_owned()).collect()
    }

    /// The most bytes that one message can make the engine keep.
    pub(crate) fn held_bound(&self) -> u64 {
        self.request.held_bound_bytes().max(self.response.held_bound_bytes())
    }

    /// The layer to put between the gate and the forwarding service.
    pub(crate) fn layer(&self, options: &Options) -> Result<ExchangeLayer, BoxError> {
        let layer = ExchangeLayer::new(self.request.clone(), self.response.clone())?;
        let timeouts = timeouts(options);
        Ok(layer.request_timeouts(timeouts).response_timeouts(timeouts))
    }
}

/// The timeouts of each message.
fn timeouts(options: &Options) -> Timeouts {
    let mut timeouts = Timeouts::new();
    timeouts.idle = options.idle_timeout();
    timeouts.total = options.total_timeout();
    timeouts.hold = options.hold_timeout();
    timeouts
}
