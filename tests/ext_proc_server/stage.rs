//! Processors for tests.

use tidegate::exchange::ExchangePlan;
use tidegate::ext_proc::mode::ProcessingMode;
use tidegate::ext_proc::server::ExternalProcessor;
use tidegate::ext_proc::session::{SessionPlan, SessionSettings};

/// No filters.
pub(crate) fn passing() -> ExternalProcessor {
    let plan = ExchangePlan::builder().build().unwrap();
    ExternalProcessor::new(
        SessionPlan::new(plan, SessionSettings::new(ProcessingMode::default())).unwrap(),
    )
}
