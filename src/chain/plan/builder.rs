use core::fmt;

use super::{Inner, Make, Plan, PlanError, PlannedStation};
use crate::chain::stations::{Masks, Stations};
use crate::chain::stations_slot::Idle;
use crate::filter::{Capabilities, Capability, Declaration, Filter, Head, Interest};
use crate::limits;
use crate::pool::Pool;
use crate::sync::ConstArc as Arc;
use crate::watermark::Marks;

/// Collects the filters of a [`Plan`].
pub struct PlanBuilder<H: Head> {
    stations: Vec<PlannedStation<H>>,
    output_marks: Marks,
    max_frame_bytes: usize,
    chains_kept: usize,
}

impl<H: Head> PlanBuilder<H> {
    pub(super) fn new() -> Self {
        Self {
            stations: Vec::new(),
            output_marks: Marks::default(),
            max_frame_bytes: limits::MAX_FRAME_BYTES,
            chains_kept: limits::CHAINS_KEPT,
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
            make: Some(Box::new(move || Box::new(make()))),
            is_late: false,
        });
        self
    }

    /// The same where the declaration is known already, for a station to which the head may not
    /// come: its filter is made when it does.
    #[must_use]
    pub(crate) fn late_filter(
        mut self,
        name: &str,
        declaration: Declaration,
        make: Arc<dyn Fn() -> Box<dyn Filter<H>> + Send + Sync>,
    ) -> Self {
        let make: Make<H> = Box::new(move || make());
        let (name, make, is_late) = (Arc::from(name), Some(make), true);
        self.stations.push(PlannedStation { name, declaration, make, is_late });
        self
    }

    /// Adds a station whose filter is given to each chain: see `Chain::give_filter`.
    #[must_use]
    pub(crate) fn given(mut self, name: String, declaration: Declaration) -> Self {
        let (name, is_late) = (Arc::from(name), false);
        self.stations.push(PlannedStation { name, declaration, make: None, is_late });
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

    /// Sets for how many chains the plan keeps what they were made of when their messages are over,
    /// so that the next ones need not allocate: [`limits::CHAINS_KEPT`] if nobody says otherwise;
    /// 0 keeps nothing. Filters are kept where [`Filter::recycle`] agrees.
    ///
    /// A kept chain costs its tables, its filters, and buffers of at most
    /// [`limits::RECYCLED_CHAIN_BYTES`].
    #[must_use]
    pub fn keep_chains(mut self, chains: usize) -> Self {
        self.chains_kept = chains;
        self
    }

    /// Finishes the plan.
    ///
    /// # Errors
    ///
    /// [`PlanError`] if there are more than [`limits::MAX_FILTERS`] filters, frames of 0 bytes, or
    /// a filter that declares more than [`limits::MAX_RESULTS`] results.
    pub fn build(self) -> Result<Plan<H>, PlanError> {
        if self.stations.len() > limits::MAX_FILTERS {
            return Err(PlanError::TooManyFilters { filters: self.stations.len() });
        }
        if self.max_frame_bytes == 0 {
            return Err(PlanError::EmptyFrames);
        }
        for PlannedStation { name, declaration, .. } in &self.stations {
            let results = declaration.results.len();
            if results > limits::MAX_RESULTS {
                return Err(PlanError::TooManyResults { filter: Arc::clone(name), results });
            }
        }
        let Self { stations, output_marks, max_frame_bytes, chains_kept } = self;
        let masks = masks_of(&stations);
        let idle = Idle { masks, stations: Stations::idle(stations.len(), &masks) };
        let inner = Inner {
            declared: Arc::new(stations.iter().map(PlannedStation::declared).collect()),
            masks,
            required: stations.iter().fold(Capabilities::NONE, |required, station| {
                required | station.declaration.required
            }),
            given: mask_of(&stations, |station| station.make.is_none()),
            late: mask_of(&stations, |station| station.is_late),
            idle: Arc::new(idle),
            stations,
            output_marks,
            max_frame_bytes,
            pool: Pool::new(chains_kept),
        };
        Ok(Plan { inner: Arc::new(inner) })
    }
}

/// Which stations are asked about what.
fn masks_of<H: Head>(stations: &[PlannedStation<H>]) -> Masks {
    let wants =
        |interest| mask_of(stations, |station| station.declaration.interest.contains(interest));
    let declares =
        |capability| mask_of(stations, |station| station.declared().capabilities.has(capability));
    Masks {
        head: wants(Interest::HEAD),
        data: wants(Interest::DATA),
        trailers: wants(Interest::TRAILERS),
        adders: declares(Capability::AddTrailers),
        length_changers: declares(Capability::ChangeLength),
    }
}

/// One bit for each station that `has` it.
fn mask_of<H: Head>(
    stations: &[PlannedStation<H>],
    has: impl Fn(&PlannedStation<H>) -> bool,
) -> u64 {
    let bits = stations.iter().enumerate().map(|(k, station)| u64::from(has(station)) << k);
    bits.fold(0, |mask, bit| mask | bit)
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
