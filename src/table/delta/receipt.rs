use super::SessionId;

/// Which delta of which session: what a consumer answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Receipt {
    /// The session that it was made for.
    pub session: SessionId,
    /// Growing from one delta of a session to the next.
    pub number: u64,
}
