use http::{request, response};

use super::call::Call;
use super::node::{END, Node};

/// One entry of a pipeline.
#[derive(Debug, Clone)]
pub enum Step {
    /// A filter for requests.
    Request(Node<request::Parts>),
    /// The upstream.
    Call(Call),
    /// The pipeline ends here, *stopped*. It has no name of its own and no jump.
    End,
    /// A filter for responses.
    Response(Node<response::Parts>),
}

impl Step {
    /// What the step is called; [`END`] for an end.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Request(node) => node.name(),
            Self::Call(call) => call.name(),
            Self::End => END,
            Self::Response(node) => node.name(),
        }
    }
}
