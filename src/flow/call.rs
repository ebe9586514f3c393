use super::node::{END, Jump};

/// The node that stands for the upstream: the request goes there, and the response comes from
/// there.
///
/// Its results are a closed set, [`Call::RESULTS`].
///
/// | result | when |
/// |---|---|
/// | `failureCode` | the upstream answered with a status of the list; the response is kept |
/// | `timeout` | a timeout passed before the response head came |
/// | `serverError` | the upstream failed before its head came |
/// | `clientError` | the client failed before the head came |
/// | `internalError` | neither of them: the edge could not make the call |
///
/// Behind the last four the response is the answer that the exchange gives for the error.
#[derive(Debug, Clone)]
pub struct Call {
    pub(super) name: String,
    /// As given: checked when the flow is built.
    pub(super) failure_statuses: Vec<u16>,
    pub(super) jumps: Vec<Jump>,
}

impl Call {
    /// The results of every call, besides success.
    pub const RESULTS: [&'static str; 5] =
        ["failureCode", "timeout", "serverError", "clientError", "internalError"];

    /// Their numbers.
    pub(super) const FAILURE_CODE: u8 = 0;
    pub(super) const TIMEOUT: u8 = 1;
    pub(super) const SERVER_ERROR: u8 = 2;
    pub(super) const CLIENT_ERROR: u8 = 3;
    pub(super) const INTERNAL_ERROR: u8 = 4;

    /// A call of this name. Its failure statuses are 500 to 599.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), failure_statuses: (500..=599).collect(), jumps: Vec::new() }
    }

    /// Sets which statuses of the upstream are the result `failureCode`.
    #[must_use]
    pub fn failure_statuses(mut self, statuses: impl IntoIterator<Item = u16>) -> Self {
        self.failure_statuses = statuses.into_iter().collect();
        self
    }

    /// On `result`, one of [`RESULTS`](Self::RESULTS) or `""`, the node called `target` is next.
    #[must_use]
    pub fn jump(mut self, result: impl Into<String>, target: impl Into<String>) -> Self {
        self.jumps.push(Jump { result: result.into(), target: target.into() });
        self
    }

    /// On `result` the pipeline ends: it is *stopped*.
    #[must_use]
    pub fn jump_to_end(self, result: impl Into<String>) -> Self {
        self.jump(result, END)
    }

    /// What the node is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}
