use core::fmt;

use crate::filter::{Capabilities, Capability, Declaration, Filter, Head};
use crate::limits;
use crate::sync::Arc;
use crate::watermark::Marks;

use super::{Chain, MessageTraits};

/// A chain as it will be made for every message: which filters, in which order, what they declared.
///
/// Built once, before any message; its memory bound can be asked for at once. Bind it to what an
/// edge can do to get a [`BoundPlan`], which makes chains.
pub struct Plan<H: Head> {
    inner: Arc<Inner<H>>,
}

/// A plan whose needs an edge can meet. Cheap to clone; makes one [`Chain`] per message.
pub struct BoundPlan<H: Head> {
    inner: Arc<Inner<H>>,
    edge: Capabilities,
}

pub(super) struct Inner<H: Head> {
    pub(super) stations: Vec<PlannedStation<H>>,
    pub(super) output_marks: Marks,
    pub(super) max_frame_bytes: usize,
}

pub(super) struct PlannedStation<H: Head> {
    pub(super) name: Arc<str>,
    pub(super) declaration: Declaration,
    pub(super) make: Box<dyn Fn() -> Box<dyn Filter<H>> + Send + Sync>,
}

impl<H: Head> Plan<H> {
    /// Starts an empty plan.
    #[must_use]
    pub fn builder() -> PlanBuilder<H> {
        PlanBuilder {
            stations: Vec::new(),
            output_marks: Marks::default(),
            max_frame_bytes: limits::MAX_FRAME_BYTES,
        }
    }

    /// The most payload bytes that stations and output queue of one message can keep at rest
    /// (rule I7): twice the sum of the high marks, the output queue's included, plus one frame.
    #[must_use]
    pub fn held_bound_bytes(&self) -> u64 {
        let high: u64 = self
            .inner
            .stations
            .iter()
            .map(|station| station.declaration.marks.high())
            .fold(self.inner.output_marks.high(), u64::saturating_add);
        high.saturating_mul(2).saturating_add(self.inner.max_frame_bytes as u64)
    }

    /// Names and declarations, in chain order.
    pub fn filters(&self) -> impl Iterator<Item = (&str, &Declaration)> {
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

impl<H: Head> BoundPlan<H> {
    /// Makes the chain of one message.
    ///
    /// # Errors
    ///
    /// [`Unmet`], when this message cannot have what a filter requires.
    pub fn chain(&self, message: MessageTraits) -> Result<Chain<H>, Unmet> {
        let mut granted = self.edge.and(message.capabilities);
        check_needs(&self.inner, granted)?;
        if message.bodiless {
            granted = granted.without(Capability::AddTrailers);
        }
        Ok(Chain::new(Arc::clone(&self.inner), granted, message))
    }

    /// See [`Plan::held_bound_bytes`].
    #[must_use]
    pub fn held_bound_bytes(&self) -> u64 {
        Plan { inner: Arc::clone(&self.inner) }.held_bound_bytes()
    }

    /// Names and declarations, in chain order.
    pub fn filters(&self) -> impl Iterator<Item = (&str, &Declaration)> {
        self.inner.stations.iter().map(|station| (&*station.name, &station.declaration))
    }
}

fn check_needs<H: Head>(inner: &Inner<H>, edge: Capabilities) -> Result<(), Unmet> {
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

impl<H: Head> Clone for BoundPlan<H> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner), edge: self.edge }
    }
}

impl<H: Head> fmt::Debug for Plan<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.filters()).finish()
    }
}

impl<H: Head> fmt::Debug for BoundPlan<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundPlan")
            .field("edge", &self.edge)
            .field("filters", &self.filters().map(|(name, _)| name).collect::<Vec<_>>())
            .finish()
    }
}

/// Collects the filters of a [`Plan`].
pub struct PlanBuilder<H: Head> {
    stations: Vec<PlannedStation<H>>,
    output_marks: Marks,
    max_frame_bytes: usize,
}

impl<H: Head> PlanBuilder<H> {
    /// Adds a filter behind the ones before. `make` is called once now, for the declaration, and
    /// once for every message.
    #[must_use]
    pub fn filter<F>(
        mut self,
        name: impl Into<String>,
        make: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Filter<H> + 'static,
    {
        let declaration = make().declare();
        self.stations.push(PlannedStation {
            name: Arc::from(name.into()),
            declaration,
            make: Box::new(move || Box::new(make())),
        });
        self
    }

    /// Sets the watermarks of the output queue.
    #[must_use]
    pub fn output_marks(mut self, marks: Marks) -> Self {
        self.output_marks = marks;
        self
    }

    /// Sets the largest piece of body that enters the chain at once, in bytes; larger frames are
    /// split without copying.
    #[must_use]
    pub fn max_frame_bytes(mut self, bytes: usize) -> Self {
        self.max_frame_bytes = bytes;
        self
    }

    /// Finishes the plan.
    ///
    /// # Errors
    ///
    /// [`PlanError`] if there are more than [`limits::MAX_FILTERS`] filters, or frames of 0 bytes.
    pub fn build(self) -> Result<Plan<H>, PlanError> {
        if self.stations.len() > limits::MAX_FILTERS {
            return Err(PlanError::TooManyFilters { filters: self.stations.len() });
        }
        if self.max_frame_bytes == 0 {
            return Err(PlanError::EmptyFrames);
        }
        let Self { stations, output_marks, max_frame_bytes } = self;
        Ok(Plan { inner: Arc::new(Inner { stations, output_marks, max_frame_bytes }) })
    }
}

impl<H: Head> fmt::Debug for PlanBuilder<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlanBuilder")
            .field("filters", &self.stations.len())
            .field("output_marks", &self.output_marks)
            .field("max_frame_bytes", &self.max_frame_bytes)
            .finish()
    }
}

/// A plan that cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlanError {
    /// More filters than [`limits::MAX_FILTERS`].
    TooManyFilters {
        /// How many there were.
        filters: usize,
    },
    /// A largest frame of 0 bytes would let nothing in.
    EmptyFrames,
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManyFilters { filters } => write!(
                f,
                "{filters} filters in one chain: limits::MAX_FILTERS is {}",
                limits::MAX_FILTERS
            ),
            Self::EmptyFrames => f.write_str("max_frame_bytes is 0"),
        }
    }
}

impl std::error::Error for PlanError {}

/// A required need that the edge, or this message, cannot meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmet {
    filter: Arc<str>,
    capability: Capability,
}

impl Unmet {
    /// The filter, as named in the plan.
    #[must_use]
    pub fn filter(&self) -> &str {
        &self.filter
    }

    /// What it requires.
    #[must_use]
    pub fn capability(&self) -> Capability {
        self.capability
    }
}

impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "filter `{}` requires `{}`, which this edge cannot do",
            self.filter, self.capability
        )
    }
}

impl std::error::Error for Unmet {}
