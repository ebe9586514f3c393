/// What a server says of a service (`HealthCheckResponse.ServingStatus`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ServingStatus {
    /// It should be sent requests.
    Serving,
    /// It should not.
    NotServing,
    /// Not known here. Said by `Watch` only; `Check` ends with `NOT_FOUND`.
    ServiceUnknown,
}

impl ServingStatus {
    /// The number in the protocol.
    #[must_use]
    pub const fn number(self) -> i32 {
        match self {
            Self::Serving => 1,
            Self::NotServing => 2,
            Self::ServiceUnknown => 3,
        }
    }
}
