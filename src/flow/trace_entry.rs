use core::time::Duration;

use super::stage::Stage;
use crate::sync::ConstArc as Arc;

/// One node that a run came to, the call included (flow-R8).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TraceEntry {
    /// Its pipeline.
    pub stage: Stage,
    /// What it is called.
    pub node: Arc<str>,
    /// Its result, `""` for success; `None` if it was not told: the head never left the node.
    pub result: Option<Arc<str>>,
    /// When the head came, by the clock of the flow.
    pub head_in: Option<Duration>,
    /// When the head left, or was replaced by a reply.
    pub head_out: Option<Duration>,
    /// Body bytes that came to the node. Of a call: what went to the upstream.
    pub bytes_in: u64,
    /// Body bytes that came from it to the next node, or to the end of its chain. Of a call: what
    /// came from the upstream, or of what was answered in its place.
    pub bytes_out: u64,
}
