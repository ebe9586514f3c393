//! The trace as spans of `tracing`: one a run, and within it one a node. Without the feature they
//! are nothing.
//!
//! A subscriber is user code: what it panics with is contained.

#[cfg(feature = "tracing")]
pub(super) use traced::{NodeSpan, RunSpan};
#[cfg(not(feature = "tracing"))]
pub(super) use untraced::{NodeSpan, RunSpan};

#[cfg(feature = "tracing")]
mod traced {
    use core::time::Duration;

    use tracing::dispatcher::get_default;
    use tracing::field::{Empty, display};
    use tracing::subscriber::NoSubscriber;
    use tracing::{Span, info_span};

    use crate::flow::{Stage, Summary, TraceEntry};
    use crate::unwind::{contained, drop_contained};

    /// The span of a run.
    pub(in crate::flow) struct RunSpan(Option<Span>);

    /// The span of a node.
    pub(in crate::flow) struct NodeSpan(Option<Span>);

    impl RunSpan {
        pub(in crate::flow) fn new(flow: &str) -> Self {
            Self(made(|| {
                info_span!(
                    "flow",
                    flow,
                    request = Empty,
                    response = Empty,
                    status = Empty,
                    before = Empty,
                    main = Empty,
                    after = Empty,
                    called = Empty,
                )
            }))
        }

        /// Whether somebody listens.
        pub(in crate::flow) fn is_wanted(&self) -> bool {
            self.0.is_some()
        }

        /// The head comes to a node.
        pub(in crate::flow) fn node(&self, stage: Stage, node: &str) -> NodeSpan {
            let Some(run) = &self.0 else { return NodeSpan(None) };
            NodeSpan(made(|| {
                info_span!(
                    parent: run,
                    "node",
                    stage = %stage,
                    node,
                    result = Empty,
                    head_in_us = Empty,
                    head_out_us = Empty,
                    bytes_in = Empty,
                    bytes_out = Empty,
                )
            }))
        }

        /// The call: its span is made when all of it is known, as it belongs to both directions.
        pub(in crate::flow) fn call(&self, entry: &TraceEntry) {
            self.node(entry.stage, &entry.node).finish(entry);
        }

        /// All is over.
        pub(in crate::flow) fn finish(&self, summary: &Summary) {
            let Some(span) = &self.0 else { return };
            contained(|| {
                span.record("request", outcome_name(&summary.request));
                span.record("response", outcome_name(&summary.response));
                if let Some(status) = summary.status {
                    span.record("status", status.as_u16());
                }
                for (stage, end) in
                    [("before", summary.before), ("main", summary.main), ("after", summary.after)]
                {
                    if let Some(end) = end {
                        span.record(stage, display(end));
                    }
                }
                span.record("called", summary.called);
            });
        }
    }

    impl NodeSpan {
        /// The chain of the node is over.
        pub(in crate::flow) fn finish(self, entry: &TraceEntry) {
            let Some(span) = self.0.as_ref() else { return };
            contained(|| {
                if let Some(result) = &entry.result {
                    span.record("result", &**result);
                }
                for (field, at) in [("head_in_us", entry.head_in), ("head_out_us", entry.head_out)]
                {
                    if let Some(at) = at {
                        span.record(field, micros(at));
                    }
                }
                span.record("bytes_in", entry.bytes_in);
                span.record("bytes_out", entry.bytes_out);
            });
        }
    }

    impl Drop for RunSpan {
        fn drop(&mut self) {
            drop_contained(self.0.take());
        }
    }

    impl Drop for NodeSpan {
        fn drop(&mut self) {
            drop_contained(self.0.take());
        }
    }

    fn made(make: impl FnOnce() -> Span) -> Option<Span> {
        let mut span = None;
        contained(|| {
            let is_heard = get_default(|subscriber| !subscriber.is::<NoSubscriber>());
            span = is_heard.then(make).filter(|span| !span.is_disabled());
        });
        span
    }

    fn micros(at: Duration) -> u64 {
        u64::try_from(at.as_micros()).unwrap_or(u64::MAX)
    }

    fn outcome_name(outcome: &crate::frame::Outcome) -> &'static str {
        use crate::frame::Outcome;
        match outcome {
            Outcome::Complete { .. } => "complete",
            Outcome::Reset(_) => "reset",
            Outcome::EndUnseen => "end unseen",
            Outcome::Cancelled => "cancelled",
            Outcome::Limit(_) => "limit",
            Outcome::Stalled(_) => "stalled",
            Outcome::TimedOut(_) => "timed out",
            Outcome::Failed(_) => "failed",
            Outcome::Replaced { .. } => "replaced",
        }
    }
}

#[cfg(not(feature = "tracing"))]
mod untraced {
    use crate::flow::{Stage, Summary, TraceEntry};
    use crate::sync::ConstArc as Arc;

    /// No span.
    pub(in crate::flow) struct RunSpan;

    /// No span.
    pub(in crate::flow) struct NodeSpan;

    impl RunSpan {
        pub(in crate::flow) fn new(_: &Arc<str>) -> Self {
            Self
        }

        pub(in crate::flow) fn is_wanted(&self) -> bool {
            false
        }

        pub(in crate::flow) fn node(&self, _: Stage, _: &str) -> NodeSpan {
            NodeSpan
        }

        pub(in crate::flow) fn call(&self, _: &TraceEntry) {}

        pub(in crate::flow) fn finish(&self, _: &Summary) {}
    }

    impl NodeSpan {
        pub(in crate::flow) fn finish(self, _: &TraceEntry) {}
    }
}
