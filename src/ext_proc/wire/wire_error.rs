use core::fmt;

use super::{GrpcCode, GrpcStatus, Malformed, WireLimit};

/// Why the bytes of a client cannot be read on. The stream ends with [`status`](Self::status);
/// others on the same connection are not concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum WireError {
    /// A message is compressed. No encoding was agreed on, so that none can be (gRPC over HTTP/2,
    /// `Compressed-Flag`).
    Compressed,
    /// The compressed flag of a frame is neither 0 nor 1.
    Flag {
        /// What it is.
        flag: u8,
    },
    /// The bytes are no message.
    Malformed {
        /// Of which message of the protocol.
        message: &'static str,
        /// Which rule they break.
        fault: Malformed,
    },
    /// The name of a field of a head or trailers is none (RFC 9110, section 5.1).
    FieldName {
        /// The name, escaped and cut short.
        name: String,
    },
    /// The value of a field of a head or trailers has bytes that no value has (RFC 9110,
    /// section 5.5).
    FieldValue {
        /// The name of the field, escaped and cut short. The value may be a secret.
        name: String,
    },
    /// A pseudo field comes twice (RFC 9113, section 8.3).
    RepeatedPseudo {
        /// Its name, without the colon, escaped and cut short.
        name: String,
    },
    /// A limit of this server was passed: one of its [`WireLimits`](super::WireLimits).
    Limit {
        /// Which.
        limit: WireLimit,
        /// What it allows, in its own unit.
        most: u64,
    },
    /// The stream ends inside a message.
    Ended,
    /// A message of more than 4 GiB cannot be written: the frames of gRPC have 32 bits for it.
    TooLong {
        /// How long it would be, in bytes.
        bytes: u64,
    },
}

impl WireError {
    /// Of a name, no more than this is quoted, in bytes.
    const QUOTED_BYTES: usize = 64;

    /// `name` as an error can quote it.
    pub(super) fn quote(name: &[u8]) -> String {
        name[..name.len().min(Self::QUOTED_BYTES)].escape_ascii().to_string()
    }

    /// How the stream ends.
    #[must_use]
    pub fn status(&self) -> GrpcStatus {
        let code = match self {
            Self::Compressed => GrpcCode::Unimplemented,
            Self::Flag { .. } | Self::Malformed { .. } | Self::Ended => GrpcCode::Internal,
            Self::FieldName { .. } | Self::FieldValue { .. } | Self::RepeatedPseudo { .. } => {
                GrpcCode::InvalidArgument
            }
            Self::Limit { .. } | Self::TooLong { .. } => GrpcCode::ResourceExhausted,
        };
        GrpcStatus::new(code, self.to_string())
    }
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compressed => f.write_str("a compressed message: no encoding was agreed on"),
            Self::Flag { flag } => write!(f, "a frame with the compressed flag {flag}"),
            Self::Malformed { message, fault } => write!(f, "malformed {message}: {fault}"),
            Self::FieldName { name } => write!(f, "`{name}` is not a field name"),
            Self::FieldValue { name } => write!(f, "field `{name}` has a value that none has"),
            Self::RepeatedPseudo { name } => write!(f, "pseudo field `:{name}` comes twice"),
            Self::Limit { limit, most } => {
                write!(f, "the limit `{limit}` of this server, {most}, was passed")
            }
            Self::Ended => f.write_str("the stream ended inside a message"),
            Self::TooLong { bytes } => {
                write!(f, "a reply of {bytes} bytes, longer than a frame of gRPC can be")
            }
        }
    }
}

impl core::error::Error for WireError {}
