//! The engine around the forwarding service: plans, timeouts and marks as the options say, and a
//! word about every message that did not end as it should.

use std::sync::Arc;

use http::{request, response};
use tidegate::{
    Outcome, Plan,
    body::{Direction, ExchangeLayer, Timeouts},
    chain::Stats,
};

use super::{BoxError, failure::causes, filters, options::Options};

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
        let layer = layer.request_timeouts(timeouts).response_timeouts(timeouts);
        Ok(layer.on_finish(Arc::new(report)))
    }
}

/// Logs how a message ended, with all that is known of it; the peers are told less.
pub(crate) fn report(direction: Direction, outcome: &Outcome, stats: &Stats) {
    let Stats { input_bytes, output_bytes, .. } = *stats;
    match outcome {
        Outcome::Complete { .. } => {
            tracing::debug!(%direction, input_bytes, output_bytes, "complete");
        }
        Outcome::Replaced { by, status } => {
            let by = by.as_deref().unwrap_or("the other direction");
            tracing::info!(%direction, input_bytes, output_bytes, by, %status, "replaced");
        }
        other => match other.error() {
            Some(error) => {
                let error = causes(error).map(ToString::to_string).collect::<Vec<_>>().join(": ");
                tracing::warn!(%direction, input_bytes, output_bytes, error, "cut off");
            }
            None => tracing::info!(%direction, input_bytes, output_bytes, "given up"),
        },
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
