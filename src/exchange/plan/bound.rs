use core::fmt;

use http::{request, response};

use super::{MakeRoutes, PlannedPair, Refused};
use crate::chain::{BoundPlan, Chain, MessageTraits, made_contained};
use crate::exchange::side::Link;
use crate::exchange::{EarlyResponse, RequestSide, ResponseSide, Side, mailbox};
use crate::filter::Declaration;
use crate::sync::ConstArc as Arc;
use crate::unwind::contained;

/// A plan whose needs an edge can meet in both directions. Cheap to clone; makes both sides of each
/// exchange.
#[derive(Clone)]
pub struct BoundExchangePlan {
    pub(super) request: BoundPlan<request::Parts>,
    pub(super) response: BoundPlan<response::Parts>,
    pub(super) pairs: Arc<[PlannedPair]>,
    pub(super) routes: Option<Arc<dyn MakeRoutes>>,
    pub(super) early: EarlyResponse,
}

impl BoundExchangePlan {
    /// Sets what becomes of a request that is still being sent when the client has its answer.
    #[must_use]
    pub fn early_response(mut self, policy: EarlyResponse) -> Self {
        self.early = policy;
        self
    }

    /// Makes both sides of one exchange, linked with each other, and all their filters.
    ///
    /// # Panics
    ///
    /// None. Where the maker of a filter panics, its chain has failed already; where that of a pair
    /// panics, both have. A response whose chain failed is answered past its filters.
    ///
    /// # Errors
    ///
    /// [`Refused`], when a message of this exchange cannot have what a filter requires.
    pub fn exchange(
        &self,
        request: MessageTraits,
        response: MessageTraits,
    ) -> Result<(RequestSide, ResponseSide), Refused> {
        let mut response = match self.response.chain(response) {
            Ok(response) => response,
            Err(unmet) => {
                // There is no chain for either, and an end that they are told all the same.
                drop(self.routes.as_ref().map(|routes| routes.routes()));
                return Err(Refused::Response { unmet });
            }
        };
        let mut request = self.request.chain(request);
        self.give_pairs(request.as_mut().ok(), &mut response);
        if let Some(routes) = &self.routes {
            let (request_route, response_route) = routes.routes();
            response.set_route(response_route);
            if let Ok(request) = &mut request {
                request.set_route(request_route);
            }
        }
        let (request_half, response_half) = mailbox();
        let response = Side::linked(response, self.early, Link::Response(response_half));
        match request {
            Ok(request) => {
                let request = Side::linked(request, self.early, Link::Request(request_half));
                Ok((request, response))
            }
            Err(unmet) => Err(Refused::Request { unmet, response: Box::new(response) }),
        }
    }

    /// Makes the pairs and gives each chain its halves.
    fn give_pairs(
        &self,
        mut request: Option<&mut Chain<request::Parts>>,
        response: &mut Chain<response::Parts>,
    ) {
        for pair in &*self.pairs {
            let Some((request_half, response_half)) = made_contained(|| (pair.make)()) else {
                if let Some(request) = request {
                    request.fail_given(pair.request);
                }
                response.fail_given(pair.response);
                return;
            };
            match &mut request {
                Some(request) => request.give_filter(pair.request, request_half),
                // There is no chain for it.
                None => contained(move || drop(request_half)),
            }
            response.give_filter(pair.response, response_half);
        }
    }

    /// See [`ExchangePlan::held_bound_bytes`](super::ExchangePlan::held_bound_bytes).
    #[must_use]
    pub fn held_bound_bytes(&self) -> u64 {
        self.request.held_bound_bytes().saturating_add(self.response.held_bound_bytes())
    }

    /// The request chain, in its order.
    pub fn request_filters(&self) -> impl Iterator<Item = (&str, &Declaration)> {
        self.request.filters()
    }

    /// The response chain, in its order.
    pub fn response_filters(&self) -> impl Iterator<Item = (&str, &Declaration)> {
        self.response.filters()
    }
}

impl fmt::Debug for BoundExchangePlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundExchangePlan")
            .field("request", &self.request)
            .field("response", &self.response)
            .field("pairs", &self.pairs.len())
            .field("early", &self.early)
            .finish()
    }
}
