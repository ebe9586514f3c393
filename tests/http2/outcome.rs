//! What can come of what was sent.

/// What came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// An error of the connection, with its code; then it was closed.
    Goaway(u32),
    /// The connection was closed without an error code.
    Closed,
    /// An error of the stream, with its code. The connection went on.
    Reset(u32),
    /// The response, and how its gRPC ended if it is one. The connection went on.
    Response { status: u16, grpc: Option<u32> },
    /// Nothing: what was sent behind it was served.
    Lives,
    /// Nothing, and no more is to be expected.
    Silence,
}

/// What may come.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Expect {
    Goaway(u32),
    Closed,
    Reset(u32),
    /// A response with this status.
    Status(u16),
    /// A call that ended with this status of gRPC.
    Grpc(u32),
    Lives,
}

impl Expect {
    pub(crate) fn matches(self, outcome: &Outcome) -> bool {
        match (self, outcome) {
            (Self::Goaway(expected), Outcome::Goaway(code))
            | (Self::Reset(expected), Outcome::Reset(code)) => expected == *code,
            (Self::Closed, Outcome::Closed) | (Self::Lives, Outcome::Lives) => true,
            (Self::Status(expected), Outcome::Response { status, .. }) => expected == *status,
            (Self::Grpc(expected), Outcome::Response { grpc, .. }) => Some(expected) == *grpc,
            _ => false,
        }
    }
}
