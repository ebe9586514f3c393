use http::{request, response};

use super::call::Call;
use super::node::Node;
use super::on_unhandled::OnUnhandled;
use super::step::Step;

/// A list of nodes that run one after the other, unless one of them jumps.
///
/// What it may be is checked when its flow is built.
#[derive(Debug, Clone, Default)]
pub struct Pipeline {
    pub(super) steps: Vec<Step>,
    pub(super) on_unhandled: OnUnhandled,
}

impl Pipeline {
    /// An empty pipeline.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a filter for requests.
    #[must_use]
    pub fn request(self, node: Node<request::Parts>) -> Self {
        self.step(Step::Request(node))
    }

    /// Adds the call to the upstream.
    #[must_use]
    pub fn call(self, call: Call) -> Self {
        self.step(Step::Call(call))
    }

    /// Adds a filter for responses.
    #[must_use]
    pub fn response(self, node: Node<response::Parts>) -> Self {
        self.step(Step::Response(node))
    }

    /// Adds an end: who comes there stops the pipeline.
    #[must_use]
    pub fn end(self) -> Self {
        self.step(Step::End)
    }

    /// Adds a step of any kind.
    #[must_use]
    pub fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// Sets what becomes of results without a jump.
    #[must_use]
    pub fn on_unhandled(mut self, on_unhandled: OnUnhandled) -> Self {
        self.on_unhandled = on_unhandled;
        self
    }
}
