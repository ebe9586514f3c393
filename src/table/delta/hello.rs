use super::{Mark, Scope, SessionId};
use crate::table::Epoch;

/// How a consumer opens a session: which keys it wants, and what it holds of them.
#[derive(Debug, Clone)]
pub struct Hello<K> {
    /// Of the session to be.
    pub session: SessionId,
    /// Which keys it hears of.
    pub scope: Scope,
    /// Which epoch it is at; `None`: none, it wants all of it anew.
    pub at: Option<Epoch>,
    /// The keys that it subscribes to, and what it holds of each; `None`: nothing yet.
    pub keys: Vec<(K, Option<Mark>)>,
}
