use http::StatusCode;

use crate::error::Error;

/// How a session ended.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum SessionEnd {
    /// Both messages were answered to their ends.
    Complete,
    /// A reply of a filter, or the answer to a failure, took the place of the response.
    Replied {
        /// The status of the reply.
        status: StatusCode,
    },
    /// The data plane ended the stream and was owed nothing: it knows that nothing more comes, or
    /// does not show it. That is the normal end of an Envoy's stream, however its transport calls
    /// it (P20).
    Released,
    /// The data plane gave the exchange up: it was owed something.
    Abandoned,
    /// It failed, and the data plane was told by an error status, as no reply could be sent.
    Failed(Error),
}
