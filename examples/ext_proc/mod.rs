//! The parts of the processor. `main.rs` is thin, so that a test can start the same processor in
//! its own process. For that reason the modules name each other by `super::`.
//!
//! The filters are those of the proxy example, which do not know what they run in. They are beside
//! this module, not in it, so that a test that has the proxy has them once.

pub(crate) mod bootstrap;
pub(crate) mod options;
pub(crate) mod stop;

use std::future::Future;

use tidegate::Plan;
use tidegate::body::Timeouts;
use tidegate::exchange::ExchangePlan;
use tidegate::ext_proc::mode::FilterConfig;
use tidegate::ext_proc::server::{ExternalProcessor, ServeSettings, StreamReport, StreamSettings};
use tidegate::ext_proc::session::{ChosenMode, SessionEnd, SessionPlan, SessionSettings};
use tokio::net::TcpListener;

use super::{filter_spec, filters};
use options::Options;

/// Any error.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What the options make: the configuration of Envoy's filter, and the service that fits it.
pub(crate) struct Processor {
    config: FilterConfig,
    service: ExternalProcessor,
}

impl Processor {
    /// # Errors
    ///
    /// A mode or a configuration that cannot be, or a filter that cannot run in the mode: the error
    /// names it.
    pub(crate) fn new(options: &Options) -> Result<Self, BoxError> {
        let config = options.config()?;
        for caution in config.validate()? {
            tracing::warn!("{caution}");
        }
        let (specs, marks) = (options.filters(), options.watermarks());
        let plan = ExchangePlan::new(
            filters::add_all(Plan::builder(), specs, marks)?.build()?,
            filters::add_all(Plan::builder(), specs, marks)?.build()?,
        );
        let promise = options.promise();
        let settings = SessionSettings::of(&config).promise(promise, promise);
        let plan = SessionPlan::new(plan, settings)?;
        let held_bound_bytes = plan.held_bound_bytes();
        tracing::info!(held_bound_bytes, "the most that one request makes the server keep");
        let mut timeouts = Timeouts::new();
        timeouts.hold = options.hold_timeout();
        let settings = StreamSettings::new().timeouts(timeouts).on_end(report);
        Ok(Self { config, service: ExternalProcessor::new(plan).settings(settings) })
    }

    /// Listens, and says how Envoy is to be configured to find the server there.
    pub(crate) async fn listen(
        &self,
        options: &Options,
    ) -> Result<(TcpListener, String), BoxError> {
        let address = options.listen();
        let listener = TcpListener::bind(address)
            .await
            .map_err(|error| format!("cannot listen on {address}: {error}"))?;
        let processor = listener.local_addr()?;
        let bootstrap =
            bootstrap::bootstrap(&self.config, processor, options.envoy_listen(), options.origin());
        tracing::info!(listen = %processor, mode = ?self.config.processing_mode, "serving");
        Ok((listener, bootstrap))
    }

    /// Serves until `shutdown` is ready and the streams under way have ended.
    pub(crate) async fn serve(
        self,
        listener: TcpListener,
        options: &Options,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), BoxError> {
        let settings = ServeSettings::new();
        let settings = settings.carrier(options.carrier()).drain(options.drain_timeout());
        let served = self.service.serve(listener, settings, shutdown).await;
        tracing::info!(?served, "gone");
        if served.cut > 0 {
            return Err(format!("{} connections were cut off", served.cut).into());
        }
        Ok(())
    }
}

/// One line for each stream that did not just end well.
fn report(report: &StreamReport) {
    for disagreement in report.announced.into_iter().flat_map(|each| each.disagreements()) {
        tracing::warn!("{disagreement}");
    }
    match &report.chosen {
        Some(ChosenMode::Refused(refusal)) => tracing::warn!("{refusal}"),
        Some(ChosenMode::Unconfirmed) => tracing::warn!("no sign of the mode that was asked for"),
        _ => {}
    }
    match &report.end {
        SessionEnd::Replied { status } => tracing::info!(%status, "replied"),
        SessionEnd::Failed(error) => tracing::warn!(%error, "failed"),
        SessionEnd::Abandoned => tracing::info!("given up by the data plane"),
        _ => {}
    }
}
