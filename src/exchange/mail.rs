use crate::error::Error;
use crate::filter::LocalReply;

/// What the request half tells the response half.
#[derive(Debug)]
#[non_exhaustive]
pub enum Mail {
    /// Give this reply instead of the response.
    Reply(LocalReply),
    /// The request failed; while there is no response head, somebody has to answer for it.
    Failed {
        /// Why.
        error: Error,
        /// Whether the request was waiting for its client then: a timeout is answered 408, not 504.
        awaited_client: bool,
    },
}
