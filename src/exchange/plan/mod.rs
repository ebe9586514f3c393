//! The filters of both directions, and those that belong together.
//!
//! This module never sees a message.

mod bound;
mod builder;
mod refused;

use core::fmt;

use http::{request, response};

pub use bound::BoundExchangePlan;
pub use builder::ExchangePlanBuilder;
pub use refused::Refused;

use super::EarlyResponse;
use crate::chain::{Plan, Route, Unmet};
use crate::filter::{Capabilities, Filter};
use crate::sync::ConstArc as Arc;

/// The filters of an exchange, in one list from the client to the upstream.
///
/// A request goes down the list, its response comes back up: the response chain is in **reverse**
/// order. So the filter nearest to the client sees the request first and the response last, and a
/// pair that decodes the request body before the others sees it also encodes the response body
/// after them.
///
/// # Pairs
///
/// A filter that needs both directions is two filters made by one factory call, which share what
/// they have to share in an `Arc` of their own; the engine never locks around a filter. The halves
/// of a pair are made together, for one exchange, and never meet another: they are not asked
/// whether they can be recycled. Both are there even if one is never called. Each half runs
/// on the task of its direction, so what they share has to be made for two threads.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use http::{request, response};
/// use tidegate::exchange::ExchangePlan;
/// use tidegate::{Filter, Verdict, View};
///
/// /// Counts the request body.
/// struct Meter(Arc<AtomicU64>);
/// /// Tells the client how much has come so far.
/// struct Report(Arc<AtomicU64>);
///
/// impl Filter<request::Parts> for Meter {
///     fn data(&mut self, view: &mut View<'_, request::Parts>) -> Verdict {
///         self.0.fetch_add(view.body().len() as u64, Ordering::Relaxed);
///         Verdict::PASS
///     }
/// }
///
/// impl Filter<response::Parts> for Report {
///     fn head(&mut self, view: &mut View<'_, response::Parts>) -> Verdict {
///         let bytes = self.0.load(Ordering::Relaxed);
///         if let Some(head) = view.head_mut() {
///             head.headers.insert("x-received-bytes", bytes.into());
///         }
///         Verdict::PASS
///     }
/// }
///
/// let plan = ExchangePlan::builder()
///     .pair("meter", || {
///         let bytes = Arc::new(AtomicU64::new(0));
///         (Meter(Arc::clone(&bytes)), Report(bytes))
///     })
///     .build()?;
/// assert!(plan.held_bound_bytes() > 0);
/// # Ok::<(), tidegate::chain::PlanError>(())
/// ```
#[derive(Clone)]
pub struct ExchangePlan {
    request: Plan<request::Parts>,
    response: Plan<response::Parts>,
    pairs: Arc<[PlannedPair]>,
    routes: Option<Arc<dyn MakeRoutes>>,
}

/// Makes the routes of each exchange: who decides which stations its heads meet.
pub(crate) trait MakeRoutes: Send + Sync {
    /// Both routes of one exchange. One that is dropped without having been told the end belonged
    /// to a chain that could not be made.
    fn routes(&self) -> Routes;
}

/// The routes of one exchange: of the request and of the response.
pub(crate) type Routes = (Box<dyn Route<request::Parts>>, Box<dyn Route<response::Parts>>);

/// The two halves of a filter.
type Pair = (Box<dyn Filter<request::Parts>>, Box<dyn Filter<response::Parts>>);

struct PlannedPair {
    /// Their stations.
    request: usize,
    response: usize,
    make: Box<dyn Fn() -> Pair + Send + Sync>,
}

impl ExchangePlan {
    /// Starts an empty plan.
    #[must_use]
    pub fn builder() -> ExchangePlanBuilder {
        ExchangePlanBuilder::new()
    }

    /// The plan of two chains that have no filter in common, each in its own order.
    #[must_use]
    pub fn new(request: Plan<request::Parts>, response: Plan<response::Parts>) -> Self {
        Self { request, response, pairs: Arc::from([]), routes: None }
    }

    /// The same, with somebody who decides which stations the heads of each exchange meet.
    #[must_use]
    pub(crate) fn with_routes(mut self, routes: Arc<dyn MakeRoutes>) -> Self {
        self.routes = Some(routes);
        self
    }

    /// The request chain, in its order.
    #[must_use]
    pub fn request(&self) -> &Plan<request::Parts> {
        &self.request
    }

    /// The response chain, in its order.
    #[must_use]
    pub fn response(&self) -> &Plan<response::Parts> {
        &self.response
    }

    /// The most payload bytes that both chains of one exchange can keep at rest: the sum of
    /// [`Plan::held_bound_bytes`].
    #[must_use]
    pub fn held_bound_bytes(&self) -> u64 {
        self.request.held_bound_bytes().saturating_add(self.response.held_bound_bytes())
    }

    /// Binds the plan to what an edge can do in each direction.
    ///
    /// # Errors
    ///
    /// [`Unmet`], naming the first filter with a required need that the edge cannot meet.
    pub fn bind(
        &self,
        request: Capabilities,
        response: Capabilities,
    ) -> Result<BoundExchangePlan, Unmet> {
        Ok(BoundExchangePlan {
            request: self.request.bind(request)?,
            response: self.response.bind(response)?,
            pairs: Arc::clone(&self.pairs),
            routes: self.routes.clone(),
            early: EarlyResponse::default(),
        })
    }
}

impl fmt::Debug for ExchangePlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExchangePlan")
            .field("request", &self.request)
            .field("response", &self.response)
            .field("pairs", &self.pairs.len())
            .finish()
    }
}
