/// Which session of which consumer: chosen by the consumer, never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionId {
    /// Of the consumer: a nonce that it has drawn when it started.
    pub instance: u64,
    /// Of the session: growing from one to the next.
    pub number: u64,
}
