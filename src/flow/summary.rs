use http::StatusCode;

use super::stage_end::StageEnd;
use super::trace_entry::TraceEntry;
use crate::chain::Stats;
use crate::frame::Outcome;
use crate::sync::ConstArc as Arc;

/// What became of one exchange: told to finalizers, once, when all of it is over.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Summary {
    /// What the flow is called.
    pub flow: Arc<str>,
    /// How the request ended.
    pub request: Outcome,
    /// How the response ended.
    pub response: Outcome,
    /// What was counted of the request.
    pub request_stats: Stats,
    /// What was counted of the response.
    pub response_stats: Stats,
    /// The status that the client was given, if it was given any. A response that failed before its
    /// head was taken is answered past the filters: with this status, but a timeout in which the
    /// client itself was awaited is 408 there, and 504 here. A response that the edge gave up
    /// before that, or could not make, has none.
    pub status: Option<StatusCode>,
    /// How the before-pipeline ended; `None` if it did not run.
    pub before: Option<StageEnd>,
    /// How the main pipeline ended; `None` if it was skipped.
    pub main: Option<StageEnd>,
    /// How the after-pipeline ended; `None` if it did not run.
    pub after: Option<StageEnd>,
    /// Whether the upstream was given the request head.
    pub called: bool,
    /// The nodes that ran, in the order in which the head came to them.
    pub trace: Vec<TraceEntry>,
}
