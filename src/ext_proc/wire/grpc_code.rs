use core::fmt;

/// How an RPC ended: the codes of gRPC, by their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum GrpcCode {
    /// As it should.
    Ok = 0,
    /// The caller gave up.
    Cancelled = 1,
    /// Nobody knows why it failed.
    Unknown = 2,
    /// What the caller sent can never be right.
    InvalidArgument = 3,
    /// Too late.
    DeadlineExceeded = 4,
    /// What it is about is not there.
    NotFound = 5,
    /// What was to be made is there.
    AlreadyExists = 6,
    /// The caller must not.
    PermissionDenied = 7,
    /// A limit was passed.
    ResourceExhausted = 8,
    /// The state of things does not allow it.
    FailedPrecondition = 9,
    /// Something else came between.
    Aborted = 10,
    /// Past the end.
    OutOfRange = 11,
    /// The server does not do this.
    Unimplemented = 12,
    /// A rule was broken on the way, or in the server.
    Internal = 13,
    /// Try again.
    Unavailable = 14,
    /// Data is gone.
    DataLoss = 15,
    /// Nobody knows who the caller is.
    Unauthenticated = 16,
}

impl GrpcCode {
    /// Every code, in the order of the numbers.
    pub const ALL: [Self; 17] = [
        Self::Ok,
        Self::Cancelled,
        Self::Unknown,
        Self::InvalidArgument,
        Self::DeadlineExceeded,
        Self::NotFound,
        Self::AlreadyExists,
        Self::PermissionDenied,
        Self::ResourceExhausted,
        Self::FailedPrecondition,
        Self::Aborted,
        Self::OutOfRange,
        Self::Unimplemented,
        Self::Internal,
        Self::Unavailable,
        Self::DataLoss,
        Self::Unauthenticated,
    ];

    /// The number in `grpc-status`.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The code with this number. What gRPC does not define is `None`: gRPC says to take it for
    /// [`Unknown`](Self::Unknown).
    #[must_use]
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|code| u32::from(code.number()) == number)
    }

    /// The name in gRPC's documents.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Cancelled => "CANCELLED",
            Self::Unknown => "UNKNOWN",
            Self::InvalidArgument => "INVALID_ARGUMENT",
            Self::DeadlineExceeded => "DEADLINE_EXCEEDED",
            Self::NotFound => "NOT_FOUND",
            Self::AlreadyExists => "ALREADY_EXISTS",
            Self::PermissionDenied => "PERMISSION_DENIED",
            Self::ResourceExhausted => "RESOURCE_EXHAUSTED",
            Self::FailedPrecondition => "FAILED_PRECONDITION",
            Self::Aborted => "ABORTED",
            Self::OutOfRange => "OUT_OF_RANGE",
            Self::Unimplemented => "UNIMPLEMENTED",
            Self::Internal => "INTERNAL",
            Self::Unavailable => "UNAVAILABLE",
            Self::DataLoss => "DATA_LOSS",
            Self::Unauthenticated => "UNAUTHENTICATED",
        }
    }
}

impl fmt::Display for GrpcCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
