use core::fmt;

use super::{Inner, Plan, PlanError, PlannedStation};
use crate::filter::{Filter, Head};
use crate::limits;
use crate::sync::ConstArc as Arc;
use crate::watermark::Marks;

/// Collects the filters of a [`Plan`].
pub struct PlanBuilder<H: Head> {
    stations: Vec<PlannedStation<H>>,
    output_marks: Marks,
    max_frame_bytes: usize,
}

impl<H: Head> PlanBuilder<H> {
    pub(super) fn new() -> Self {
        Self {
            stations: Vec::new(),
            output_marks: Marks::default(),
            max_frame_bytes: limits::MAX_FRAME_BYTES,
        }
    }

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
