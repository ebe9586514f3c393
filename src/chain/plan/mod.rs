mod bound;
mod builder;
mod plan_error;
mod unmet;

use core::fmt;

pub use bound::BoundPlan;
pub use builder::PlanBuilder;
pub use plan_error::PlanError;
pub use unmet::Unmet;

use super::stations::Masks;
use super::stations_slot::Idle;
use super::storage::Storage;
use crate::filter::{Capabilities, Declaration, Declared, DeclaredByAll, Filter, Head};
use crate::pool::{Pool, PoolStats};
use crate::sync::ConstArc as Arc;
use crate::watermark::Marks;

/// A chain as it will be made for every message: which filters, in which order, what they declared.
///
/// Built once, before any message; its memory bound can be asked for at once. Bind it to what an
/// edge can do to get a [`BoundPlan`], which makes chains.
pub struct Plan<H: Head> {
    inner: Arc<Inner<H>>,
}

pub(in crate::chain) struct Inner<H: Head> {
    pub(in crate::chain) stations: Vec<PlannedStation<H>>,
    pub(in crate::chain) output_marks: Marks,
    pub(in crate::chain) max_frame_bytes: usize,
    /// What filters declared, in the order of stations, as views need it.
    pub(in crate::chain) declared: Arc<DeclaredByAll>,
    pub(in crate::chain) masks: Masks,
    /// The stations whose filters are given to each chain.
    pub(in crate::chain) given: u64,
    /// The stations whose filters are made when the head comes to them.
    pub(in crate::chain) late: u64,
    /// What some filter or other requires.
    required: Capabilities,
    /// What stations are like while a message only passes.
    pub(in crate::chain) idle: Arc<Idle>,
    /// Chains that are waiting for their next message.
    pub(in crate::chain) pool: Pool<Storage<H>>,
}

impl<H: Head> Inner<H> {
    pub(in crate::chain) fn keeps_chains(&self) -> bool {
        self.pool.capacity() != 0
    }
}

pub(in crate::chain) struct PlannedStation<H: Head> {
    pub(in crate::chain) name: Arc<str>,
    pub(in crate::chain) declaration: Declaration,
    /// `None` if the filter is given to each chain.
    pub(in crate::chain) make: Option<Make<H>>,
    /// Made only when the head comes.
    pub(in crate::chain) is_late: bool,
}

pub(in crate::chain) type Make<H> = Box<dyn Fn() -> Box<dyn Filter<H>> + Send + Sync>;

impl<H: Head> PlannedStation<H> {
    fn declared(&self) -> Declared {
        let declaration = &self.declaration;
        let capabilities = declaration.required | declaration.preferred;
        let results = declaration.results.as_slice().into();
        Declared { capabilities, marks: declaration.marks, results }
    }
}

impl<H: Head> Plan<H> {
    /// Starts an empty plan.
    #[must_use]
    pub fn builder() -> PlanBuilder<H> {
        PlanBuilder::new()
    }

    /// The most payload bytes that stations and output queue of one message can keep at rest
    /// (rule I7): twice the sum of the high marks, the output queue's included, plus one frame.
    #[must_use]
    pub fn held_bound_bytes(&self) -> u64 {
        let high_bytes = self.inner.stations.iter().map(|each| each.declaration.marks.high());
        self.held_bound_of(high_bytes.fold(0, u64::saturating_add))
    }

    /// The same for some of the stations, whose high marks come to `high_bytes`.
    pub(crate) fn held_bound_of(&self, high_bytes: u64) -> u64 {
        high_bytes
            .saturating_add(self.inner.output_marks.high())
            .saturating_mul(2)
            .saturating_add(self.inner.max_frame_bytes as u64)
    }

    /// What the recycling of chains has come to: how many messages had the storage of one before
    /// ([`reused`](PoolStats::reused)), and how many made theirs ([`missed`](PoolStats::missed)).
    /// All zero if no chains are kept.
    #[must_use]
    pub fn recycling(&self) -> PoolStats {
        self.inner.pool.stats()
    }

    /// Names and declarations, in chain order.
    pub fn filters(&self) -> impl Iterator<Item = (&str, &Declaration)> + Clone {
        self.inner.stations.iter().map(|station| (&*station.name, &station.declaration))
    }

    /// Binds the plan to what an edge can do.
    ///
    /// # Errors
    ///
    /// [`Unmet`], naming the first filter with a required need that the edge cannot meet.
    pub fn bind(&self, edge: Capabilities) -> Result<BoundPlan<H>, Unmet> {
        check_needs(&self.inner, edge)?;
        Ok(BoundPlan { inner: Arc::clone(&self.inner), edge })
    }
}

fn check_needs<H: Head>(inner: &Inner<H>, edge: Capabilities) -> Result<(), Unmet> {
    // Of most messages, all that anybody requires can be done.
    if inner.required.and(edge) == inner.required {
        return Ok(());
    }
    for station in &inner.stations {
        if let Some(capability) = station.declaration.required.first_missing_in(edge) {
            return Err(Unmet { filter: Arc::clone(&station.name), capability });
        }
    }
    Ok(())
}

impl<H: Head> Clone for Plan<H> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

impl<H: Head> fmt::Debug for Plan<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.filters()).finish()
    }
}
