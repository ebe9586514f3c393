//! From a configuration to a flow, in the order of the rules: the limits, then V1 each filter's
//! kind and settings, V2 reserved names, V3 unique names, V4 nodes from the last to the first.
//!
//! This module never makes a filter for an exchange.

mod definitions;
mod nodes;
mod sizes;

use super::{ConfigError, ConfigErrorKind, ConfigPlace, FlowConfig, Kinds, MarksConfig};
use crate::flow::{Flow, FlowBuilder, Stages};
use crate::limits;
use crate::watermark::Marks;
use definitions::Definitions;
use nodes::Nodes;

impl FlowConfig {
    /// Makes the flow.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for the first thing that is wrong, in this order: the limits; each filter's
    /// kind and settings; reserved, then repeated names of filters; for before, main and after,
    /// from the last node to the first, what it names; finalizers; the two ways to say what falls
    /// through; the marks; what [`FlowBuilder::build`] says, which has the rules about names,
    /// results and targets; filters that nothing names.
    ///
    /// # Panics
    ///
    /// None: a kind that panics is an error.
    pub fn build(&self, kinds: &Kinds) -> Result<Flow, ConfigError> {
        self.build_with(kinds, |flow| flow)
    }

    /// As [`build`](Self::build), with what a configuration does not say: `finish` may set the
    /// clock, how many chains are kept, finalizers of the embedder.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build).
    ///
    /// # Panics
    ///
    /// If `finish` does.
    pub fn build_with(
        &self,
        kinds: &Kinds,
        finish: impl FnOnce(FlowBuilder) -> FlowBuilder,
    ) -> Result<Flow, ConfigError> {
        sizes::check(self)?;
        let mut definitions = Definitions::new(&self.filters, kinds)?;
        let mut nodes = Nodes::new(self, &mut definitions)?;
        let finalizers = definitions.finalizers(&self.finalizers)?;
        let mut flow = Flow::builder(self.name.as_str()).stages(self.stages()?);
        flow = self.bounded(flow)?.main(core::mem::take(&mut nodes.main));
        if let Some(before) = nodes.before.take() {
            flow = flow.before(before);
        }
        if let Some(after) = nodes.after.take() {
            flow = flow.after(after);
        }
        for (name, finalizer) in finalizers {
            flow = flow.finalizer(name, move |summary| finalizer(summary));
        }
        let flow = finish(flow).build().map_err(|error| nodes.told(error))?;
        definitions.check_all_used()?;
        Ok(flow)
    }

    /// Which pipelines run behind how another one ended, as the configuration says.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::TwoModes`] if it says so in two ways.
    pub fn stages(&self) -> Result<Stages, ConfigError> {
        match (self.fall_through, self.easegress) {
            (None, None) => Ok(Stages::default()),
            (None, Some(switches)) => Ok(Stages::easegress(switches.before, switches.main)),
            (Some(borders), None) => {
                let default = Stages::default();
                Ok(Stages {
                    to_main: borders.to_main.or(default.to_main),
                    to_after: borders.to_after.or(default.to_after),
                    past_main: borders.past_main.or(default.past_main),
                })
            }
            (Some(_), Some(_)) => {
                let place = ConfigPlace::default().key("easegress");
                Err(ConfigError::new(place, ConfigErrorKind::TwoModes))
            }
        }
    }

    fn bounded(&self, flow: FlowBuilder) -> Result<FlowBuilder, ConfigError> {
        let place = |key| ConfigPlace::default().key("limits").key(key);
        let bounds = &self.limits;
        let request = marks(bounds.request_output, || place("request_output"))?;
        let response = marks(bounds.response_output, || place("response_output"))?;
        let frame_bytes = bounds.max_frame_bytes.unwrap_or(limits::MAX_FRAME_BYTES);
        if frame_bytes == 0 {
            return Err(ConfigError::new(place("max_frame_bytes"), ConfigErrorKind::EmptyFrames));
        }
        Ok(flow.output_marks(request, response).max_frame_bytes(frame_bytes))
    }
}

fn marks(
    config: Option<MarksConfig>,
    place: impl Fn() -> ConfigPlace,
) -> Result<Marks, ConfigError> {
    let Some(MarksConfig { low_bytes, high_bytes }) = config else { return Ok(Marks::DEFAULT) };
    let Some(low_bytes) = low_bytes else { return Ok(Marks::from_high(high_bytes)) };
    Marks::new(low_bytes, high_bytes).map_err(|_| {
        ConfigError::new(place().key("low_bytes"), ConfigErrorKind::Marks { low_bytes, high_bytes })
    })
}
